"""
The walk through the vendor's list: whose turn it is, where it stands, and what its findings write.

One replica at a time holds `sweep:<account>` in `zenhire.leases`; a page is written only under the term in which it was
claimed. The position is committed with what its page led to, so that whoever goes on misses no row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.core.comparing import Known
from service.core.limits import LINK_LIFETIME, SWEEP_SHARE, slot_interval
from service.core.model import Policy
from service.core.observations import Sighting
from service.core.probing import Paging
from service.core.sweeping import PageFindings, Walk
from service.postgres.claims import Batch, claim_batch
from service.postgres.engine import fetch, transaction
from service.postgres.known import known_of
from service.postgres.list_findings import as_json, write_findings
from service.postgres.terms import HELD, hold_term

#: Whose next page is due, and who has anything that a list could tell of: a session whose link may live or be replaced
#: by the console, one that is watched, or a lost post. A walk that is under way is ended in any case.
DUE = text("""
select a.account, k.walk, w.urgent is true as urgent from unnest(cast(:accounts as text[])) a (account)
cross join (values ('all'), ('completed'), ('failed')) k (walk)
left join zenhire.sweeps w on w.account = a.account and w.walk = k.walk
left join zenhire.leases l on l.name = 'sweep:' || a.account
where (w.account is null or w.next_at <= (select zenhire.clock()))
  and (l.name is null or l.holder = :holder or l.until <= (select zenhire.clock()))
  and (k.walk = 'all' or exists (select from zenhire.list_state h
                                 where h.account = a.account and h.status_filter = 'honoured'))
  and (w.position is not null
    or exists (select from zenhire.interview_sessions s where s.account = a.account and s.next_look_at is not null)
    or k.walk = 'all' and (
        exists (select from zenhire.interview_sessions s
                where s.account = a.account and s.posted_at > (select zenhire.clock()) - :memory)
        or exists (select from zenhire.interview_sessions s
                   where s.account = a.account and s.next_search_at is not null)))
order by a.account, urgent desc, w.next_at nulls first, w.started_at
""")

CLAIM = text(f"""
with
{HELD},
-- what has ended is asked for as far back as anything is open; found out once for each walk
back as (
    select min(s.posted_at) as back_to from zenhire.interview_sessions s
    where s.account = :account and s.next_look_at is not null
      and s.vendor_status is distinct from 'completed' and s.vendor_status is distinct from 'failed'
      and :walk <> 'all'
      and not exists (select from zenhire.sweeps b
                      where b.account = :account and b.walk = :walk and b.position is not null)
),
walk as (
    insert into zenhire.sweeps as w (account, walk, back_to) select :account, :walk, back.back_to from held, back
    on conflict (account, walk) do update set
        started_at = case when w.position is null then zenhire.clock() else w.started_at end,
        pages = case when w.position is null then 0 else w.pages end,
        rows = case when w.position is null then 0 else w.rows end,
        findings = case when w.position is null then 0 else w.findings end,
        back_to = case when w.position is null then excluded.back_to else w.back_to end
    where w.next_at <= zenhire.clock()
    returning account, walk, started_at, position, back_to, failures
)
select walk.account, walk.walk, walk.started_at, walk.position, walk.back_to, walk.failures, held.term,
       coalesce((select h.paging from zenhire.list_state h where h.account = :account), 'unknown') as paging,
       zenhire.clock() as claimed_at
from walk, held
""")

#: After a page: the next one as soon as the sweep's share of the budget has it.
GO_ON = text("""
with
pace as (
    select zenhire.clock() + cast(:pace as interval)
           * coalesce(cast(:per_minute as double precision) / b.requests_per_minute, 1) as at
    from zenhire.request_budget b where b.account = :account
),
-- the walks of an account share what sweeps may have
others as (
    update zenhire.sweeps w set next_at = greatest(w.next_at, p.at)
    from pace p where w.account = :account and w.walk <> :walk and not w.urgent
)
update zenhire.sweeps w
set position = cast(:position as jsonb), pages = w.pages + :pages, rows = w.rows + :rows,
    findings = w.findings + :findings, failures = 0,
    -- a page that brought nothing waits, also an urgent one: somebody may have an invite locked for long; and a walk
    -- of many pages lets those go first that wait as long
    next_at = case when w.urgent and :rows > 0 then zenhire.clock() else p.at + interval '1 millisecond' end
from pace p
where w.account = :account and w.walk = :walk
""")

FINISH = text("""
update zenhire.sweeps w
set position = null, pages = w.pages + :pages, rows = w.rows + :rows, findings = w.findings + :findings, failures = 0,
    finished_at = zenhire.clock(), ended_because = :because, next_at = :next_at, back_to = null, urgent = false
where w.account = :account and w.walk = :walk
""")

#: The walk goes on from where it stands.
TRY_LATER = text("""
update zenhire.sweeps set failures = :failures, next_at = :next_at where account = :account and walk = :walk
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWalk:
    """A walk with a page to be read."""

    walk: Walk
    urgent: bool  #: the page after it is due at once


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepClaim:
    """A walk whose next page is to be read; only what is written under its term counts."""

    account: str
    walk: Walk
    term: int
    started_at: datetime
    position: dict[str, Any] | None  #: None: from the beginning
    back_to: datetime | None  #: older sessions are not asked for; None: the whole list
    failures: int
    paging: Paging  #: as the last probe found it


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

    async def due(self, accounts: Sequence[str]) -> dict[str, DueWalk]:
        """Those of `accounts` with a page that is this replica's to read, and of which walk."""
        memory = 2 * LINK_LIFETIME + self._policy.expiry_grace  # the console replaces a link that died, for a week
        given = {"accounts": list(accounts), "holder": self._replica, "memory": memory}
        due: dict[str, DueWalk] = {}
        for row in await fetch(self._engine, DUE, given):
            due.setdefault(row["account"], DueWalk(walk=Walk(row["walk"]), urgent=row["urgent"]))
        return due

    async def known(self, account: str, sightings: Sequence[Sighting]) -> list[Known]:
        """What the database knows of each row of a page."""
        return await known_of(self._engine, account, sightings)

    async def claim(self, account: str, walk: Walk) -> Batch[SweepClaim]:
        """The walk of this account, if it is due and nobody else's."""
        given = {"account": account, "walk": walk, "holder": self._replica, "lease_name": _lease_name(account)}
        return await claim_batch(self._engine, CLAIM, _claim_of, given, lease=self._lease)

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
            whole = await write_findings(
                connection, claim.account, page.findings, replica=self._replica, policy=self._policy
            )
            if not whole:
                again = {"position": as_json(claim.position), "pages": 0, "rows": 0, "findings": 0}
                await connection.execute(GO_ON, again | _next_page(claim, page))
                return True
            counts = {"pages": int(page.rows > 0), "rows": page.rows, "findings": page.findings.count}
            match page.then:
                case GoOn(position):
                    await connection.execute(GO_ON, counts | {"position": as_json(position)} | _next_page(claim, page))
                case Finish(because, next_walk_at):
                    await connection.execute(
                        FINISH, counts | _row(claim) | {"because": because, "next_at": next_walk_at}
                    )
            return True

    async def try_later(self, claim: SweepClaim, *, failures: int, at: datetime) -> bool:
        """The vendor did not show the page: the walk waits where it stands. False: another replica walks now."""
        async with transaction(self._engine) as connection:
            if not await self._is_ours(connection, claim):
                return False
            await connection.execute(TRY_LATER, _row(claim) | {"failures": failures, "next_at": at})
            return True

    async def _is_ours(self, connection: AsyncConnection, claim: SweepClaim, *, keep: timedelta = timedelta(0)) -> bool:
        name = _lease_name(claim.account)
        return await hold_term(connection, lease_name=name, holder=self._replica, term=claim.term, keep=keep)


def _next_page(claim: SweepClaim, page: PageRead) -> dict[str, Any]:
    """One request in so many slots is the sweep's."""
    pace = SWEEP_SHARE * slot_interval(page.requests_per_minute)
    return _row(claim) | {"pace": pace, "per_minute": page.requests_per_minute}


def _row(claim: SweepClaim) -> dict[str, str]:
    return {"account": claim.account, "walk": claim.walk}


def _claim_of(row: dict[str, Any]) -> SweepClaim:
    return SweepClaim(**row | {"walk": Walk(row["walk"]), "paging": Paging(row["paging"])})


def _lease_name(account: str) -> str:
    return f"sweep:{account}"
