"""What a look at a session means for it and its invite."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from service.core import cadence, lifecycle, reinvites
from service.core.changes import Change, Event, SessionColumns
from service.core.decisions import AccountNote, BelongsTo, Decision, Worked, notes_of
from service.core.failures import (
    DidNotSend,
    Meaning,
    Missing,
    NotReady,
    Refused,
    Request,
    StopAccount,
    UnknownResult,
    WaitAccount,
    WaitRow,
    classify,
)
from service.core.limits import LINK_LIFETIME
from service.core.model import (
    InviteStatus,
    Lane,
    LookClaim,
    Policy,
    SessionOrigin,
    VendorStatus,
)
from service.core.observations import Failure, Sighting

STEP_BACK_PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookTime:
    """When a look's request was sent and when its answer is decided on, both by the database's clock."""

    sent_at: datetime
    now: datetime


def decide_look(
    claim: LookClaim, answer: Sighting | Failure, *, time: LookTime, policy: Policy, jitter: float
) -> Decision:
    """What one look at a session means for it and its invite."""
    if not isinstance(answer, Sighting):
        return _decide_failed_look(claim, classify(Request.LOOK, answer), time=time, policy=policy, jitter=jitter)
    notes: tuple[AccountNote, ...] = (Worked(lane=Lane.LOOK),)
    if answer.client_id is not None:
        notes += (BelongsTo(client_id=answer.client_id),)
    if _is_step_back(claim, answer):
        believed = _step_back_is_believed(claim, time.sent_at)
        if not believed:
            return Decision(change=_remember_step_back(claim, answer, time, policy), notes=notes)
    session = _looked(claim, time, answer.status)
    session |= _session_after(claim, answer, time=time, policy=policy, jitter=jitter)
    return Decision(change=_move_for(claim, answer, session, time.now, policy), notes=notes)


_NO_MORE_LOOKS = SessionColumns(next_look_at=None, next_look_reason=None)

_RANK = {VendorStatus.INITIATED: 0, VendorStatus.ACTIVE: 1, VendorStatus.FAILED: 2, VendorStatus.COMPLETED: 3}


def _rank(status: str | None) -> int | None:
    return _RANK.get(VendorStatus(status)) if status in set(VendorStatus) else None


def _is_step_back(claim: LookClaim, seen: Sighting) -> bool:
    """`completed` and `failed` are both ends; what leads away from an end, or from active to initiated, goes back."""
    if claim.vendor_status == VendorStatus.COMPLETED:
        return seen.status != VendorStatus.COMPLETED
    # a status that is not in the documentation may have come in between
    failed = claim.dead_because == VendorStatus.FAILED
    before, after = _rank(VendorStatus.FAILED if failed else claim.vendor_status), _rank(seen.status)
    return before is not None and after is not None and after < before


def _step_back_is_believed(claim: LookClaim, sent_at: datetime) -> bool:
    if claim.vendor_status == VendorStatus.COMPLETED:
        return False  # completed absorbs
    first = claim.step_back_seen_at
    return first is not None and sent_at - first >= STEP_BACK_PATIENCE


def _looked(claim: LookClaim, time: LookTime, what: str) -> SessionColumns:
    columns = SessionColumns(look_count=claim.look_count + 1, last_look_at=time.sent_at, last_look=what)
    if claim.look_count == 0:
        columns["first_look_at"] = time.sent_at
    return columns


def _remember_step_back(claim: LookClaim, seen: Sighting, time: LookTime, policy: Policy) -> Change:
    absorbed = claim.vendor_status == VendorStatus.COMPLETED
    columns = _looked(claim, time, f"{seen.status} after {claim.vendor_status}") | SessionColumns(look_failures=0)
    if absorbed:
        columns |= _NO_MORE_LOOKS
    else:
        columns |= SessionColumns(
            step_back_seen_at=claim.step_back_seen_at or time.sent_at,
            next_look_at=time.now + max(STEP_BACK_PATIENCE, policy.watch_interval) * 1.1,
            next_look_reason="the vendor shows an earlier status; a second look decides",
        )
    event = Event(kind="step_back_seen", details={"from": claim.vendor_status, "to": seen.status})
    return lifecycle.only_seen(claim, columns, event if absorbed or claim.step_back_seen_at is None else None)


def decide_listed(claim: LookClaim, seen: Sighting, *, time: LookTime, policy: Policy, jitter: float) -> Decision:
    """What it means that the list shows an interview as running which was not known to run: as a look, but none."""
    session = _session_after(claim, seen, time=time, policy=policy, jitter=jitter)
    return Decision(change=_move_for(claim, seen, session, time.now, policy))


def _session_after(
    claim: LookClaim, seen: Sighting, *, time: LookTime, policy: Policy, jitter: float
) -> SessionColumns:
    columns = SessionColumns(
        vendor_status=seen.status,
        status_seen_at=time.sent_at,
        step_back_seen_at=None,
        vendor_object=seen.document,
        interview_started_at=seen.started_at or claim.interview_started_at,
        look_failures=0,
    )
    expires_at = claim.link_expires_at
    if _is_open_again(claim, seen):
        since = claim.step_back_seen_at or time.sent_at
        expires_at = since + LINK_LIFETIME  # no later: its fresh link is older than the look that showed it
        columns |= SessionColumns(reinvited_at=since, interview_started_at=seen.started_at, link_expires_at=expires_at)
        columns |= SessionColumns(dead_at=None, dead_because=None, superseded_at=None)
    columns |= _death(claim, seen, expires_at, time, policy)
    if seen.status == VendorStatus.COMPLETED and claim.vendor_status != VendorStatus.COMPLETED:
        columns |= SessionColumns(completed_at=_completed_at(claim, seen, time.now))
        if policy.transcripts:
            columns |= SessionColumns(next_collect_at=time.now)
    if columns.get("dead_because") == "expired":
        return columns | _NO_MORE_LOOKS
    return columns | _next_look_columns(claim, seen, expires_at, now=time.now, policy=policy, jitter=jitter)


def _completed_at(claim: LookClaim, seen: Sighting, now: datetime) -> datetime:
    """Since when the transcript is waited for; by a time that cannot be it would be given up at once, or never."""
    said = seen.completed_at
    return said if said is not None and claim.posted_at <= said <= now else now


def _is_open_again(claim: LookClaim, seen: Sighting) -> bool:
    """Whether the console has re-invited: what was dead runs, or what had ended or ran waits once more."""
    if seen.status == VendorStatus.ACTIVE:
        return claim.dead_because is not None
    return seen.status == VendorStatus.INITIATED and _is_step_back(claim, seen)


def _death(claim: LookClaim, seen: Sighting, expires_at: datetime, time: LookTime, policy: Policy) -> SessionColumns:
    """A session is dead when the vendor ended it, or when a single look past its time shows no interview."""
    if seen.status in {VendorStatus.COMPLETED, VendorStatus.FAILED}:
        ended = claim.dead_because is not None and claim.vendor_status == seen.status
        return SessionColumns() if ended else SessionColumns(dead_at=time.now, dead_because=seen.status)
    # The status after the expiry is unknown (contract §3): whatever is no interview that runs is a link that died.
    if seen.status != VendorStatus.ACTIVE and cadence.link_is_over(expires_at, time.sent_at, policy):
        known = SessionColumns() if claim.dead_because == "expired" else SessionColumns(dead_at=time.now)
        return known | SessionColumns(dead_because="expired")
    return SessionColumns()


def _next_look_columns(
    claim: LookClaim, seen: Sighting, expires_at: datetime, *, now: datetime, policy: Policy, jitter: float
) -> SessionColumns:
    known = cadence.Known(
        vendor_status=seen.status,
        link_made_at=claim.reinvited_at or claim.posted_at,
        link_expires_at=expires_at,
        interview_started_at=seen.started_at or claim.interview_started_at,
        rated=seen.survey_rating is not None,
        seen_before=claim.vendor_status == seen.status,
        look_every=claim.look_every,
    )
    look = cadence.next_look(known, now=now, policy=policy, jitter=jitter)
    if look is None:
        return _NO_MORE_LOOKS
    return SessionColumns(next_look_at=look.at, next_look_reason=look.reason)


def _move_for(claim: LookClaim, seen: Sighting, session: SessionColumns, now: datetime, policy: Policy) -> Change:
    """Chooses the invite's move; a session that is not the invite's newest link can only complete it."""
    if seen.status == VendorStatus.COMPLETED:
        return _move_for_completed(claim, seen, session, now, policy)
    if not reinvites.is_the_invites(claim):
        takes_over = reinvites.takes_over(claim, seen, session)
        return reinvites.take_over(claim, seen, session) if takes_over else _kept(claim, session)
    match (seen.status, claim.invite_status):
        case (VendorStatus.ACTIVE, InviteStatus.LINK_READY):
            return lifecycle.start_interview(claim, seen, session)
        case (VendorStatus.ACTIVE, InviteStatus.FAILED | InviteStatus.EXPIRED):
            return reinvites.resume(claim, seen, session)
        case (VendorStatus.FAILED, InviteStatus.LINK_READY | InviteStatus.IN_PROGRESS):
            if _may_have_next_link(claim, now):
                return lifecycle.ask_for_next_link(claim, session, because="the interview gave no result")
            return lifecycle.fail(claim, seen, session)
        case (VendorStatus.ACTIVE | VendorStatus.FAILED, _):
            return _kept(claim, session)
        case _:
            return _move_for_unopened(claim, session, now)


def _move_for_unopened(claim: LookClaim, session: SessionColumns, now: datetime) -> Change:
    died = session.get("dead_because") is not None
    match claim.invite_status:
        case InviteStatus.LINK_READY | InviteStatus.IN_PROGRESS if died:
            if _may_have_next_link(claim, now):
                return lifecycle.ask_for_next_link(claim, session, because="the link expired unused")
            return lifecycle.expire(claim, session)
        case InviteStatus.FAILED | InviteStatus.EXPIRED if _reinvited(session):
            return reinvites.reopen(claim, session)
        case InviteStatus.IN_PROGRESS if _reinvited(session):
            return reinvites.wait_again(claim, session)
        case _:
            return _kept(claim, session)


def _reinvited(session: SessionColumns) -> bool:
    return "reinvited_at" in session and session.get("dead_because") is None


def _kept(claim: LookClaim, session: SessionColumns) -> Change:
    """No move; a re-invite that nothing follows from still stands in the history, and in `attention`."""
    return lifecycle.only_seen(claim, session, reinvites.noticed(claim) if _reinvited(session) else None)


def _move_for_completed(
    claim: LookClaim, seen: Sighting, session: SessionColumns, now: datetime, policy: Policy
) -> Change:
    match claim.invite_status:
        case InviteStatus.COMPLETED:
            if claim.shown and seen.survey_rating is not None and seen.survey_rating != claim.rating:
                return lifecycle.add_rating(claim, seen, session)
            return _one_more_outcome(claim, session, "outcome_of_another_link")
        case InviteStatus.CANCELLED | None:
            return _one_more_outcome(claim, session, "outcome_after_cancellation")
        case _ if claim.vendor_status == VendorStatus.COMPLETED:
            return lifecycle.only_seen(claim, session)  # known since it was cancelled; another link was forced since
        case _:
            return lifecycle.complete(claim, seen, session, now=now, policy=policy)


def _one_more_outcome(claim: LookClaim, session: SessionColumns, kind: str) -> Change:
    """No move: the outcome is kept with its session; the history says so, once."""
    first = claim.vendor_status != VendorStatus.COMPLETED
    event = Event(kind=kind, details={"session_id": claim.session_id})
    return lifecycle.only_seen(claim, session, event if first else None)


def _may_have_next_link(claim: LookClaim, now: datetime) -> bool:
    """Whom the console has invited again outside of `max_links` gets no more by it."""
    in_time = claim.stop_after is None or now < claim.stop_after
    return claim.link_number < claim.max_links and in_time and claim.origin == SessionOrigin.POST


def _decide_failed_look(
    claim: LookClaim, meaning: Meaning, *, time: LookTime, policy: Policy, jitter: float
) -> Decision:
    """Nothing becomes final because a look failed; the row is due again, and the account may have to wait."""
    failures = claim.failures + 1
    match meaning:
        case DidNotSend() | StopAccount():
            look = cadence.look_again_after_failure(1, now=time.now, policy=policy, jitter=jitter)
            columns = SessionColumns()
        case WaitAccount() | WaitRow():
            look = cadence.look_again_after_failure(1, now=time.now, policy=policy, jitter=jitter)
            if meaning.delay is not None:
                at = max(look.at, time.now + meaning.delay)
                look = cadence.NextLook(at=at, reason="the vendor asked to wait")
            columns = _looked(claim, time, "wait")
        case Missing():
            look = cadence.look_again_for_missing(failures, now=time.now, policy=policy, jitter=jitter)
            columns = _looked(claim, time, "missing") | SessionColumns(look_failures=failures)
        case UnknownResult() | Refused() | NotReady():
            look = cadence.look_again_after_failure(failures, now=time.now, policy=policy, jitter=jitter)
            what = "not_ready" if isinstance(meaning, NotReady) else meaning.code
            columns = _looked(claim, time, what) | SessionColumns(look_failures=failures)
        case _:
            assert_never(meaning)
    columns |= SessionColumns(next_look_at=look.at, next_look_reason=look.reason)
    return Decision(change=lifecycle.only_seen(claim, columns), notes=notes_of(meaning, Lane.LOOK, claim.invite_id))
