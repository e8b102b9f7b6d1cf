"""From numbers to marks on the page: rows with a bar each, and columns over time. Pure; all sizes are parts of 100."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from service.operate.report.facts import DAY, HOUR, SPAN_EDGES, Funnel, Lag, Spans, Usage

WHOLE = 100.0
_NICE = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A label, its number, how large a part that is, and the length of its bar."""

    label: str
    number: int
    share: str
    bar: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One piece of a column: where it begins and how high it is, from below."""

    series: int  #: which colour
    bottom: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    label: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A plot over time. `top` is what its upper edge stands for."""

    columns: tuple[Column, ...]
    top: float
    line: float | None = None  #: a limit, from below


def funnel_rows(funnel: Funnel) -> list[Row]:
    steps = (
        ("invites", funnel.invites),
        ("got a link", funnel.links),
        ("interview begun", funnel.begun),
        ("interview finished", funnel.completed),
    )
    return _rows(steps, whole=funnel.invites)


def outcome_rows(funnel: Funnel) -> list[Row]:
    """Where the invites stand now."""
    outcomes = (
        ("interview finished", funnel.completed),
        ("interview did not finish", funnel.failed),
        ("link ran out unused", funnel.expired),
        ("cancelled or refused", funnel.called_off),
        ("a person must decide", funnel.needs_review),
        ("still open", funnel.open),
    )
    return _rows(outcomes, whole=funnel.invites)


def span_rows(spans: Spans) -> list[Row]:
    return _rows(zip(_span_labels(), spans.counts, strict=True), whole=sum(spans.counts))


def _span_labels() -> list[str]:
    names = [f"{edge // HOUR} h" if edge <= DAY else f"{edge // DAY} days" for edge in SPAN_EDGES]
    between = [f"{begin} to {end}" for begin, end in pairwise(names)]
    return [f"under {names[0]}", *between, f"over {names[-1]}"]


def _rows(labelled: Iterable[tuple[str, int]], *, whole: int) -> list[Row]:
    numbers = list(labelled)
    longest = max((number for _, number in numbers), default=0)
    return [
        Row(label=label, number=number, share=percent(number, whole), bar=part(number, longest))
        for label, number in numbers
    ]


def percent(number: float, whole: float) -> str:
    """`-` of nothing."""
    if not whole:
        return "-"
    share = WHOLE * number / whole
    return f"{share:.1f} %" if 0 < share < 10 else f"{share:.0f} %"


def part(number: float, whole: float) -> float:
    return round(WHOLE * number / whole, 2) if whole else 0.0


def lag_columns(by_day: dict[datetime, Lag], days: Sequence[datetime]) -> Columns:
    """A column for each day, from the 50th over the 95th to the 99th percentile; none where nothing was completed."""
    top = nice(max((lag.p99 for lag in by_day.values()), default=0.0))
    return Columns(
        top=top,
        columns=tuple(Column(label=f"{day:%d %b}", marks=_stacked(_steps(by_day.get(day)), top)) for day in days),
    )


def _steps(lag: Lag | None) -> tuple[float, ...]:
    return (lag.p50, lag.p95 - lag.p50, lag.p99 - lag.p95) if lag else ()


def usage_columns(usage: Sequence[Usage], hours: Sequence[datetime], *, limit: int) -> Columns:
    """A column for each hour, by what the requests were for; the line is the limit, in requests per hour."""
    by_hour = {one.hour: one for one in usage}
    top = nice(max([limit, *(one.sent for one in usage)]))
    columns = []
    for hour in hours:
        one = by_hour.get(hour)
        pieces = (one.outcomes, one.starts, one.artifacts, one.nets) if one else ()
        columns.append(Column(label=f"{hour:%d %b %H:%M}", marks=_stacked(pieces, top)))
    return Columns(top=top, columns=tuple(columns), line=part(limit, top) if limit else None)


def _stacked(pieces: Iterable[float], top: float) -> tuple[Mark, ...]:
    marks, bottom = [], 0.0
    for series, piece in enumerate(pieces):
        if piece > 0:
            marks.append(Mark(series=series, bottom=part(bottom, top), height=part(piece, top)))
        bottom += piece
    return tuple(marks)


def nice(number: float) -> float:
    """The next number that people count in: 1, 2 or 5 and zeros."""
    if number <= 0:
        return 1.0
    step = 1.0
    while step * 10 < number:
        step *= 10
    while step > number:
        step /= 10
    return next(step * factor for factor in _NICE if step * factor >= number)


def moments(begin: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """The beginnings of the days or hours from `begin` to `end`, which are in UTC."""
    first = begin.replace(minute=0, second=0, microsecond=0)
    if step >= timedelta(days=1):
        first = first.replace(hour=0)
    return [first + number * step for number in range((end - first) // step + 1)]
