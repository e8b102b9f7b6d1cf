"""What a search means for a lost post."""

from datetime import datetime

from service.core import cadence, lifecycle
from service.core.changes import Change, Event, SessionColumns
from service.core.decisions import Decision
from service.core.limits import LINK_LIFETIME
from service.core.model import (
    Policy,
    PostState,
    SearchClaim,
    VendorStatus,
)
from service.core.observations import Sighting


def decide_search(
    claim: SearchClaim, found: Sighting | None, *, searched: bool, now: datetime, policy: Policy
) -> Decision:
    """
    What a walk through the vendor's list means for one lost post.

    `searched`: the walk got as far as needed; else a post that was not found may still stand further on.
    """
    if found is not None:
        return Decision(change=lifecycle.record_orphan(claim, found, _orphan(claim, found, now=now)))
    columns = SessionColumns(last_search_at=now, search_count=claim.search_count + 1)
    last = claim.posted_at + LINK_LIFETIME + policy.expiry_grace
    if now >= last:
        because = "not_found" if searched else "not_searchable"
        columns |= SessionColumns(next_search_at=None, dead_at=now, dead_because=because)
        return Decision(change=Change(claim=claim, session=columns, event=Event(kind="search_ended")))
    at = cadence.next_search(claim.search_count + 1, claim.posted_at, now=now, policy=policy)
    return Decision(change=Change(claim=claim, session=columns | SessionColumns(next_search_at=min(at, last))))


def already_known(claim: SearchClaim, session_id: str) -> Sighting:
    """The session of a lost post that a late answer of its own or a sweep has told: no search is needed."""
    return Sighting(session_id=session_id, status=VendorStatus.INITIATED, created_at=claim.posted_at)


def _orphan(claim: SearchClaim, found: Sighting, *, now: datetime) -> SessionColumns:
    return SessionColumns(
        state=PostState.ORPHAN,
        session_id=found.session_id,
        # a creation that lies ahead would have it watched for years
        link_expires_at=claim.link_expires_at or min(found.created_at or claim.posted_at, now) + LINK_LIFETIME,
        last_search_at=now,
        search_count=claim.search_count + 1,
        next_search_at=None,
        next_look_at=now,  # what the list shows is a hint; the look tells, and takes over what has ended already
        next_look_reason="an orphan is watched until it is dead",
    )
