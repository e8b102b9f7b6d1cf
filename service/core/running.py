"""What a list of the running interviews tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from service.core.comparing import Finding, Known, compare
from service.core.model import Policy
from service.core.observations import Sighting
from service.core.sweeping import PageFindings, decide_page

#: How far a look's own times must lie from the list's before it counts against the list: lists may lag behind.
LIST_MAY_LAG = timedelta(seconds=30)

#: What a client may have at once unless ZenHire has given it more; whoever comes then waits at the door (contract §7).
INTERVIEWS_AT_ONCE = 8


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
