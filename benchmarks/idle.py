"""
What a replica asks of Postgres and of the processor while there is nothing to do.

A query is a statement that the replica had executed, as Postgres logs it (`log_statement = all`), transaction control
(BEGIN, COMMIT, ROLLBACK) left out; each transaction is counted by its COMMIT.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cpu import cpu_seconds
from benchmarks.watched import Watched

_LOG_ALL = (
    "alter system set log_line_prefix = '<%a> '",
    "alter system set log_statement = 'all'",
    "select pg_reload_conf()",
)
_LOGGED = re.compile(r"<zenhire-sync [^>]*> LOG:  (?:statement|execute [^:]*): (.*)", re.DOTALL)
_SETTLES_SECONDS = 5
_CONTROL = frozenset({"BEGIN", "COMMIT", "ROLLBACK"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """So many seconds of one replica."""

    seconds: float
    statements: Counter[str]  #: on one line each
    cpu: float  #: the replica's, in parts of a core

    @property
    def queries(self) -> float:
        """A second."""
        return sum(count for said, count in self.statements.items() if said not in _CONTROL) / self.seconds

    @property
    def transactions(self) -> float:
        """A second."""
        return self.statements["COMMIT"] / self.seconds

    def most(self) -> Iterator[tuple[str, float]]:
        """Each query, with how often it comes in a minute."""
        for said, count in self.statements.most_common():
            if said not in _CONTROL:
                yield said, count * 60 / self.seconds


def measure(stage: Watched, seconds: float) -> Idle:
    for setting in _LOG_ALL:
        stage.rows(setting)
    time.sleep(_SETTLES_SECONDS)
    before, began_at = _counters(stage), time.monotonic()
    time.sleep(seconds)
    after, passed = _counters(stage), time.monotonic() - began_at
    log = stage.postgres.directory / "log"
    return Idle(
        seconds=passed,
        statements=Counter(_statements(log, before.log_size, after.log_size)),
        cpu=(after.cpu - before.cpu) / passed,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counters:
    log_size: int
    cpu: float


def _counters(stage: Watched) -> _Counters:
    return _Counters(
        log_size=(stage.postgres.directory / "log").stat().st_size,
        cpu=cpu_seconds(stage.replica_pid()) or 0.0,
    )


def _statements(log: Path, begin: int, end: int) -> Iterator[str]:
    with log.open("rb") as lines:
        lines.seek(begin)
        said = lines.read(end - begin).decode(errors="replace")
    for entry in re.split(r"\n(?!\t)", said):  # the further lines of an entry begin with a tab
        if logged := _LOGGED.fullmatch(entry):
            yield " ".join(logged[1].split())
