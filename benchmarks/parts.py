"""The parts of the whole: each measures what one module is for, and says what its figures should be."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median

from benchmarks import budget_use, latency, outcome_lag, report, table_size, throughput, wal
from benchmarks import resources as replica
from benchmarks.figures import Figure
from benchmarks.outages import NO_ANSWER, Kind, Outage
from benchmarks.outages import P99_MAX as P99_MAX_FROM_RECOVERY
from benchmarks.outcome_lag import Measured, Plan
from benchmarks.peers import __main__ as beside
from benchmarks.peers.lag import Lags
from benchmarks.peers.sides import OURS, PYTHON
from benchmarks.stage import stage
from benchmarks.verify import verify
from sandbox.profile import Listing

CONCURRENCY = 64  #: requests in flight where there is no limit
LATENCY_SECONDS = 0.1
RATIO_MIN_WITH_LATENCY = 0.9
P99_MAX_MS = 250.0
CLAIM_RATIO_MAX = 2.0
#: A list of what runs takes a request for each full page, and one for the last.
PAGE_ROWS = Listing().page_size_max
NETS_SHARE_MAX = 0.1
WAL_KB_FIRST = {"no": 21.6, "and": 26.5}  #: for an invite, as it was measured first


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    rounds: int
    links: int
    inserts: int
    budget_minutes: float
    finished: tuple[int, int]  #: invites in the tables, few and many
    memory: tuple[int, int]  #: open sessions
    memory_minutes: float
    idle_seconds: float
    wal_invites: int
    open: int
    caps: tuple[int, ...]
    minutes: float
    talk: float  #: seconds, or more where more may talk at once
    outage_minutes: float
    peers: beside.Sizes


WHOLE = Sizes(
    rounds=3,
    links=1000,
    inserts=200,
    budget_minutes=2.5,
    finished=(1000, 1_000_000),
    memory=(1000, 1_000_000),
    memory_minutes=3.0,
    idle_seconds=60.0,
    wal_invites=1000,
    open=100_000,
    caps=(8, 200),
    minutes=4.0,
    talk=45.0,
    outage_minutes=10.0,
    peers=beside.WHOLE,
)
QUICK = Sizes(
    rounds=1,
    links=30,
    inserts=3,
    budget_minutes=0.1,
    finished=(100, 200),
    memory=(50, 100),
    memory_minutes=0.05,
    idle_seconds=2.0,
    wal_invites=5,
    open=200,
    caps=(8,),
    minutes=0.6,
    talk=8.0,
    outage_minutes=0.2,
    peers=beside.QUICK,
)


def links(sizes: Sizes) -> list[Figure]:
    """Links per second beside a bare loop, and INSERT to link, where the vendor answers at once."""
    with stage(concurrency=CONCURRENCY) as on:
        rates = throughput.measure(on, rounds=sizes.rounds, size=sizes.links, concurrency=CONCURRENCY, say=_silent)
        times = latency.measure(on, inserts=sizes.inserts)
        verify(on)
    return [
        *_rates(rates, "0 ms", report.RATIO_MIN),
        Figure(what="INSERT → link, p50, ms", value=times.p50 * 1e3, form="{:.0f}", most=report.P50_MAX_SECONDS * 1e3),
        Figure(what="INSERT → link, p99, ms", value=times.p99 * 1e3, form="{:.0f}", most=P99_MAX_MS),
    ]


def links_with_latency(sizes: Sizes) -> list[Figure]:
    """The same links, where the vendor takes its time."""
    with stage(concurrency=CONCURRENCY, latency=LATENCY_SECONDS) as on:
        rates = throughput.measure(on, rounds=sizes.rounds, size=sizes.links, concurrency=CONCURRENCY, say=_silent)
        verify(on)
    return _rates(rates, f"{LATENCY_SECONDS * 1e3:.0f} ms", RATIO_MIN_WITH_LATENCY)


def budget(sizes: Sizes) -> list[Figure]:
    """Three replicas, while invites wait."""
    counts = budget_use.measure(3, sizes.budget_minutes)
    return [
        Figure(what="use of the limit, backlog", value=budget_use.used(counts), form="{:.1%}", least=budget_use.TARGET),
        Figure(what="answers of 429 there", value=counts[-1][1], form="{:.0f}", most=0),
    ]


def claims(sizes: Sizes) -> list[Figure]:
    """Claims of 100 in small tables and in large ones."""
    few, many = (table_size.measure(finished) for finished in sizes.finished)
    return [
        Figure(
            what=f"{name}, ×{sizes.finished[1] // sizes.finished[0]:,}",
            value=many[name] / few[name],
            form="{:.2f}",
            most=CLAIM_RATIO_MAX,
        )
        for name in few
        if name.startswith("claim")
    ]


def resources(sizes: Sizes) -> list[Figure]:
    """Memory, what an idle replica costs, and bytes of WAL."""
    memories, idles = replica.watch(sizes.memory, sizes.memory_minutes, sizes.idle_seconds)
    few, many = memories
    nothing, nobody = idles.values()
    wals = [wal.measure(sizes.wal_invites, beside=20 * sizes.wal_invites, transcripts=on) for on in (False, True)]
    return [
        Figure(what=f"MiB, {many.open_sessions:,} open", value=many.most, form="{:.0f}", most=replica.MEBIBYTES_MAX),
        Figure(
            what=f"  more than at {few.open_sessions:,}",
            value=many.now / few.now - 1,
            form="{:.0%}",
            most=replica.GROWTH_MAX,
        ),
        Figure(what="idle: queries a second", value=nothing.queries, form="{:.2f}", most=replica.QUERIES_MAX),
        Figure(what="idle: of a core", value=nothing.cpu, form="{:.2%}", most=replica.CPU_MAX),
        Figure(what=f"{few.open_sessions:,} open: queries a second", value=nobody.queries, form="{:.2f}"),
        Figure(what=f"{few.open_sessions:,} open: of a core", value=nobody.cpu, form="{:.2%}"),
        *(
            Figure(what=f"WAL/invite, {with_or} transcript, kB", value=one.total / 1e3, form="{:.1f}", most=first / 2)
            for (with_or, first), one in zip(WAL_KB_FIRST.items(), wals, strict=True)
        ),
    ]


def lags(sizes: Sizes) -> list[Figure]:
    """How soon an outcome is known, and what it costs."""
    runs = _side_by_side([_plan(sizes, cap, None) for cap in sizes.caps])
    return [figure for one in runs for figure in _lags(one)]


def outages(sizes: Sizes) -> list[Figure]:
    """The same after each part was away."""
    kinds = list(Kind)
    runs = _side_by_side([_plan(sizes, sizes.caps[0], kind) for kind in kinds])
    return [
        Figure(
            what=f"p99, {kind} away {sizes.outage_minutes:g} min, s",
            value=one.cuts[98],
            form="{:.1f}",
            most=P99_MAX_FROM_RECOVERY,
        )
        for kind, one in zip(kinds, runs, strict=True)
    ]


def _side_by_side(plans: Sequence[Plan]) -> list[Measured]:
    """Each with a vendor, a database and a service of its own: at eight requests a second none disturbs another."""
    with ProcessPoolExecutor(len(plans), mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(outcome_lag.measure, plans))


def peers(sizes: Sizes) -> list[Figure]:
    """The same job by other means; they have no targets."""
    found, size = beside.measure(sizes.peers, PYTHON), sizes.peers

    def of(what: str, form: str, figures: dict[str, float]) -> Figure:
        others = tuple((name, value) for name, value in figures.items() if name != OURS.name)
        return Figure(what=what, value=figures[OURS.name], form=form, others=others)

    def lag(figure: Callable[[Lags], float]) -> dict[str, float]:
        return {name: median(figure(one) for one in rounds) for name, rounds in found.lags.items()}

    def left(figure: str) -> dict[str, float]:
        return {name: median(getattr(one, figure) for one in rounds) for name, rounds in found.crashes.items()}

    return [
        of(
            f"links/s, {size.concurrency} in flight",
            "{:.0f}",
            {name: median(all_) for name, all_ in found.links.items()},
        ),
        of(f"lag p50, {size.open:,} open, s", "{:.1f}", lag(lambda one: one.percentile(50))),
        of(f"lag p99, {size.open:,} open, s", "{:.1f}", lag(lambda one: one.percentile(99))),
        of("  requests/outcome", "{:.1f}", lag(lambda one: one.requests / max(one.outcomes, 1))),
        of("kill -9: sessions lost", "{:.0f}", left("unknown")),
        of("  candidates with two", "{:.0f}", left("twice")),
        of("  s until all have links", "{:.0f}", left("seconds")),
    ]


def _rates(rates: throughput.Throughput, answer: str, ratio_min: float) -> list[Figure]:
    ours = median(one.rate for one in rates.service)
    return [
        Figure(what=f"links/s, answers in {answer}", value=ours, form="{:.0f}"),
        Figure(what="  against a bare loop", value=rates.ratio, form="{:.2f}", least=ratio_min),
    ]


def _plan(sizes: Sizes, cap: int, away: Kind | None) -> Plan:
    outage = None if away is None else Outage(kind=away, minutes=sizes.outage_minutes, fault=NO_ANSWER)
    talk = outcome_lag.talk_seconds(cap, least=sizes.talk)
    return Plan(open_sessions=sizes.open, cap=cap, minutes=sizes.minutes, talk=talk, outage=outage)


def _lags(one: Measured) -> Sequence[Figure]:
    where = f"{one.plan.open_sessions:,} open, {one.plan.cap} talk"
    return (
        Figure(what=f"p50, {where}, s", value=one.cuts[49], form="{:.1f}", most=outcome_lag.P50_MAX),
        Figure(what=f"p99, {where}, s", value=one.cuts[98], form="{:.1f}", most=outcome_lag.P99_MAX),
        Figure(what="  not known", value=one.missing, form="{:.0f}", most=0),
        Figure(what="  looks/outcome", value=one.looks / one.outcomes, form="{:.2f}", most=outcome_lag.REQUESTS_MAX),
        Figure(what="  lists/tick", value=one.lists_per_tick, form="{:.2f}", most=1 + one.plan.cap // PAGE_ROWS),
        Figure(what="  nets, of the limit", value=one.nets_share, form="{:.1%}", most=NETS_SHARE_MAX),
    )


def _silent(_: str) -> None:
    """Rounds are not told one by one."""
