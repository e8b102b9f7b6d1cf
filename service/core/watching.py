"""What a look at a session means for it and its invite."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from service.core import cadence, lifecycle
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
    PostState,
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
    session = _session_after(claim, answer, time=time, policy=policy, jitter=jitter)
    return Decision(change=_move_for(claim, answer, session, time.now, policy), notes=notes)


_NO_MORE_LOOKS = SessionColumns(next_look_at=None, next_look_reason=None)

_RANK = {VendorStatus.INITIATED: 0, VendorStatus.ACTIVE: 1, VendorStatus.FAILED: 2, VendorStatus.COMPLETED: 3}


def _rank(status: str | None) -> int | None:
    return _RANK.get(VendorStatus(status)) if status in set(VendorStatus) else None


def _is_step_back(claim: LookClaim, seen: Sighting) -> bool:
    """`completed` and `failed` are both ends; what leads away from an end, or from active to initiated, goes back."""
    if claim.vendor_status == VendorStatus.COMPLETED:
        return seen.status != VendorStatus.COMPLETED
    before, after = _rank(claim.vendor_status), _rank(seen.status)
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


def _session_after(
    claim: LookClaim, seen: Sighting, *, time: LookTime, policy: Policy, jitter: float
) -> SessionColumns:
    columns = _looked(claim, time, seen.status) | SessionColumns(
        vendor_status=seen.status,
        status_seen_at=time.sent_at,
        step_back_seen_at=None,
        vendor_object=seen.document,
        interview_started_at=seen.started_at or claim.interview_started_at,
        look_failures=0,
    )
    reopened = _is_step_back(claim, seen) and seen.status == VendorStatus.INITIATED
    expires_at = time.now + LINK_LIFETIME if reopened else claim.link_expires_at
    if reopened:
        columns |= SessionColumns(link_expires_at=expires_at, dead_at=None, dead_because=None)
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


def _death(claim: LookClaim, seen: Sighting, expires_at: datetime, time: LookTime, policy: Policy) -> SessionColumns:
    """A session is dead when the vendor ended it, or when a single look past its time shows no interview."""
    if seen.status in {VendorStatus.COMPLETED, VendorStatus.FAILED}:
        ended = claim.vendor_status == seen.status
        return SessionColumns() if ended else SessionColumns(dead_at=time.now, dead_because=seen.status)
    # The status after the expiry is unknown (contract §3): whatever is no interview that runs is a link that died.
    if seen.status != VendorStatus.ACTIVE and cadence.link_is_over(expires_at, time.sent_at, policy):
        return SessionColumns(dead_at=time.now, dead_because="expired")
    return SessionColumns()


def _next_look_columns(
    claim: LookClaim, seen: Sighting, expires_at: datetime, *, now: datetime, policy: Policy, jitter: float
) -> SessionColumns:
    known = cadence.Known(
        vendor_status=seen.status,
        link_made_at=claim.posted_at,
        link_expires_at=expires_at,
        interview_started_at=seen.started_at or claim.interview_started_at,
        rated=seen.survey_rating is not None,
        seen_before=claim.vendor_status == seen.status,
    )
    look = cadence.next_look(known, now=now, policy=policy, jitter=jitter)
    if look is None:
        return _NO_MORE_LOOKS
    return SessionColumns(next_look_at=look.at, next_look_reason=look.reason)


def _move_for(claim: LookClaim, seen: Sighting, session: SessionColumns, now: datetime, policy: Policy) -> Change:
    """Chooses the invite's move; a session that is not the invite's newest link can only complete it."""
    if seen.status == VendorStatus.COMPLETED:
        return _move_for_completed(claim, seen, session, now, policy)
    if claim.state != PostState.PUBLISHED or not claim.current:
        return lifecycle.only_seen(claim, session)
    match seen.status:
        case VendorStatus.ACTIVE if claim.invite_status in _CAN_START:
            return lifecycle.start_interview(claim, seen, session)
        case VendorStatus.FAILED if claim.invite_status in {InviteStatus.LINK_READY, InviteStatus.IN_PROGRESS}:
            if _may_have_next_link(claim, now):
                return lifecycle.ask_for_next_link(claim, session, because="the interview gave no result")
            return lifecycle.fail(claim, seen, session)
        case VendorStatus.ACTIVE | VendorStatus.FAILED:
            return lifecycle.only_seen(claim, session)
        case _:
            return _move_for_unopened(claim, session, now)


_CAN_START = frozenset({InviteStatus.LINK_READY, InviteStatus.FAILED, InviteStatus.EXPIRED})


def _move_for_unopened(claim: LookClaim, session: SessionColumns, now: datetime) -> Change:
    if session.get("dead_because") == "expired" and claim.invite_status == InviteStatus.LINK_READY:
        if _may_have_next_link(claim, now):
            return lifecycle.ask_for_next_link(claim, session, because="the link expired unused")
        return lifecycle.expire(claim, session)
    reopened = "link_expires_at" in session
    if reopened and claim.invite_status in {InviteStatus.FAILED, InviteStatus.EXPIRED}:
        return lifecycle.reopen(claim, session)
    return lifecycle.only_seen(claim, session)


def _move_for_completed(
    claim: LookClaim, seen: Sighting, session: SessionColumns, now: datetime, policy: Policy
) -> Change:
    match claim.invite_status:
        case InviteStatus.COMPLETED:
            if seen.survey_rating is not None and seen.survey_rating != claim.rating:
                return lifecycle.add_rating(claim, seen, session)
            return lifecycle.only_seen(claim, session)
        case InviteStatus.CANCELLED | None:
            first = claim.vendor_status != VendorStatus.COMPLETED
            event = Event(kind="outcome_after_cancellation", details={"session_id": claim.session_id})
            return lifecycle.only_seen(claim, session, event if first else None)
        case _:
            return lifecycle.complete(claim, seen, session, now=now, policy=policy)


def _may_have_next_link(claim: LookClaim, now: datetime) -> bool:
    in_time = claim.stop_after is None or now < claim.stop_after
    return claim.link_number < claim.max_links and in_time


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
