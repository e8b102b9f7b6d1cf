"""
The row of a run of `verify`: how far it has come, so that the next one goes on from there when it is cut short, or when
it ended because the vendor did not answer.

A process that works on a run makes its `beats` grow. One that finds an unfinished run whose beats stand still takes it
over under a token of its own; the writes of the one before then count no more.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.postgres.engine import fetch

RESUMABLE_FOR = timedelta(hours=1)  #: after its last sign of life
BEGUN_WITHIN = timedelta(hours=6)  #: however often it was taken up: what it has read of the database is as old
UNANSWERED = "unanswered"  #: in a position: the accounts for which the vendor did not answer

BEGIN = text("""
insert into zenhire.verify_runs (scope, runner, host) values (:scope, :runner, :host)
returning id, started_at
""")

#: A run that its process left unfinished, or the scope's newest if it ended because the vendor did not answer.
CUT_SHORT = text(f"""
select r.id, r.started_at, r.beats, r.finished_at, zenhire.clock() - r.beaten_at as silent_for
from zenhire.verify_runs r
where r.scope = :scope and r.beaten_at > (select zenhire.clock()) - :resumable_for
  and r.started_at > (select zenhire.clock()) - :begun_within
  and (r.finished_at is null
    or r.failure is not null and r.position ? '{UNANSWERED}'
       and not exists (select from zenhire.verify_runs o where o.scope = r.scope and o.started_at > r.started_at))
order by r.started_at desc
limit 1
""")

TAKE_OVER = text("""
update zenhire.verify_runs
set runner = :runner, host = :host, beats = beats + 1, beaten_at = zenhire.clock(),
    finished_at = null, exit_code = null, failure = null
where id = :id and beats = :beats and finished_at is not distinct from cast(:finished_at as timestamptz)
returning id, started_at, position, vendor, checked, counts, findings
""")

BEAT = text("""
update zenhire.verify_runs set beats = beats + 1, beaten_at = zenhire.clock()
where id = :id and runner = :runner and finished_at is null
returning beats
""")

SAVE = text("""
update zenhire.verify_runs
set position = cast(:position as jsonb), vendor = cast(:vendor as jsonb),
    checked = cast(:checked as jsonb), counts = cast(:counts as jsonb),
    findings = coalesce(cast(:findings as jsonb), findings), beats = beats + 1, beaten_at = zenhire.clock()
where id = :id and runner = :runner and finished_at is null
returning id
""")

FINISH = text("""
update zenhire.verify_runs
set finished_at = zenhire.clock(), exit_code = :exit_code, failure = :failure
where id = :id and runner = :runner and finished_at is null
returning finished_at
""")


class TakenOver(Exception):
    """Another process works on this run now, or somebody has removed it."""

    def __init__(self) -> None:
        super().__init__("another `zenhire-sync verify` has taken this run over")


@dataclass(frozen=True, slots=True, kw_only=True)
class CutShort:
    """A run of the same scope to go on from; while it is unfinished its process may still live."""

    id: UUID
    started_at: datetime
    beats: int
    finished_at: datetime | None  #: the vendor did not answer
    silent_for: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a run keeps of itself."""

    position: dict[str, Any]
    vendor: dict[str, dict[str, Any]]
    checked: dict[str, int]
    counts: dict[str, dict[str, int]]
    findings: list[dict[str, Any]] | None  #: None: as they were saved last


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRun:
    """One run as this process works on it."""

    engine: AsyncEngine
    runner: UUID
    id: UUID
    started_at: datetime

    async def beat(self) -> None:
        await fetch(self.engine, BEAT, self._given())

    async def save(self, saved: Saved) -> None:
        given = {
            "position": json.dumps(saved.position),
            "vendor": json.dumps(saved.vendor),
            "checked": json.dumps(saved.checked),
            "counts": json.dumps(saved.counts),
            "findings": None if saved.findings is None else json.dumps(saved.findings),
        }
        if not await fetch(self.engine, SAVE, self._given() | given):
            raise TakenOver

    async def finish(self, exit_code: int, failure: str | None) -> datetime:
        rows = await fetch(self.engine, FINISH, self._given() | {"exit_code": exit_code, "failure": failure})
        if not rows:
            raise TakenOver
        finished_at: datetime = rows[0]["finished_at"]
        return finished_at

    def _given(self) -> dict[str, Any]:
        return {"id": self.id, "runner": self.runner}


class VerifyRuns:
    """Begins runs, and finds those that were cut short."""

    def __init__(self, engine: AsyncEngine, *, runner: UUID, host: str) -> None:
        self._engine = engine
        self._runner = runner
        self._host = host

    async def begin(self, scope: str) -> VerifyRun:
        rows = await fetch(self._engine, BEGIN, {"scope": scope, "runner": self._runner, "host": self._host})
        return self._run(rows[0])

    async def cut_short(self, scope: str) -> CutShort | None:
        given = {"scope": scope, "resumable_for": RESUMABLE_FOR, "begun_within": BEGUN_WITHIN}
        rows = await fetch(self._engine, CUT_SHORT, given)
        return CutShort(**rows[0]) if rows else None

    async def take_over(self, found: CutShort) -> tuple[VerifyRun, Saved] | None:
        """The run and what it has kept; None if its process lives after all, or another one was faster."""
        given = {"id": found.id, "beats": found.beats, "finished_at": found.finished_at}
        given |= {"runner": self._runner, "host": self._host}
        rows = await fetch(self._engine, TAKE_OVER, given)
        if not rows:
            return None
        row = rows[0]
        names = ("position", "vendor", "checked", "counts", "findings")
        return self._run(row), Saved(**{name: row[name] for name in names})

    def _run(self, row: Any) -> VerifyRun:
        return VerifyRun(engine=self._engine, runner=self._runner, id=row["id"], started_at=row["started_at"])
