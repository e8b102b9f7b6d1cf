"""Links that are dead by what is known: never shown, never left alone, never followed by another while one works."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.changes import Change
from service.core.model import InviteStatus, LookClaim, PostState, SessionOrigin, VendorStatus
from service.core.observations import Failure, Sighting
from service.core.reinvites import CODE, SENTENCE, is_the_invites
from service.core.watching import LookTime, decide_look
from tests.unit.core.examples import (
    NOW,
    POLICY,
    a_look,
    a_sighting,
    failures,
    jitters,
    looks,
    sightings,
    times,
)

OPEN = {InviteStatus.LINK_READY, InviteStatus.IN_PROGRESS}
WITHOUT_RESULT = [InviteStatus.FAILED, InviteStatus.EXPIRED]
A_WHILE_AGO = NOW - timedelta(seconds=11)


def look(claim: LookClaim, answer: Sighting | Failure, now: datetime = NOW, jitter: float = 0.5) -> Change:
    return decide_look(claim, answer, time=LookTime(sent_at=now, now=now), policy=POLICY, jitter=jitter).change


def status_after(claim: LookClaim, change: Change) -> InviteStatus | None:
    return claim.invite_status if change.move is None else change.move.columns.get("status", claim.invite_status)


def is_dead_after(claim: LookClaim, change: Change) -> bool:
    return change.session.get("dead_because", claim.dead_because) is not None


@given(looks, sightings, times, jitters)
def test_no_link_is_shown_that_is_dead_by_what_is_known(
    claim: LookClaim, seen: Sighting, now: datetime, jitter: float
) -> None:
    if is_the_invites(claim) and claim.invite_status in OPEN and claim.dead_because is not None:
        return  # cannot be: what ends an open invite's own session moves the invite in the same transaction
    change = look(claim, seen, now, jitter)
    if change.move is None or status_after(claim, change) not in OPEN:
        return
    assert not is_dead_after(claim, change) or "status" not in change.move.columns
    if claim.dead_because is not None or claim.invite_status in WITHOUT_RESULT:
        assert change.move.columns["candidate_link"] is None
        assert (change.move.columns["error_code"], change.move.columns["error_message"]) == (CODE, SENTENCE)
        assert change.move.columns["link_expires_at"] is not None


@given(looks, sightings | failures, times, jitters)
def test_no_next_link_is_wanted_before_the_session_is_dead(
    claim: LookClaim, answer: Sighting | Failure, now: datetime, jitter: float
) -> None:
    change = look(claim, answer, now, jitter)
    if claim.invite_status != InviteStatus.PENDING and status_after(claim, change) == InviteStatus.PENDING:
        assert is_dead_after(claim, change)
        assert isinstance(answer, Sighting)
        ended = answer.status == VendorStatus.FAILED
        assert ended or now >= claim.link_expires_at + POLICY.expiry_grace


@given(looks, sightings | failures, times, jitters)
def test_an_open_invite_is_looked_at_again_or_leaves_that_status(
    claim: LookClaim, answer: Sighting | Failure, now: datetime, jitter: float
) -> None:
    if not is_the_invites(claim) or claim.invite_status not in OPEN or claim.vendor_status == VendorStatus.COMPLETED:
        return
    change = look(claim, answer, now, jitter)
    assert status_after(claim, change) not in OPEN or change.session["next_look_at"] is not None


@given(looks, sightings, times, jitters)
def test_what_the_console_reopened_is_alive_and_looked_at_whoever_it_belongs_to(
    claim: LookClaim, seen: Sighting, now: datetime, jitter: float
) -> None:
    session = look(claim, seen, now, jitter).session
    if "reinvited_at" in session and session.get("dead_because") is None:
        assert session["dead_at"] is None
        assert session["next_look_at"] is not None
        assert session["reinvited_at"] + timedelta(days=7) == session["link_expires_at"]


@given(looks, sightings | failures, times, jitters)
def test_a_completed_invite_takes_over_nothing(
    claim: LookClaim, answer: Sighting | Failure, now: datetime, jitter: float
) -> None:
    """Whatever the session, its link's number and what was known of it: only its own outcome's rating may be added."""
    done = replace(claim, invite_status=InviteStatus.COMPLETED)
    move = look(done, answer, now, jitter).move
    assert move is None or (set(move.columns) == {"candidate_survey_rating"} and done.shown)


@given(looks, sightings, times, jitters)
def test_an_outcome_that_is_seen_is_taken_over_whichever_session_brings_it(
    claim: LookClaim, seen: Sighting, now: datetime, jitter: float
) -> None:
    fresh = replace(claim, vendor_status=VendorStatus.ACTIVE) if claim.vendor_status == "completed" else claim
    change = look(fresh, replace(seen, status=VendorStatus.COMPLETED), now, jitter)
    assert change.session["vendor_status"] == VendorStatus.COMPLETED  # kept with the session in any case
    assert change.session.get("dead_because") == VendorStatus.COMPLETED or claim.dead_because is not None
    if fresh.invite_status in {InviteStatus.CANCELLED, InviteStatus.COMPLETED}:
        assert status_after(fresh, change) == fresh.invite_status
        return
    assert change.move is not None
    assert (change.move.columns["status"], change.move.columns["session_id"]) == ("completed", claim.session_id)
    assert not change.move.only_current


@given(looks, sightings | failures, times, jitters)
def test_no_move_counts_once_an_outcome_or_a_cancellation_came_first(
    claim: LookClaim, answer: Sighting | Failure, now: datetime, jitter: float
) -> None:
    """A look may be decided on while another link's outcome is being written: the write then fits no more."""
    move = look(claim, answer, now, jitter).move
    if move is not None and "status" in move.columns:
        assert not {InviteStatus.COMPLETED, InviteStatus.CANCELLED} & move.allowed_from
    assert move is None or "link_number" not in move.columns


@given(looks, sightings | failures, times, jitters)
def test_only_what_lives_takes_over_and_only_from_a_dead_link(
    claim: LookClaim, answer: Sighting | Failure, now: datetime, jitter: float
) -> None:
    change = look(claim, answer, now, jitter)
    if change.move is None or not change.move.takes_over:
        return
    assert claim.newest_is_dead
    assert not claim.current
    assert claim.origin == SessionOrigin.CONSOLE
    assert claim.invite_status in WITHOUT_RESULT
    assert not is_dead_after(claim, change)
    assert status_after(claim, change) in OPEN


#: Sessions that nothing was seen of yet, beside an invite without a result.
beside = st.builds(
    replace,
    looks,
    current=st.just(False),
    invite_status=st.sampled_from(WITHOUT_RESULT),
    vendor_status=st.none() | st.just(VendorStatus.INITIATED),
    dead_because=st.none(),
    link_expires_at=st.just(NOW + timedelta(days=6)),
)


@given(beside, sightings, jitters)
def test_a_session_beside_a_dead_link_takes_over_exactly_when_the_console_made_it_and_it_lives(
    claim: LookClaim, seen: Sighting, jitter: float
) -> None:
    move = look(claim, seen, NOW, jitter).move
    lives = seen.status in {VendorStatus.INITIATED, VendorStatus.ACTIVE}
    expected = lives and claim.newest_is_dead and claim.origin == SessionOrigin.CONSOLE
    assert (move is not None and move.takes_over) == expected
    if move is not None and move.takes_over:
        assert move.columns["status"] == ("in_progress" if seen.status == "active" else "link_ready")
        assert (move.columns["session_id"], move.columns["candidate_link"]) == (claim.session_id, None)


@pytest.mark.parametrize("status", WITHOUT_RESULT)
@pytest.mark.parametrize(("seen", "after"), [("initiated", "link_ready"), ("active", "in_progress")])
def test_a_reinvite_opens_the_invite_again_without_its_dead_link(status: InviteStatus, seen: str, after: str) -> None:
    claim = a_look(invite_status=status, vendor_status="failed", dead_because="failed", step_back_seen_at=A_WHILE_AGO)
    change = look(claim, a_sighting(seen))
    assert change.move is not None
    columns = change.move.columns
    assert (columns["status"], columns["candidate_link"], columns["error_code"]) == (after, None, CODE)
    assert columns["link_expires_at"] == A_WHILE_AGO + timedelta(days=7)
    assert change.event is not None
    assert change.event.kind == "console_reinvited"


def test_an_interview_through_a_link_that_had_expired_is_followed_at_once() -> None:
    claim = a_look(invite_status=InviteStatus.EXPIRED, dead_because="expired", link_expires_at=NOW - timedelta(days=1))
    change = look(claim, a_sighting("active"))
    assert status_after(claim, change) == InviteStatus.IN_PROGRESS
    assert change.session["dead_at"] is None


def test_an_expired_link_that_is_looked_at_once_more_stays_dead_since_then() -> None:
    claim = a_look(invite_status=InviteStatus.EXPIRED, dead_because="expired", link_expires_at=NOW - timedelta(days=1))
    change = look(claim, a_sighting("initiated"))
    assert change.move is None
    assert "dead_at" not in change.session
    assert change.session["next_look_at"] is None


def test_an_expired_console_session_that_is_looked_at_once_more_takes_over_nothing() -> None:
    claim = a_look(
        invite_status=InviteStatus.EXPIRED, dead_because="expired", link_expires_at=NOW - timedelta(days=1),
        state=PostState.ORPHAN, origin=SessionOrigin.CONSOLE, current=False, newest_is_dead=True,
    )  # fmt: skip
    assert look(claim, a_sighting("initiated")).move is None
    assert status_after(claim, look(claim, a_sighting("active"))) == InviteStatus.IN_PROGRESS


def test_the_start_of_a_reinvited_interview_leaves_what_is_said_of_its_link() -> None:
    move = look(a_look(reinvited_at=A_WHILE_AGO), a_sighting("active")).move
    assert move is not None
    assert not {"candidate_link", "error_code", "error_message"} & move.columns.keys()


@pytest.mark.parametrize(("max_links", "after"), [(1, InviteStatus.FAILED), (2, InviteStatus.PENDING)])
def test_a_second_failure_ends_a_reinvited_invite_like_a_first(max_links: int, after: InviteStatus) -> None:
    claim = a_look(reinvited_at=A_WHILE_AGO, vendor_status="active", invite_status=InviteStatus.IN_PROGRESS)
    change = look(claim, a_sighting("failed"), NOW)
    assert status_after(claim, change) == InviteStatus.FAILED
    claim = a_look(reinvited_at=A_WHILE_AGO, vendor_status="active", max_links=max_links)
    assert status_after(claim, look(claim, a_sighting("failed"))) == after


def test_a_running_interview_that_waits_again_hides_its_link_and_ends_as_failed_when_that_dies() -> None:
    claim = a_look(invite_status=InviteStatus.IN_PROGRESS, vendor_status="active", step_back_seen_at=A_WHILE_AGO)
    change = look(claim, a_sighting("initiated"))
    assert change.move is not None
    assert (change.move.columns["candidate_link"], change.move.columns["error_code"]) == (None, CODE)
    waiting = a_look(invite_status=InviteStatus.IN_PROGRESS, link_expires_at=NOW - POLICY.expiry_grace)
    dead = look(waiting, a_sighting("initiated"))
    assert status_after(waiting, dead) == InviteStatus.FAILED
    assert dead.move is not None
    assert dead.move.columns["error_code"] == "LINK_EXPIRED"


def test_a_status_of_no_documentation_in_between_hides_no_step_back() -> None:
    claim = a_look(invite_status=InviteStatus.FAILED, vendor_status="paused", dead_because="failed")
    change = look(claim, a_sighting("initiated"))
    assert change.move is None
    assert change.session["step_back_seen_at"] == NOW


@pytest.mark.parametrize("over", [{"current": False}, {"invite_status": InviteStatus.CANCELLED}])
def test_a_reinvite_that_nobody_follows_is_kept_with_the_session_and_told(over: dict[str, object]) -> None:
    claim = a_look(
        **{"invite_status": InviteStatus.FAILED, "vendor_status": "failed", "dead_because": "failed"} | over,
        step_back_seen_at=A_WHILE_AGO,
    )
    change = look(claim, a_sighting("active"))
    assert change.move is None
    assert change.session["reinvited_at"] == A_WHILE_AGO
    assert change.event is not None
    assert change.event.kind == "console_reinvited"


def test_another_sessions_rating_is_not_the_outcomes() -> None:
    over = {"invite_status": InviteStatus.COMPLETED, "vendor_status": "completed", "current": False}
    rated = a_sighting("completed", survey_rating=5)
    other = look(a_look(**over, shown=False), rated)
    assert other.move is None
    own = look(a_look(**over, shown=True), rated)
    assert own.move is not None
    assert (own.move.columns, own.move.only_current) == ({"candidate_survey_rating": 5}, False)


def test_a_second_outcome_is_told_once_and_changes_nothing() -> None:
    claim = a_look(invite_status=InviteStatus.COMPLETED, vendor_status="active", shown=False)
    change = look(claim, a_sighting("completed"))
    assert change.move is None
    assert change.event is not None
    assert change.event.kind == "outcome_of_another_link"
