"""What `verify` reads to compare the vendor's list with the database, and which rows this run has seen there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.comparing import Known
from service.core.listed import Sweeping, Unclaimed, Unseen
from service.core.model import InviteStatus
from service.core.observations import Sighting
from service.postgres.engine import execute, fetch
from service.postgres.known import known_of
from service.postgres.verify_runs import RESUMABLE_FOR, UNANSWERED

#: Without its row of the budget an account gets no request slot; a replica makes the same row when it starts.
ENSURE_BUDGET = text("insert into zenhire.request_budget (account) values (:account) on conflict do nothing")

ACCOUNT = text("""
select base_url, client_id, stop_code, stop_message, stop_scope from zenhire.account_state where account = :account
""")

SWEEPING = text("""
select started_at as began_at, next_at, position is not null as is_walking from zenhire.sweeps
where account = :account and walk = 'all'
""")

UNCLAIMED = text("""
select session_id, accepted_at is not null as is_accepted from zenhire.unclaimed_sessions
where account = :account and session_id = any(cast(:session_ids as text[]))
""")

SEEN = text("""
insert into zenhire.verify_sightings (run_id, post_id)
select :run_id, post_id from unnest(cast(:post_ids as uuid[])) as seen (post_id)
on conflict do nothing
""")

#: Open here, posted before the walk began, and never on the list: found by the index of what is looked at.
UNSEEN = text("""
select s.post_id, s.invite_id, s.session_id, i.status as invite_status, count(*) over () as total
from zenhire.interview_sessions s
join zenhire.candidate_invites i on i.id = s.invite_id
where s.account = :account and s.next_look_at is not null and s.dead_at is null and s.session_id is not null
  and s.state in ('published', 'orphan') and s.posted_at < :before
  and not exists (select from zenhire.verify_sightings v where v.run_id = :run_id and v.post_id = s.post_id)
order by s.next_look_at
limit :limit
""")

#: In portions: a long run has seen a hundred thousand. A run that the next one may go on from keeps what it has seen.
FORGET = text(f"""
delete from zenhire.verify_sightings
where ctid = any(array(
    select v.ctid from zenhire.verify_sightings v
    join zenhire.verify_runs r on r.id = v.run_id
    where v.run_id = cast(:run_id as uuid) or r.beaten_at < (select zenhire.clock()) - interval '1 day'
       or r.finished_at is not null and not (
           r.failure is not null and r.position ? '{UNANSWERED}'
           and r.beaten_at > (select zenhire.clock()) - :resumable_for)
    limit :limit))
returning run_id
""")
FORGET_PORTION = 10_000

NOW = text("select zenhire.clock() as now")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """What the service has written down of an account."""

    base_url: str | None
    client_id: str | None
    stop_code: str | None
    stop_message: str | None
    stop_scope: str | None


class VendorRows:
    """One account's rows, for one run."""

    def __init__(self, engine: AsyncEngine, *, account: str, run_id: UUID) -> None:
        self._engine = engine
        self._account = account
        self._run_id = run_id

    async def account(self) -> AccountRow | None:
        """None: no replica has ever worked for it."""
        await execute(self._engine, ENSURE_BUDGET, {"account": self._account})
        rows = await fetch(self._engine, ACCOUNT, {"account": self._account})
        return AccountRow(**rows[0]) if rows else None

    async def now(self) -> datetime:
        now: datetime = (await fetch(self._engine, NOW, {}))[0]["now"]
        return now

    async def sweeping(self) -> Sweeping:
        rows = await fetch(self._engine, SWEEPING, {"account": self._account})
        return Sweeping(**rows[0]) if rows else Sweeping()

    async def known(self, sightings: Sequence[Sighting]) -> list[Known]:
        return await known_of(self._engine, self._account, sightings)

    async def unclaimed(self, session_ids: Sequence[str]) -> dict[str, Unclaimed]:
        given = {"account": self._account, "session_ids": list(session_ids)}
        rows = await fetch(self._engine, UNCLAIMED, given)
        return {row["session_id"]: Unclaimed(is_accepted=row["is_accepted"]) for row in rows}

    async def saw(self, post_ids: Sequence[UUID]) -> None:
        """Remember that these posts' sessions are on the list."""
        await execute(self._engine, SEEN, {"run_id": self._run_id, "post_ids": list(post_ids)})

    async def unseen(self, *, before: datetime, limit: int) -> tuple[list[Unseen], int]:
        """Sessions that are open here and were never on the list: some, and how many there are."""
        given = {"account": self._account, "run_id": self._run_id, "before": before, "limit": limit}
        rows = await fetch(self._engine, UNSEEN, given)
        return [_unseen(row) for row in rows], rows[0]["total"] if rows else 0


def _unseen(row: RowMapping) -> Unseen:
    return Unseen(
        post_id=row["post_id"],
        invite_id=row["invite_id"],
        session_id=row["session_id"],
        invite_status=InviteStatus(row["invite_status"]),
    )


async def forget_sightings(engine: AsyncEngine, run_id: UUID | None) -> None:
    """What this run has seen is of no use once it is over, nor is what others have left behind; None: theirs alone."""
    given = {"run_id": run_id, "limit": FORGET_PORTION, "resumable_for": RESUMABLE_FOR}
    while len(await fetch(engine, FORGET, given)) == FORGET_PORTION:
        pass
