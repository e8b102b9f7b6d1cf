"""What the database knows of a page of the vendor's list, asked in one statement."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.comparing import PLAYGROUND, Known, KnownPost
from service.core.marks import read_post_mark
from service.core.model import InviteStatus, PostState, SessionOrigin
from service.core.observations import Sighting
from service.postgres.engine import fetch

#: A post by its session is this account's; by its mark it may be another account's, whose key is the same client's.
KNOWN = text("""
with
given as (
    select * from jsonb_to_recordset(cast(:rows as jsonb)) as g (
        row_number integer, session_id text, post_id uuid, candidate_ref text)
),
found as (
    select g.row_number, 'by_id' as way, s.post_id from given g
    join zenhire.interview_sessions s on s.account = :account and s.session_id = g.session_id
    union all
    select g.row_number, 'by_mark', s.post_id from given g
    join zenhire.interview_sessions s on s.post_id = g.post_id
    union all
    -- the newest post for the candidate
    select g.row_number, 'by_ref', s.post_id from given g
    cross join lateral (
        select s.post_id from zenhire.candidate_invites i
        join zenhire.interview_sessions s on s.invite_id = i.id and s.current
        where i.account = :account and i.candidate_ref = g.candidate_ref
        order by s.posted_at desc
        limit 1) s
)
select f.row_number, f.way, s.post_id, s.account, s.invite_id, s.state, s.origin, s.current, s.link_number,
       s.posted_at, s.session_id, s.vendor_status, s.status_seen_at, s.link_expires_at, s.dead_at, s.dead_because,
       s.next_look_at, s.next_search_at, i.status as invite_status, i.link_number as invite_link_number,
       i.session_id as invite_session_id, i.erased_at is not null as erased
from found f
join zenhire.interview_sessions s on s.post_id = f.post_id
join zenhire.candidate_invites i on i.id = s.invite_id
""")


async def known_of(engine: AsyncEngine, account: str, sightings: Sequence[Sighting]) -> list[Known]:
    """What is known of each of `sightings`, in their order."""
    if not sightings:
        return []
    rows = json.dumps([_row(number, seen) for number, seen in enumerate(sightings)])
    found = await fetch(engine, KNOWN, {"account": account, "rows": rows})
    ways: list[dict[str, KnownPost]] = [{} for _ in sightings]
    for row in found:
        columns = dict(row)
        number, way = columns.pop("row_number"), columns.pop("way")
        ways[number][way] = _known_post(columns)
    return [Known(**known) for known in ways]


def _row(number: int, seen: Sighting) -> dict[str, Any]:
    mark = read_post_mark(seen.post_mark)
    asks_by_ref = mark is None and seen.source == PLAYGROUND
    return {
        "row_number": number,
        "session_id": seen.session_id,
        "post_id": None if mark is None else str(mark),
        "candidate_ref": seen.candidate_ref if asks_by_ref else None,
    }


def _known_post(columns: dict[str, Any]) -> KnownPost:
    return KnownPost(
        **{
            **columns,
            "state": PostState(columns["state"]),
            "origin": SessionOrigin(columns["origin"]),
            "invite_status": InviteStatus(columns["invite_status"]),
        }
    )
