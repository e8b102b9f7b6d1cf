"""
Claims: which rows a step works on next.

Each claim is one statement in one short transaction: it picks due rows that nobody holds (`skip locked`, lease over),
and leases them under a fresh token. A dead replica's rows come back by the same statement, so there is no reaper.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.model import (
    CollectClaim,
    InviteStatus,
    LookClaim,
    PersonaClaim,
    PostClaim,
    PostState,
    SearchClaim,
    SessionOrigin,
)
from service.postgres.claims_of_posts import CLAIM_ABANDONED, CLAIM_POSTS, CLAIM_UNTRIED
from service.postgres.engine import execute, fetch, transaction

T = TypeVar("T")

NEVER = datetime.min.replace(tzinfo=UTC)  # the claim time of an empty batch, which nobody asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Generic[T]):
    """Claimed rows, the database's time of the claim, and the loop's times just before it and just after it."""

    rows: Sequence[T]
    claimed_at: datetime
    asked_at: float
    answered_at: float
    lease: timedelta

    def now(self) -> datetime:
        """
        The database's time now, as far as this process can tell: its own clock only measures the distance.

        Never ahead of it, so that what is seen is never taken for newer than it is.
        """
        return self.claimed_at + timedelta(seconds=asyncio.get_running_loop().time() - self.answered_at)

    def send_before(self, deadline: timedelta) -> float:
        """The loop's time after which a request that may take `deadline` could outlive the lease."""
        return self.asked_at + (self.lease - deadline).total_seconds()


async def claim_batch(
    engine: AsyncEngine,
    statement: TextClause,
    read: Callable[[dict[str, Any]], T],
    given: Mapping[str, Any],
    *,
    lease: timedelta,
) -> Batch[T]:
    """
    Run a claim, which returns `claimed_at` with each row.

    The wait for a connection does not count: the lease begins when the statement runs.
    """
    loop = asyncio.get_running_loop()
    async with transaction(engine) as connection:
        asked_at = loop.time()
        answer = await connection.execute(statement, {**given, "lease": lease})
        answered_at = loop.time()
        rows = [dict(row) for row in answer.mappings()]
    times = [row.pop("claimed_at") for row in rows]
    return Batch(
        rows=[read(row) for row in rows],
        claimed_at=times[0] if times else NEVER,
        asked_at=asked_at,
        answered_at=answered_at,
        lease=lease,
    )


#: What every claim of a post says of it, beside what its step needs.
_OF_THE_POST = "s.post_id, s.account, s.lease_token as token, s.posted_at, s.invite_id, s.link_number"


def _claim_due(due: str, columns: str, *, only: str = "true") -> TextClause:
    """The claim of rows of `interview_sessions` that are due by the column `due`."""
    return _claim_sessions(f"s.{due} <= (select zenhire.clock()) and {only}", f"s.{due}", columns)


def _claim_sessions(which: str, order: str, columns: str) -> TextClause:
    return text(f"""
with
-- the rows that nobody holds
due as (
    select s.post_id from zenhire.interview_sessions s
    where s.account = :account and {which}
      and (s.lease_until is null or s.lease_until <= (select zenhire.clock()))
    order by {order}
    limit :limit
    for update of s skip locked
)
update zenhire.interview_sessions s
set lease_token = gen_random_uuid(), lease_until = zenhire.clock() + :lease, lease_holder = :holder
from due, zenhire.candidate_invites i
where s.post_id = due.post_id and i.id = s.invite_id
returning {_OF_THE_POST}, {columns}, zenhire.clock() as claimed_at
""")


#: Null where the list of running interviews does not tell of a session.
_LOOK_EVERY = """case when s.unlisted_at is null then (
    select h.look_every from zenhire.list_state h where h.account = s.account and h.status_filter = 'honoured') end"""

_OF_THE_SESSION = (
    "s.session_id, s.state, s.current, i.status as invite_status, i.max_links, i.stop_after, s.vendor_status,"
    " s.status_seen_at, s.step_back_seen_at, s.link_expires_at, s.interview_started_at, s.look_count,"
    " s.look_failures as failures, i.candidate_survey_rating as rating, s.reinvited_at,"
    " s.session_id is not distinct from i.session_id as shown,"
    " case when s.dead_at is not null then s.dead_because end as dead_because, s.origin,"
    " not exists (select from zenhire.interview_sessions c where c.invite_id = i.id and c.current"
    " and (c.state = 'posting' or c.session_id is not null and c.dead_at is null)) as newest_is_dead,"
    f" {_LOOK_EVERY} as look_every"
)

CLAIM_LOOKS = _claim_due("next_look_at", _OF_THE_SESSION)

#: Sessions that a list shows as running, and that were not known to run when it was asked for.
CLAIM_LISTED = _claim_sessions(
    "s.post_id = any(cast(:posts as uuid[])) and s.vendor_status is distinct from 'active' and s.dead_at is null"
    " and (s.status_seen_at is null or s.status_seen_at < :listed_at) and s.state in ('published', 'orphan')",
    "s.post_id",
    _OF_THE_SESSION,
)

CLAIM_TRANSCRIPTS = _claim_due(
    "next_collect_at",
    "s.session_id, s.completed_at, s.collect_count, s.collect_failures as failures,"
    " s.session_id is not distinct from i.session_id as shown",
)

CLAIM_SEARCHES = _claim_due(
    "next_search_at",
    "s.session_id, s.link_expires_at, s.search_count, case when i.erased_at is null then i.candidate_ref end as ref",
    only="s.state = 'lost'",
)

WANT_PERSONAS = text("""
insert into zenhire.personas (account, role_name, language)
select distinct on (zenhire.persona_key(i.role_name, i.language))
       i.account, btrim(i.role_name), btrim(i.language)
from zenhire.candidate_invites i
where i.account = :account and i.status = 'pending' and i.persona_id is null
  and i.start_after <= (select zenhire.clock())
  and (i.stop_after is null or i.stop_after > (select zenhire.clock()))
  and not exists (
      select from zenhire.personas p
      where p.account = i.account
        and zenhire.persona_key(p.role_name, p.language) = zenhire.persona_key(i.role_name, i.language))
on conflict do nothing
""")

DUE_PERSONAS = text("""
select from zenhire.personas where account = :account and next_try_at <= (select zenhire.clock()) limit 1
""")

CLAIM_PERSONAS = text("""
with
-- roles and languages without a persona, due and held by nobody
due as (
    select p.id from zenhire.personas p
    where p.account = :account and p.next_try_at <= (select zenhire.clock())
      and (p.lease_until is null or p.lease_until <= (select zenhire.clock()))
    order by p.next_try_at
    limit :limit
    for update of p skip locked
)
update zenhire.personas p
set lease_token = gen_random_uuid(), lease_until = zenhire.clock() + :lease, lease_holder = :holder
from due
where p.id = due.id
returning p.id as row_id, p.account, p.lease_token as token, p.role_name, p.language, p.persona_id, p.posts,
          p.posted_at, p.failures, zenhire.clock() as claimed_at
""")

#: Accounts of ours with something to do, and how much of it up to 100 (a probe picks one of these).
DUE_STARTS = text("""
select a.account,
       (select count(*) from (
           select from zenhire.candidate_invites i
           where i.account = a.account and i.status = 'pending' and i.start_after <= (select zenhire.clock())
           limit 100) waiting) as waiting,
       r.due is not null as reposts
from unnest(cast(:accounts as text[])) a (account)
left join lateral (
    select 1 as due from zenhire.interview_sessions s
    join zenhire.candidate_invites i on i.id = s.invite_id and i.status = 'starting'
    where s.account = a.account and s.repost_at <= (select zenhire.clock())
    order by s.repost_at
    limit 1) r on true
""")


def _due(column: str) -> TextClause:
    return text(f"""
select a.account from unnest(cast(:accounts as text[])) a (account)
cross join lateral (
    -- ordered and limited, so that the planner takes the partial index and no scan of what is finished
    select from zenhire.interview_sessions s
    where s.account = a.account and s.{column} <= (select zenhire.clock())
    order by s.{column}
    limit 1) due
""")


DUE_LOOKS, DUE_TRANSCRIPTS, DUE_SEARCHES = _due("next_look_at"), _due("next_collect_at"), _due("next_search_at")

#: No link before `stop_after`: pending invites, and those whose lost post would have been repeated.
STOP_OVERDUE = text("""
with
overdue as (
    select i.id, i.status from zenhire.candidate_invites i
    where i.stop_after <= (select zenhire.clock())
      and (i.status = 'pending' or i.status = 'starting' and not exists (
          select from zenhire.interview_sessions s where s.invite_id = i.id and s.current and s.state = 'posting'))
    order by i.stop_after
    limit :limit
    for update of i skip locked
),
stopped as (
    update zenhire.candidate_invites i
    set status = 'cancelled', error_code = 'STOP_AFTER_PASSED',
        error_message = 'The time by which a link was wanted passed before there was one.'
    from overdue o where i.id = o.id
    returning i.id, i.account, i.version, o.status as from_status
),
retired as (
    update zenhire.interview_sessions s set repost_at = null
    from stopped t where s.invite_id = t.id and s.current
)
insert into zenhire.invite_events (account, invite_id, kind, from_status, to_status, version, reason, replica)
select account, id, 'stop_after_passed', from_status, 'cancelled', version, 'stop_after passed without a link', :holder
from stopped
returning invite_id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class DueStarts:
    account: str
    waiting: int
    reposts: bool

    @property
    def any(self) -> bool:
        return self.waiting > 0 or self.reposts


class Claims:
    """All claims of one replica."""

    def __init__(self, engine: AsyncEngine, *, holder: UUID, lease: timedelta) -> None:
        self._engine = engine
        self._holder = holder
        self._lease = lease

    async def due_starts(self, accounts: Sequence[str]) -> list[DueStarts]:
        rows = await fetch(self._engine, DUE_STARTS, {"accounts": list(accounts)})
        found = (DueStarts(**row) for row in rows)
        return [due for due in found if due.any]

    async def due_looks(self, accounts: Sequence[str]) -> list[str]:
        return [row["account"] for row in await fetch(self._engine, DUE_LOOKS, {"accounts": list(accounts)})]

    async def due_transcripts(self, accounts: Sequence[str]) -> list[str]:
        return [row["account"] for row in await fetch(self._engine, DUE_TRANSCRIPTS, {"accounts": list(accounts)})]

    async def due_searches(self, accounts: Sequence[str]) -> list[str]:
        return [row["account"] for row in await fetch(self._engine, DUE_SEARCHES, {"accounts": list(accounts)})]

    async def posts(self, account: str, limit: int, *, probe: bool = False, skip: int = 0) -> Batch[PostClaim]:
        """Intents for up to `limit` new posts; `skip` lets a probe pick another invite than the first."""
        if probe:
            untried = await self._claim(CLAIM_UNTRIED, _post_claim(probe=True), account=account, limit=limit, skip=0)
            if untried.rows:
                return untried
        return await self._claim(CLAIM_POSTS, _post_claim(probe=probe), account=account, limit=limit, skip=skip)

    async def abandoned(self, limit: int) -> Batch[PostClaim]:
        return await self._claim(CLAIM_ABANDONED, _post_claim(probe=False), limit=limit)

    async def looks(self, account: str, limit: int) -> Batch[LookClaim]:
        return await self._claim(CLAIM_LOOKS, _look_claim, account=account, limit=limit)

    async def listed(self, account: str, posts: Sequence[UUID], *, listed_at: datetime) -> Batch[LookClaim]:
        """Those of `posts` that are not yet known to run; a look that is under way tells for itself."""
        given = {"account": account, "posts": list(posts), "listed_at": listed_at, "limit": len(posts)}
        return await self._claim(CLAIM_LISTED, _look_claim, **given)

    async def transcripts(self, account: str, limit: int) -> Batch[CollectClaim]:
        return await self._claim(CLAIM_TRANSCRIPTS, lambda row: CollectClaim(**row), account=account, limit=limit)

    async def searches(self, account: str, limit: int) -> Batch[SearchClaim]:
        return await self._claim(CLAIM_SEARCHES, lambda row: SearchClaim(**row), account=account, limit=limit)

    async def want_personas(self, account: str) -> None:
        """Note each role and language that a waiting invite needs and that nobody has asked for yet."""
        await execute(self._engine, WANT_PERSONAS, {"account": account})

    async def due_personas(self, account: str) -> bool:
        return bool(await fetch(self._engine, DUE_PERSONAS, {"account": account}))

    async def personas(self, account: str, limit: int) -> Batch[PersonaClaim]:
        return await self._claim(CLAIM_PERSONAS, lambda row: PersonaClaim(**row), account=account, limit=limit)

    async def stop_overdue(self, limit: int) -> int:
        """Cancel invites whose `stop_after` passed before there was a link; how many."""
        return len(await fetch(self._engine, STOP_OVERDUE, {"limit": limit, "holder": self._holder}))

    async def _claim(self, statement: TextClause, read: Callable[[dict[str, Any]], T], **parameters: Any) -> Batch[T]:
        given = {"holder": self._holder, **parameters}
        return await claim_batch(self._engine, statement, read, given, lease=self._lease)


def _post_claim(*, probe: bool) -> Callable[[dict[str, Any]], PostClaim]:
    def read(row: dict[str, Any]) -> PostClaim:
        return PostClaim(**{**row, "tags": tuple(row["tags"]), "probe": probe})

    return read


def _look_claim(row: dict[str, Any]) -> LookClaim:
    kinds = {"state": PostState(row["state"]), "origin": SessionOrigin(row["origin"])}
    return LookClaim(**row | kinds | {"invite_status": InviteStatus(row["invite_status"])})
