"""
What `verify` reads: invites with all that belongs to them, in pages by primary key, and the hashes of what is stored.

Each page is one short transaction that only reads and sees one moment, so a page never mixes two states of an invite.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.core.model import ArtifactState, InviteStatus, PostState, SessionOrigin
from service.core.stored import StoredBytes
from service.core.verifying import InviteFacts, Moved, PostFacts
from service.postgres.engine import fetch, one_moment

_INVITE = """
select i.id as invite_id, i.account, i.status, i.version, i.session_id, i.interview_completed_at, i.transcript_state,
       i.recording_state, i.erased_at is not null as is_erased, a.paused_at is not null as account_is_paused,
       zenhire.clock() as now
from zenhire.candidate_invites i
left join zenhire.account_state a on a.account = i.account
"""

PAGE = text(f"""
{_INVITE}
where i.id > :after and (i.account = any(cast(:accounts as text[])) or cast(:accounts as text[]) is null)
order by i.id
limit :limit
""")

AGAIN = text(f"{_INVITE} where i.id = any(cast(:ids as uuid[]))")

POSTS = text("""
select s.invite_id, s.post_id, s.state, s.origin, s.current, s.session_id, s.link_expires_at, s.vendor_status,
       s.dead_at, s.dead_because, s.superseded_at is not null as superseded,
       s.reinvited_at is not null as reinvited, s.lease_until, s.repost_at, s.next_look_at, s.next_search_at,
       s.next_collect_at,
       exists (select from zenhire.transcripts t where t.post_id = s.post_id) as has_transcript,
       exists (select from zenhire.recordings r where r.post_id = s.post_id) as has_recording
from zenhire.interview_sessions s
where s.invite_id = any(cast(:ids as uuid[]))
order by s.link_number, s.post_number
""")

#: What changed a status, and what a person accepted; anything else in the history changes nothing.
MOVES = text("""
select e.invite_id, e.kind, e.from_status, e.to_status, e.version
from zenhire.invite_events e
where e.invite_id = any(cast(:ids as uuid[])) and e.to_status is not null
order by e.id
""")

#: Which transcripts there are, and how large: their hashes are taken in portions of a bounded number of bytes.
SIZES = text("""
select t.post_id, t.byte_count
from zenhire.transcripts t
where t.post_id > :after and (t.account = any(cast(:accounts as text[])) or cast(:accounts as text[]) is null)
order by t.post_id
limit :limit
""")

HASHES = text("""
select t.post_id, t.account, t.invite_id, t.session_id,
       t.body is not null as has_body, octet_length(t.body) = t.byte_count and sha256(t.body) = t.sha256 as body_fits,
       t.document is not null as has_document,
       sha256(convert_to(cast(t.document as text), 'UTF8')) = t.document_sha256 as document_fits
from zenhire.transcripts t
where t.post_id = any(cast(:ids as uuid[]))
""")

#: As the table's statistics have it; no row is read.
ABOUT = text("""
select greatest(reltuples, 0)::bigint as about from pg_class where oid = 'zenhire.candidate_invites'::regclass
""")


KNOWN_ACCOUNTS = text("""
select g.account from unnest(cast(:accounts as text[])) g (account)
where exists (select from zenhire.account_state a where a.account = g.account)
   or exists (select from zenhire.candidate_invites i where i.account = g.account)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some invites as they stood at one moment."""

    invites: tuple[InviteFacts, ...]
    now: datetime | None  #: None: the page is empty


class VerifyRows:
    """Reads for `verify`; writes nothing."""

    def __init__(self, engine: AsyncEngine, *, accounts: Sequence[str] | None) -> None:
        self._engine = engine
        self._accounts = None if accounts is None else list(accounts)

    async def invites(self, after: UUID, limit: int) -> Page:
        """The next invites by their id."""
        async with one_moment(self._engine) as connection:
            given = {"after": after, "accounts": self._accounts, "limit": limit}
            return await _page(connection, (await connection.execute(PAGE, given)).mappings().all())

    async def again(self, invite_ids: Sequence[UUID]) -> Page:
        """The same invites a moment later; one that was deleted meanwhile is not among them."""
        async with one_moment(self._engine) as connection:
            return await _page(
                connection, (await connection.execute(AGAIN, {"ids": list(invite_ids)})).mappings().all()
            )

    async def transcript_sizes(self, after: UUID, limit: int) -> list[tuple[UUID, int]]:
        rows = await fetch(self._engine, SIZES, {"after": after, "accounts": self._accounts, "limit": limit})
        return [(row["post_id"], row["byte_count"]) for row in rows]

    async def stored_bytes(self, post_ids: Sequence[UUID]) -> list[StoredBytes]:
        """Whether what is stored still has the hashes that were taken when it was stored."""
        return [StoredBytes(**row) for row in await fetch(self._engine, HASHES, {"ids": list(post_ids)})]

    async def about(self) -> int:
        """Roughly how many invites there are."""
        return int((await fetch(self._engine, ABOUT, {}))[0]["about"])


async def known_accounts(engine: AsyncEngine, accounts: Sequence[str]) -> list[str]:
    """Those of `accounts` that the database has heard of."""
    return [row["account"] for row in await fetch(engine, KNOWN_ACCOUNTS, {"accounts": list(accounts)})]


async def _page(connection: AsyncConnection, rows: Sequence[RowMapping]) -> Page:
    if not rows:
        return Page(invites=(), now=None)
    ids = {"ids": [row["invite_id"] for row in rows]}
    posts, moves = defaultdict(list), defaultdict(list)
    for row in (await connection.execute(POSTS, ids)).mappings():
        posts[row["invite_id"]].append(_post(row))
    for row in (await connection.execute(MOVES, ids)).mappings():
        moves[row["invite_id"]].append(Moved(**_without(row, "invite_id")))
    invites = (_invite(row, posts[row["invite_id"]], moves[row["invite_id"]]) for row in rows)
    return Page(invites=tuple(invites), now=rows[-1]["now"])


def _invite(row: RowMapping, posts: list[PostFacts], moves: list[Moved]) -> InviteFacts:
    columns = _without(row, "now") | {
        "status": InviteStatus(row["status"]),
        "transcript_state": ArtifactState(row["transcript_state"]),
        "recording_state": ArtifactState(row["recording_state"]),
    }
    return InviteFacts(**columns, posts=tuple(posts), moves=tuple(moves))


def _post(row: RowMapping) -> PostFacts:
    names = {"state": PostState(row["state"]), "origin": SessionOrigin(row["origin"])}
    return PostFacts(**_without(row, "invite_id") | names)


def _without(row: RowMapping, name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}
