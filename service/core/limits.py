"""The arithmetic of budgets, back-off and leases."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

#: The budget runs a little below the limit: exact spacing plus network jitter would overfill half of all windows.
BUDGET_SHARE = 0.99

#: Slots are handed out at most this far ahead, so that a Retry-After is obeyed by every replica within this time.
ALLOTMENT = timedelta(seconds=1)

#: A slot that is not used within this time is void: late requests would bunch up behind it.
SLOT_VALID_FOR = timedelta(milliseconds=250)

#: The sweep sends one request in the time of so many slots: a net must not take the place of what hangs in it.
SWEEP_SHARE = 10

#: The looks at unopened links that lie beneath the list of what runs take this part of the limit.
NET_OF_LOOKS = 0.05


class Share(StrEnum):
    """Who may use the request budget, in the order in which they are served."""

    OUTCOMES = "outcomes"  #: looks, and the list of what runs
    STARTS = "starts"  #: sessions and personas
    ARTIFACTS = "artifacts"
    NETS = "nets"  #: walks through the list that are not urgent, searches for lost posts, verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Requests of one share, as they were counted."""

    share: Share
    sent: int
    too_fast: int  #: of these, answered with 429
    unanswered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How one share is served while others want slots too."""

    reach: timedelta  #: how far ahead it may take slots: who reaches further is served first
    floor: float  #: this part of the budget it gets in any case, then reaching as far as anybody


#: Nobody reaches as far as an allotment by rank alone, so that a share that is owed its floor gets the next slot. What
#: nobody else wants anybody may have: 50,000 new invites fill the budget, and still no outcome waits for a second.
TERMS = {
    Share.OUTCOMES: Terms(reach=ALLOTMENT * 0.8, floor=0.25),
    Share.STARTS: Terms(reach=ALLOTMENT * 0.5, floor=0.4),
    Share.ARTIFACTS: Terms(reach=ALLOTMENT * 0.25, floor=0.15),
    Share.NETS: Terms(reach=ALLOTMENT * 0.1, floor=0.05),
}

#: Each time that the vendor finds the account too fast it goes at this part of its pace, and never at less than this of
#: its limit; `zenhire.pace_now` tells how it wins that back.
PACE_AFTER_TOO_FAST = 0.7
PACE_MIN = 0.1

RETRY_AFTER_MAX = timedelta(hours=1)

#: A few megabytes can hold millions of empty lists, which take gigabytes and half a minute to read.
JSON_VALUES_MAX = 250_000

#: An unopened link dies after this (contract §7); the reply's `expires_in` says the same.
LINK_LIFETIME = timedelta(days=7)

#: The same bad answer for this many different invites, no success between, is the account's trouble.
STREAK_THAT_STOPS = 5

PROBE_FIRST = timedelta(seconds=5)
PROBE_MAX = timedelta(minutes=5)
#: Where looks are stopped as well: outcomes of the time in which the vendor was away are to be known soon after it.
PROBE_MAX_OF_EVERYTHING = timedelta(minutes=1)


def has_too_many_values(json_text: bytes) -> bool:
    """Whether reading this JSON would cost more than any answer is worth; an estimate, at the price of a glance."""
    return sum(json_text.count(mark) for mark in (b",", b"[", b"{")) > JSON_VALUES_MAX


def slot_interval(requests_per_minute: int) -> timedelta:
    """The distance between two request slots of an account."""
    return timedelta(seconds=60 / (requests_per_minute * BUDGET_SHARE))


def back_off(failures: int, *, base: timedelta, ceiling: timedelta, jitter: float) -> timedelta:
    """
    Doubling delays: `failures` counts from 1, `jitter` lies in [0, 1).

    The jitter is taken off below the ceiling, so that what is capped together does not stay in step.
    """
    doubled = base * 2.0 ** min(max(failures - 1, 0), 32)
    return min(doubled, ceiling) * (1 - 0.25 * jitter)
