"""
What a decision writes: values for one invite, one post and one event.

All of a change is one transaction, and only the holder of the lease writes it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from service.core.model import ArtifactState, Claim, InviteStatus, PostState


class InviteColumns(TypedDict, total=False):
    """Columns of `candidate_invites` that the service writes; what is absent stays."""

    status: InviteStatus
    session_id: str | None
    candidate_link: str | None
    link_expires_at: datetime | None
    link_number: int
    interview_started_at: datetime | None
    interview_completed_at: datetime | None
    duration_seconds: int | None
    credits_charged: int | None
    candidate_survey_rating: int | None
    transcript_state: ArtifactState
    error_code: str | None
    error_message: str | None


class SessionColumns(TypedDict, total=False):
    """Columns of `interview_sessions` that a step writes; what is absent stays. The lease ends with every write."""

    state: PostState
    counted: bool
    answered_at: datetime | None
    repost_at: datetime | None
    error_code: str | None
    error_message: str | None
    session_id: str
    link_expires_at: datetime | None
    vendor_status: str
    status_seen_at: datetime
    step_back_seen_at: datetime | None
    reinvited_at: datetime
    superseded_at: datetime | None
    interview_started_at: datetime | None
    completed_at: datetime | None
    vendor_object: dict[str, Any]
    dead_at: datetime | None
    dead_because: str | None
    next_look_at: datetime | None
    next_look_reason: str | None
    look_count: int
    look_failures: int
    first_look_at: datetime
    last_look_at: datetime
    last_look: str
    next_collect_at: datetime | None
    collect_count: int
    collect_failures: int
    last_collect: str
    next_search_at: datetime | None
    search_count: int
    last_search_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteMove:
    """New values of an invite, and the statuses in which they may be written."""

    allowed_from: frozenset[InviteStatus]
    columns: InviteColumns
    only_current: bool = True  #: only while the invite still points to this post
    takes_over: bool = False  #: from now on the invite points to this post; only while the one before is dead


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the history."""

    kind: str
    reason: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTranscript:
    """A transcript as it goes into the table; `body` only where `document` is not the whole truth."""

    document: str | None = field(repr=False)  #: JSON that Postgres takes; None: the vendor sent nothing of the kind
    body: bytes | None = field(repr=False)
    byte_count: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    All that one decision writes, if the claim's token still counts.

    Where the invite has moved on in the meantime (cancelled, completed by another session), the move falls away and
    `session_alone` and `event_alone` are written instead.
    """

    claim: Claim
    session: SessionColumns
    move: InviteMove | None = None
    event: Event | None = None
    transcript: StoredTranscript | None = None
    session_alone: SessionColumns | None = None  #: None: `session` either way
    event_alone: Event | None = None
