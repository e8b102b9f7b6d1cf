"""What the report shows, read in one snapshot. It reads every invite of its time, so it costs more than a view."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from service.operate.snapshot import Snapshot
from service.operate.status_facts import Status, read_status

USAGE_PERIOD = timedelta(hours=48)
HOUR, DAY = 3600, 86400
#: Where the spans from a link to what came of it are parted, in seconds: a link lives for seven days (contract.md §5).
SPAN_EDGES = (HOUR, 4 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, 5 * DAY, 7 * DAY)

_FUNNEL = """
select i.account, coalesce(i.role_name || ' (' || i.language || ')', 'persona ' || i.persona_id) as persona,
       count(*) as invites,
       count(*) filter (where i.link_number > 0) as links,
       count(*) filter (where i.interview_started_at is not null or i.status = 'completed') as begun,
       count(*) filter (where i.status = 'completed') as completed,
       count(*) filter (where i.status = 'failed') as failed,
       count(*) filter (where i.status = 'expired') as expired,
       count(*) filter (where i.status in ('cancelled', 'refused')) as called_off,
       count(*) filter (where i.status = 'needs_review') as needs_review
from zenhire.invites i
where i.created_at > %(since)s
group by 1, 2 order by invites desc, 1, 2
"""

#: The newest link of each invite: when its interview began, and when it was completed, from when the link was here.
_SPANS: LiteralString = """
with spans as (
    -- the other way round than a lag: the vendor's clock tells the end
    select s.account, p.what, zenhire.lag_seconds(p.at, s.answered_at, -a.vendor_ahead) as seconds
    from zenhire.posts s
    join zenhire.invites i on i.id = s.invite_id
    left join zenhire.accounts a on a.account = s.account
    cross join lateral (values ('begun', s.interview_started_at), ('completed', s.completed_at)) p (what, at)
    where s.state = 'published' and s.current and s.answered_at is not null and p.at is not null
      and i.created_at > %(since)s
)
"""

_SPAN_COUNTS: LiteralString = f"""{_SPANS}
select what, width_bucket(seconds, %(edges)s::double precision[]) as bucket, count(*) as count
from spans group by what, bucket order by what, bucket
"""

_SPAN_MEDIANS: LiteralString = f"""{_SPANS}
select what, account, percentile_cont(0.5) within group (order by seconds) as median,
       percentile_cont(0.9) within group (order by seconds) as p90
from spans group by grouping sets ((what), (what, account)) order by what, account
"""

_LAGS = """
with seen as (
    select i.account, date_trunc('day', i.status_changed_at, 'UTC') as day,
           zenhire.lag_seconds(i.status_changed_at, i.interview_completed_at, a.vendor_ahead) as lag
    from zenhire.invites i
    left join zenhire.accounts a on a.account = i.account
    where i.status = 'completed' and i.status_changed_at > %(since)s and i.interview_completed_at is not null
)
select day, account, count(*) as outcomes,
       percentile_cont(0.5) within group (order by lag) as p50,
       percentile_cont(0.95) within group (order by lag) as p95,
       percentile_cont(0.99) within group (order by lag) as p99
from seen group by grouping sets ((day), (account), ()) order by day, account
"""

_USAGE = """
select date_trunc('hour', minute, 'UTC') as hour, sum(for_outcomes)::bigint as outcomes,
       sum(for_starts)::bigint as starts, sum(for_artifacts)::bigint as artifacts, sum(for_nets)::bigint as nets,
       sum(sent)::bigint as sent, sum(too_fast)::bigint as too_fast, sum(unanswered)::bigint as unanswered
from zenhire.request_usage where minute > %(since)s group by 1 order by 1
"""

_LIMITS = """
select a.account, zenhire.limit_of(a.account) as per_minute, u.sent, u.fullest
from zenhire.accounts a
left join (select account, sum(sent)::bigint as sent, max(sent) as fullest from zenhire.request_usage
           where minute > %(since)s group by account) u using (account)
where a.key_present or u.sent > 0
order by a.account
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """What became of some invites. Each of the first four is a part of the one before."""

    invites: int
    links: int
    begun: int
    completed: int
    failed: int
    expired: int
    called_off: int
    needs_review: int

    @property
    def open(self) -> int:
        """Not at their end yet, and in nobody's hands but the service's, the vendor's or the candidate's."""
        return self.invites - self.completed - self.failed - self.expired - self.called_off - self.needs_review


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaFunnel:
    account: str
    persona: str
    funnel: Funnel


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """How long something took from when the link was made; all in seconds."""

    counts: tuple[int, ...]  #: by `SPAN_EDGES`: one more than there are edges
    median: float | None
    p90: float | None
    median_by_account: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """From the vendor's `completed_at` to our commit, in seconds; the vendor's clock is known by its `Date` header."""

    outcomes: int
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Requests of one hour."""

    hour: datetime
    outcomes: int
    starts: int
    artifacts: int
    nets: int
    sent: int
    too_fast: int
    unanswered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUsage:
    account: str
    per_minute: int  #: the limit
    sent: int
    fullest: int  #: requests in the fullest minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that the page shows."""

    at: datetime
    since: datetime
    status: Status
    personas: tuple[PersonaFunnel, ...]
    begun: Spans
    completed: Spans
    lag: Lag | None
    lag_by_account: dict[str, Lag]
    lag_by_day: dict[datetime, Lag]
    usage_since: datetime
    usage: tuple[Usage, ...]
    accounts: tuple[AccountUsage, ...]

    @property
    def all_invites(self) -> Funnel:
        return together(one.funnel for one in self.personas)


def together(funnels: Iterable[Funnel]) -> Funnel:
    """Their sum."""
    totals = dict.fromkeys(Funnel.__slots__, 0)
    for funnel in funnels:
        for name in totals:
            totals[name] += getattr(funnel, name)
    return Funnel(**totals)


def read_report(seen: Snapshot, period: timedelta) -> Report:
    since, usage_since = seen.now - period, seen.now - USAGE_PERIOD
    lags = seen.rows(_LAGS, since=since)
    return Report(
        at=seen.now,
        since=since,
        status=read_status(seen),
        personas=tuple(_persona(row) for row in seen.rows(_FUNNEL, since=since)),
        **_read_spans(seen, since),
        lag=next(
            (_lag(row) for row in lags if row["outcomes"] and row["day"] is None and row["account"] is None), None
        ),
        lag_by_account={row["account"]: _lag(row) for row in lags if row["account"] is not None},
        lag_by_day={row["day"]: _lag(row) for row in lags if row["day"] is not None},
        usage_since=usage_since,
        usage=tuple(Usage(**row) for row in seen.rows(_USAGE, since=usage_since)),
        accounts=tuple(_account(row) for row in seen.rows(_LIMITS, since=usage_since)),
    )


def _persona(row: dict[str, Any]) -> PersonaFunnel:
    counts = {name: row[name] for name in Funnel.__slots__}
    return PersonaFunnel(account=row["account"], persona=row["persona"], funnel=Funnel(**counts))


def _read_spans(seen: Snapshot, since: datetime) -> dict[str, Spans]:
    counted = seen.rows(_SPAN_COUNTS, since=since, edges=list(map(float, SPAN_EDGES)))
    medians = seen.rows(_SPAN_MEDIANS, since=since)
    return {what: _spans(what, counted, medians) for what in ("begun", "completed")}


def _spans(what: str, counted: list[dict[str, Any]], medians: list[dict[str, Any]]) -> Spans:
    counts = {row["bucket"]: row["count"] for row in counted if row["what"] == what}
    mine = {row["account"]: row for row in medians if row["what"] == what}
    total = mine.pop(None, {"median": None, "p90": None})
    return Spans(
        counts=tuple(counts.get(bucket, 0) for bucket in range(len(SPAN_EDGES) + 1)),
        median=total["median"],
        p90=total["p90"],
        median_by_account={account: row["median"] for account, row in mine.items()},
    )


def _lag(row: dict[str, Any]) -> Lag:
    return Lag(outcomes=row["outcomes"], p50=row["p50"], p95=row["p95"], p99=row["p99"])


def _account(row: dict[str, Any]) -> AccountUsage:
    return AccountUsage(
        account=row["account"], per_minute=row["per_minute"], sent=row["sent"] or 0, fullest=row["fullest"] or 0
    )
