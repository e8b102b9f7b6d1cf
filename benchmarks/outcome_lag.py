"""
How soon an outcome is known: `python -m benchmarks.outcome_lag --open 100000 --cap 8 --minutes 10`.

The real service, at `SYNC_WATCH_INTERVAL_SECONDS=10` and the vendor's default limit, watches so many open sessions
while as many interviews run as the vendor lets run at once; whoever finishes makes room for the next candidate. The lag
is the time from the vendor's own end of a session to the moment at which the invite's outcome was written; both are
taken on this machine's clock. Transcripts are off.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles
from typing import IO

import psycopg

from benchmarks.failed import BenchmarkFailed
from benchmarks.filled import fill
from benchmarks.memory import most_memory
from benchmarks.stage import service_process
from sandbox.clock import SystemClock
from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.model import Status
from sandbox.platform import Platform
from sandbox.profile import CandidateMix, Limits, Profile
from sandbox.running import RunningSandbox, running_sandbox
from service.postgres.migrate import upgrade

PER_MINUTE = 500  #: the vendor's default (contract §7)
P50_MAX, P99_MAX = 6.0, 12.0
REQUESTS_MAX = 1.2

#: As a service leaves them that has watched by the list since they were made.
WATCHED_BY_LIST = """
update zenhire.interview_sessions
set next_look_at = zenhire.clock() + interval '2 days' + random() * interval '2 days',
    next_look_reason = 'the list of running interviews tells when it begins'
"""
WARM = "select exists (select from zenhire.list_state where status_filter = 'honoured' and listed_at is not null)"
LAGS = """
select s.session_id, i.status, i.status_changed_at from zenhire.candidate_invites i
join zenhire.interview_sessions s on s.session_id = i.session_id and s.account = i.account
where i.status in ('completed', 'failed')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run."""

    plan: "Plan"
    lags: Sequence[float]  #: seconds, of every outcome of the run
    missing: int  #: that the vendor knows for longer than a minute, and we do not
    looks: int
    lists: int
    refused: int  #: answers that were 429
    budget_used: float
    mebibytes: int


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.outcome_lag", description=(__doc__ or "").split("\n")[1]
    )
    parser.add_argument("--open", type=int, default=[100_000], nargs="+", metavar="N", help="open sessions")
    parser.add_argument("--cap", type=int, default=[8], nargs="+", metavar="N", help="interviews at once")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--talk", type=float, help="seconds that an interview takes (default: 45, or 1.5 for each place)"
    )
    arguments = parser.parse_args()
    try:
        runs = [
            measure(
                Plan(
                    open_sessions=count, cap=cap, minutes=arguments.minutes, talk=arguments.talk or max(45.0, 1.5 * cap)
                )
            )
            for count in arguments.open
            for cap in arguments.cap
        ]
    except BenchmarkFailed as problem:
        sys.stderr.write(f"benchmark: {problem}\n")
        return 1
    print("\n".join(_lines(runs)))
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured."""

    open_sessions: int
    cap: int  #: interviews at once
    minutes: float
    talk: float  #: seconds that an interview takes, on average


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The parts of one run."""

    database: psycopg.Connection
    platform: Platform
    sandbox: RunningSandbox
    service: subprocess.Popen[bytes]


def measure(plan: Plan) -> Measured:
    """Watch that many open sessions while that many interviews run."""
    profile = Profile(
        candidates=CandidateMix(come="when_sent"), limits=Limits(concurrency=plan.cap, requests_per_minute=PER_MINUTE)
    )
    platform = Platform(profile, SystemClock())
    with EmbeddedPostgres() as postgres, running_sandbox(platform) as sandbox, tempfile.TemporaryFile() as log:
        upgrade(postgres.url())
        links = fill(postgres.url(), platform, sandbox.key, plan.open_sessions)
        with psycopg.connect(postgres.url(), autocommit=True) as database:
            database.execute(WATCHED_BY_LIST.encode())
            database.execute(b"vacuum analyze")
            with service_process(settings_of(postgres.url(), sandbox), log) as service:
                stage = Stage(database=database, platform=platform, sandbox=sandbox, service=service)
                _wait_for_the_list(stage, log)
                before = dict(platform.answers)
                _let_candidates_come(stage, plan, links)
                answers = {name: count - before.get(name, 0) for name, count in platform.answers.items()}
                return _measured(stage, plan, answers)


def _let_candidates_come(stage: Stage, plan: Plan, links: Sequence[str]) -> None:
    """Whoever finishes makes room for the next."""
    waiting, first = list(reversed(links)), plan.cap
    ends_at = time.monotonic() + plan.minutes * 60
    while time.monotonic() < ends_at:
        if stage.service.poll() is not None:
            raise BenchmarkFailed(f"the service ended with {stage.service.returncode}")
        counts = stage.platform.counts()
        for _ in range(plan.cap - counts["by_status"]["active"] - counts["waiting_at_the_door"]):
            # between half and one and a half of it, so that they do not end in step
            spread = 0.5 + (len(waiting) * 7919 % 1000) / 1000
            if first > 0:  # as if they had begun one after the other
                first -= 1
                spread = (first + 1) / plan.cap
            what = f"completed opens_after=0 talks_for={plan.talk * spread:.1f}"
            stage.sandbox.console.send_link(waiting.pop(), what)
        time.sleep(0.05)


def _measured(stage: Stage, plan: Plan, answers: dict[tuple[str, str], int]) -> Measured:
    sessions = stage.platform.truth().sessions
    ended = {one.id: one.ended_at for one in sessions if one.ended_at and one.status is Status.COMPLETED}
    known = {session_id: at for session_id, _, at in stage.database.execute(LAGS.encode()).fetchall()}
    long_ago = stage.platform.world.now() - timedelta(minutes=1)
    return Measured(
        plan=plan,
        lags=[(at - ended[name]).total_seconds() for name, at in known.items() if name in ended],
        missing=sum(1 for name, at in ended.items() if name not in known and at < long_ago),
        looks=_count(answers, "get_session"),
        lists=_count(answers, "list_sessions"),
        refused=sum(count for (_, outcome), count in answers.items() if outcome == "429"),
        budget_used=sum(answers.values()) / (PER_MINUTE * plan.minutes),
        mebibytes=most_memory(stage.service.pid),
    )


def _count(answers: dict[tuple[str, str], int], endpoint: str) -> int:
    return sum(count for (name, _), count in answers.items() if name == endpoint)


def _wait_for_the_list(stage: Stage, log: IO[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not (row := stage.database.execute(WARM.encode()).fetchone()) or not row[0]:
        if stage.service.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            raise BenchmarkFailed(f"no list within a minute; the service said:\n{log.read()[-2000:].decode()}")
        time.sleep(0.1)


def settings_of(database_url: str, sandbox: RunningSandbox) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "ZENHIRE_API_KEY": sandbox.key,
        "ZENHIRE_BASE_URL": sandbox.base_url,
        "SYNC_REQUESTS_PER_MINUTE": str(PER_MINUTE),
        "SYNC_TRANSCRIPTS": "false",
    }


def _lines(runs: Sequence[Measured]) -> Iterator[str]:
    """At most 80 columns."""
    yield f"{'open':>8}{'cap':>5}{'outcomes':>10}{'p50 s':>7}{'p95 s':>7}{'p99 s':>7}{'most s':>8}"
    for one in runs:
        cuts = quantiles(one.lags, n=100, method="inclusive")
        figures = f"{cuts[49]:>7.1f}{cuts[94]:>7.1f}{cuts[98]:>7.1f}{max(one.lags):>8.1f}"
        yield f"{one.plan.open_sessions:>8,}{one.plan.cap:>5}{len(one.lags):>10}{figures}"
    yield ""
    yield f"{'open':>8}{'cap':>5}{'looks/outcome':>15}{'lists/min':>11}{'budget':>8}{'429':>5}{'missing':>9}{'MiB':>6}"
    for one in runs:
        yield (
            f"{one.plan.open_sessions:>8,}{one.plan.cap:>5}{one.looks / len(one.lags):>15.2f}"
            f"{one.lists / one.plan.minutes:>11.1f}{one.budget_used:>8.1%}{one.refused:>5}{one.missing:>9}"
            f"{one.mebibytes:>6}"
        )
    yield ""
    worst_p50, worst_p99 = (max(quantiles(one.lags, n=100, method="inclusive")[n] for one in runs) for n in (49, 98))
    most_looks = max(one.looks / len(one.lags) for one in runs)
    yield f"p50            target: at most {P50_MAX:g} s: {_met(worst_p50, P50_MAX)}"
    yield f"p99            target: at most {P99_MAX:g} s: {_met(worst_p99, P99_MAX)}"
    yield f"looks/outcome  target: at most {REQUESTS_MAX:g}: {_met(most_looks, REQUESTS_MAX)}"


def _met(figure: float, most: float) -> str:
    return "met" if figure <= most else "MISSED"


if __name__ == "__main__":
    sys.exit(main())
