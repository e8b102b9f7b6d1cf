"""Links that are dead by what is known: never shown, never left alone, never followed by another while one works."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given

from service.core.changes import Change
from service.core.model import InviteStatus, LookClaim, PostState, VendorStatus
from service.core.observations import Failure, Sighting
from service.core.reinvites import CODE, SENTENCE
from service.core.watching import LookTime, decide_look
from tests.unit.core.examples import NOW, POLICY, a_look, a_sighting, failures, jitters, looks, sightings, times

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
    newest = claim.current and claim.state == PostState.PUBLISHED
    if not newest or claim.invite_status not in OPEN or claim.vendor_status == VendorStatus.COMPLETED:
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
