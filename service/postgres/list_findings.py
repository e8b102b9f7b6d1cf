"""What the rows of the vendor's list lead to: searches and looks that are due now, and rows of their own."""

import json
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.model import Policy
from service.core.sweeping import NewSession, PageFindings
from service.postgres.apply import LOCK_INVITES

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


async def write_findings(
    connection: AsyncConnection, account: str, page: PageFindings, *, replica: UUID, policy: Policy
) -> bool:
    """Write what the rows lead to; False: somebody has an invite locked, and its new session waits."""
    whole = True
    if page.sessions:  # invites before sessions, as everywhere
        free, whole = await _with_free_invites(connection, page.sessions)
        await connection.execute(RECORD, {"given": as_json(free), "holder": replica})
    if page.searches:
        await connection.execute(SEARCH_NOW, {"given": as_json(page.searches)})
    if page.looks:
        given = {"given": as_json(page.looks), "watch_interval": policy.watch_interval}
        await connection.execute(LOOK_NOW, given)
    if page.unclaimed:
        await connection.execute(KEEP_UNCLAIMED, {"given": as_json(page.unclaimed), "account": account})
    return whole


async def _with_free_invites(
    connection: AsyncConnection, sessions: Sequence[NewSession]
) -> tuple[list[NewSession], bool]:
    """Those whose invite is now locked for us, and whether these are all."""
    posts = {"posts": [session.beside for session in sessions]}
    invites = {row.post_id: row.invite_id for row in await connection.execute(INVITES_BESIDE, posts)}
    ids = {"ids": list(set(invites.values()))}
    locked = {row.id for row in await connection.execute(LOCK_INVITES, ids)}
    free = [session for session in sessions if invites[session.beside] in locked]
    return free, len(free) == len(sessions)


def as_json(value: Any) -> str | None:
    """For a statement that reads it with `jsonb_to_recordset`."""
    return None if value is None else json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)
