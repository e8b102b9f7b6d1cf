"""What a try for a transcript means."""

from datetime import datetime, timedelta
from typing import assert_never

from service.core import cadence, lifecycle
from service.core.changes import Change, SessionColumns, StoredTranscript
from service.core.decisions import Decision, Worked, notes_of
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
from service.core.limits import back_off
from service.core.model import (
    CollectClaim,
    Lane,
    Policy,
)
from service.core.observations import Failure

TRANSCRIPT_PATIENCE = timedelta(days=2)
COLLECT_FAILURES_MAX = 12


def decide_collect(
    claim: CollectClaim,
    answer: StoredTranscript | Failure,
    *,
    now: datetime,
    policy: Policy,
    jitter: float,
) -> Decision:
    """What one try for a transcript means: "not ready" is patience, everything else is counted."""
    if isinstance(answer, StoredTranscript):
        columns = _collected(claim, "stored") | SessionColumns(next_collect_at=None, collect_failures=0)
        change = lifecycle.store_transcript(claim, answer, columns)
        return Decision(change=change, notes=(Worked(lane=Lane.ARTIFACT),))
    meaning = classify(Request.TRANSCRIPT, answer)
    notes = notes_of(meaning, Lane.ARTIFACT, claim.invite_id)
    change = _change_for_failed_collect(claim, meaning, now=now, policy=policy, jitter=jitter)
    return Decision(change=change, notes=notes)


def _collected(claim: CollectClaim, what: str) -> SessionColumns:
    return SessionColumns(collect_count=claim.collect_count + 1, last_collect=what)


def _change_for_failed_collect(
    claim: CollectClaim, meaning: Meaning, *, now: datetime, policy: Policy, jitter: float
) -> Change:
    failures = claim.failures
    delay = cadence.wait_for_artifact(now, claim.completed_at, policy=policy, jitter=jitter) - now
    match meaning:
        case NotReady():
            what, failures = "not_ready", 0
            if now - claim.completed_at >= TRANSCRIPT_PATIENCE:
                columns = _collected(claim, what) | SessionColumns(next_collect_at=None)
                days = TRANSCRIPT_PATIENCE.days
                reason = f"the vendor still has no transcript {days} days after the interview"
                return lifecycle.give_up_transcript(claim, columns, reason=reason)
        case DidNotSend() | StopAccount():
            what = "not_sent"
        case WaitAccount() | WaitRow():
            what = "wait"
            delay = max(delay, meaning.delay or delay)
        case UnknownResult() | Refused() | Missing():
            what, failures = meaning.code, failures + 1
            delay = back_off(failures, base=policy.watch_interval, ceiling=timedelta(hours=1), jitter=jitter)
        case _:
            assert_never(meaning)
    columns = _collected(claim, what) | SessionColumns(collect_failures=failures, next_collect_at=now + delay)
    if isinstance(meaning, Missing | Refused) and failures >= COLLECT_FAILURES_MAX:
        columns |= SessionColumns(next_collect_at=None)
        reason = f"the vendor answered {failures} times that there is none ({what})"
        return lifecycle.give_up_transcript(claim, columns, reason=reason)
    return Change(claim=claim, session=columns)
