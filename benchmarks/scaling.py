"""
What bounds what: `python -m benchmarks.scaling --links 2000 --replicas 1 2 4 8 --accounts 1 50 500 --idle 30`.

First so many replica processes make links of one account without limit; then one replica does for so many accounts, and
is left alone with the links open. All on one machine with one Postgres and the sandbox: where its cores are used up,
more processes cannot be faster, and the CPU for a link is the figure that carries over to a larger one.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import Popen
from typing import IO, Any, LiteralString

import psycopg

from benchmarks.cpu import cpu_seconds
from benchmarks.failed import BenchmarkFailed
from benchmarks.stage import service_process
from sandbox.clock import SystemClock
from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.model import KeySpec
from sandbox.platform import Platform
from sandbox.profile import CandidateMix, CreditRules, Profile
from sandbox.running import running_sandbox
from service.postgres.migrate import upgrade

_WITHIN_SECONDS = 600
_INSERT = """
insert into zenhire.candidate_invites (account, candidate_ref, role_name, language, consent_mode)
select 'account' || n %% %(accounts)s, 'candidate-' || n, 'Nurse', 'en', 'explicit' from generate_series(1, %(count)s) n
"""
_OPEN = "select count(*) from zenhire.candidate_invites where status = 'link_ready'"
_LOOKS = """
select count(*) from zenhire.interview_sessions where next_look_at < zenhire.clock() + %(seconds)s * interval '1 second'
"""
_TOO_LATE = "select count(*) from zenhire.invite_events where kind = 'late_session_recorded'"
_TRANSACTIONS = "select xact_commit from pg_stat_database where datname = current_database()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured."""

    links: int
    replicas: int
    accounts: int
    idle: float  #: seconds; 0: not at all
    interval: float  #: seconds between two lists of an account


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One run: how fast, and what a link cost; then what nothing to do costs."""

    links: int
    seconds: float
    replica_cpu: float  #: of all replicas, seconds
    postgres_cpu: float
    commits: int
    idle_replica: float | None = None  #: a part of one core
    idle_postgres: float | None = None
    idle_commits: float | None = None  #: a second
    too_late: int = 0  #: sessions whose answer came after the lease, from the first invite on


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    database: psycopg.Connection[Any]
    replicas: Sequence[Popen[bytes]]
    postgres_pid: int

    def counters(self) -> tuple[float, float, float, int]:
        """Time, CPU of the replicas and of Postgres, and transactions so far."""
        row = self.database.execute(_TRANSACTIONS).fetchone()
        replicas = sum(cpu_seconds(replica.pid) or 0.0 for replica in self.replicas)
        return time.monotonic(), replicas, cpu_seconds(self.postgres_pid) or 0.0, row[0] if row else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--links", type=int, default=2000)
    parser.add_argument("--replicas", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--accounts", type=int, nargs="*", default=[1, 50, 500])
    parser.add_argument("--idle", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--interval", type=float, default=10.0, help="SYNC_WATCH_INTERVAL_SECONDS (default: 10)")
    given = parser.parse_args()
    alone = Plan(links=given.links, replicas=1, accounts=1, idle=0.0, interval=given.interval)
    try:
        for number in given.replicas:
            _tell(f"{number} replica(s)", measure(replace(alone, replicas=number)))
        for number in given.accounts:
            _tell(f"{number} account(s)", measure(replace(alone, accounts=number, idle=given.idle)))
    except BenchmarkFailed as problem:
        sys.stderr.write(f"benchmark: {problem}\n")
        return 1
    return 0


def _tell(what: str, found: Found) -> None:
    """At most 80 columns a line."""
    print(f"{what:<16}{found.links / found.seconds:>6.0f} links/s", end="")
    for name, cpu in (("replicas", found.replica_cpu), ("Postgres", found.postgres_cpu)):
        print(f"{1000 * cpu / found.links:>7.2f} ms {name}", end="")
    print(f"{found.commits / found.links:>6.1f} commits a link")
    if found.idle_replica is not None and found.idle_postgres is not None:
        print(f"{'  then idle':<16}{found.idle_replica:>6.1%} of a core, Postgres {found.idle_postgres:.1%}", end="")
        print(f", {found.idle_commits:.1f} commits/s")
        print(f"{'  too late':<16}{found.too_late:>6} session(s)")
    sys.stdout.flush()


def measure(plan: Plan) -> Found:
    with _parts(plan) as parts:
        _make(parts, max(plan.accounts, 20 * plan.replicas), plan.accounts)
        before = parts.counters()
        _make(parts, plan.links, plan.accounts)
        after = parts.counters()
        made = Found(
            links=plan.links,
            seconds=after[0] - before[0],
            replica_cpu=after[1] - before[1],
            postgres_cpu=after[2] - before[2],
            commits=after[3] - before[3],
        )
        return _idle(parts, made, plan.idle) if plan.idle else made


def _make(parts: _Parts, count: int, accounts: int) -> None:
    """Links for so many new invites, spread over all accounts, until the last is committed."""
    wanted = _number(parts) + count
    parts.database.execute(_INSERT, {"accounts": accounts, "count": count})
    deadline = time.monotonic() + _WITHIN_SECONDS
    while _number(parts) < wanted:
        if any(replica.poll() is not None for replica in parts.replicas):
            raise BenchmarkFailed("a replica ended")
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"{_number(parts)} of {wanted} links after {_WITHIN_SECONDS} s")
        time.sleep(0.05)


def _number(parts: _Parts, query: LiteralString = _OPEN) -> int:
    row = parts.database.execute(query).fetchone()
    return row[0] if row else 0


def _wait_for_looks(parts: _Parts, seconds: float) -> None:
    """A link that was made before its account's list could be relied on is looked at by itself, once."""
    deadline = time.monotonic() + _WITHIN_SECONDS
    while parts.database.execute(_LOOKS, {"seconds": seconds + 10}).fetchone() != (0,):
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"single looks are still due after {_WITHIN_SECONDS} s")
        time.sleep(0.5)


def _idle(parts: _Parts, made: Found, seconds: float) -> Found:
    """All links are out, and nobody comes: only the lists of what runs are asked for."""
    _wait_for_looks(parts, seconds)
    before = parts.counters()
    time.sleep(seconds)
    after = parts.counters()
    passed = after[0] - before[0]
    return replace(
        made,
        idle_replica=(after[1] - before[1]) / passed,
        idle_postgres=(after[2] - before[2]) / passed,
        idle_commits=(after[3] - before[3]) / passed,
        too_late=_number(parts, _TOO_LATE),
    )


@contextmanager
def _parts(plan: Plan) -> Iterator[_Parts]:
    keys = tuple(KeySpec(value=f"zh_api_{number:032x}") for number in range(plan.accounts))
    profile = Profile(candidates=CandidateMix(come="when_sent"), credits=CreditRules(balance=10**9))
    with ExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres())
        sandbox = stack.enter_context(running_sandbox(Platform(profile, SystemClock(), keys=keys)))
        upgrade(postgres.url())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for number, key in enumerate(keys):
            (directory / f"account{number}").write_text(key.value, encoding="utf-8")
        settings = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": postgres.url(),
            "ZENHIRE_API_KEYS_DIR": str(directory),
            "ZENHIRE_BASE_URL": sandbox.base_url,
            "SYNC_REQUESTS_PER_MINUTE": "100000",
            "SYNC_WATCH_INTERVAL_SECONDS": f"{plan.interval:g}",
        }
        log: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
        yield _Parts(
            database=stack.enter_context(psycopg.connect(postgres.url(), autocommit=True)),
            replicas=[stack.enter_context(service_process(settings, log)) for _ in range(plan.replicas)],
            postgres_pid=int((postgres.directory / "data" / "postmaster.pid").read_text().split()[0]),
        )


if __name__ == "__main__":
    sys.exit(main())
