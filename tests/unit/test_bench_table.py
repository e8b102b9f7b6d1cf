"""The table of all figures: how each stands to its target, beside whom, and in how many columns."""

import pytest

from benchmarks.figures import Figure
from benchmarks.whole import SIDES, Table


@pytest.mark.parametrize(
    ("figure", "target", "verdict"),
    [
        (Figure(what="lag", value=5.9, form="{:.1f}", most=6.0), "≤ 6.0", "met"),
        (Figure(what="lag", value=6.1, form="{:.1f}", most=6.0), "≤ 6.0", "MISSED"),
        (Figure(what="use", value=0.97, form="{:.0%}", least=0.97), "≥ 97%", "met"),
        (Figure(what="use", value=0.96, form="{:.0%}", least=0.97), "≥ 97%", "MISSED"),
        (Figure(what="links", value=700, form="{:.0f}"), "", ""),
    ],
)
def test_a_figure_stands_to_its_target(figure: Figure, target: str, verdict: str) -> None:
    assert (figure.target, figure.verdict) == (target, verdict)


def a_table(*, judged: bool = True) -> Table:
    others = tuple((side, 12345.0) for side in SIDES if side != "dlt")
    figures = [
        Figure(what="p99, 100,000 open, 200 talk, s", value=13.0, form="{:.1f}", most=12.0),
        Figure(what="links/s, 16 in flight", value=300, form="{:.0f}", others=others),
    ]
    return Table(machine="2 cores", day="2026-11-27", minutes=61.4, figures=figures, judged=judged)


def test_the_table_fits_a_terminal() -> None:
    lines = list(a_table().on_a_terminal())
    assert max(len(line) for line in lines) <= 80
    assert lines[-2].split() == ["p99,", "100,000", "open,", "200", "talk,", "s", "≤", "12.0", "13.0", "MISSED"]
    assert lines[-1].split()[-4:] == ["300", "12345", "12345", "12345"]


def test_a_run_that_is_too_small_judges_nothing() -> None:
    assert "MISSED" not in "".join(a_table(judged=False).on_a_terminal())


def test_on_the_page_every_row_has_every_column() -> None:
    rows = [line for line in a_table().on_the_page() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {9}
    assert rows[2] == "| p99, 100,000 open, 200 talk, s | ≤ 12.0 | 13.0 | MISSED |  |  |  |  |"
    assert rows[3].endswith("| 300 |  | 12345 | 12345 | 12345 |  |")
