"""
What one row of the vendor's list tells beside what the database knows.

A row is a hint: the list may be older than the last look, and may show less than it has. What follows from a finding
is a single look or a search, or a row of its own for a session that nobody knew; never a status.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from service.core.marks import read_post_mark
from service.core.model import InviteStatus, PostState, SessionOrigin, VendorStatus
from service.core.observations import Sighting

PLAYGROUND = "playground"  #: the `source` of what the console made (contract §2.4)
REQUESTS = "requests"  #: and of what a key made


class Finding(StrEnum):
    """What does not agree, or is not known."""

    LOST_POST_FOUND = "lost_post_found"  #: a session of a post whose result is unknown, or thought to be none
    CONSOLE_REINVITE = "console_reinvite"  #: another session with the mark of a post that has its own
    TWICE_MADE = "twice_made"  #: the same, but made through the API: one request had two sessions
    UNKNOWN_POST = "unknown_post"  #: our mark, and a post that this database does not have
    LIKELY_REINVITE = "likely_reinvite"  #: made in the console, without our mark, for a candidate whose link is dead
    FINAL_THERE = "final_there"  #: the vendor shows an end, and the database another status
    ACTIVE_THERE = "active_there"  #: an interview runs, and the database has not seen it begin
    ALIVE_AGAIN = "alive_again"  #: the database knows this session as dead
    WENT_BACK = "went_back"  #: the vendor shows an earlier status than was seen


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPost:
    """A post as the database knows it, with its invite."""

    post_id: UUID
    account: str
    invite_id: UUID
    state: PostState
    origin: SessionOrigin
    current: bool  #: the invite's newest
    link_number: int
    posted_at: datetime
    session_id: str | None
    vendor_status: str | None
    status_seen_at: datetime | None
    link_expires_at: datetime | None
    dead_at: datetime | None
    dead_because: str | None
    next_look_at: datetime | None
    next_search_at: datetime | None
    invite_status: InviteStatus
    invite_link_number: int
    invite_session_id: str | None
    erased: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the database knows of one row of the list, by each of the ways to know it."""

    by_id: KnownPost | None = None  #: the post with this session
    by_mark: KnownPost | None = None  #: the post that the row's metadata names
    by_ref: KnownPost | None = None  #: the newest post for this candidate, asked only where nothing else is known


def compare(seen: Sighting, known: Known, *, account: str, listed_at: datetime) -> Finding | None:
    """The finding of one row, if any; `listed_at`: when the list was asked for."""
    if known.by_id is not None:
        return _of_known_session(seen, known.by_id, listed_at)
    mark = read_post_mark(seen.post_mark)
    if mark is None:
        return _of_unmarked(seen, known.by_ref)
    if known.by_mark is None:
        return Finding.UNKNOWN_POST
    if known.by_mark.account != account:
        return None  # two accounts have keys of one client: the other one knows its sessions
    return _of_marked(seen, known.by_mark)


def _of_marked(seen: Sighting, post: KnownPost) -> Finding | None:
    if post.session_id is not None:
        return Finding.TWICE_MADE if seen.source == REQUESTS else Finding.CONSOLE_REINVITE
    # A post on its way has its answer still before it.
    return None if post.state == PostState.POSTING else Finding.LOST_POST_FOUND


def _of_unmarked(seen: Sighting, post: KnownPost | None) -> Finding | None:
    """A row without our mark is no evidence, except what the console makes for a candidate whose link is dead."""
    if seen.source != PLAYGROUND or post is None or post.dead_at is None:
        return None
    later = seen.created_at is None or seen.created_at >= post.posted_at
    return Finding.LIKELY_REINVITE if later and post.invite_status in _WITHOUT_RESULT else None


_WITHOUT_RESULT = frozenset({InviteStatus.FAILED, InviteStatus.EXPIRED})


def _of_known_session(seen: Sighting, post: KnownPost, listed_at: datetime) -> Finding | None:
    if post.state == PostState.LOST:
        return Finding.LOST_POST_FOUND
    if post.state == PostState.POSTING or post.erased or post.vendor_status == VendorStatus.COMPLETED:
        return None
    if post.status_seen_at is not None and post.status_seen_at >= listed_at:
        return None  # a look was sent after the list was
    if seen.status == VendorStatus.INITIATED:
        return _of_unopened(post)
    if seen.status == VendorStatus.ACTIVE:
        return _of_running(post)
    if seen.status == VendorStatus.COMPLETED or (
        seen.status == VendorStatus.FAILED and post.vendor_status != seen.status
    ):
        return Finding.FINAL_THERE
    return None  # failed is known; a status that is not in the documentation says nothing


def _of_running(post: KnownPost) -> Finding | None:
    if post.dead_at is not None:
        return Finding.ALIVE_AGAIN
    return None if post.vendor_status == VendorStatus.ACTIVE else Finding.ACTIVE_THERE


def _of_unopened(post: KnownPost) -> Finding | None:
    """A link that died unused stays `initiated` (contract §3): that alone is no life."""
    match post.vendor_status:
        case VendorStatus.FAILED:
            return Finding.ALIVE_AGAIN
        case VendorStatus.ACTIVE:
            return Finding.WENT_BACK
        case _:
            return None
