"""What is known of an account: whether it works, why not, and who stopped it. Postgres remembers, for all replicas."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.core.decisions import AccountNote, BelongsTo, MustWait, Stopped, Stumbled, Worked
from service.core.limits import PACE_AFTER_TOO_FAST, PACE_MIN, PROBE_FIRST, RETRY_AFTER_MAX, STREAK_THAT_STOPS
from service.core.model import Lane, StopScope
from service.postgres.engine import execute, fetch, transaction
from service.postgres.registration import register

#: Whether a success changes anything: mostly it does not, and then nothing is written. Times are written once a second
#: at the most: the row is shared.
CHANGES = text("""
select exists (
    select from zenhire.account_state
    where account = :account
      and (stop_code is not null or cast(:cleared_persona as text) = any (blamed_personas)
           or :lane = 'look' and coalesce(last_look_at, '-infinity') < zenhire.clock() - interval '1 second'
           or :lane = 'start' and coalesce(last_link_at, '-infinity') < zenhire.clock() - interval '1 second'))
   or exists (select from zenhire.account_streaks where account = :account and lane = :lane)
   or exists (select from zenhire.request_budget where account = :account and (waits > 0 or waiting_since is not null))
   as changes
""")

END_STREAK = text("delete from zenhire.account_streaks where account = :account and lane = :lane")

END_WAITS = text("""
update zenhire.request_budget set waits = 0, waiting_since = null, wait_reason = null
where account = :account and (waits > 0 or waiting_since is not null)
""")

#: A success ends the stop that its lane proves wrong, and narrows one that it proves too wide. Where invites were
#: refused until now, their personas are to blame and not the account.
WORKED = text("""
with ended as (
    update zenhire.account_state
    set stop_code = null, stop_message = null, stop_scope = null, stop_lane = null, stopped_at = null,
        probe_at = null, probe_seconds = null, updated_at = zenhire.clock(),
        blamed_personas = array(
            select unnest(blamed_personas)
            union select unnest(k.persona_ids) from zenhire.account_streaks k
            where k.account = :account and k.lane = 'start' and :lane = 'start' and stop_lane = 'start')
    where account = :account and stop_code is not null and not needs_person
      -- a list is the probe only where nothing else is due: whatever works ends a stop that a list began, and a list
      -- ends one that looks began, until the next look
      and (:lane in (stop_lane, 'start') or stop_lane = 'list' or :lane = 'list' and stop_lane in ('look', 'artifact'))
    returning account
),
narrowed as (
    update zenhire.account_state set stop_scope = 'starts', updated_at = zenhire.clock()
    where account = :account and stop_scope = 'everything' and not needs_person
      and stop_lane in ('start', 'persona') and :lane in ('look', 'artifact', 'list')
    returning account
),
noted as (
    insert into zenhire.invite_events (account, kind, reason, replica)
    select account, 'account_works_again', 'the vendor did what was asked', :replica from ended
)
update zenhire.account_state
set last_look_at = case when :lane = 'look' then zenhire.clock() else last_look_at end,
    last_link_at = case when :lane = 'start' then zenhire.clock() else last_link_at end
where account = :account and not exists (select from ended) and not exists (select from narrowed)
  and :lane in ('look', 'start')
""")

CLEAR_PERSONA = text("""
update zenhire.account_state set blamed_personas = array_remove(blamed_personas, cast(:persona_id as text))
where account = :account
""")

#: The same code again: one more different invite; another code: a new streak.
STUMBLED = text("""
insert into zenhire.account_streaks as k (account, lane, code, invite_ids, persona_ids)
values (:account, :lane, :code, array[cast(:invite_id as uuid)],
        array_remove(array[cast(:persona_id as text)], null))
on conflict (account, lane) do update set
    code = excluded.code,
    since = case when k.code = excluded.code then k.since else excluded.since end,
    invite_ids = case
        when k.code <> excluded.code then excluded.invite_ids
        when k.invite_ids @> excluded.invite_ids or cardinality(k.invite_ids) >= :enough then k.invite_ids
        else k.invite_ids || excluded.invite_ids end,
    persona_ids = case
        when k.code <> excluded.code then excluded.persona_ids
        when k.persona_ids @> excluded.persona_ids then k.persona_ids
        else k.persona_ids || excluded.persona_ids end
returning cardinality(invite_ids) as invites
""")

#: A wider stop replaces a narrower one, and never one that a person must lift; a failed probe keeps its pace.
STOP = text("""
with stopped as (
    update zenhire.account_state a
    set stop_code = :code, stop_message = :message, stop_lane = :lane,
        -- what a success has narrowed stays narrow while the trouble is the same
        stop_scope = case when a.stop_code = :code and a.stop_lane = :lane then a.stop_scope else :scope end,
        stopped_at = case when a.stop_code = :code then a.stopped_at else zenhire.clock() end,
        needs_person = :needs_person,
        probe_at = case when a.stop_code is null or a.probe_at is null then zenhire.clock() + :probe_first
                        else a.probe_at end,
        probe_seconds = coalesce(a.probe_seconds, cast(extract(epoch from cast(:probe_first as interval)) as integer)),
        updated_at = zenhire.clock()
    where a.account = :account and not a.needs_person
      and not (a.stop_scope is not distinct from 'everything' and :scope = 'starts')
    returning a.account
),
before as (select stop_code from zenhire.account_state where account = :account)
insert into zenhire.invite_events (account, kind, reason, details, replica)
select s.account, 'account_stopped', :message,
       jsonb_build_object('code', cast(:code as text), 'scope', cast(:scope as text)), :replica
from stopped s, before b where b.stop_code is distinct from :code
returning account
""")

#: A stopped account charges no invite: what waits for a repost goes back to `pending`, its lost post uncounted.
RELEASE_STARTING = text("""
with
stopped as (
    select account from zenhire.account_state
    where account = any(cast(:accounts as text[])) and stop_code is not null
),
waiting as (
    select i.id from zenhire.interview_sessions s
    join stopped a on a.account = s.account
    join zenhire.candidate_invites i on i.id = s.invite_id
    where s.repost_at is not null and s.current and i.status = 'starting'
    order by i.id
    for update of i, s skip locked
),
released as (
    update zenhire.candidate_invites i set status = 'pending' from waiting w where i.id = w.id
    returning i.id, i.account, i.version
),
uncounted as (
    update zenhire.interview_sessions s set repost_at = null, counted = false
    from released r where s.invite_id = r.id and s.current
)
insert into zenhire.invite_events (account, invite_id, kind, from_status, to_status, version, reason, replica)
select account, id, 'account_stopped', 'starting', 'pending', version, 'the account is stopped', :replica from released
""")

#: The same holds for what was refused in the streak that stopped it. Some of it was written shortly before the streak
#: began to count.
RELEASE_REFUSED = text("""
with
streak as (
    select k.* from zenhire.account_streaks k join zenhire.account_state a on a.account = k.account
    where k.account = :account and k.lane = 'start' and a.stop_lane = 'start'
),
refused as (
    select i.id from streak k
    join zenhire.candidate_invites i on i.account = k.account and i.status = 'refused' and i.error_code = k.code
    where i.erased_at is null
      and (i.id = any (k.invite_ids) or i.status_changed_at >= k.since - interval '10 seconds')
    order by i.id
    for update of i skip locked
),
released as (
    update zenhire.candidate_invites i set status = 'pending', error_code = null, error_message = null
    from refused r where i.id = r.id
    returning i.id, i.account, i.version
)
insert into zenhire.invite_events (account, invite_id, kind, from_status, to_status, version, reason, replica)
select account, id, 'account_stopped', 'refused', 'pending', version,
       'so many were refused alike that the account is stopped', :replica
from released
""")

#: The whole account waits. Without the vendor's own number the wait doubles from 1 s to 60 s, once for each burst.
WAIT = text("""
update zenhire.request_budget
set waiting_since = coalesce(waiting_since, zenhire.clock()), wait_reason = :reason,
    waits = case when paused_until <= zenhire.clock() then waits + 1 else waits end,
    paused_until = greatest(paused_until, zenhire.clock() + case
        when cast(:delay as interval) is not null then greatest(cast(:delay as interval), interval '1 second')
        else least(60, power(2, least(waits, 6))) * interval '1 second' end)
where account = :account and (cast(:delay as interval) is not null or paused_until <= zenhire.clock())
""")

#: Requests that were on their way at the same time are found too fast together: that counts once.
SLOW_DOWN = text("""
update zenhire.account_state a
set pace = greatest(:pace_min, zenhire.pace_now(a) * :pace_after), slowed_at = zenhire.clock(),
    updated_at = zenhire.clock()
where a.account = :account and coalesce(a.slowed_at, '-infinity') < zenhire.clock() - interval '10 seconds'
""")

BELONGS_TO = text("""
update zenhire.account_state set client_id = :client_id, updated_at = zenhire.clock()
where account = :account and client_id is null
""")

#: What interviews cost is taken from the newest sessions: a bounded number of rows, however many there were.
CREDITS = text("""
update zenhire.account_state a
set credits_asked_at = zenhire.clock(), credits_left = coalesce(cast(:left as integer), credits_left),
    credits_each = coalesce((
        select avg(charged.credits)
        from (select s.invite_id from zenhire.interview_sessions s
              where s.account = :account order by s.posted_at desc limit 1000) newest
        -- offset 0: each looked up by its id, whatever the planner thinks of it
        cross join lateral (select i.credits_charged as credits from zenhire.candidate_invites i
                            where i.id = newest.invite_id offset 0) charged
        where charged.credits > 0), credits_each)
where a.account = :account
""")

NOW = text("select zenhire.clock() as now")

OTHER_CLIENT = text("""
select client_id from zenhire.account_state where account = :account and client_id <> :client_id
""")


#: A transcript or a list that cannot be had is no reason to stop anything else.
LANES_THAT_STOP = frozenset({Lane.START, Lane.LOOK, Lane.PERSONA})


_log = structlog.get_logger()


class Accounts:
    """Reads and writes what is known of accounts, for one replica."""

    def __init__(self, engine: AsyncEngine, *, replica: UUID, base_url: str) -> None:
        self._engine = engine
        self._replica = replica
        self._base_url = base_url
        self._clients: dict[str, str] = {}

    async def register(self, accounts: Sequence[str]) -> None:
        """Make known which accounts this replica has keys for."""
        ours = sorted(accounts)
        async with transaction(self._engine) as connection:
            if not await register(connection, ours, base_url=self._base_url, replica=self._replica):
                return
            await self._release_starting(connection, ours)

    async def note(self, account: str, notes: Sequence[AccountNote]) -> None:
        """Record what answers said about `account`, in the order in which they came."""
        for note in notes:
            await self._note(account, note)

    async def credits(self, account: str, left: int | None) -> None:
        """Record the balance that the vendor told; None: it told none."""
        await execute(self._engine, CREDITS, {"account": account, "left": left})

    async def now(self) -> datetime:
        """Ask the database for its time."""
        now: datetime = (await fetch(self._engine, NOW, {}))[0]["now"]
        return now

    async def _note(self, account: str, note: AccountNote) -> None:
        match note:
            case Worked():
                await self._worked(account, note)
            case Stumbled():
                await self._stumbled(account, note)
            case Stopped():
                await self._stop(account, note)
            case MustWait():
                await self._wait(account, note)
            case BelongsTo():
                await self._belongs_to(account, note.client_id)
            case _:
                assert_never(note)

    async def _wait(self, account: str, note: MustWait) -> None:
        delay = None if note.delay is None else min(note.delay, RETRY_AFTER_MAX)
        async with transaction(self._engine) as connection:
            if note.too_fast:
                slower = {"account": account, "pace_after": PACE_AFTER_TOO_FAST, "pace_min": PACE_MIN}
                await connection.execute(SLOW_DOWN, slower)
            await connection.execute(WAIT, {"account": account, "delay": delay, "reason": note.reason})

    async def _worked(self, account: str, note: Worked) -> None:
        given = {"account": account, "lane": note.lane}
        async with transaction(self._engine) as connection:
            asked = given | {"cleared_persona": note.cleared_persona}
            if not (await connection.execute(CHANGES, asked)).scalar_one():
                return
            # account_state first, as the control functions lock it
            await connection.execute(WORKED, given | {"replica": self._replica})
            await connection.execute(END_STREAK, given)
            await connection.execute(END_WAITS, given)
            if note.cleared_persona is not None:
                await connection.execute(CLEAR_PERSONA, {"account": account, "persona_id": note.cleared_persona})

    async def _stumbled(self, account: str, note: Stumbled) -> None:
        given = {
            "account": account,
            "lane": note.lane,
            "code": note.code,
            "invite_id": note.invite_id,
            "persona_id": note.persona_id,
            "enough": STREAK_THAT_STOPS,
        }
        rows = await fetch(self._engine, STUMBLED, given)
        if rows[0]["invites"] < STREAK_THAT_STOPS or note.lane not in LANES_THAT_STOP:
            return
        scope = StopScope.STARTS if note.lane in {Lane.START, Lane.PERSONA} else StopScope.EVERYTHING
        what = "roles" if note.lane == Lane.PERSONA else "invites"
        message = f"{STREAK_THAT_STOPS} different {what} in a row got the same bad result ({note.code})"
        await self._stop(account, Stopped(scope=scope, code="VENDOR_FAILING", message=message, lane=note.lane))

    async def _stop(self, account: str, note: Stopped, *, needs_person: bool = False) -> None:
        given = {
            "account": account,
            "code": note.code,
            "message": note.message,
            "scope": note.scope,
            "lane": note.lane,
            "needs_person": needs_person,
            "probe_first": PROBE_FIRST,
            "replica": self._replica,
        }
        async with transaction(self._engine) as connection:
            begun = (await connection.execute(STOP, given)).all()
            await self._release_starting(connection, [account])
            await connection.execute(RELEASE_REFUSED, {"account": account, "replica": self._replica})
        if begun:
            _log.warning("account_stopped", account=account, code=note.code, scope=note.scope)

    async def _release_starting(self, connection: AsyncConnection, accounts: Sequence[str]) -> None:
        await connection.execute(RELEASE_STARTING, {"accounts": accounts, "replica": self._replica})

    async def _belongs_to(self, account: str, client_id: str) -> None:
        if self._clients.get(account) == client_id:
            return
        given = {"account": account, "client_id": client_id}
        await execute(self._engine, BELONGS_TO, given)
        others = await fetch(self._engine, OTHER_CLIENT, given)
        if others:
            message = f"the key now belongs to client {client_id}, but the sessions belong to {others[0]['client_id']}"
            stop = Stopped(scope=StopScope.EVERYTHING, code="CLIENT_CHANGED", message=message, lane=Lane.LOOK)
            await self._stop(account, stop, needs_person=True)
            return
        self._clients[account] = client_id
