"""
The list of running interviews: whose turn it is to ask for it, what it honours, and what it leads to.

One replica at a time holds `running:<account>` in `zenhire.leases`, for as long as a list takes; what a list leads to
is written only under the term in which it was asked for.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.core import cadence
from service.core.comparing import Known
from service.core.model import Policy
from service.core.observations import Sighting
from service.core.probing import Paging, StatusFilter, Verdict, next_probe
from service.core.running import INTERVIEWS_AT_ONCE, LIST_MAY_LAG, RunningList, is_after_a_gap
from service.core.sweeping import PageFindings
from service.postgres.claims import Batch, claim_batch
from service.postgres.engine import fetch, transaction
from service.postgres.known import known_of
from service.postgres.list_findings import as_json, write_findings
from service.postgres.terms import HELD, hold_term

LOOK_AFTER_FAILURES = 3  #: lists in a row that did not come
DISTRUST_AFTER_FAILURES = 30  #: and single looks do

RECKON_EVERY = 360  #: × watch_interval: counting the open sessions costs more than a list

LOOKS_BROUGHT_FORWARD = 1000  #: in one statement: it must not take long

#: Whose list is due, and who has a session that is watched.
DUE = text("""
select a.account from unnest(cast(:accounts as text[])) a (account)
left join zenhire.list_state h on h.account = a.account
left join zenhire.leases l on l.name = 'running:' || a.account
where (h.account is null or h.next_at <= (select zenhire.clock()))
  and (l.name is null or l.holder = :holder or l.until <= (select zenhire.clock()))
  and exists (select from zenhire.interview_sessions s where s.account = a.account and s.next_look_at is not null)
""")

CLAIM = text(f"""
with
{HELD},
list as (
    insert into zenhire.list_state as h (account) select :account from held
    on conflict (account) do update set account = h.account
    where h.next_at <= zenhire.clock()
    returning account, status_filter, paging, page_rows, failures, relied_on, listed_at,
              next_probe_at <= zenhire.clock() as probe_is_due,
              coalesce((select a.credits_asked_at from zenhire.account_state a where a.account = :account), '-infinity')
                  < zenhire.clock() - cast(:reckon_every as interval) as credits_are_due,
              coalesce(look_every_at, '-infinity') < zenhire.clock() - cast(:reckon_every as interval)
                  as reckoning_is_due
)
select list.*, held.term, zenhire.clock() as claimed_at from list, held
""")

#: What a whole list tells, written at once. What was known to run when it was asked for and is not on it has ended: one
#: single look tells how; while a look is under way, that one tells. What has come back is no longer missed.
#: A list alone may lag behind, and so may one look: it is contradicted where a look shows an interview, running for
#: longer than lists may lag, which this list and one before that look did not show.
LISTED = text("""
with
contradicted as (
    select s.session_id from zenhire.interview_sessions s
    where s.account = :account and s.vendor_status = 'active' and s.dead_at is null
      and s.unlisted_at + cast(:may_lag as interval) < s.status_seen_at and s.status_seen_at < :listed_at
      and s.interview_started_at < s.unlisted_at - cast(:may_lag as interval)
      and s.session_id <> all(cast(:ids as text[]))
    limit 1
),
back as (
    select s.post_id from zenhire.interview_sessions s
    where s.account = :account and s.unlisted_at is not null and s.vendor_status = 'active' and s.dead_at is null
      and s.session_id = any(cast(:ids as text[]))
    for update of s skip locked
),
listed_again as (
    update zenhire.interview_sessions s set unlisted_at = null from back where s.post_id = back.post_id
),
gone as (
    select s.post_id from zenhire.interview_sessions s
    where s.account = :account and s.vendor_status = 'active' and s.dead_at is null and s.unlisted_at is null
      and s.status_seen_at < :listed_at and s.session_id <> all(cast(:ids as text[]))
      and (s.lease_until is null or s.lease_until <= (select zenhire.clock()))
    for update of s skip locked
),
looked_at as (
    update zenhire.interview_sessions s
    set unlisted_at = :listed_at, next_look_at = greatest(zenhire.clock(), s.last_look_at + :watch_interval),
        next_look_reason = 'it has left the list of running interviews'
    from gone where s.post_id = gone.post_id
    returning s.post_id
)
update zenhire.list_state
set listed_at = :listed_at, running = :running, page_rows = greatest(page_rows, :page_rows), failures = 0,
    next_at = :next_at,
    (peak, peak_at) = (
        select case when is_peak then :running else peak end, case when is_peak then :listed_at else peak_at end
        from (select :running >= peak or peak_at < :listed_at - interval '1 day' as is_peak) p),
    -- a peak that still grows has not come to the limit
    full_since = case when :running < :door or :running * 10 < peak * 9 then null
                      when :running > peak then :listed_at
                      else coalesce(full_since, :listed_at) end
where account = :account
returning (select count(*) from looked_at) as left_it, (select session_id from contradicted) as contradicted_by
""")

OPEN_SESSIONS = text("""
select count(*) as open_sessions, zenhire.limit_of(:account) as per_minute
from zenhire.interview_sessions where account = :account and next_look_at is not null
""")

RECKONED = text("""
update zenhire.list_state set look_every = :look_every, look_every_at = zenhire.clock() where account = :account
""")

#: Some may have begun and ended between two lists that lay too far apart.
READ_WHAT_HAS_ENDED = text("""
insert into zenhire.sweeps as w (account, walk, urgent) values (:account, 'completed', true), (:account, 'failed', true)
on conflict (account, walk) do update set next_at = zenhire.clock(), position = null, urgent = true
""")

PROBED = text("""
update zenhire.list_state
set status_filter = :status_filter, paging = coalesce(:paging, paging),
    ref_filter = coalesce(:ref_filter, ref_filter),
    ref_parameter = case when cast(:ref_filter as text) is null then ref_parameter else :ref_parameter end,
    sort_order = coalesce(:sort_order, sort_order),
    evidence = evidence || cast(:evidence as jsonb), page_rows = greatest(page_rows, :page_rows),
    failures = 0, probed_at = zenhire.clock(), next_probe_at = :next_probe_at,
    relied_on = relied_on or :status_filter = 'honoured', -- from here on looks are put off
    -- where the list can be asked, at once; else as soon as looks are to be brought forward, or at the next probe
    next_at = case when :status_filter = 'honoured' or relied_on then zenhire.clock() else :next_probe_at end
where account = :account
""")

NOTED = text("""
insert into zenhire.invite_events (account, kind, details, replica)
values (:account, :kind, cast(:details as jsonb), :holder)
""")

TRY_LATER = text("""
update zenhire.list_state h set failures = :failures, next_at = :next_at where h.account = :account
returning exists (select from zenhire.account_state a
                  where a.account = h.account and a.last_look_at > zenhire.clock() - :lately) as looks_work
""")

#: While no list comes: what runs, and one session that waits, to tell whether looks still work.
LOOK_MEANWHILE = text("""
with
waits as (
    select s.post_id from zenhire.interview_sessions s
    where s.account = :account and s.next_look_at is not null and s.dead_at is null
    order by s.next_look_at
    limit 1
),
chosen as (
    select s.post_id from zenhire.interview_sessions s
    where s.account = :account and s.dead_at is null
      and (s.vendor_status = 'active' or s.post_id in (select post_id from waits))
      and s.next_look_at > (select zenhire.clock())
      and (s.last_look_at is null or s.last_look_at < (select zenhire.clock()) - :lately)
      and (s.lease_until is null or s.lease_until <= (select zenhire.clock()))
    for update of s skip locked
)
update zenhire.interview_sessions s
set next_look_at = zenhire.clock(), next_look_reason = 'the list of running interviews does not come'
from chosen where s.post_id = chosen.post_id
""")

#: Looks that lie far off because the list was to tell of what happens until then.
BRING_FORWARD = text("""
with
far as (
    select s.post_id, s.next_look_at from zenhire.interview_sessions s
    where s.account = :account and s.next_look_at > zenhire.clock() + :soon
      and s.vendor_status in ('initiated', 'active') and s.dead_at is null
    order by s.next_look_at
    limit :limit
    for update of s skip locked
),
-- evenly over the time in which they would be looked at if there were no list
spread as (
    select post_id, row_number() over (order by next_look_at) * cast(:soon as interval) / :limit as wait from far
),
brought as (
    update zenhire.interview_sessions s
    set next_look_at = zenhire.clock() + p.wait,
        next_look_reason = 'the list of running interviews cannot be relied on'
    from spread p where s.post_id = p.post_id
    returning s.post_id
)
update zenhire.list_state h
set relied_on = b.more, next_at = case when b.more then zenhire.clock() else h.next_probe_at end
from (select count(*) = :limit as more from brought) b
where h.account = :account
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningClaim:
    """A list to be asked for; only what is written under its term counts."""

    account: str
    term: int
    status_filter: StatusFilter
    paging: Paging
    page_rows: int
    failures: int
    listed_at: datetime | None  #: the last whole one
    relied_on: bool  #: looks may lie far off
    probe_is_due: bool
    credits_are_due: bool  #: to be asked for
    reckoning_is_due: bool  #: of how far looks at unopened links lie apart


class RunningLists:
    """The lists of running interviews of all accounts, for one replica."""

    def __init__(self, engine: AsyncEngine, *, replica: UUID, lease: timedelta, policy: Policy) -> None:
        self._engine = engine
        self._replica = replica
        self._lease = lease
        self._policy = policy

    async def due(self, accounts: Sequence[str]) -> list[str]:
        """Those of `accounts` whose list is this replica's to ask for."""
        given = {"accounts": list(accounts), "holder": self._replica}
        return [row["account"] for row in await fetch(self._engine, DUE, given)]

    async def known(self, account: str, sightings: Sequence[Sighting]) -> list[Known]:
        """What the database knows of each row of a list."""
        return await known_of(self._engine, account, sightings)

    async def claim(self, account: str) -> Batch[RunningClaim]:
        """The list of this account, if it is due and nobody else's."""
        given = {"account": account, "holder": self._replica, "lease_name": _lease_name(account)}
        given |= {"reckon_every": self._policy.watch_interval * RECKON_EVERY}
        return await claim_batch(self._engine, CLAIM, _claim_of, given, lease=self._lease)

    async def renew(self, claim: RunningClaim) -> float | None:
        """Keep the lease for a list of many pages, from this time of the loop on; None: it has passed to another."""
        async with transaction(self._engine) as connection:
            asked_at = asyncio.get_running_loop().time()
            return asked_at if await self._is_ours(connection, claim, keep=self._lease) else None

    async def write(
        self, claim: RunningClaim, listed: RunningList, findings: PageFindings, *, page_rows: int
    ) -> int | None:
        """
        Write what a whole list leads to; how many looks at what has left it are due. None: another replica lists now.

        What is new on the list and whose invite somebody has locked is written after the next list.
        """
        given = {"account": claim.account, "ids": listed.ids, "listed_at": listed.listed_at}
        async with transaction(self._engine) as connection:
            if not await self._is_ours(connection, claim):
                return None
            await write_findings(connection, claim.account, findings, replica=self._replica, policy=self._policy)
            next_at = cadence.next_list_of_running(listed.listed_at, now=listed.listed_at, policy=self._policy)
            given |= {"running": len(listed.sightings), "page_rows": page_rows, "next_at": next_at}
            given |= {
                "door": INTERVIEWS_AT_ONCE,
                "may_lag": LIST_MAY_LAG,
                "watch_interval": self._policy.watch_interval,
            }
            told = (await connection.execute(LISTED, given)).one()
            if claim.reckoning_is_due:
                await self._reckon(connection, claim.account)
            if is_after_a_gap(listed, claim.listed_at, policy=self._policy):
                await connection.execute(READ_WHAT_HAS_ENDED, given)
            if told.contradicted_by is not None:
                evidence = {"status": {"session_id": told.contradicted_by, "listed_at": listed.listed_at}}
                verdict = Verdict(status_filter=StatusFilter.DISTRUSTED, evidence=evidence)
                await self._judge(connection, claim, verdict, now=listed.listed_at, page_rows=page_rows)
            return int(told.left_it)

    async def _reckon(self, connection: AsyncConnection, account: str) -> None:
        """How far looks at unopened links lie apart, by how many there are."""
        counted = (await connection.execute(OPEN_SESSIONS, {"account": account})).one()
        every = cadence.net_period(counted.open_sessions, counted.per_minute, policy=self._policy)
        await connection.execute(RECKONED, {"account": account, "look_every": every})

    async def write_verdict(self, claim: RunningClaim, verdict: Verdict, *, now: datetime, page_rows: int) -> bool:
        """Write what is known of the list; False: another replica lists now."""
        async with transaction(self._engine) as connection:
            if not await self._is_ours(connection, claim):
                return False
            await self._judge(connection, claim, verdict, now=now, page_rows=page_rows)
            return True

    async def try_later(self, claim: RunningClaim, *, failures: int, now: datetime) -> bool:
        """
        No list came, or none that is whole. False: another replica lists now.

        Soon the running interviews are looked at one by one; if that works, and for a while no list comes, it is no
        longer relied on. Where looks fail as well it is the vendor who is away, and that says nothing of the list.
        """
        interval = self._policy.watch_interval
        given = {"account": claim.account, "failures": failures, "next_at": now + interval, "lately": interval * 6}
        async with transaction(self._engine) as connection:
            if not await self._is_ours(connection, claim):
                return False
            looks_work = (await connection.execute(TRY_LATER, given)).scalar_one()
            if failures >= LOOK_AFTER_FAILURES:
                await connection.execute(LOOK_MEANWHILE, given)
            if looks_work and failures >= DISTRUST_AFTER_FAILURES and claim.status_filter == StatusFilter.HONOURED:
                verdict = Verdict(status_filter=StatusFilter.DISTRUSTED, evidence={"status": {"failures": failures}})
                await self._judge(connection, claim, verdict, now=now, page_rows=0)
            return True

    async def bring_looks_forward(self, claim: RunningClaim) -> bool:
        """The list cannot be relied on, and some looks were put off because of it. False: another replica lists now."""
        async with transaction(self._engine) as connection:
            if not await self._is_ours(connection, claim):
                return False
            soon = self._policy.watch_interval * cadence.UNOPENED_EVERY
            given = {"account": claim.account, "soon": soon, "limit": LOOKS_BROUGHT_FORWARD}
            await connection.execute(BRING_FORWARD, given)
            return True

    async def _judge(
        self, connection: AsyncConnection, claim: RunningClaim, verdict: Verdict, *, now: datetime, page_rows: int
    ) -> None:
        style = verdict.style
        given: dict[str, Any] = {"account": claim.account, "status_filter": verdict.status_filter}
        given |= {"paging": style and style.paging, "ref_filter": style and style.ref_filter}
        given |= {"ref_parameter": style and style.ref_parameter, "sort_order": style and style.sort_order}
        given |= {"evidence": as_json(verdict.evidence), "page_rows": page_rows}
        given |= {"next_probe_at": next_probe(verdict.status_filter, now=now, policy=self._policy)}
        await connection.execute(PROBED, given)
        if verdict.status_filter != claim.status_filter:
            details = as_json({"status_filter": verdict.status_filter, "evidence": verdict.evidence})
            given = {"account": claim.account, "kind": "list_judged", "details": details, "holder": self._replica}
            await connection.execute(NOTED, given)

    async def _is_ours(
        self, connection: AsyncConnection, claim: RunningClaim, *, keep: timedelta = timedelta(0)
    ) -> bool:
        name = _lease_name(claim.account)
        return await hold_term(connection, lease_name=name, holder=self._replica, term=claim.term, keep=keep)


def _claim_of(row: dict[str, Any]) -> RunningClaim:
    return RunningClaim(**row | {"status_filter": StatusFilter(row["status_filter"]), "paging": Paging(row["paging"])})


def _lease_name(account: str) -> str:
    return f"running:{account}"
