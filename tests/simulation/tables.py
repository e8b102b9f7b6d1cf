"""The figures of a campaign, as they stand in docs/reliability.md."""

from collections.abc import Sequence

from tests.simulation.campaign import Totals
from tests.simulation.mutations import MUTATIONS, Caught
from tests.support.report import RELIABILITY, replace_section

FIGURES = ("beats", "requests", "invites", "sessions", "replicas")


def campaign_table(totals: Totals) -> str:
    counts, days = totals.counts, totals.passed.days
    troubles = [name for name in sorted(counts) if ": " in name and not name.startswith("theme")]
    return "\n".join(
        [
            f"{totals.seeds:,} seeds were played, and {len(totals.failed):,} of them broke a promise.",
            "",
            "| played | in all |",
            "|---|---:|",
            *[f"| {name} | {counts[name]:,} |" for name in FIGURES],
            f"| virtual time | {days:,} days ({days / 365.25:,.0f} years) |",
            f"| real time, over all processes | {totals.took / 3600:,.1f} hours |",
            "",
            "| what went wrong, or was done by people in the middle of it | times |",
            "|---|---:|",
            *[f"| {name} | {counts[name]:,} |" for name in troubles],
        ]
    )


def mutation_table(caught: Sequence[Caught]) -> str:
    """Each safeguard that was taken out, and how the simulation noticed."""
    names = {id(mutation): name for name, mutation in MUTATIONS.items()}
    return "\n".join(
        [
            "| without | what that means | seeds of its theme until it was noticed | the first of what it said |",
            "|---|---|---:|---|",
            *[
                f"| {names[id(one.mutation)]} | {one.mutation.what} "
                f"| {one.played if one.seed is not None else f'not in {one.played}'} | {_in_a_cell(one)} |"
                for one in caught
            ],
        ]
    )


def _in_a_cell(one: Caught) -> str:
    return "" if one.seed is None else f"seed {one.seed}: {one.finding.splitlines()[0].replace('|', '/')}"


def write_into_the_document(*parts: str) -> None:
    replace_section(RELIABILITY, "simulation", "\n\n".join(parts))
