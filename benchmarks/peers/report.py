"""What a run found: one table for people, and every round as plain values for JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks.peers.crash import Left
from benchmarks.peers.lag import Lags


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rounds by the side's name; a side that cannot do a part is not in it."""

    machine: str
    links: Mapping[str, Sequence[float]]
    lags: Mapping[str, Sequence[Lags]]
    crashes: Mapping[str, Sequence[Left]]


def lines(found: Found, about: str) -> Iterator[str]:
    """At most 80 columns."""
    yield f"Machine: {found.machine}"
    yield about
    yield ""
    yield f"{'':<13}{'links':>7}{'outcome lag, s':>15}{'late':>6}{'requests':>10}{'429':>5}{'after kill -9':>24}"
    yield f"{'':<13}{'/s':>7}{'p50':>8}{'p99':>7}{'':>6}{'/outcome':>10}{'':>5}{'no':>5}{'two':>5}{'lost':>6}{'s':>8}"
    for name, lags in found.lags.items():
        yield f"{name:<13}{_links(found, name)}{_lags(lags)}{_crash(found, name)}".rstrip()
    yield ""
    yield "late: outcomes not known at the end. no: invites without a link. two: candidates"
    yield "with two live sessions. lost: live sessions in no row. s: until all have links."


def plain(found: Found) -> dict[str, Any]:
    return {
        "machine": found.machine,
        "links_per_second": found.links,
        "outcomes": {
            name: [{"p50": one.percentile(50), "p99": one.percentile(99), **asdict(one)} for one in rounds]
            for name, rounds in found.lags.items()
        },
        "after_kill": {name: [asdict(one) for one in rounds] for name, rounds in found.crashes.items()},
    }


def _links(found: Found, name: str) -> str:
    return f"{median(found.links[name]):>7.0f}" if name in found.links else f"{'-':>7}"


def _lags(rounds: Sequence[Lags]) -> str:
    p50, p99 = (median(one.percentile(number) for one in rounds) for number in (50, 99))
    late = sum(one.missing for one in rounds)
    requests = median(one.requests / max(one.outcomes, 1) for one in rounds)
    return f"{p50:>8.1f}{p99:>7.1f}{late:>6}{requests:>10.2f}{sum(one.refused for one in rounds):>5}"


def _crash(found: Found, name: str) -> str:
    rounds = found.crashes.get(name)
    if not rounds:
        return f"{'-':>5}{'-':>5}{'-':>6}{'-':>8}"
    counts = (median(getattr(one, what) for one in rounds) for what in ("without_link", "twice", "unknown", "seconds"))
    return "".join(f"{count:>{width}.0f}" for count, width in zip(counts, (5, 5, 6, 8), strict=True))
