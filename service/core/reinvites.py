"""
What a re-invite from the vendor's console does to an invite.

The console mails the candidate a fresh link for a session that had ended, and tells nobody else (contract §3). So the
invite is open again and shows no link: the one that it showed is dead, the fresh one is not known here.
"""

from datetime import datetime

from service.core.changes import Change, Event, InviteColumns, InviteMove, SessionColumns
from service.core.model import InviteStatus, LookClaim
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
