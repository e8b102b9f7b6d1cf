"""
What is on record of one invite, read in one snapshot from the views that psql has too.

Never its link, its metadata or its transcript.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from service.core.model import InviteStatus, PostState
from service.operate.account_facts import Account, read_accounts
from service.operate.snapshot import Snapshot
from service.operate.status_facts import LIVE_WITHIN, last_tick
from service.operate.waits import WaitReason
from service.operate.words import plain, plain_or_none, safe

FOUND_MAX = 20
EVENTS_MAX = 500
POSTS_MAX = 20

_FOUND = """
select invite_id, found_by, count(*) over () as total from zenhire.find_invites(%(what)s) limit %(limit)s
"""

_INVITE = """
select id, account, request_key, candidate_ref, persona_id, role_name, language, status, status_changed_at, created_at,
       start_after, stop_after, max_links, link_number, link_sent_at, has_link, link_expires_at,
       interview_completed_at, duration_seconds, credits_charged, candidate_survey_rating as rating, transcript_state,
       recording_state, error_code, error_message, erased_at, wait_reason, wait_until,
       case wait_reason when 'persona' then wait_code end as persona_error_code,
       case wait_reason when 'persona' then wait_message end as persona_error
from zenhire.invites where id = %(id)s
"""

_POSTS = """
select post_id, link_number, post_number, state, current, posted_at, repost_at, error_code, error_message, session_id,
       link_expires_at, vendor_status, dead_at, dead_because, next_look_at, next_look_reason, look_count, look_failures,
       first_look_at, last_look_at, last_look, next_collect_at, collect_count, last_collect, next_search_at,
       search_count, last_search_at, lease_until
from zenhire.posts where invite_id = %(id)s
order by link_number desc, post_number desc limit %(limit)s
"""

_EVENTS = """
select at, post_id, what as kind, to_status, reason, details, who as actor from zenhire.timeline
where invite_id = %(id)s and event_id > 0 order by event_id desc limit %(limit)s
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
    if "\0" in what:  # Postgres knows no such text
        return None
    rows = seen.rows(_FOUND, what=what, limit=FOUND_MAX)
    if not rows:
        return None
    return Found(ids=tuple(row["invite_id"] for row in rows), by=rows[0]["found_by"], total=rows[0]["total"])


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
