"""Claims and answers for the tests of the pure core: a plain one of each, and Hypothesis strategies for all of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from service.core.comparing import KnownPost
from service.core.model import (
    CollectClaim,
    InviteStatus,
    LookClaim,
    Policy,
    PostClaim,
    PostState,
    SessionOrigin,
    VendorStatus,
)
from service.core.observations import (
    ErrorAnswer,
    Failure,
    Garbage,
    Minted,
    MintedWithoutLink,
    NoAnswer,
    NotSent,
    Sighting,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INVITE = UUID(int=1)
POLICY = Policy()


def a_known(**over: Any) -> KnownPost:
    values: dict[str, Any] = {
        "post_id": UUID(int=2),
        "account": "default",
        "invite_id": INVITE,
        "state": PostState.PUBLISHED,
        "origin": SessionOrigin.POST,
        "current": True,
        "link_number": 1,
        "posted_at": NOW - timedelta(days=2),
        "session_id": "session-1",
        "vendor_status": VendorStatus.INITIATED,
        "status_seen_at": NOW - timedelta(minutes=10),
        "link_expires_at": NOW + timedelta(days=5),
        "dead_at": None,
        "dead_because": None,
        "next_look_at": NOW + timedelta(minutes=10),
        "next_search_at": None,
        "invite_status": InviteStatus.LINK_READY,
        "invite_link_number": 1,
        "invite_session_id": "session-1",
        "erased": False,
    }
    return KnownPost(**values | over)


def a_post(**over: Any) -> PostClaim:
    values: dict[str, Any] = {
        "post_id": UUID(int=2),
        "account": "default",
        "token": UUID(int=3),
        "posted_at": NOW - timedelta(seconds=1),
        "invite_id": INVITE,
        "link_number": 1,
        "persona_id": "persona-1",
        "candidate_ref": "candidate-1",
        "consent_mode": "explicit",
        "metadata": {},
        "tags": (),
        "counted_posts": 0,
        "probe": False,
        "persona_refusal": None,
    }
    return PostClaim(**values | over)


def a_look(**over: Any) -> LookClaim:
    values: dict[str, Any] = {
        "post_id": UUID(int=2),
        "account": "default",
        "token": UUID(int=3),
        "posted_at": NOW - timedelta(hours=2),
        "invite_id": INVITE,
        "link_number": 1,
        "session_id": "session-1",
        "state": PostState.PUBLISHED,
        "current": True,
        "invite_status": InviteStatus.LINK_READY,
        "max_links": 1,
        "stop_after": None,
        "vendor_status": VendorStatus.INITIATED,
        "status_seen_at": NOW - timedelta(minutes=1),
        "step_back_seen_at": None,
        "link_expires_at": NOW + timedelta(days=6),
        "interview_started_at": None,
        "look_count": 3,
        "failures": 0,
        "rating": None,
    }
    return LookClaim(**values | over)


def a_collect(**over: Any) -> CollectClaim:
    values: dict[str, Any] = {
        "post_id": UUID(int=2),
        "account": "default",
        "token": UUID(int=3),
        "posted_at": NOW - timedelta(hours=2),
        "invite_id": INVITE,
        "link_number": 1,
        "session_id": "session-1",
        "completed_at": NOW - timedelta(minutes=1),
        "collect_count": 0,
        "failures": 0,
    }
    return CollectClaim(**values | over)


def a_sighting(status: str, **over: Any) -> Sighting:
    return Sighting(session_id="session-1", status=status, **over)


MINTED = Minted(
    session_id="session-1", candidate_link="https://interview.zenhire.ai/#t=abc", expires_in=timedelta(days=7)
)

jitters = st.floats(min_value=0, max_value=1, exclude_max=True, allow_nan=False)
times = st.datetimes(
    min_value=datetime(2026, 1, 1),
    max_value=datetime(2027, 1, 1),
    timezones=st.just(UTC),
)
delays = st.none() | st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30))
failures: st.SearchStrategy[Failure] = st.one_of(
    st.builds(NotSent, detail=st.just("connect failed")),
    st.builds(NoAnswer, detail=st.just("the connection was closed")),
    st.builds(Garbage, http_status=st.just(200), detail=st.just("not JSON")),
    st.builds(
        ErrorAnswer,
        http_status=st.integers(300, 599),
        code=st.none()
        | st.sampled_from(["INVALID_INPUT", "NOT_FOUND", "ARTIFACT_NOT_READY", "POLL_RATE_LIMITED", "INTERNAL_ERROR"]),
        message=st.none() | st.just("a message"),
        retry_after=delays,
    ),
)
post_answers: st.SearchStrategy[Minted | MintedWithoutLink | Failure] = st.one_of(
    st.just(MINTED), st.just(MintedWithoutLink(session_id="session-1")), failures
)
sightings = st.builds(
    Sighting,
    session_id=st.just("session-1"),
    status=st.sampled_from([*VendorStatus, "paused", ""]),
    client_id=st.none() | st.just("client-1"),
    started_at=st.none() | times,
    completed_at=st.none() | times,
    duration_seconds=st.none() | st.integers(0, 10_000),
    survey_rating=st.none() | st.integers(1, 5),
    error_code=st.none() | st.just("SESSION_TIMEOUT"),
)
posts = st.builds(a_post, counted_posts=st.integers(0, 20), probe=st.booleans(), link_number=st.integers(1, 2))
#: Posts' own sessions, and what the console made beside one: never published, the invite's newest once it took over.
_origins_and_states = [
    (SessionOrigin.POST, PostState.PUBLISHED),
    (SessionOrigin.POST, PostState.ORPHAN),
    (SessionOrigin.CONSOLE, PostState.ORPHAN),
]
looks = st.builds(
    lambda of, **columns: a_look(origin=of[0], state=of[1], **columns),
    of=st.sampled_from(_origins_and_states),
    newest_is_dead=st.booleans(),
    current=st.booleans(),
    invite_status=st.sampled_from(InviteStatus),
    link_number=st.integers(1, 2),
    max_links=st.integers(1, 2),
    stop_after=st.none() | times,
    vendor_status=st.none() | st.sampled_from([*VendorStatus, "paused"]),
    status_seen_at=st.none() | times,
    step_back_seen_at=st.none() | times,
    link_expires_at=times,
    interview_started_at=st.none() | times,
    look_count=st.integers(0, 1000),
    failures=st.integers(0, 50),
    rating=st.none() | st.integers(1, 5),
    shown=st.booleans(),
    dead_because=st.none() | st.sampled_from(["failed", "completed", "expired", "accepted"]),
    reinvited_at=st.none() | times,
)
