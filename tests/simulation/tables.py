"""The figures of a campaign, as they stand in docs/reliability.md."""

from tests.simulation.campaign import Totals
from tests.support.report import RELIABILITY, replace_section

FIGURES = ("beats", "requests", "invites", "sessions", "replicas")


def campaign_table(totals: Totals) -> str:
    counts = totals.counts
    years = totals.passed.days / 365.25
    lines = [
        f"{totals.seeds} seeds, {len(totals.failed)} failed.",
        "",
        "| what was played | how much |",
        "|---|---:|",
        *[f"| {name} | {counts[name]:,} |" for name in FIGURES],
        f"| virtual time | {totals.passed.days:,} days ({years:,.0f} years) |",
        f"| real time | {totals.took / 60:,.1f} minutes |",
        "",
        "| what went wrong, or was done by people | times |",
        "|---|---:|",
        *[f"| {name} | {counts[name]:,} |" for name in sorted(counts) if ": " in name and not name.startswith("theme")],
    ]
    return "\n".join(lines)


def write_into_the_document(table: str) -> None:
    replace_section(RELIABILITY, "simulation", table)
