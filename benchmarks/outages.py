"""
Ten minutes without the vendor, the database or the service, and how soon after them all outcomes are known.

Candidates go on meanwhile. An outcome counts if it became known after the recovery and its interview ended no later
than two minutes after it. Its lag runs from the recovery, or from the interview's end where that was later. One that
never became known counts with the time for which it was waited for.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from benchmarks.watched import Watched

P99_MAX = 90.0  #: seconds from the recovery
KNOWN_WITHIN = timedelta(minutes=12)  #: then what is not known is missing; a probe may be five minutes away
COUNTED_AFTER = timedelta(minutes=2)
NO_ANSWER = "lost_before:1"  #: the vendor breaks off every request

Ended = Mapping[str, datetime]  #: by session, at the vendor

#: What the service wrote down of the account itself, not of one invite.
_HISTORY = "select kind, count(*) from zenhire.invite_events where invite_id is null group by 1 order by 1"


class Kind(StrEnum):
    """Who is away."""

    VENDOR = "vendor"  #: every request meets the fault of the plan
    DATABASE = "database"  #: stopped at once, as by a crash; it comes back through recovery
    SERVICE = "service"  #: `kill -9`


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What is planned."""

    kind: Kind
    minutes: float
    fault: str  #: a rule of the sandbox's, for the vendor

    @contextmanager
    def on(self, stage: Watched) -> Iterator[None]:
        """It lasts as long as the block; afterwards the part answers again, and a replica has been started."""
        match self.kind:
            case Kind.VENDOR:
                stage.sandbox.console.set_faults([self.fault])
                yield
                stage.sandbox.console.set_faults([])
            case Kind.DATABASE:
                stage.postgres.crash()
                yield
                stage.postgres.restart()
            case Kind.SERVICE:
                stage.kill_replica()
                yield
                stage.start_replica()
            case _:
                assert_never(self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """When it was over: the vendor answers, Postgres takes connections, or the new replica's process is started."""

    recovered_at: datetime
    candidates_until: datetime

    @property
    def counted_until(self) -> datetime:
        return min(self.recovered_at + COUNTED_AFTER, self.candidates_until)

    def lags(self, ended: Ended, known: Mapping[str, datetime], waited_until: datetime) -> list[float]:
        """In seconds, of what became known after the recovery."""
        pairs = ((at, known.get(name, waited_until)) for name, at in ended.items() if at <= self.counted_until)
        return [
            (seen_at - max(ended_at, self.recovered_at)).total_seconds()
            for ended_at, seen_at in pairs
            if seen_at > self.recovered_at
        ]

    def missing(self, ended: Ended, known: Mapping[str, datetime]) -> int:
        return sum(1 for name, at in ended.items() if at <= self.counted_until and name not in known)


def history(stage: Watched) -> str:
    """How the service took it."""
    return ", ".join(f"{kind} {count}" for kind, count in stage.rows(_HISTORY))
