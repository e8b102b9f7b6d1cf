"""
What a list of the running interviews tells, and whether the vendor's list can be asked for one at all.

Nobody has written down what `GET /sessions` honours (contract §2.3), so it is found out by three requests: the list as
it is, and the list of two statuses. One session cannot have both, so a vendor that ignores the filter gives itself
away as soon as there is any session.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from service.core.comparing import Finding, Known, compare
from service.core.model import Policy, VendorStatus
from service.core.observations import Sighting, SightingPage
from service.core.sweeping import PageFindings, decide_page

#: How far a look's own times must lie from the list's before it counts against the list: lists may lag behind.
LIST_MAY_LAG = timedelta(seconds=30)

#: What a client may have at once unless ZenHire has given it more; whoever comes then waits at the door (contract §7).
INTERVIEWS_AT_ONCE = 8

PROBE_AGAIN = 8640  #: × watch_interval until what was found out is looked at once more
PROBE_SOON = 30  #: × watch_interval where the list showed nothing to tell by


class StatusFilter(StrEnum):
    """Whether the vendor's list can be asked for one status."""

    UNKNOWN = "unknown"  #: not tried yet, or there was nothing to tell by
    HONOURED = "honoured"
    IGNORED = "ignored"  #: other statuses came as well
    REFUSED = "refused"  #: the parameter is an error
    DISTRUSTED = "distrusted"  #: it was honoured, and single looks have contradicted it


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The first pages of three lists; None: the vendor refused the filter."""

    unfiltered: SightingPage
    active: SightingPage | None
    completed: SightingPage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a probe found out, and what by."""

    status_filter: StatusFilter
    evidence: dict[str, Any] = field(default_factory=dict)


def judge(probe: Probe) -> Verdict:
    """Whether the list honours `status`, by the rows that it showed."""
    evidence = {
        "unfiltered": _counts(probe.unfiltered),
        "active": _counts(probe.active),
        "completed": _counts(probe.completed),
    }
    if probe.active is None or probe.completed is None:
        return Verdict(status_filter=StatusFilter.REFUSED, evidence=evidence)
    if not (is_pure(probe.active, VendorStatus.ACTIVE) and is_pure(probe.completed, VendorStatus.COMPLETED)):
        return Verdict(status_filter=StatusFilter.IGNORED, evidence=evidence)
    if not probe.unfiltered.sightings:
        return Verdict(status_filter=StatusFilter.UNKNOWN, evidence=evidence)
    return Verdict(status_filter=StatusFilter.HONOURED, evidence=evidence)


def is_pure(page: SightingPage, status: VendorStatus) -> bool:
    """Whether a page that was asked for one status shows no other."""
    return all(seen.status == status for seen in page.sightings)


def _counts(page: SightingPage | None) -> dict[str, int] | str:
    """Rows by status, as evidence that a person can read."""
    if page is None:
        return "refused"
    counts: dict[str, int] = {}
    for seen in page.sightings:
        status = seen.status if seen.status in set(VendorStatus) else "other"
        counts[status] = counts.get(status, 0) + 1
    return counts


def next_probe(status_filter: StatusFilter, *, now: datetime, policy: Policy) -> datetime:
    """When the list is probed again."""
    times = PROBE_SOON if status_filter == StatusFilter.UNKNOWN else PROBE_AGAIN
    return now + policy.watch_interval * times


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningList:
    """The whole list of running interviews, as it was asked for at one time."""

    sightings: tuple[Sighting, ...]
    listed_at: datetime  #: when its first page was asked for

    @property
    def ids(self) -> list[str]:
        return [seen.session_id for seen in self.sightings]


def is_after_a_gap(listed: RunningList, listed_before: datetime | None, *, policy: Policy) -> bool:
    """Whether interviews may have begun and ended since the list before: more than two ticks lie between."""
    two_ticks = policy.watch_interval * 2 * policy.list_every
    return listed_before is None or listed.listed_at - listed_before > two_ticks * 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningFindings:
    """What a list of running interviews leads to, beside the looks at what has left it."""

    begun: dict[UUID, Sighting]  #: posts whose interview was not known to run
    others: PageFindings  #: what any list leads to


def decide_running(listed: RunningList, known: Sequence[Known], *, account: str) -> RunningFindings:
    """
    Compare the list with what is known.

    That an interview runs is taken from the list: it is no end, and the single look that would confirm it would cost as
    many requests as all else. Everything else follows the rules for any list.
    """
    begun: dict[UUID, Sighting] = {}
    rest: list[tuple[Sighting, Known]] = []
    for seen, known_of_it in zip(listed.sightings, known, strict=True):
        finding = compare(seen, known_of_it, account=account, listed_at=listed.listed_at)
        if finding == Finding.ACTIVE_THERE and known_of_it.by_id is not None:
            begun[known_of_it.by_id.post_id] = seen
        elif finding is not None:
            rest.append((seen, known_of_it))
    others = decide_page(
        [seen for seen, _ in rest],
        [known_of_it for _, known_of_it in rest],
        account=account,
        listed_at=listed.listed_at,
    )
    return RunningFindings(begun=begun, others=others)
