"""
How soon an outcome is known: `python -m benchmarks.outcome_lag --open 100000 --cap 8 --minutes 10`.

The real service, at `SYNC_WATCH_INTERVAL_SECONDS=10` and the vendor's default limit, watches so many open sessions
while as many interviews run as the vendor lets run at once; whoever finishes makes room for the next candidate. The lag
is the time from the vendor's own end of a session to the moment at which the invite's outcome was written; both are
taken on this machine's clock. Transcripts are off.

With `--outage vendor`, `database` or `service` one of them is away for `--outage-minutes` in the middle, and the lags
of what that has delayed are counted from its end (`benchmarks.outages`).
"""

import argparse
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles

from benchmarks.candidates import Candidates
from benchmarks.failed import BenchmarkFailed
from benchmarks.figures import met
from benchmarks.memory import most_memory
from benchmarks.outages import KNOWN_WITHIN, NO_ANSWER, Kind, Outage, Recovery, history
from benchmarks.outages import P99_MAX as P99_MAX_FROM_RECOVERY
from benchmarks.watched import PER_MINUTE, Watched, watched
from sandbox.model import Session, Status
from sandbox.profile import CandidateMix, Limits, Profile
from sandbox.register import Register

P50_MAX, P99_MAX = 6.0, 12.0
WATCH_INTERVAL_SECONDS = 10  #: the service's default
REQUESTS_MAX = 1.2
MISSING_AFTER = timedelta(minutes=1)

SENT = "select coalesce(sum(sent), 0) from zenhire.request_counts"
NETS = f"{SENT} where share = 'nets'"

LAGS = """
select s.session_id, i.status_changed_at from zenhire.candidate_invites i
join zenhire.interview_sessions s on s.session_id = i.session_id and s.account = i.account
where i.status in ('completed', 'failed')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured."""

    open_sessions: int
    cap: int  #: interviews at once
    minutes: float
    talk: float  #: seconds that an interview takes, on average
    outage: Outage | None  #: in the middle, and not counted among the minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run."""

    plan: Plan
    minutes: float  #: with the outage
    lags: Sequence[float]  #: seconds, of every outcome of the run; with an outage of those it delayed, from its end
    missing: int  #: that the vendor knows for longer than a minute, and we do not
    outcomes: int  #: that are known at the end
    looks: int
    lists: int
    nets: int  #: requests of these two kinds that look for nothing in particular
    refused: int  #: answers that were 429
    budget_used: float
    mebibytes: int
    history: str

    @property
    def cuts(self) -> list[float]:
        return quantiles(self.lags, n=100, method="inclusive")

    @property
    def nets_share(self) -> float:
        """Of the limit."""
        return self.nets / (PER_MINUTE * self.minutes)

    @property
    def lists_per_tick(self) -> float:
        """Lists that are no net, for each time at which one may have been due; there is one more than distances."""
        return (self.lists - self.nets) / (self.minutes * 60 // WATCH_INTERVAL_SECONDS + 1)


def main() -> int:
    given = _arguments()
    outage = given.outage and Outage(kind=Kind(given.outage), minutes=given.outage_minutes, fault=given.fault)
    plans = [
        Plan(open_sessions=count, cap=cap, minutes=given.minutes, talk=given.talk or talk_seconds(cap), outage=outage)
        for count in given.open
        for cap in given.cap
    ]
    try:
        runs = [measure(plan) for plan in plans]
    except BenchmarkFailed as problem:
        sys.stderr.write(f"benchmark: {problem}\n")
        return 1
    print("\n".join(_lines(runs)))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.outcome_lag", description=(__doc__ or "").split("\n")[1]
    )
    add = parser.add_argument
    add("--open", type=int, default=[100_000], nargs="+", metavar="N", help="open sessions")
    add("--cap", type=int, default=[8], nargs="+", metavar="N", help="interviews at once")
    add("--minutes", type=float, default=10)
    add("--talk", type=float, help="seconds that an interview takes (default: 45, or 1.5 for each place)")
    add("--outage", choices=[*Kind], help="who is away in the middle (default: nobody)")
    add("--outage-minutes", type=float, default=10, metavar="N", help="beside --minutes (default: 10)")
    add("--fault", default=NO_ANSWER, help="what the vendor does instead of answering: a rule of the sandbox's")
    return parser.parse_args()


def talk_seconds(cap: int, *, least: float = 45.0) -> float:
    """How long an interview takes on average: longer where many run at once, so that outcomes are not too many."""
    return max(least, 1.5 * cap)


def measure(plan: Plan) -> Measured:
    """Watch that many open sessions while that many interviews run."""
    profile = Profile(
        candidates=CandidateMix(come="when_sent"), limits=Limits(concurrency=plan.cap, requests_per_minute=PER_MINUTE)
    )
    with watched(plan.open_sessions, profile) as stage:
        before = _requests(stage)
        recovery = _live_through_it(stage, plan)
        after = _requests(stage)
        minutes = (after.at - before.at) / 60
        answers = after.answers - before.answers
        ended, known = _ended(stage), _known(stage)
        now = stage.now()
        return Measured(
            plan=plan,
            minutes=minutes,
            lags=_enough(recovery.lags(ended, known, now) if recovery else _lags(ended, known)),
            missing=recovery.missing(ended, known)
            if recovery
            else sum(1 for name, at in ended.items() if name not in known and at < now - MISSING_AFTER),
            outcomes=len(known),
            looks=_count(answers, "get_session"),
            lists=_count(answers, "list_sessions"),
            nets=after.nets - before.nets,
            refused=sum(count for (_, outcome), count in answers.items() if outcome == "429"),
            budget_used=answers.total() / (PER_MINUTE * minutes),
            mebibytes=most_memory(stage.replica_pid()),
            history=history(stage),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """All that were sent until one moment."""

    at: float
    answers: Counter[tuple[str, str]]  #: by the vendor's count
    nets: int  #: by the service's


def _requests(stage: Watched) -> Requests:
    """Just after the service has written down its own count, as it does every few seconds: both are of one time."""
    written = stage.ask(SENT)
    stage.wait_until(lambda: stage.ask(SENT) != written, within=60, what="count of requests")
    return Requests(at=time.monotonic(), answers=Counter(stage.platform.answers), nets=stage.ask(NETS))


def _live_through_it(stage: Watched, plan: Plan) -> Recovery | None:
    """Candidates come all the time; with an outage also while it lasts, and all that it delayed is waited for."""
    candidates = Candidates(
        platform=stage.platform,
        sandbox=stage.sandbox,
        links=stage.links,
        cap=plan.cap,
        talk=plan.talk,
        still_there=stage.there_if_it_should,
    )
    if plan.outage is None:
        candidates.come_for(plan.minutes)
        return None
    candidates.come_for(plan.minutes / 2)
    with plan.outage.on(stage):
        candidates.come_for(plan.outage.minutes)
    recovered_at = stage.now()
    candidates.come_for(plan.minutes / 2)
    recovery = Recovery(recovered_at=recovered_at, candidates_until=stage.now())
    while stage.now() < recovered_at + KNOWN_WITHIN and recovery.missing(_ended(stage), _known(stage)):
        stage.replica_pid()
        time.sleep(1)
    return recovery


def _ended(stage: Watched) -> dict[str, datetime]:
    """When which session ended at the vendor."""
    with stage.platform.lock:
        stage.platform.world.now()
        registers = [client.sessions for client in stage.platform.clients.values()]
        completed = [one for sessions in registers for one in _completed(sessions)]
        return {one.id: one.ended_at for one in completed if one.ended_at is not None}


def _completed(sessions: Register[Session]) -> Iterator[Session]:
    numbers = sessions.with_status(Status.COMPLETED).walk(0, len(sessions), newest_first=False)
    return (sessions[number] for number in numbers)


def _known(stage: Watched) -> dict[str, datetime]:
    """When which session's outcome was written."""
    return dict(stage.rows(LAGS))


def _lags(ended: dict[str, datetime], known: dict[str, datetime]) -> list[float]:
    return [(at - ended[name]).total_seconds() for name, at in known.items() if name in ended]


def _enough(lags: list[float]) -> list[float]:
    if len(lags) < 2:
        raise BenchmarkFailed(f"{len(lags)} outcome(s): too few to tell anything")
    return lags


def _count(answers: Counter[tuple[str, str]], endpoint: str) -> int:
    return sum(count for (name, _), count in answers.items() if name == endpoint)


def _lines(runs: Sequence[Measured]) -> Iterator[str]:
    """At most 80 columns."""
    yield f"{'open':>8}{'cap':>5}{'outcomes':>10}{'p50 s':>7}{'p95 s':>7}{'p99 s':>7}{'most s':>8}"
    for one in runs:
        figures = f"{one.cuts[49]:>7.1f}{one.cuts[94]:>7.1f}{one.cuts[98]:>7.1f}{max(one.lags):>8.1f}"
        yield f"{one.plan.open_sessions:>8,}{one.plan.cap:>5}{len(one.lags):>10}{figures}"
    yield ""
    yield f"{'open':>8}{'cap':>5}{'looks/outcome':>15}{'lists/min':>11}{'budget':>8}{'429':>5}{'missing':>9}{'MiB':>6}"
    for one in runs:
        yield (
            f"{one.plan.open_sessions:>8,}{one.plan.cap:>5}{one.looks / one.outcomes:>15.2f}"
            f"{one.lists / one.minutes:>11.1f}{one.budget_used:>8.1%}{one.refused:>5}{one.missing:>9}"
            f"{one.mebibytes:>6}"
        )
    yield ""
    yield from (_verdicts if runs[0].plan.outage is None else _verdicts_after_an_outage)(runs)


def _verdicts(runs: Sequence[Measured]) -> Iterator[str]:
    worst_p50, worst_p99 = (max(one.cuts[n] for one in runs) for n in (49, 98))
    most_looks = max(one.looks / one.outcomes for one in runs)
    yield f"p50            target: at most {P50_MAX:g} s: {met(worst_p50, P50_MAX)}"
    yield f"p99            target: at most {P99_MAX:g} s: {met(worst_p99, P99_MAX)}"
    yield f"looks/outcome  target: at most {REQUESTS_MAX:g}: {met(most_looks, REQUESTS_MAX)}"


def _verdicts_after_an_outage(runs: Sequence[Measured]) -> Iterator[str]:
    for one in runs:
        if one.plan.outage is not None:
            yield f"outage: {one.plan.outage.kind}, {one.plan.outage.minutes:g} minutes; lags count from the recovery"
        yield from textwrap.wrap(f"the account's history: {one.history or 'nothing'}", 80)
    worst, missing = max(one.cuts[98] for one in runs), sum(one.missing for one in runs)
    yield f"p99            target: at most {P99_MAX_FROM_RECOVERY:g} s: {met(worst, P99_MAX_FROM_RECOVERY)}"
    yield f"missing        target: none: {met(missing, 0)}"


if __name__ == "__main__":
    sys.exit(main())
