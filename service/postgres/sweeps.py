"""
The walk through the vendor's list: whose turn it is, where it stands, and what its findings write.

One replica at a time holds `sweep:<account>` in `zenhire.leases`; a page is written only under the term in which it was
claimed. The position is committed with what its page led to, so that whoever goes on misses no row.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.core.comparing import Known
from service.core.limits import LINK_LIFETIME, SWEEP_SHARE, slot_interval
from service.core.model import Policy
from service.core.observations import Sighting
from service.core.sweeping import NewSession, PageFindings
from service.postgres.apply import LOCK_INVITES
from service.postgres.claims import NEVER, Batch
from service.postgres.engine import fetch, transaction
from service.postgres.known import known_of

#: Whose next page is due, and who has anything that a list could tell of: a session whose link may live or be replaced
#: by the console, one that is watched, or a lost post. A walk that is under way is ended in any case.
DUE = text("""
select a.account from unnest(cast(:accounts as text[])) a (account)
left join zenhire.sweeps w on w.account = a.account
left join zenhire.leases l on l.name = 'sweep:' || a.account
where (w.account is null or w.next_at <= (select zenhire.clock()))
  and (l.name is null or l.holder = :holder or l.until <= (select zenhire.clock()))
  and (w.position is not null
    or exists (select from zenhire.interview_sessions s
               where s.account = a.account and s.posted_at > (select zenhire.clock()) - :memory)
    or exists (select from zenhire.interview_sessions s where s.account = a.account and s.next_look_at is not null)
    or exists (select from zenhire.interview_sessions s where s.account = a.account and s.next_search_at is not null))
""")

CLAIM = text("""
with
-- a new holder, or one whose time was over, begins a new term
held as (
    insert into zenhire.leases as l (name, holder, term, until)
    values ('sweep:' || :account, :holder, 1, zenhire.clock() + :lease)
    on conflict (name) do update set
        term = l.term + case when l.holder = excluded.holder and l.until > zenhire.clock() then 0 else 1 end,
        holder = excluded.holder, until = excluded.until
    where l.holder = excluded.holder or l.until <= zenhire.clock()
    returning term
),
walk as (
    insert into zenhire.sweeps as w (account) select :account from held
    on conflict (account) do update set
        started_at = case when w.position is null then zenhire.clock() else w.started_at end,
        pages = case when w.position is null then 0 else w.pages end,
        rows = case when w.position is null then 0 else w.rows end,
        findings = case when w.position is null then 0 else w.findings end
    where w.next_at <= zenhire.clock()
    returning account, started_at, position, failures
)
select walk.account, walk.started_at, walk.position, walk.failures, held.term, zenhire.clock() as claimed_at
from walk, held
""")

#: Locks the lease until the end of the transaction, and renews or ends it.
HOLD_TERM = text("""
update zenhire.leases set until = zenhire.clock() + :keep
where name = 'sweep:' || :account and holder = :holder and term = :term
returning term
""")

#: A search that has ended begins again; a post that was thought to have made nothing is a lost one after all. A search
#: that is under way loses its lease: it does not know of this session, and would put it off or give it up.
SEARCH_NOW = text("""
update zenhire.interview_sessions s
set state = 'lost', session_id = g.session_id, link_expires_at = g.link_expires_at,
    next_search_at = zenhire.clock(), dead_at = null, dead_because = null,
    lease_token = null, lease_until = null, lease_holder = null
from jsonb_to_recordset(cast(:given as jsonb)) as g (post_id uuid, session_id text, link_expires_at timestamptz)
where s.post_id = g.post_id and s.state in ('lost', 'not_made')
  and (s.session_id is null or s.session_id = g.session_id)
  and not exists (select from zenhire.interview_sessions o
                  where o.account = s.account and o.session_id = g.session_id and o.post_id <> s.post_id)
""")

LOOK_NOW = text("""
update zenhire.interview_sessions s
set next_look_at = greatest(zenhire.clock(), s.last_look_at + :watch_interval), next_look_reason = g.reason
from jsonb_to_recordset(cast(:given as jsonb)) as g (post_id uuid, reason text)
where s.post_id = g.post_id and s.state in ('published', 'orphan') and s.session_id is not null
  and (s.next_look_at is null or s.next_look_at > greatest(zenhire.clock(), s.last_look_at + :watch_interval))
""")

INVITES_BESIDE = text("""
select post_id, invite_id from zenhire.interview_sessions where post_id = any(cast(:posts as uuid[]))
""")

#: The invites are locked: no other post of theirs is made meanwhile, so the numbers follow one another.
RECORD = text("""
with
given as (
    select * from jsonb_to_recordset(cast(:given as jsonb)) as g (
        beside uuid, session_id text, origin text, link_expires_at timestamptz)
),
made as (
    insert into zenhire.interview_sessions
        (account, invite_id, link_number, post_number, state, origin, current, counted, persona_id, session_id,
         link_expires_at, reinvited_at, next_look_at, next_look_reason)
    select p.account, p.invite_id, p.link_number,
           (select max(o.post_number) from zenhire.interview_sessions o
            where o.invite_id = p.invite_id and o.link_number = p.link_number)
               + row_number() over (partition by p.invite_id, p.link_number order by g.session_id),
           'orphan', g.origin, false, false, p.persona_id, g.session_id, g.link_expires_at,
           case when g.origin = 'console' and i.erased_at is null then zenhire.clock() end,
           case when i.erased_at is null then zenhire.clock() end,
           case when i.erased_at is null then 'the vendor''s list shows a session that nobody knew' end
    from given g
    join zenhire.interview_sessions p on p.post_id = g.beside
    join zenhire.candidate_invites i on i.id = p.invite_id
    on conflict (account, session_id) do nothing
    returning account, invite_id, post_id, session_id, origin
)
insert into zenhire.invite_events (account, invite_id, post_id, kind, details, replica)
select account, invite_id, post_id,
       case origin when 'console' then 'console_session_recorded' else 'orphan_recorded' end,
       jsonb_build_object('session_id', session_id), :holder
from made
""")

KEEP_UNCLAIMED = text("""
insert into zenhire.unclaimed_sessions as u (account, session_id, finding, invite_id, vendor_status)
select :account, g.session_id, g.finding, g.invite_id, g.vendor_status
from jsonb_to_recordset(cast(:given as jsonb)) as g (
    session_id text, finding text, invite_id uuid, vendor_status text)
on conflict (account, session_id) do update set
    finding = excluded.finding, invite_id = excluded.invite_id, vendor_status = excluded.vendor_status,
    last_seen_at = zenhire.clock()
""")

#: After a page: the next one as soon as the sweep's share of the budget has it.
GO_ON = text("""
update zenhire.sweeps w
set position = cast(:position as jsonb), pages = w.pages + :pages, rows = w.rows + :rows,
    findings = w.findings + :findings, failures = 0,
    next_at = zenhire.clock() + cast(:pace as interval)
              * coalesce(cast(:per_minute as double precision) / b.requests_per_minute, 1)
from zenhire.request_budget b
where w.account = :account and b.account = w.account
""")

FINISH = text("""
update zenhire.sweeps w
set position = null, pages = w.pages + :pages, rows = w.rows + :rows, findings = w.findings + :findings, failures = 0,
    finished_at = zenhire.clock(), ended_because = :because, next_at = :next_at
where w.account = :account
""")

#: The walk goes on from where it stands.
TRY_LATER = text("""
update zenhire.sweeps set failures = :failures, next_at = :next_at where account = :account
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepClaim:
    """A walk whose next page is to be read; only what is written under its term counts."""

    account: str
    term: int
    started_at: datetime
    position: dict[str, Any] | None  #: None: from the beginning
    failures: int


@dataclass(frozen=True, slots=True)
class GoOn:
    """The walk goes on from here."""

    position: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finish:
    """The walk is over; the next one begins then."""

    because: str
    next_walk_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRead:
    """What a page led to, and what follows it."""

    findings: PageFindings
    rows: int
    then: GoOn | Finish
    requests_per_minute: int  #: the account's, as this replica has it


class Sweeps:
    """The walks of all accounts, for one replica."""

    def __init__(self, engine: AsyncEngine, *, replica: UUID, lease: timedelta, policy: Policy) -> None:
        self._engine = engine
        self._replica = replica
        self._lease = lease
        self._policy = policy

    async def due(self, accounts: Sequence[str]) -> list[str]:
        """Those of `accounts` whose next page is this replica's to read."""
        memory = 2 * LINK_LIFETIME + self._policy.expiry_grace  # the console replaces a link that died, for a week
        given = {"accounts": list(accounts), "holder": self._replica, "memory": memory}
        return [row["account"] for row in await fetch(self._engine, DUE, given)]

    async def known(self, account: str, sightings: Sequence[Sighting]) -> list[Known]:
        """What the database knows of each row of a page."""
        return await known_of(self._engine, account, sightings)

    async def claim(self, account: str) -> Batch[SweepClaim]:
        """The walk of this account, if it is due and nobody else's."""
        asked_at = asyncio.get_running_loop().time()
        given = {"account": account, "holder": self._replica, "lease": self._lease}
        rows = [dict(row) for row in await fetch(self._engine, CLAIM, given)]
        claimed_at = rows[0].pop("claimed_at") if rows else NEVER
        claims = [SweepClaim(**row) for row in rows]
        return Batch(rows=claims, claimed_at=claimed_at, asked_at=asked_at, lease=self._lease)

    async def write(self, claim: SweepClaim, page: PageRead) -> bool:
        """
        Write what a page led to and where the walk stands; False: another replica walks now.

        Where somebody has an invite locked, the ATS say, the page is read again: nobody waits for anybody here, and
        what was written of it stays written.
        """
        async with transaction(self._engine) as connection:
            ends = isinstance(page.then, Finish)
            if not await self._is_ours(connection, claim, keep=timedelta(0) if ends else self._lease):
                return False
            if not await self._write_findings(connection, claim.account, page.findings):
                again = {"position": _json(claim.position), "pages": 0, "rows": 0, "findings": 0}
                await connection.execute(GO_ON, again | _next_page(claim, page))
                return True
            counts = {"pages": int(page.rows > 0), "rows": page.rows, "findings": page.findings.count}
            match page.then:
                case GoOn(position):
                    await connection.execute(GO_ON, counts | {"position": _json(position)} | _next_page(claim, page))
                case Finish(because, next_walk_at):
                    await connection.execute(
                        FINISH, counts | {"account": claim.account, "because": because, "next_at": next_walk_at}
                    )
            return True

    async def try_later(self, claim: SweepClaim, *, failures: int, at: datetime) -> bool:
        """The vendor did not show the page: the walk waits where it stands. False: another replica walks now."""
        async with transaction(self._engine) as connection:
            if not await self._is_ours(connection, claim, keep=timedelta(0)):
                return False
            await connection.execute(TRY_LATER, {"account": claim.account, "failures": failures, "next_at": at})
            return True

    async def _is_ours(self, connection: AsyncConnection, claim: SweepClaim, *, keep: timedelta) -> bool:
        given = {"account": claim.account, "holder": self._replica, "term": claim.term, "keep": keep}
        return (await connection.execute(HOLD_TERM, given)).one_or_none() is not None

    async def _write_findings(self, connection: AsyncConnection, account: str, page: PageFindings) -> bool:
        """Whether everything is written; False: an invite is locked, and its new session waits."""
        whole = True
        if page.sessions:  # invites before sessions, as everywhere
            free, whole = await self._with_free_invites(connection, page.sessions)
            await connection.execute(RECORD, {"given": _json(free), "holder": self._replica})
        if page.searches:
            await connection.execute(SEARCH_NOW, {"given": _json(page.searches)})
        if page.looks:
            given = {"given": _json(page.looks), "watch_interval": self._policy.watch_interval}
            await connection.execute(LOOK_NOW, given)
        if page.unclaimed:
            await connection.execute(KEEP_UNCLAIMED, {"given": _json(page.unclaimed), "account": account})
        return whole

    async def _with_free_invites(
        self, connection: AsyncConnection, sessions: Sequence[NewSession]
    ) -> tuple[list[NewSession], bool]:
        """Those whose invite is now locked for us, and whether these are all."""
        posts = {"posts": [session.beside for session in sessions]}
        invites = {row.post_id: row.invite_id for row in await connection.execute(INVITES_BESIDE, posts)}
        ids = {"ids": list(set(invites.values()))}
        locked = {row.id for row in await connection.execute(LOCK_INVITES, ids)}
        free = [session for session in sessions if invites[session.beside] in locked]
        return free, len(free) == len(sessions)


def _next_page(claim: SweepClaim, page: PageRead) -> dict[str, Any]:
    """One request in so many slots is the sweep's."""
    pace = SWEEP_SHARE * slot_interval(page.requests_per_minute)
    return {"account": claim.account, "pace": pace, "per_minute": page.requests_per_minute}


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)
