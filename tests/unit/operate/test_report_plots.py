"""The report's marks, and the contrast of its colours."""

import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from service.operate.report.facts import SPAN_EDGES, Funnel, Lag, Spans, Usage
from service.operate.report.plots import (
    Column,
    Row,
    funnel_rows,
    lag_columns,
    moments,
    nice,
    outcome_rows,
    percent,
    span_rows,
    usage_columns,
)

DAY = datetime(2031, 5, 6, tzinfo=UTC)
FUNNEL = Funnel(invites=200, links=190, begun=120, completed=100, failed=20, expired=50, called_off=6, needs_review=4)


def test_the_funnel_is_told_as_parts_of_all_invites() -> None:
    assert funnel_rows(FUNNEL) == [
        Row(label="invites", number=200, share="100 %", bar=100),
        Row(label="got a link", number=190, share="95 %", bar=95),
        Row(label="interview begun", number=120, share="60 %", bar=60),
        Row(label="interview finished", number=100, share="50 %", bar=50),
    ]


def test_where_the_invites_stand_adds_up_to_all_of_them() -> None:
    rows = outcome_rows(FUNNEL)
    assert sum(row.number for row in rows) == FUNNEL.invites
    assert (rows[-1].label, rows[-1].number, rows[-1].share, rows[-1].bar) == ("still open", 20, "10 %", 20)


def test_each_span_has_a_name_and_the_longest_bar_is_whole() -> None:
    counts = tuple(range(len(SPAN_EDGES) + 1))
    rows = span_rows(Spans(counts=counts, median=1.0, p90=2.0, median_by_account={}))
    assert [row.label for row in rows] == [
        "under 1 h", "1 h to 4 h", "4 h to 12 h", "12 h to 24 h", "24 h to 2 days", "2 days to 3 days",
        "3 days to 5 days", "5 days to 7 days", "over 7 days",
    ]  # fmt: skip
    assert [row.number for row in rows] == list(counts)
    assert rows[-1].bar == 100


def test_of_nothing_there_is_no_part_and_no_bar() -> None:
    empty = Funnel(invites=0, links=0, begun=0, completed=0, failed=0, expired=0, called_off=0, needs_review=0)
    assert {(row.share, row.bar) for row in [*funnel_rows(empty), *outcome_rows(empty)]} == {("-", 0.0)}


@pytest.mark.parametrize(("number", "shown"), [(0, "0 %"), (1, "0.5 %"), (19, "9.5 %"), (20, "10 %"), (200, "100 %")])
def test_small_parts_have_a_decimal(number: int, shown: str) -> None:
    assert percent(number, 200) == shown


@pytest.mark.parametrize(
    ("number", "top"), [(0, 1), (0.03, 0.05), (1, 1), (1.1, 2), (4.9, 5), (7, 10), (10, 10), (11, 20), (30000, 50000)]
)
def test_an_axis_ends_at_a_number_that_people_count_in(number: float, top: float) -> None:
    assert nice(number) == pytest.approx(top)


def marks_of(column: Column) -> list[tuple[int, float, float]]:
    """The colour, the lower end and the height of each."""
    return [(mark.series, mark.bottom, mark.height) for mark in column.marks]


def test_a_day_s_column_is_stacked_from_the_50th_to_the_99th_percentile() -> None:
    lag = Lag(outcomes=3, p50=2.0, p95=5.0, p99=10.0)
    plot = lag_columns({DAY: lag}, [DAY - timedelta(days=1), DAY])
    assert (plot.top, plot.line) == (10, None)
    assert [column.label for column in plot.columns] == ["05 May", "06 May"]
    assert plot.columns[0].marks == ()
    assert marks_of(plot.columns[1]) == [(0, 0, 20), (1, 20, 30), (2, 50, 50)]


def test_an_hour_s_column_is_stacked_by_what_the_requests_were_for_and_the_limit_is_a_line() -> None:
    one = Usage(hour=DAY, outcomes=60, starts=0, artifacts=30, nets=10, sent=100, too_fast=0, unanswered=0)
    plot = usage_columns([one], [DAY], limit=150)
    assert (plot.top, plot.line) == (200, 75)
    assert marks_of(plot.columns[0]) == [(0, 0, 30), (2, 30, 15), (3, 45, 5)]


def test_more_requests_than_the_limit_still_fit() -> None:
    one = Usage(hour=DAY, outcomes=900, starts=0, artifacts=0, nets=0, sent=900, too_fast=9, unanswered=0)
    plot = usage_columns([one], [DAY], limit=150)
    assert plot.top == 1000


def test_moments_begin_with_the_day_or_hour_in_which_the_time_begins() -> None:
    begin = DAY.replace(hour=5, minute=7)
    assert moments(begin, begin + timedelta(days=2), timedelta(days=1)) == [DAY + timedelta(days=n) for n in range(3)]
    hours = moments(begin, begin + timedelta(minutes=59), timedelta(hours=1))
    assert hours == [DAY.replace(hour=5), DAY.replace(hour=6)]


# --- colours ---------------------------------------------------------------------------------------------------------


def palettes() -> list[dict[str, str]]:
    style = files("service.operate.report").joinpath("page.css").read_text(encoding="utf-8")
    return [
        dict(re.findall(r"--([a-z0-9]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark", "paper"])
def test_text_and_marks_stand_out_from_what_they_stand_on(palette: dict[str, str]) -> None:
    assert len(palette) == 13
    for ground in ("ground", "panel"):
        for text in ("text", "faint", "good", "bad", "link"):
            assert contrast(palette[text], palette[ground]) >= 4.5, f"{text} on {ground}"
    for mark in ("s0", "s1", "s2", "s3", "limit"):
        assert contrast(palette[mark], palette["ground"]) >= 3, f"{mark}"


def test_colours_are_looked_at_by_this_very_sum() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
