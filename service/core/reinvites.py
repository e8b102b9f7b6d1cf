"""
What a re-invite from the vendor's console does to an invite.

The console mails the candidate a fresh link for a session that had ended, and tells nobody else (contract §3). So the
invite is open again and shows no link: the one that it showed is dead, the fresh one is not known here. Whether that
opens the old session or makes another is the vendor's secret; a sweep finds the other, and it gets a row of its own.
"""

from datetime import datetime

from service.core.changes import Change, Event, InviteColumns, InviteMove, SessionColumns
from service.core.model import InviteStatus, LookClaim, PostState, SessionOrigin, VendorStatus
from service.core.observations import Sighting

CODE = "CONSOLE_REINVITED"
SENTENCE = "ZenHire's console has sent the candidate a fresh link; it is not known here."


def link_is_elsewhere(expires_at: datetime) -> InviteColumns:
    """
    What an invite shows whose candidate has a link that only the console knows.

    `expires_at` is an upper bound: the fresh link was made some time before its session was seen to be open again.
    """
    return InviteColumns(candidate_link=None, link_expires_at=expires_at, error_code=CODE, error_message=SENTENCE)


def reopen(claim: LookClaim, session: SessionColumns) -> Change:
    """failed, expired → link_ready: the session waits for its candidate again."""
    return _followed(
        claim,
        session,
        allowed_from=frozenset({InviteStatus.FAILED, InviteStatus.EXPIRED}),
        columns=InviteColumns(status=InviteStatus.LINK_READY, interview_started_at=None),
    )


def resume(claim: LookClaim, seen: Sighting, session: SessionColumns) -> Change:
    """failed, expired → in_progress: the fresh link was opened before anybody here knew of it."""
    return _followed(
        claim,
        session,
        allowed_from=frozenset({InviteStatus.FAILED, InviteStatus.EXPIRED}),
        columns=InviteColumns(status=InviteStatus.IN_PROGRESS, interview_started_at=seen.started_at),
    )


def wait_again(claim: LookClaim, session: SessionColumns) -> Change:
    """Stays in_progress: the interview ended and was re-invited to between two looks."""
    return _followed(
        claim,
        session,
        allowed_from=frozenset({InviteStatus.IN_PROGRESS}),
        columns=InviteColumns(interview_started_at=None),
    )


def is_the_invites(claim: LookClaim) -> bool:
    """Whether what a look shows moves the invite: it is the newest link's session, or one that took its place."""
    return claim.current and (claim.state == PostState.PUBLISHED or claim.origin == SessionOrigin.CONSOLE)


def takes_over(claim: LookClaim, seen: Sighting, session: SessionColumns) -> bool:
    """Whether a session that the console made is the invite's from now on: it lives, and no other link works."""
    return (
        claim.origin == SessionOrigin.CONSOLE
        and not claim.current
        and claim.newest_is_dead
        and claim.invite_status in _WITHOUT_RESULT
        and seen.status in _LIVES
        and session.get("dead_because", claim.dead_because) is None
    )


_WITHOUT_RESULT = frozenset({InviteStatus.FAILED, InviteStatus.EXPIRED})
_LIVES = frozenset({VendorStatus.INITIATED, VendorStatus.ACTIVE})


def take_over(claim: LookClaim, seen: Sighting, session: SessionColumns) -> Change:
    """failed, expired → link_ready, in_progress: the console made another session instead of opening the old one."""
    status = InviteStatus.IN_PROGRESS if seen.status == VendorStatus.ACTIVE else InviteStatus.LINK_READY
    columns = InviteColumns(status=status, session_id=claim.session_id, interview_started_at=seen.started_at)
    return Change(
        claim=claim,
        session=session,
        move=InviteMove(
            allowed_from=_WITHOUT_RESULT,
            columns=columns | link_is_elsewhere(claim.link_expires_at),
            only_current=False,
            takes_over=True,
        ),
        event=Event(
            kind="console_reinvited",
            reason="the console made another session; its link is in the vendor's console",
            details={"session_id": claim.session_id},
        ),
    )


def _followed(
    claim: LookClaim, session: SessionColumns, *, allowed_from: frozenset[InviteStatus], columns: InviteColumns
) -> Change:
    expires_at = session.get("link_expires_at") or claim.link_expires_at
    return Change(
        claim=claim,
        session=session,
        move=InviteMove(allowed_from=allowed_from, columns=columns | link_is_elsewhere(expires_at)),
        event=noticed(claim),
    )


def noticed(claim: LookClaim) -> Event:
    """The line of the history, also where nothing follows from it."""
    return Event(
        kind="console_reinvited",
        reason="the vendor shows the session as open again; the fresh link is in the vendor's console",
        details={"session_id": claim.session_id},
    )
