"""
When to look at a session next, and why.

The whole table is here. Every interval is a multiple of `SYNC_WATCH_INTERVAL_SECONDS` (written "×"; 10 s unless set).

| the vendor says | and (the first row that fits counts)  | next look            |
|-----------------|---------------------------------------|----------------------|
| active          | the list shows what runs              | ×360                 |
| active          | for less than 2 hours (×720)          | ×1                   |
| active          | for longer                            | ×6                   |
| initiated       | the link is dead by the calendar      | ×6, until a look counts |
| initiated       | the list shows what runs              | ×30240, or more (`net_period`) |
| initiated       | the link is younger than 1 hour (×360)| ×6                   |
| initiated       | the link dies within an hour (×360)   | ×30                  |
| initiated       | otherwise                             | ×60                  |
| completed       | no survey rating yet                  | once, after ×360     |
| completed       | otherwise                             | never                |
| failed          | the list shows what runs              | ×8640, until the link would be dead |
| failed          | the console may still re-invite       | ×360, then ×8640, until then |
| anything else   |                                       | ×30                  |

No look falls before ×1, and none at an open link falls long after the time at which the link can be declared dead.

"The list shows what runs": where it can be asked for one status (`running`), the list of the running interviews is read
every ×1, and a session that has left it is looked at at once; the looks in this table are then a net beneath that.

The vendor's whole list is walked through every ×360 while there is anything that it could tell; the lists of what has
completed and failed, where it can be asked for them, every ×6, and after a gap in the lists of what runs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.limits import LINK_LIFETIME, NET_OF_LOOKS, back_off
from service.core.model import Policy, VendorStatus

SWEEP_FAILURE_CEILING = 60  #: × between two tries for a page that the vendor does not show
UNOPENED_EVERY = 60  #: × between looks at a link that nobody has opened
LOOK_FAILURE_CEILING = 60  #: × between looks that tell nothing
SEARCH_DISTANCE_MAX = timedelta(days=30)  #: the last search lies where the link would be dead, long before this
MISSING_CEILING = 360  #: × between looks at a session that the vendor does not know


@dataclass(frozen=True, slots=True, kw_only=True)
class NextLook:
    """When a row is due again, and the reason in words, as stored beside it."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the cadence depends on."""

    vendor_status: str
    link_made_at: datetime
    link_expires_at: datetime
    interview_started_at: datetime | None
    rated: bool
    seen_before: bool  #: an earlier look already showed this status
    look_every: timedelta | None = None  #: where the list of what runs tells of it, beneath that; None: it does not

    @property
    def listed(self) -> bool:
        return self.look_every is not None


def link_is_over(link_expires_at: datetime, now: datetime, policy: Policy) -> bool:
    """Whether a look sent at `now` that says `initiated` proves the link dead: a candidate may wait at the door."""
    return now >= link_expires_at + policy.expiry_grace


def next_look(known: Known, *, now: datetime, policy: Policy, jitter: float) -> NextLook | None:
    """When to look again after a look that told `known`; None: never."""
    row = _row(known, now, policy)
    if row is None:
        return None
    return _scheduled(row, known, now=now, policy=policy, jitter=jitter)


def _scheduled(row: tuple[float, str], known: Known, *, now: datetime, policy: Policy, jitter: float) -> NextLook:
    multiple, reason = row
    delay = policy.watch_interval * multiple
    at = now + max(delay * (1 - 0.2 * jitter), policy.watch_interval)
    return NextLook(at=_not_long_after_death(at, known, now, policy), reason=reason)


def net_period(open_sessions: int, requests_per_minute: int, *, policy: Policy) -> timedelta:
    """
    How far looks at unopened links lie apart where the list shows what runs: they take a twentieth of the budget.

    After a link's lifetime a look falls due in any case.
    """
    needed = timedelta(minutes=open_sessions / (requests_per_minute * NET_OF_LOOKS))
    return min(max(policy.watch_interval * 30_240, needed), LINK_LIFETIME)


def first_listed_look(
    link_expires_at: datetime, *, every: timedelta, now: datetime, policy: Policy, jitter: float
) -> NextLook:
    """The first look at a session that was made just now, where the list of running interviews tells of it."""
    known = Known(
        vendor_status=VendorStatus.INITIATED,
        link_made_at=now,
        link_expires_at=link_expires_at,
        interview_started_at=None,
        rated=False,
        seen_before=False,
        look_every=every,
    )
    return _scheduled(_initiated(known, now, policy), known, now=now, policy=policy, jitter=jitter)


def _row(known: Known, now: datetime, policy: Policy) -> tuple[float, str] | None:
    match known.vendor_status:
        case VendorStatus.ACTIVE:
            return _active(known, now, policy)
        case VendorStatus.INITIATED:
            return _initiated(known, now, policy)
        case VendorStatus.COMPLETED:
            rating_may_come = not (known.rated or known.seen_before)
            return (360, "the candidate may still answer the survey") if rating_may_come else None
        case VendorStatus.FAILED:
            return _failed(known, now, policy)
        case _:
            return 30, "the vendor shows a status that is not in its documentation"


def _failed(known: Known, now: datetime, policy: Policy) -> tuple[float, str] | None:
    if link_is_over(known.link_expires_at, now, policy):
        return None
    later = known.seen_before or known.listed
    return (8640 if later else 360), "the console may still re-invite the candidate"


def _active(known: Known, now: datetime, policy: Policy) -> tuple[float, str]:
    if known.listed:
        return 360, "the interview is on the list of those that run"
    began = known.interview_started_at
    if began is not None and now - began > policy.watch_interval * 720:
        return 6, "the interview runs longer than usual"
    return 1, "the interview runs"


def _initiated(known: Known, now: datetime, policy: Policy) -> tuple[float, str]:
    if link_is_over(known.link_expires_at, now, policy):
        return 6, "the link should be dead; the next look decides"
    if known.look_every is not None:
        return known.look_every / policy.watch_interval, "the list of running interviews tells when it begins"
    if now - known.link_made_at < policy.watch_interval * 360:
        return 6, "the link is new"
    if known.link_expires_at - now < policy.watch_interval * 360:
        return 30, "the link dies soon"
    return UNOPENED_EVERY, "nobody has opened the link yet"


def _not_long_after_death(at: datetime, known: Known, now: datetime, policy: Policy) -> datetime:
    death = known.link_expires_at + policy.expiry_grace
    may_live = known.vendor_status in {VendorStatus.INITIATED, VendorStatus.FAILED}
    if may_live and now < death:
        return min(at, max(death, now + policy.watch_interval))
    return at


def look_again_after_failure(failures: int, *, now: datetime, policy: Policy, jitter: float) -> NextLook:
    """After a look that told nothing; `failures` counts this one."""
    delay = back_off(
        failures,
        base=policy.watch_interval * 1.25,
        ceiling=policy.watch_interval * LOOK_FAILURE_CEILING,
        jitter=jitter * 0.8,
    )
    return NextLook(at=now + delay, reason=f"the last {failures} look(s) told nothing")


def look_again_for_missing(failures: int, *, now: datetime, policy: Policy, jitter: float) -> NextLook:
    """After the vendor answered that it does not know the session: slowly, and never giving up by itself."""
    delay = back_off(
        failures,
        base=policy.watch_interval * 6,
        ceiling=policy.watch_interval * MISSING_CEILING,
        jitter=jitter,
    )
    return NextLook(at=now + delay, reason="the vendor says that it does not know this session")


def wait_for_artifact(now: datetime, completed_at: datetime, *, policy: Policy, jitter: float) -> datetime:
    """The next try for a transcript that is not ready: distances grow with the time since completion."""
    patience = max((now - completed_at) * 0.5, policy.watch_interval)
    return now + min(patience, policy.watch_interval * 60) * (1 - 0.2 * jitter)


def next_search(searches: int, posted_at: datetime, *, now: datetime, policy: Policy) -> datetime:
    """Searches for what a lost post left behind: at doubling distances, since the vendor may commit late."""
    distance = min(policy.settle_after * 2.0 ** min(searches, 32), SEARCH_DISTANCE_MAX)
    return max(posted_at + distance, now + timedelta(seconds=1))


def next_sweep(started_at: datetime, *, now: datetime, policy: Policy) -> datetime:
    """When the next walk through the vendor's list begins, counted from the beginning of this one."""
    return max(started_at + policy.watch_interval * policy.sweep_every, now + policy.watch_interval)


def next_list_of_ended(started_at: datetime, *, now: datetime, policy: Policy) -> datetime:
    """When the next walk through the list of what has completed, or failed, begins."""
    return max(started_at + policy.watch_interval * policy.ended_every, now + policy.watch_interval)


def next_list_of_running(started_at: datetime, *, now: datetime, policy: Policy) -> datetime:
    """When the running interviews are listed next, counted from the last time that they were asked for."""
    return max(started_at + policy.watch_interval * policy.list_every, now)


def sweep_again_after_failure(failures: int, *, now: datetime, policy: Policy, jitter: float) -> datetime:
    """After a page that the vendor did not show; `failures` counts this one."""
    ceiling = policy.watch_interval * SWEEP_FAILURE_CEILING
    return now + back_off(failures, base=policy.watch_interval, ceiling=ceiling, jitter=jitter)
