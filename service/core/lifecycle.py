"""
The only place that moves an invite, with `reinvites.py` beside it: one named constructor for each legal move.

A constructor returns a `Change` (`changes.py`). `starting`, `watching`, `collecting` and `settling` choose among them;
`postgres/apply.py` writes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.cadence import NextLook
from service.core.changes import Change, Event, InviteColumns, InviteMove, SessionColumns, StoredTranscript
from service.core.limits import LINK_LIFETIME
from service.core.model import (
    ArtifactState,
    Claim,
    CollectClaim,
    InviteStatus,
    LookClaim,
    Policy,
    PostClaim,
    PostState,
)
from service.core.observations import Minted, MintedWithoutLink, Sighting

ORPHAN_FIRST_LOOK = timedelta(minutes=1)


def _from(*statuses: InviteStatus) -> frozenset[InviteStatus]:
    return frozenset(statuses)


# --- start -----------------------------------------------------------------------------------------------------------


def publish_link(claim: PostClaim, minted: Minted, *, now: datetime, first_look: NextLook) -> Change:
    """starting → link_ready. The link dies no earlier than its lifetime after the post was committed."""
    expires_at = claim.posted_at + minted.expires_in
    return Change(
        claim=claim,
        session=SessionColumns(
            state=PostState.PUBLISHED,
            answered_at=now,
            session_id=minted.session_id,
            link_expires_at=expires_at,
            vendor_status="initiated",
            next_look_at=first_look.at,
            next_look_reason=first_look.reason,
        ),
        move=InviteMove(
            allowed_from=_from(InviteStatus.STARTING),
            columns=InviteColumns(
                status=InviteStatus.LINK_READY,
                session_id=minted.session_id,
                candidate_link=minted.candidate_link,
                link_expires_at=expires_at,
                link_number=claim.link_number,
                error_code=None,
                error_message=None,
            ),
        ),
        event=Event(kind="link_published", details={"session_id": minted.session_id, "link_number": claim.link_number}),
        session_alone=orphan_columns(minted, expires_at=expires_at, now=now),
        event_alone=Event(kind="orphan_recorded", details={"session_id": minted.session_id}),
    )


def orphan_columns(made: Minted | MintedWithoutLink, *, expires_at: datetime, now: datetime) -> SessionColumns:
    """A session whose link is not published: watched until it is dead."""
    return SessionColumns(
        state=PostState.ORPHAN,
        answered_at=now,
        session_id=made.session_id,
        link_expires_at=expires_at,
        vendor_status="initiated",
        next_look_at=now + ORPHAN_FIRST_LOOK,
        next_look_reason="an orphan is watched until it is dead",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Why a post's result is unknown, and when its search begins."""

    code: str
    detail: str
    at: datetime
    search_at: datetime


def post_lost(claim: PostClaim, loss: Loss, *, repost_at: datetime) -> Change:
    """Stays `starting`: the result is unknown, another post follows; `settle` looks for what this one left behind."""
    return Change(
        claim=claim,
        session=_lost(loss) | SessionColumns(repost_at=repost_at),
        move=InviteMove(allowed_from=_from(InviteStatus.STARTING), columns=InviteColumns()),
        event=Event(kind="post_lost", reason=loss.detail, details={"code": loss.code}),
        session_alone=_lost(loss),
        event_alone=Event(kind="post_lost", reason=loss.detail, details={"code": loss.code}),
    )


def probe_lost(claim: PostClaim, loss: Loss) -> Change:
    """starting → pending: a probe of a stopped account failed; it is charged to no invite."""
    return Change(
        claim=claim,
        session=_lost(loss) | SessionColumns(counted=False),
        move=InviteMove(
            allowed_from=_from(InviteStatus.STARTING),
            columns=InviteColumns(status=InviteStatus.PENDING),
        ),
        event=Event(kind="probe_lost", reason=loss.detail, details={"code": loss.code}),
    )


def ask_a_person(claim: PostClaim, loss: Loss, *, code: str, message: str) -> Change:
    """starting → needs_review: a person must decide what this post came to."""
    return Change(
        claim=claim,
        session=_lost(loss),
        move=InviteMove(
            allowed_from=_from(InviteStatus.STARTING),
            columns=InviteColumns(status=InviteStatus.NEEDS_REVIEW, error_code=code, error_message=message),
        ),
        event=Event(kind="review_needed", reason=message, details={"code": loss.code}),
    )


def _lost(loss: Loss) -> SessionColumns:
    return SessionColumns(
        state=PostState.LOST,
        answered_at=loss.at,
        error_code=loss.code,
        error_message=loss.detail,
        next_search_at=loss.search_at,
    )


def post_made_orphan(claim: PostClaim, made: MintedWithoutLink, *, now: datetime, repost_at: datetime) -> Change:
    """Stays `starting`: a session was made, and its link did not come back."""
    alone = orphan_columns(made, expires_at=claim.posted_at + LINK_LIFETIME, now=now)
    event = Event(kind="orphan_recorded", details={"session_id": made.session_id})
    return Change(
        claim=claim,
        session=alone
        | SessionColumns(
            error_code="NO_LINK",
            error_message="the vendor made a session and sent no link",
            repost_at=repost_at,
        ),
        move=InviteMove(allowed_from=_from(InviteStatus.STARTING), columns=InviteColumns()),
        event=event,
        session_alone=alone,
        event_alone=event,
    )


def ask_about_missing_links(claim: PostClaim, made: MintedWithoutLink, *, now: datetime, message: str) -> Change:
    """starting → needs_review: sessions are made, and their links never come back."""
    session = orphan_columns(made, expires_at=claim.posted_at + LINK_LIFETIME, now=now)
    return Change(
        claim=claim,
        session=session | SessionColumns(error_code="NO_LINK", error_message=message),
        move=InviteMove(
            allowed_from=_from(InviteStatus.STARTING),
            columns=InviteColumns(status=InviteStatus.NEEDS_REVIEW, error_code="NO_LINK", error_message=message),
        ),
        event=Event(kind="review_needed", reason=message, details={"session_id": made.session_id}),
    )


def back_to_pending(claim: PostClaim, *, code: str, detail: str, now: datetime) -> Change:
    """starting → pending: this post provably made no session."""
    return Change(
        claim=claim,
        session=SessionColumns(
            state=PostState.NOT_MADE,
            counted=False,
            answered_at=now,
            error_code=code,
            error_message=detail,
        ),
        move=InviteMove(
            allowed_from=_from(InviteStatus.STARTING),
            columns=InviteColumns(status=InviteStatus.PENDING),
        ),
        event=Event(kind="post_not_made", reason=detail, details={"code": code}),
    )


def refuse(claim: PostClaim, *, code: str, message: str, now: datetime) -> Change:
    """starting → refused, with the vendor's own code."""
    return Change(
        claim=claim,
        session=SessionColumns(
            state=PostState.NOT_MADE,
            answered_at=now,
            error_code=code,
            error_message=message,
        ),
        move=InviteMove(
            allowed_from=_from(InviteStatus.STARTING),
            columns=InviteColumns(
                status=InviteStatus.REFUSED,
                error_code=code,
                error_message=f"ZenHire refused this invite: {message}",
            ),
        ),
        event=Event(kind="invite_refused", reason=message, details={"code": code}),
    )


# --- watch -----------------------------------------------------------------------------------------------------------


def start_interview(claim: LookClaim, seen: Sighting, session: SessionColumns) -> Change:
    """link_ready → in_progress. What a console re-invite said of the link stays."""
    return Change(
        claim=claim,
        session=session,
        move=InviteMove(
            allowed_from=_from(InviteStatus.LINK_READY),
            columns=InviteColumns(status=InviteStatus.IN_PROGRESS, interview_started_at=seen.started_at),
        ),
        event=Event(kind="interview_started", details={"session_id": claim.session_id}),
    )


def complete(claim: LookClaim, seen: Sighting, session: SessionColumns, *, now: datetime, policy: Policy) -> Change:
    """Every status but cancelled → completed, with the outcome of this session."""
    wanted = ArtifactState.WAITING if policy.transcripts else ArtifactState.NONE
    return Change(
        claim=claim,
        session=session,
        move=InviteMove(
            allowed_from=frozenset(set(InviteStatus) - {InviteStatus.CANCELLED, InviteStatus.COMPLETED}),
            columns=InviteColumns(
                status=InviteStatus.COMPLETED,
                session_id=claim.session_id,
                interview_started_at=seen.started_at,
                interview_completed_at=seen.completed_at or now,
                duration_seconds=seen.duration_seconds,
                credits_charged=seen.credits_charged,
                candidate_survey_rating=seen.survey_rating,
                transcript_state=wanted,
                error_code=None,
                error_message=None,
            ),
            only_current=False,
        ),
        event=Event(kind="interview_completed", details={"session_id": claim.session_id}),
    )


def add_rating(claim: LookClaim, seen: Sighting, session: SessionColumns) -> Change:
    """Stays `completed`: the candidate's survey came after the interview, whichever link that came through."""
    return Change(
        claim=claim,
        session=session,
        move=InviteMove(
            allowed_from=_from(InviteStatus.COMPLETED),
            columns=InviteColumns(candidate_survey_rating=seen.survey_rating),
            only_current=False,
        ),
        event=Event(kind="survey_arrived", details={"rating": seen.survey_rating}),
    )


def fail(claim: LookClaim, seen: Sighting, session: SessionColumns) -> Change:
    """link_ready, in_progress → failed: no link is left."""
    code = seen.error_code or "INTERVIEW_FAILED"
    message = (
        "The interview ran out of its time and gave no result."
        if code == "SESSION_TIMEOUT"
        else "The interview did not finish and gave no result."
    )
    return Change(
        claim=claim,
        session=session,
        move=InviteMove(
            allowed_from=_from(InviteStatus.LINK_READY, InviteStatus.IN_PROGRESS),
            columns=InviteColumns(
                status=InviteStatus.FAILED,
                interview_started_at=seen.started_at,
                error_code=code,
                error_message=message,
            ),
        ),
        event=Event(kind="interview_failed", reason=message, details={"session_id": claim.session_id, "code": code}),
    )


def expire(claim: LookClaim, session: SessionColumns) -> Change:
    """link_ready → expired: the last link died unused. in_progress → failed: what was open again died unused."""
    message = "The link was not used before it expired."
    begun = claim.invite_status == InviteStatus.IN_PROGRESS
    status = InviteStatus.FAILED if begun else InviteStatus.EXPIRED
    return Change(
        claim=claim,
        session=session,
        move=InviteMove(
            allowed_from=_from(InviteStatus.IN_PROGRESS if begun else InviteStatus.LINK_READY),
            columns=InviteColumns(status=status, error_code="LINK_EXPIRED", error_message=message),
        ),
        event=Event(kind="link_expired", reason=message, details={"session_id": claim.session_id}),
    )


def ask_for_next_link(claim: LookClaim, session: SessionColumns, *, because: str) -> Change:
    """link_ready, in_progress → pending: the link is dead without a result, and another one is allowed."""
    return Change(
        claim=claim,
        session=session,
        move=InviteMove(
            allowed_from=_from(InviteStatus.LINK_READY, InviteStatus.IN_PROGRESS),
            columns=InviteColumns(
                status=InviteStatus.PENDING,
                session_id=None,
                candidate_link=None,
                link_expires_at=None,
                interview_started_at=None,
                error_code=None,
                error_message=None,
            ),
        ),
        event=Event(kind="next_link_wanted", reason=because, details={"session_id": claim.session_id}),
    )


def only_seen(claim: LookClaim, session: SessionColumns, event: Event | None = None) -> Change:
    """No move: what was seen is kept with the session."""
    return Change(claim=claim, session=session, event=event)


# --- collect ---------------------------------------------------------------------------------------------------------


def store_transcript(claim: CollectClaim, transcript: StoredTranscript, session: SessionColumns) -> Change:
    """Stays `completed`: transcript_state waiting → stored."""
    return Change(
        claim=claim,
        session=session,
        move=_artifact(claim, ArtifactState.STORED),
        event=Event(kind="transcript_stored", details={"bytes": transcript.byte_count}),
        transcript=transcript,
    )


def give_up_transcript(claim: CollectClaim, session: SessionColumns, *, reason: str) -> Change:
    """Stays `completed`: transcript_state waiting → unavailable."""
    return Change(
        claim=claim,
        session=session,
        move=_artifact(claim, ArtifactState.UNAVAILABLE),
        event=Event(kind="transcript_unavailable", reason=reason),
    )


def _artifact(claim: CollectClaim, state: ArtifactState) -> InviteMove | None:
    """The transcript of another session than the outcome's is kept with that session."""
    if not claim.shown:
        return None
    return InviteMove(
        allowed_from=_from(InviteStatus.COMPLETED),
        columns=InviteColumns(transcript_state=state),
        only_current=False,
    )


# --- settle ----------------------------------------------------------------------------------------------------------


def record_orphan(claim: Claim, seen: Sighting, session: SessionColumns) -> Change:
    """No move: a search found the session that a lost post made; nobody holds its link."""
    return Change(
        claim=claim,
        session=session,
        event=Event(kind="orphan_recorded", details={"session_id": seen.session_id, "vendor_status": seen.status}),
    )
