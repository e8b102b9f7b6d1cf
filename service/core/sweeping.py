"""What a page of the vendor's list leads to: searches and looks that are due now, and sessions that nobody knew."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from service.core.comparing import Finding, Known, compare
from service.core.limits import LINK_LIFETIME
from service.core.model import SessionOrigin
from service.core.observations import Sighting, SightingPage

CLOCKS_MAY_DIFFER = timedelta(minutes=5)  #: the vendor's clock and ours


class Walk(StrEnum):
    """Which list is walked through."""

    ALL = "all"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def filters(self) -> dict[str, str]:
        return {} if self is Walk.ALL else {"status": self.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchNow:
    """A lost post's session: `settle` records it, and has no need to search."""

    post_id: UUID
    session_id: str
    link_expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LookNow:
    """The list shows more than the last look did: one single look tells the truth."""

    post_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """Another session of a post that has its own: it gets a row, and a look at once."""

    beside: UUID  #: the post whose mark it carries
    session_id: str
    origin: SessionOrigin
    link_expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclaimed:
    """A session that belongs to no post of this database: shown, and not followed."""

    session_id: str
    finding: Finding
    invite_id: UUID | None
    vendor_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFindings:
    """All that one page leads to."""

    searches: list[SearchNow] = field(default_factory=list)
    looks: list[LookNow] = field(default_factory=list)
    sessions: list[NewSession] = field(default_factory=list)
    unclaimed: list[Unclaimed] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.searches) + len(self.looks) + len(self.sessions) + len(self.unclaimed)


def reaches(page: SightingPage, oldest: datetime) -> bool:
    """Whether a page of a list that runs from new to old is past `oldest`; rows without a time prove nothing."""
    times = [sighting.created_at for sighting in page.sightings if sighting.created_at is not None]
    from_new_to_old = len(times) > 1 and times[0] > times[-1] and times == sorted(times, reverse=True)
    return from_new_to_old and len(times) == len(page.sightings) and times[0] < oldest


def decide_page(
    sightings: Sequence[Sighting], known: Sequence[Known], *, account: str, listed_at: datetime
) -> PageFindings:
    """Compare each row of a page with what is known of it. No status is changed by what a list shows."""
    page = PageFindings()
    for seen, known_of_it in zip(sightings, known, strict=True):
        finding = compare(seen, known_of_it, account=account, listed_at=listed_at)
        if finding is not None:
            _lead_on(page, finding, seen, known_of_it, listed_at)
    return page


def _lead_on(page: PageFindings, finding: Finding, seen: Sighting, known: Known, now: datetime) -> None:
    post = known.by_id or known.by_mark or known.by_ref
    expires_at = min(seen.created_at or now, now) + LINK_LIFETIME
    if post is None or finding == Finding.LIKELY_REINVITE:
        invite_id = post.invite_id if post else None
        page.unclaimed.append(
            Unclaimed(session_id=seen.session_id, finding=finding, invite_id=invite_id, vendor_status=seen.status)
        )
    elif finding == Finding.LOST_POST_FOUND:
        page.searches.append(SearchNow(post_id=post.post_id, session_id=seen.session_id, link_expires_at=expires_at))
    elif finding in _ORIGINS:
        page.sessions.append(
            NewSession(
                beside=post.post_id,
                session_id=seen.session_id,
                origin=_ORIGINS[finding],
                link_expires_at=expires_at,
            )
        )
    else:
        page.looks.append(LookNow(post_id=post.post_id, reason=f"the vendor's list shows {seen.status}"))


_ORIGINS = {Finding.CONSOLE_REINVITE: SessionOrigin.CONSOLE, Finding.TWICE_MADE: SessionOrigin.POST}
