"""Every claim and every answer give a decision, and no decision leaves the table of moves."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given

from service.core.changes import InviteMove
from service.core.collecting import decide_collect
from service.core.decisions import (
    BelongsTo,
    Decision,
    MustWait,
    Stopped,
    Stumbled,
    Worked,
)
from service.core.model import (
    FINAL_STATUSES,
    INVITE_MOVES,
    ArtifactState,
    InviteStatus,
    Lane,
    LookClaim,
    Policy,
    PostClaim,
    PostState,
    SessionOrigin,
    StopScope,
    VendorStatus,
)
from service.core.observations import ErrorAnswer, Failure, Minted, MintedWithoutLink, NoAnswer, NotSent, Sighting
from service.core.starting import decide_post
from service.core.watching import LookTime, decide_look
from tests.unit.core.examples import (
    MINTED,
    NOW,
    POLICY,
    a_collect,
    a_look,
    a_post,
    a_sighting,
    failures,
    jitters,
    looks,
    post_answers,
    posts,
    sightings,
    times,
)

AT_ONCE = LookTime(sent_at=NOW, now=NOW)


def look(claim: LookClaim, answer: Sighting | Failure, *, policy: Policy = POLICY) -> Decision:
    return decide_look(claim, answer, time=AT_ONCE, policy=policy, jitter=0.5)


def post(claim: PostClaim, answer: Minted | MintedWithoutLink | Failure) -> Decision:
    return decide_post(claim, answer, now=NOW, policy=POLICY, jitter=0.5)


def is_legal(move: InviteMove | None) -> bool:
    """Whether each status that the move may start from leads to its target by the table."""
    if move is None or "status" not in move.columns:
        return True
    return all(move.columns["status"] in INVITE_MOVES[before] for before in move.allowed_from)


def new_status(decision: Decision) -> InviteStatus | None:
    move = decision.change.move
    return None if move is None else move.columns.get("status")


@given(posts, post_answers, jitters)
def test_every_answer_to_a_post_gives_a_legal_move_and_says_what_became_of_the_post(
    claim: PostClaim, answer: Minted | MintedWithoutLink | Failure, jitter: float
) -> None:
    decision = decide_post(claim, answer, now=NOW, policy=POLICY, jitter=jitter)
    assert is_legal(decision.change.move)
    assert decision.change.session["state"] != PostState.POSTING
    assert decision.change.event is not None


@given(posts, failures, jitters)
def test_no_failed_post_publishes_a_link(claim: PostClaim, answer: Failure, jitter: float) -> None:
    change = decide_post(claim, answer, now=NOW, policy=POLICY, jitter=jitter).change
    assert change.session["state"] != PostState.PUBLISHED
    assert change.move is None or "candidate_link" not in change.move.columns


@given(posts, failures, jitters)
def test_a_lost_post_is_searched_for_and_its_invite_goes_on(claim: PostClaim, answer: Failure, jitter: float) -> None:
    decision = decide_post(claim, answer, now=NOW, policy=POLICY, jitter=jitter)
    session = decision.change.session
    if session["state"] != PostState.LOST:
        return
    assert session["next_search_at"] is not None
    goes_on = session.get("repost_at") is not None
    assert goes_on != (new_status(decision) in {InviteStatus.PENDING, InviteStatus.NEEDS_REVIEW})


@given(looks, sightings, times, jitters)
def test_every_sighting_gives_a_legal_move(claim: LookClaim, seen: Sighting, now: object, jitter: float) -> None:
    time = LookTime(sent_at=now, now=now)  # type: ignore[arg-type]
    decision = decide_look(claim, seen, time=time, policy=POLICY, jitter=jitter)
    assert is_legal(decision.change.move)


@given(looks, sightings | failures, jitters)
def test_a_move_may_start_from_the_status_that_the_claim_showed(
    claim: LookClaim, answer: Sighting | Failure, jitter: float
) -> None:
    move = decide_look(claim, answer, time=AT_ONCE, policy=POLICY, jitter=jitter).change.move
    assert move is None or claim.invite_status in move.allowed_from


@given(looks, sightings | failures, jitters)
def test_completed_absorbs_everything(claim: LookClaim, answer: Sighting | Failure, jitter: float) -> None:
    done = a_look(invite_status=InviteStatus.COMPLETED, vendor_status=VendorStatus.COMPLETED, rating=claim.rating)
    change = decide_look(done, answer, time=AT_ONCE, policy=POLICY, jitter=jitter).change
    assert change.move is None or set(change.move.columns) == {"candidate_survey_rating"}
    assert change.session.get("vendor_status", VendorStatus.COMPLETED) == VendorStatus.COMPLETED


@given(looks, failures, jitters)
def test_no_failed_look_moves_an_invite_or_forgets_a_session(claim: LookClaim, answer: Failure, jitter: float) -> None:
    change = decide_look(claim, answer, time=AT_ONCE, policy=POLICY, jitter=jitter).change
    assert change.move is None
    assert change.session["next_look_at"] is not None
    assert "dead_at" not in change.session


@given(looks, sightings, jitters)
def test_only_the_newest_link_ends_its_invite_without_an_outcome(
    claim: LookClaim, seen: Sighting, jitter: float
) -> None:
    status = new_status(decide_look(claim, seen, time=AT_ONCE, policy=POLICY, jitter=jitter))
    if status in {InviteStatus.FAILED, InviteStatus.EXPIRED, InviteStatus.PENDING}:
        assert claim.current
        assert claim.state == PostState.PUBLISHED or claim.origin == SessionOrigin.CONSOLE


@given(looks, sightings, jitters)
def test_a_session_that_is_not_dead_is_looked_at_again(claim: LookClaim, seen: Sighting, jitter: float) -> None:
    session = decide_look(claim, seen, time=AT_ONCE, policy=POLICY, jitter=jitter).change.session
    open_at_vendor = seen.status not in {VendorStatus.COMPLETED, VendorStatus.FAILED}
    absorbed = claim.vendor_status == VendorStatus.COMPLETED
    if open_at_vendor and not absorbed and session.get("dead_because") is None:
        assert session["next_look_at"] is not None


def test_a_link_is_published_with_everything_the_ats_needs() -> None:
    decision = post(a_post(), MINTED)
    assert new_status(decision) == InviteStatus.LINK_READY
    assert decision.change.move is not None
    columns = decision.change.move.columns
    assert columns["candidate_link"] == MINTED.candidate_link
    assert columns["link_expires_at"] == a_post().posted_at + timedelta(days=7)
    assert decision.notes == (Worked(lane=Lane.START),)


def test_a_link_for_an_invite_that_has_moved_on_is_kept_as_an_orphan() -> None:
    alone = post(a_post(), MINTED).change.session_alone
    assert alone is not None
    assert alone["state"] == PostState.ORPHAN
    assert alone["session_id"] == MINTED.session_id
    assert alone["next_look_at"] is not None


def test_the_last_allowed_post_asks_a_person() -> None:
    claim = a_post(counted_posts=POLICY.posts_per_link - 1)
    decision = post(claim, NoAnswer(detail="closed"))
    assert new_status(decision) == InviteStatus.NEEDS_REVIEW
    assert decision.change.session.get("repost_at") is None


def test_a_request_that_was_never_sent_counts_for_nothing() -> None:
    decision = post(a_post(counted_posts=9), NotSent(detail="connection refused"))
    assert new_status(decision) == InviteStatus.PENDING
    assert decision.change.session["state"] == PostState.NOT_MADE
    assert decision.notes == (MustWait(delay=None, reason="connection refused"),)


def test_a_request_that_was_held_back_does_not_make_the_account_wait() -> None:
    decision = post(a_post(), NotSent(detail="no slot in time", held_back=True))
    assert new_status(decision) == InviteStatus.PENDING
    assert decision.notes == ()


@pytest.mark.parametrize(
    ("status", "scope"),
    [(401, StopScope.EVERYTHING), (402, StopScope.STARTS), (403, StopScope.EVERYTHING)],
)
def test_a_stopped_account_leaves_the_invite_pending(status: int, scope: StopScope) -> None:
    decision = post(a_post(), ErrorAnswer(http_status=status, code="SOME_CODE", message="no"))
    assert new_status(decision) == InviteStatus.PENDING
    (note,) = decision.notes
    assert isinstance(note, Stopped)
    assert (note.scope, note.code) == (scope, "SOME_CODE")


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_with_the_vendors_envelope_carries_its_code(status: int) -> None:
    decision = post(a_post(), ErrorAnswer(http_status=status, code="PERSONA_NOT_FOUND", message="no such persona"))
    assert new_status(decision) == InviteStatus.REFUSED
    assert decision.change.move is not None
    assert decision.change.move.columns["error_code"] == "PERSONA_NOT_FOUND"


def test_a_404_without_the_vendors_envelope_is_the_accounts_trouble_not_the_invites() -> None:
    decision = post(a_post(), ErrorAnswer(http_status=404))
    assert new_status(decision) == InviteStatus.PENDING
    assert isinstance(decision.notes[0], Stopped)


@pytest.mark.parametrize("answer", [NoAnswer(detail="closed"), ErrorAnswer(http_status=400, code="BAD", message="no")])
def test_a_probe_is_charged_to_no_invite(answer: Failure) -> None:
    decision = post(a_post(probe=True), answer)
    assert new_status(decision) == InviteStatus.PENDING
    assert decision.change.session["counted"] is False


def test_a_wait_of_the_vendor_goes_to_the_whole_account() -> None:
    answer = ErrorAnswer(http_status=429, code="RATE_LIMIT_EXCEEDED", retry_after=timedelta(seconds=7))
    decision = post(a_post(), answer)
    assert decision.notes == (
        MustWait(delay=timedelta(seconds=7), reason="ZenHire asked to wait (RATE_LIMIT_EXCEEDED)", too_fast=True),
    )
    assert decision.change.session["state"] == PostState.NOT_MADE


def test_a_503_of_a_proxy_leaves_open_whether_a_session_was_made() -> None:
    decision = post(a_post(), ErrorAnswer(http_status=503))
    assert decision.change.session["state"] == PostState.LOST
    assert isinstance(decision.notes[0], MustWait)


def test_an_outcome_is_written_whole() -> None:
    seen = a_sighting(
        "completed",
        client_id="client-1",
        started_at=NOW - timedelta(minutes=30),
        completed_at=NOW - timedelta(seconds=5),
        duration_seconds=1200,
        credits_charged=20,
        survey_rating=4,
    )
    decision = look(a_look(invite_status=InviteStatus.IN_PROGRESS, vendor_status="active"), seen)
    assert decision.change.move is not None
    columns = decision.change.move.columns
    assert columns["status"] == InviteStatus.COMPLETED
    assert columns["interview_completed_at"] == seen.completed_at
    assert (columns["duration_seconds"], columns["credits_charged"], columns["candidate_survey_rating"]) == (
        1200,
        20,
        4,
    )
    assert columns["transcript_state"] == ArtifactState.WAITING
    assert decision.change.session["next_collect_at"] == NOW
    assert BelongsTo(client_id="client-1") in decision.notes


@pytest.mark.parametrize("said", [None, NOW - timedelta(days=2000), NOW + timedelta(days=20_000)])
def test_a_transcript_is_waited_for_from_now_on_where_the_vendors_time_cannot_be(said: datetime | None) -> None:
    decision = look(a_look(vendor_status="active"), a_sighting("completed", completed_at=said))
    assert decision.change.session["completed_at"] == NOW


def test_without_transcripts_none_is_waited_for() -> None:
    decision = look(a_look(), a_sighting("completed"), policy=Policy(transcripts=False))
    assert decision.change.move is not None
    assert decision.change.move.columns["transcript_state"] == ArtifactState.NONE
    assert "next_collect_at" not in decision.change.session


@pytest.mark.parametrize("status", sorted(set(InviteStatus) - {InviteStatus.CANCELLED, InviteStatus.COMPLETED}))
@pytest.mark.parametrize("current", [True, False])
def test_a_late_completed_of_any_session_completes_the_invite(status: InviteStatus, *, current: bool) -> None:
    decision = look(a_look(invite_status=status, current=current), a_sighting("completed"))
    assert new_status(decision) == InviteStatus.COMPLETED


def test_what_arrives_for_a_cancelled_invite_is_kept_with_the_session() -> None:
    change = look(a_look(invite_status=InviteStatus.CANCELLED), a_sighting("completed")).change
    assert change.move is None
    assert change.session["vendor_status"] == "completed"
    assert change.event is not None


def test_an_outcome_that_was_known_when_another_link_was_forced_takes_nothing_over() -> None:
    seen_before = a_look(invite_status=InviteStatus.PENDING, current=False, vendor_status="completed")
    assert look(seen_before, a_sighting("completed")).change.move is None


def test_an_unused_link_is_dead_only_after_the_grace_and_a_single_look() -> None:
    expired = NOW - POLICY.expiry_grace
    alive = look(a_look(link_expires_at=expired + timedelta(seconds=1)), a_sighting("initiated"))
    dead = look(a_look(link_expires_at=expired), a_sighting("initiated"))
    assert (new_status(alive), new_status(dead)) == (None, InviteStatus.EXPIRED)
    assert dead.change.session["dead_because"] == "expired"


def test_a_candidate_who_got_in_from_the_door_after_the_expiry_still_has_the_interview() -> None:
    claim = a_look(link_expires_at=NOW - timedelta(days=1), max_links=2)
    assert new_status(look(claim, a_sighting("active"))) == InviteStatus.IN_PROGRESS


@pytest.mark.parametrize("seen", ["failed", "initiated"])
def test_a_second_link_follows_a_dead_first_one(seen: str) -> None:
    claim = a_look(max_links=2, link_expires_at=NOW - timedelta(days=1))
    decision = look(claim, a_sighting(seen))
    assert new_status(decision) == InviteStatus.PENDING
    assert decision.change.move is not None
    assert decision.change.move.columns["candidate_link"] is None


def test_no_second_link_after_stop_after() -> None:
    claim = a_look(max_links=2, link_expires_at=NOW - timedelta(days=1), stop_after=NOW)
    assert new_status(look(claim, a_sighting("initiated"))) == InviteStatus.EXPIRED


def test_a_step_backward_needs_a_second_look_ten_seconds_later() -> None:
    claim = a_look(invite_status=InviteStatus.FAILED, vendor_status="failed")
    first = look(claim, a_sighting("initiated"))
    assert new_status(first) is None
    assert first.change.session["step_back_seen_at"] == NOW
    too_soon = a_look(
        invite_status=InviteStatus.FAILED, vendor_status="failed", step_back_seen_at=NOW - timedelta(seconds=9)
    )
    assert new_status(look(too_soon, a_sighting("initiated"))) is None
    believed = a_look(
        invite_status=InviteStatus.FAILED, vendor_status="failed", step_back_seen_at=NOW - timedelta(seconds=10)
    )
    assert new_status(look(believed, a_sighting("initiated"))) == InviteStatus.LINK_READY


def test_a_session_that_the_vendor_does_not_know_is_asked_for_again_slowly() -> None:
    decision = look(a_look(failures=3), ErrorAnswer(http_status=404, code="NOT_FOUND"))
    session = decision.change.session
    assert session["last_look"] == "missing"
    assert session["look_failures"] == 4
    assert session["next_look_at"] is not None
    assert session["next_look_at"] - NOW > timedelta(minutes=5)


def test_a_limit_on_polling_delays_this_row_only() -> None:
    answer = ErrorAnswer(http_status=429, code="POLL_RATE_LIMITED", retry_after=timedelta(minutes=2))
    decision = look(a_look(), answer)
    assert decision.notes == ()
    assert decision.change.session["next_look_at"] == NOW + timedelta(minutes=2)


@given(looks, sightings | failures, jitters)
def test_an_unclear_look_stumbles_and_a_clear_one_works(
    claim: LookClaim, answer: Sighting | Failure, jitter: float
) -> None:
    notes = decide_look(claim, answer, time=AT_ONCE, policy=POLICY, jitter=jitter).notes
    worked = any(isinstance(note, Worked) for note in notes)
    stumbled = any(isinstance(note, Stumbled) for note in notes)
    assert worked == isinstance(answer, Sighting)
    assert not (worked and stumbled)


def test_a_transcript_that_is_not_ready_is_waited_for_and_given_up_in_the_end() -> None:
    not_ready = ErrorAnswer(http_status=409, code="ARTIFACT_NOT_READY")
    patient = decide_collect(a_collect(failures=11), not_ready, now=NOW, policy=POLICY, jitter=0.5).change
    assert patient.session["collect_failures"] == 0
    assert patient.session["next_collect_at"] is not None
    late = a_collect(completed_at=NOW - timedelta(days=3))
    given_up = decide_collect(late, not_ready, now=NOW, policy=POLICY, jitter=0.5).change
    assert given_up.session["next_collect_at"] is None
    assert given_up.move is not None
    assert given_up.move.columns == {"transcript_state": ArtifactState.UNAVAILABLE}


@given(failures, jitters)
def test_a_transcript_is_asked_for_again_or_given_up_with_a_reason(failure: Failure, jitter: float) -> None:
    change = decide_collect(a_collect(), failure, now=NOW, policy=POLICY, jitter=jitter).change
    again = change.session.get("next_collect_at")
    assert (again is not None and again > NOW) or (change.event is not None and change.event.reason)


def test_final_statuses_are_left_only_by_what_the_vendor_or_a_person_says() -> None:
    by_service = {InviteStatus.STARTING, InviteStatus.NEEDS_REVIEW, InviteStatus.REFUSED, InviteStatus.CANCELLED}
    assert all(not INVITE_MOVES[status] & by_service for status in FINAL_STATUSES)


def test_a_refusal_names_its_persona_until_that_is_to_blame() -> None:
    refusal = ErrorAnswer(http_status=404, code="NOT_FOUND", message="no such persona")
    (note,) = post(a_post(), refusal).notes
    assert note == Stumbled(lane=Lane.START, code="NOT_FOUND", invite_id=a_post().invite_id, persona_id="persona-1")
    blamed = post(a_post(blamed=True), refusal)
    assert (new_status(blamed), blamed.notes) == (InviteStatus.REFUSED, ())
    assert post(a_post(blamed=True), MINTED).notes == (Worked(lane=Lane.START, cleared_persona="persona-1"),)
