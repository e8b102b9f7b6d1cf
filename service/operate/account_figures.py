"""How an account does: how soon a change is seen and was seen, and how much of its request budget it uses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from service.operate.snapshot import Snapshot
from service.operate.words import counted

#: The minute before this one: the replicas' counts of it are in, but for those of its last seconds.
_FIGURES = """
select c.account, c.says as promise, c.seen_within, c.running, c.peak, c.pace, c.allowed, coalesce(u.sent, 0) as sent,
       coalesce(u.too_fast, 0) as too_fast, coalesce(l.outcomes, 0) as outcomes, l.p50_seconds, l.p95_seconds
from zenhire.capacity c
left join zenhire.outcome_lag l on l.account = c.account and l.period = 'last day'
left join zenhire.request_usage u
  on u.account = c.account and u.minute = date_trunc('minute', %(now)s - interval '1 minute')
order by c.account
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFigures:
    """What the views `capacity`, `outcome_lag` and `request_usage` say of one account."""

    account: str
    promise: str  #: how soon a change is seen, in words
    seen_within: timedelta
    running: int  #: interviews now
    peak: int  #: the most at once of the last day
    pace: Decimal  #: the part of the limit at which it goes now
    allowed: int  #: requests per minute
    sent: int  #: in the minute before this one
    too_fast: int  #: of these, answered with 429
    outcomes: int  #: of the last day
    p50_seconds: Decimal | None  #: within which half of them were known
    p95_seconds: Decimal | None


def read_figures(seen: Snapshot) -> tuple[AccountFigures, ...]:
    return tuple(AccountFigures(**row) for row in seen.rows(_FIGURES))


def in_sentences(figures: AccountFigures) -> Iterator[str]:
    yield figures.promise
    if figures.running or figures.peak:
        yield f"{counted(figures.running, 'interview')} now; {figures.peak:,} at once were the most in a day."
    if figures.p50_seconds is not None:
        known = f"half known within {figures.p50_seconds} s, 95 of 100 within {figures.p95_seconds} s"
        yield f"{counted(figures.outcomes, 'outcome')} in the last day: {known}."
    if figures.sent:
        slower = f"; it goes at {figures.pace:.0%} of it, after a 429" if figures.pace < 1 else ""
        yield f"{counted(figures.sent, 'request')} of {figures.allowed:,} in the last minute{slower}."
