"""What is on record of one invite, read in one snapshot. Never its link, its metadata or its transcript."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from service.core.model import InviteStatus, PostState
from service.operate.account_facts import Account, read_accounts
from service.operate.snapshot import Snapshot
from service.operate.status_facts import LIVE_WITHIN, last_tick
from service.operate.waits import WAIT_JOINS, WaitReason
from service.operate.words import plain, plain_or_none, safe

FOUND_MAX = 20
EVENTS_MAX = 500
POSTS_MAX = 20

_BY_ID = "select id from zenhire.candidate_invites where id = %(what)s"

#: Account by account, because the indexes begin with the account; a walk from each account to the next finds them all.
_BY_NAME: LiteralString = """
with recursive accounts as (
    select min(account) as account from zenhire.candidate_invites
    union all
    select (select min(i.account) from zenhire.candidate_invites i where i.account > a.account)
    from accounts a where a.account is not null
)
select i.id, count(*) over () as total
from accounts a join zenhire.candidate_invites i on i.account = a.account and i.{column} = %(what)s
order by i.created_at desc, i.id limit %(limit)s
"""

_INVITE: LiteralString = f"""
select i.id, i.account, i.request_key, i.candidate_ref, i.persona_id, i.role_name, i.language, i.status,
       i.status_changed_at, i.created_at, i.start_after, i.stop_after, i.max_links, i.link_number, i.link_sent_at,
       i.candidate_link is not null as has_link, i.link_expires_at, i.interview_completed_at, i.duration_seconds,
       i.credits_charged, i.candidate_survey_rating as rating, i.transcript_state, i.recording_state, i.error_code,
       i.error_message, i.erased_at, case when i.status = 'pending' then w.reason end as wait_reason,
       case when i.status = 'pending' then w.next_at end as wait_until,
       p.error_code as persona_error_code, p.error_message as persona_error
from zenhire.candidate_invites i {WAIT_JOINS}
where i.id = %(id)s
"""

_POSTS = """
select post_id, link_number, post_number, state, current, posted_at, repost_at, error_code, error_message, session_id,
       link_expires_at, vendor_status, dead_at, dead_because, next_look_at, next_look_reason, look_count, look_failures,
       first_look_at, last_look_at, last_look, next_collect_at, collect_count, last_collect, next_search_at,
       search_count, last_search_at, lease_until
from zenhire.interview_sessions where invite_id = %(id)s
order by link_number desc, post_number desc limit %(limit)s
"""

_EVENTS = """
select at, post_id, kind, to_status, reason, details, actor from zenhire.invite_events
where invite_id = %(id)s order by id desc limit %(limit)s
"""

_DECISIONS = "select why, statement from zenhire.attention where invite_id = %(id)s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    id: UUID
    account: str
    request_key: str | None
    candidate_ref: str
    persona_id: str | None
    role_name: str | None
    language: str | None
    status: InviteStatus
    status_changed_at: datetime
    created_at: datetime
    start_after: datetime
    stop_after: datetime | None
    max_links: int
    link_number: int
    link_sent_at: datetime | None
    has_link: bool
    link_expires_at: datetime | None
    interview_completed_at: datetime | None
    duration_seconds: int | None
    credits_charged: int | None
    rating: int | None
    transcript_state: str
    recording_state: str
    error_code: str | None
    error_message: str | None
    erased_at: datetime | None
    wait_reason: WaitReason | None
    wait_until: datetime | None
    persona_error_code: str | None
    persona_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One post, and the session that it made, if any."""

    post_id: UUID
    link_number: int
    post_number: int
    state: PostState
    current: bool
    posted_at: datetime
    repost_at: datetime | None
    error_code: str | None
    error_message: str | None
    session_id: str | None
    link_expires_at: datetime | None
    vendor_status: str | None
    dead_at: datetime | None
    dead_because: str | None
    next_look_at: datetime | None
    next_look_reason: str | None
    look_count: int
    look_failures: int
    first_look_at: datetime | None
    last_look_at: datetime | None
    last_look: str | None
    next_collect_at: datetime | None
    collect_count: int
    last_collect: str | None
    next_search_at: datetime | None
    search_count: int
    last_search_at: datetime | None
    lease_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A row of the history."""

    at: datetime
    post_id: UUID | None
    kind: str
    to_status: str | None
    reason: str | None
    details: dict[str, Any] = field(default_factory=dict)
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person must decide, and the statement that does it."""

    why: str
    statement: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything that is told of one invite; posts and history newest last."""

    now: datetime
    invite: Invite
    account: Account | None
    posts: tuple[Post, ...]
    history: tuple[Happening, ...]
    earlier_left_out: bool  #: there are more events than are told
    decisions: tuple[Decision, ...]
    last_tick_at: datetime | None

    @property
    def current(self) -> Post | None:
        return next((post for post in reversed(self.posts) if post.current), None)

    @property
    def is_served(self) -> bool:
        return self.last_tick_at is not None and self.last_tick_at > self.now - LIVE_WITHIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Which invites are meant; `by` says as what the given text was understood."""

    ids: tuple[UUID, ...]
    by: str
    total: int


def find(seen: Snapshot, what: str) -> Found | None:
    """The invite of this id, else of this request_key, else those of this candidate_ref, newest first."""
    invite_id = _uuid(what)
    if invite_id is not None and seen.rows(_BY_ID, what=invite_id):
        return Found(ids=(invite_id,), by="id", total=1)
    if "\0" in what:  # Postgres knows no such text
        return None
    for column in ("request_key", "candidate_ref"):
        rows = seen.rows(_BY_NAME.format(column=column), what=what, limit=FOUND_MAX)
        if rows:
            return Found(ids=tuple(row["id"] for row in rows), by=column, total=rows[0]["total"])
    return None


def _uuid(what: str) -> UUID | None:
    try:
        return UUID(what.strip())
    except ValueError:
        return None


def read_record(seen: Snapshot, invite_id: UUID) -> Record:
    """Of an invite that is there."""
    invite = _invite(seen.rows(_INVITE, id=invite_id)[0])
    events = seen.rows(_EVENTS, id=invite_id, limit=EVENTS_MAX + 1)
    accounts = read_accounts(seen, invite.account)
    return Record(
        now=seen.now,
        invite=invite,
        account=accounts[0] if accounts else None,
        posts=tuple(_post(row) for row in reversed(seen.rows(_POSTS, id=invite_id, limit=POSTS_MAX))),
        history=tuple(_happening(row) for row in reversed(events[:EVENTS_MAX])),
        earlier_left_out=len(events) > EVENTS_MAX,
        decisions=tuple(Decision(why=plain(row["why"]), statement=row["statement"]) for row in _needs(seen, invite_id)),
        last_tick_at=last_tick(seen),
    )


def _needs(seen: Snapshot, invite_id: UUID) -> list[dict[str, Any]]:
    return [row | {"why": safe(row["why"])} for row in seen.rows(_DECISIONS, id=invite_id)]


def _invite(row: dict[str, Any]) -> Invite:
    texts = {name: plain_or_none(row[name]) for name in ("request_key", "candidate_ref", "role_name", "language")}
    messages = {name: safe(row[name]) for name in ("error_message", "persona_error")}
    reason = row["wait_reason"]
    enums = {"status": InviteStatus(row["status"]), "wait_reason": None if reason is None else WaitReason(reason)}
    return Invite(**row | texts | messages | enums)


def _post(row: dict[str, Any]) -> Post:
    texts = {name: safe(row[name]) for name in ("error_message", "vendor_status", "last_look", "next_look_reason")}
    return Post(**row | texts | {"state": PostState(row["state"])})


def _happening(row: dict[str, Any]) -> Happening:
    return Happening(**row | {"reason": safe(row["reason"])})
