"""A row of the vendor's list is compared with what is known: every pair has an answer, and a hint is all that it is."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.comparing import Finding, Known, KnownPost, compare
from service.core.model import InviteStatus, PostState, VendorStatus
from service.core.observations import Sighting
from tests.unit.core.examples import NOW, a_known

POST = UUID(int=2)
DEAD = {"dead_at": NOW - timedelta(days=1), "dead_because": "expired"}
FAILED = {"vendor_status": "failed", "dead_at": NOW - timedelta(days=1), "dead_because": "failed"}


def row(status: str = "initiated", **over: Any) -> Sighting:
    return Sighting(**{"session_id": "session-1", "status": status, "post_mark": str(POST)} | over)


def found(seen: Sighting, **known: KnownPost | None) -> Finding | None:
    return compare(seen, Known(**known), account="default", listed_at=NOW)


@pytest.mark.parametrize(
    ("here", "there", "finding"),
    [
        ({}, "initiated", None),
        ({}, "active", Finding.ACTIVE_THERE),
        ({}, "completed", Finding.FINAL_THERE),
        ({}, "failed", Finding.FINAL_THERE),
        ({}, "paused", None),
        ({"vendor_status": "active"}, "active", None),
        ({"vendor_status": "active"}, "initiated", Finding.WENT_BACK),
        ({"vendor_status": "active"}, "completed", Finding.FINAL_THERE),
        ({"vendor_status": None}, "active", Finding.ACTIVE_THERE),
        ({"vendor_status": "paused"}, "active", Finding.ACTIVE_THERE),
        (FAILED, "failed", None),
        (FAILED, "initiated", Finding.ALIVE_AGAIN),
        (FAILED, "active", Finding.ALIVE_AGAIN),
        (FAILED, "completed", Finding.FINAL_THERE),
        (DEAD, "initiated", None),  # the vendor has no status for a link that died unused
        (DEAD, "active", Finding.ALIVE_AGAIN),
        (DEAD, "completed", Finding.FINAL_THERE),
        ({"vendor_status": "completed"}, "failed", None),  # completed absorbs
        ({"erased": True}, "completed", None),
        ({"state": PostState.LOST}, "initiated", Finding.LOST_POST_FOUND),  # known from an answer that came too late
        ({"state": PostState.POSTING}, "active", None),
        ({"state": PostState.ORPHAN}, "active", Finding.ACTIVE_THERE),
    ],
)
def test_a_known_session(here: dict[str, Any], there: str, finding: Finding | None) -> None:
    assert found(row(there), by_id=a_known(**here)) == finding


def test_a_list_that_is_older_than_the_last_look_says_nothing() -> None:
    assert found(row("active"), by_id=a_known(**FAILED, status_seen_at=NOW)) is None


@pytest.mark.parametrize(
    ("post", "source", "finding"),
    [
        ({"state": PostState.LOST, "session_id": None}, None, Finding.LOST_POST_FOUND),
        ({"state": PostState.NOT_MADE, "session_id": None}, None, Finding.LOST_POST_FOUND),
        ({"state": PostState.POSTING, "session_id": None}, None, None),
        ({}, "playground", Finding.CONSOLE_REINVITE),
        ({}, None, Finding.CONSOLE_REINVITE),
        ({"state": PostState.ORPHAN}, "playground", Finding.CONSOLE_REINVITE),
        ({}, "requests", Finding.TWICE_MADE),
        ({"account": "another"}, "playground", None),
    ],
)
def test_an_unknown_session_with_the_mark_of_a_known_post(
    post: dict[str, Any], source: str | None, finding: Finding | None
) -> None:
    assert found(row(session_id="session-2", source=source), by_mark=a_known(**post)) == finding


def test_a_mark_of_a_post_that_is_not_here() -> None:
    assert found(row(session_id="session-2")) == Finding.UNKNOWN_POST


@pytest.mark.parametrize("mark", [None, "", "not a post's id"])
def test_a_row_without_our_mark_is_no_evidence(mark: str | None) -> None:
    assert found(row(post_mark=mark, candidate_ref="candidate-1"), by_ref=a_known(**FAILED)) is None


@pytest.mark.parametrize(
    ("over", "finding"),
    [
        ({**FAILED, "invite_status": InviteStatus.FAILED}, Finding.LIKELY_REINVITE),
        ({**DEAD, "invite_status": InviteStatus.EXPIRED}, Finding.LIKELY_REINVITE),
        ({**FAILED, "invite_status": InviteStatus.CANCELLED}, None),
        ({"invite_status": InviteStatus.LINK_READY}, None),
        ({**FAILED, "invite_status": InviteStatus.FAILED, "posted_at": NOW}, None),  # older than the post
    ],
)
def test_what_the_console_makes_without_our_mark(over: dict[str, Any], finding: Finding | None) -> None:
    seen = row(post_mark=None, source="playground", candidate_ref="c", created_at=NOW - timedelta(hours=1))
    assert found(seen, by_ref=a_known(**over)) == finding


posts = st.builds(
    a_known,
    account=st.sampled_from(["default", "another"]),
    state=st.sampled_from(PostState),
    session_id=st.sampled_from([None, "session-1", "session-2"]),
    vendor_status=st.sampled_from([None, *VendorStatus, "paused"]),
    status_seen_at=st.sampled_from([None, NOW - timedelta(hours=1), NOW]),
    dead_at=st.sampled_from([None, NOW - timedelta(days=1)]),
    invite_status=st.sampled_from(InviteStatus),
    erased=st.booleans(),
)
rows = st.builds(
    row,
    st.sampled_from([*VendorStatus, "paused"]),
    post_mark=st.sampled_from([None, "?", str(POST)]),
    source=st.sampled_from([None, "requests", "playground", "?"]),
    created_at=st.sampled_from([None, NOW]),
)
maybe = st.none() | posts


@given(rows, maybe, maybe, maybe)
def test_every_row_has_an_answer(
    seen: Sighting, by_id: KnownPost | None, by_mark: KnownPost | None, by_ref: KnownPost | None
) -> None:
    finding = found(seen, by_id=by_id, by_mark=by_mark, by_ref=by_ref)
    agrees = by_id is not None and by_id.vendor_status == seen.status and by_id.dead_at is None
    if finding in {Finding.FINAL_THERE, Finding.ACTIVE_THERE, Finding.ALIVE_AGAIN, Finding.WENT_BACK}:
        assert by_id is not None
        assert not agrees
    if finding in {Finding.CONSOLE_REINVITE, Finding.TWICE_MADE}:
        assert by_id is None
        assert by_mark is not None
        assert by_mark.session_id is not None
    if seen.post_mark != str(POST) and by_id is None:
        assert finding in {None, Finding.LIKELY_REINVITE}
