"""
What the vendor's list of sessions honours, as its answers to a few requests tell.

Nobody has written down what `GET /sessions` honours (contract §2.3). So it is asked for as it is, page by page until
one brings what the first did not; for two statuses, which no session can have both; and for one candidate of several.
A vendor that ignores a filter gives itself away as soon as there is any session that does not fit.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from service.core.model import Policy, VendorStatus
from service.core.observations import Sighting, SightingPage

#: How a list of one candidate may be asked for: the field's name, and what the sibling APIs do (contract §2.3, §6.17).
REF_PARAMETERS = ("candidate_ref", "candidateRef", "externalId")

PROBE_AGAIN = 8640  #: × watch_interval until what was found out is looked at once more
PROBE_SOON = 30  #: × watch_interval where the list showed nothing to tell by


class StatusFilter(StrEnum):
    """Whether the vendor's list can be asked for one status."""

    UNKNOWN = "unknown"  #: not tried yet, or there was nothing to tell by
    HONOURED = "honoured"
    IGNORED = "ignored"  #: other statuses came as well
    REFUSED = "refused"  #: the parameter is an error
    DISTRUSTED = "distrusted"  #: it was honoured, and single looks have contradicted it


class RefFilter(StrEnum):
    """Whether the vendor's list can be asked for one candidate."""

    UNKNOWN = "unknown"  #: not tried yet, or there was nothing to tell by
    HONOURED = "honoured"
    IGNORED = "ignored"  #: others came as well, or the one that is there did not
    REFUSED = "refused"  #: the parameter is an error


class Paging(StrEnum):
    """How the page after the first is asked for."""

    UNKNOWN = "unknown"
    NONE = "none"  #: each known way brought the first page again
    CURSOR = "cursor"
    OFFSET = "offset"
    PAGE_FROM_0 = "page_from_0"
    PAGE_FROM_1 = "page_from_1"


class SortOrder(StrEnum):
    """In which order the list shows sessions, by when they were created."""

    UNKNOWN = "unknown"
    NEWEST_FIRST = "newest_first"
    OLDEST_FIRST = "oldest_first"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStyle:
    """What is known of the list beside its statuses."""

    paging: Paging = Paging.UNKNOWN
    ref_filter: RefFilter = RefFilter.UNKNOWN
    ref_parameter: str | None = None  #: the one that is honoured
    sort_order: SortOrder = SortOrder.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The pages that a probe was shown; None: the vendor refused the filter."""

    unfiltered: SightingPage
    active: SightingPage | None
    completed: SightingPage | None
    rows_asked: int  #: how many rows a page was asked to have
    paging: Paging = Paging.UNKNOWN
    next_rows: int | None = None  #: rows of the page that this way brought after the first; None: no way brought one
    one: Sighting | None = None  #: whose candidate was asked for; None: the first page showed no two
    of_one: dict[str, SightingPage | None] = field(default_factory=dict)  #: by parameter, in the order of the requests

    @property
    def most_rows(self) -> int:
        """Of its longest page."""
        pages = (self.unfiltered, self.active, self.completed, *self.of_one.values())
        return max(len(page.sightings) for page in pages if page is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found out, and what by; style None: nothing new but about the statuses."""

    status_filter: StatusFilter
    style: ListStyle | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


def judge(probe: Probe) -> Verdict:
    """What the list honours, by the rows that it showed."""
    verdicts = {parameter: ref_filter(page, probe.one) for parameter, page in probe.of_one.items() if probe.one}
    style = ListStyle(
        paging=probe.paging,
        ref_filter=_best(list(verdicts.values())),
        ref_parameter=next((name for name, verdict in verdicts.items() if verdict is RefFilter.HONOURED), None),
        sort_order=sort_order(probe.unfiltered),
    )
    evidence = {
        "status": {
            "unfiltered": _counts(probe.unfiltered),
            "active": _counts(probe.active),
            "completed": _counts(probe.completed),
        },
        "page": {"rows_asked": probe.rows_asked, "rows": len(probe.unfiltered.sightings), "next_rows": probe.next_rows},
        "candidate": {name: _own_and_others(page, probe.one) for name, page in probe.of_one.items() if probe.one},
    }
    return Verdict(status_filter=_status_filter(probe), style=style, evidence=evidence)


def is_pure(page: SightingPage, status: VendorStatus) -> bool:
    """Whether a page that was asked for one status shows no other."""
    return all(seen.status == status for seen in page.sightings)


def one_of_several(page: SightingPage) -> Sighting | None:
    """A session whose candidate can be asked for, so that the answer tells: others' sessions are there too."""
    named = [seen for seen in page.sightings if seen.candidate_ref]
    is_alone = len({seen.candidate_ref for seen in page.sightings}) < 2
    return None if is_alone or not named else named[-1]


def sort_order(page: SightingPage) -> SortOrder:
    """By the times at which the sessions of one page were created; all must have one, and not all the same."""
    times = [seen.created_at for seen in page.sightings if seen.created_at is not None]
    if len(times) < len(page.sightings) or len(set(times)) < 2:
        return SortOrder.UNKNOWN
    if all(one >= other for one, other in pairwise(times)):
        return SortOrder.NEWEST_FIRST
    if all(one <= other for one, other in pairwise(times)):
        return SortOrder.OLDEST_FIRST
    return SortOrder.NONE


def next_probe(status_filter: StatusFilter, *, now: datetime, policy: Policy) -> datetime:
    """When the list is probed again."""
    times = PROBE_SOON if status_filter == StatusFilter.UNKNOWN else PROBE_AGAIN
    return now + policy.watch_interval * times


def _status_filter(probe: Probe) -> StatusFilter:
    if probe.active is None or probe.completed is None:
        return StatusFilter.REFUSED
    if not (is_pure(probe.active, VendorStatus.ACTIVE) and is_pure(probe.completed, VendorStatus.COMPLETED)):
        return StatusFilter.IGNORED
    return StatusFilter.HONOURED if probe.unfiltered.sightings else StatusFilter.UNKNOWN


def ref_filter(page: SightingPage | None, one: Sighting) -> RefFilter:
    """Whether this is the list of one candidate: the session that was shown before comes, and nobody else's."""
    if page is None:
        return RefFilter.REFUSED
    fits = all(seen.candidate_ref == one.candidate_ref for seen in page.sightings)
    return RefFilter.HONOURED if fits and page.sightings else RefFilter.IGNORED


def _best(verdicts: list[RefFilter]) -> RefFilter:
    for verdict in (RefFilter.HONOURED, RefFilter.IGNORED, RefFilter.REFUSED):
        if verdict in verdicts:
            return verdict
    return RefFilter.UNKNOWN


def _own_and_others(page: SightingPage | None, one: Sighting) -> dict[str, int] | str:
    """How many sessions of the candidate came, and how many of others."""
    if page is None:
        return "refused"
    own = sum(seen.candidate_ref == one.candidate_ref for seen in page.sightings)
    return {"own": own, "others": len(page.sightings) - own}


def _counts(page: SightingPage | None) -> dict[str, int] | str:
    """Rows by status, as evidence that a person can read."""
    if page is None:
        return "refused"
    known = set(VendorStatus)
    return dict(Counter(seen.status if seen.status in known else "other" for seen in page.sightings))
