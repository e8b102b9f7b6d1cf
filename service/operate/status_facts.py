"""How things stand, read in one snapshot. Nothing here costs more the more invites are finished."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, LiteralString
from uuid import UUID

from service.core.model import FINAL_STATUSES, InviteStatus
from service.operate.account_facts import Account, read_accounts
from service.operate.account_figures import AccountFigures, read_figures
from service.operate.snapshot import Snapshot
from service.operate.waits import WAIT_JOINS
from service.operate.words import plain, safe

COUNTED_MAX = 10_000  #: finished invites are counted one by one up to here
LATELY = timedelta(hours=1)
ATTENTION_SHOWN_MAX = 100
LIVE_WITHIN = timedelta(seconds=60)  #: as in the view `attention`
SILENT_SHOWN_FOR = timedelta(days=1)

_OPEN = """
select status, count(*) as invites, count(*) filter (where status_changed_at > %(since)s) as lately
from zenhire.candidate_invites
where status in ('pending', 'starting', 'link_ready', 'in_progress', 'needs_review')
group by status
"""

_FINISHED_UP_TO = """
select status, count(*) as invites
from (select status from zenhire.candidate_invites
      where status in ('completed', 'failed', 'expired', 'cancelled', 'refused') limit %(limit)s) finished
group by status
"""

#: What autovacuum noted last; no row is read.
_FINISHED_ABOUT = """
select share.status, round(share.part * c.reltuples)::bigint as invites
from pg_class c
join pg_stats s on s.schemaname = 'zenhire' and s.tablename = 'candidate_invites' and s.attname = 'status'
cross join unnest(s.most_common_vals::text::text[], s.most_common_freqs) as share (status, part)
where c.oid = 'zenhire.candidate_invites'::regclass and c.reltuples > 0
  and share.status in ('completed', 'failed', 'expired', 'cancelled', 'refused')
"""

_LOSSES = ("post_lost", "probe_lost", "review_needed")  #: each is the end of one post with an unknown result

#: The last events by their number, so that an hour with many of them costs no more than one with few.
_LATELY = """
with newest as materialized (
    select at, kind, to_status, invite_id from zenhire.invite_events order by id desc limit %(limit)s
)
select to_status, kind, grouping(to_status, kind) = 3 as is_total,
       count(distinct invite_id) filter (where at > %(hour_ago)s) as invites,
       count(*) filter (where at > %(hour_ago)s) as events, count(*) as read, min(at) as oldest
from newest group by grouping sets ((), (to_status), (kind))
"""

_WAITING: LiteralString = f"""
select 'pending' as what, i.account, w.reason, count(*) as count, min(greatest(i.created_at, i.start_after)) as since,
       min(w.next_at) as next_at,
       max(case w.reason when 'stopped' then a.stop_code when 'persona' then p.error_code end) as code
from zenhire.candidate_invites i {WAIT_JOINS}
where i.status = 'pending'
group by i.account, w.reason
union all
select 'starting', account, 'on_its_way', count(*), min(posted_at), null, null
from zenhire.interview_sessions where state = 'posting' group by account
union all
select 'starting', account, 'lost_post', count(*), min(answered_at), min(repost_at), max(error_code)
from zenhire.interview_sessions where repost_at is not null group by account
union all
select 'transcript', account, coalesce(last_collect, 'new'), count(*), min(completed_at), min(next_collect_at), null
from zenhire.interview_sessions where next_collect_at is not null group by account, coalesce(last_collect, 'new')
order by what, account, count desc
"""

_SESSIONS = """
select count(*) filter (where state <> 'orphan') as watched,
       count(*) filter (where state = 'orphan') as orphans_watched,
       count(*) filter (where next_look_at <= %(now)s) as looks_due, min(next_look_at) as next_look_at,
       (select count(*) from zenhire.interview_sessions where next_search_at is not null) as lost_posts_searched,
       (select min(next_search_at) from zenhire.interview_sessions where next_search_at is not null) as next_search_at
from zenhire.interview_sessions where next_look_at is not null
"""

#: Only what is due is leased, so the due rows tell all leases.
_REPLICAS = """
with held as (
    select post_id, lease_holder, lease_until from zenhire.interview_sessions where state = 'posting'
    union
    select post_id, lease_holder, lease_until from zenhire.interview_sessions where next_look_at <= %(now)s
    union
    select post_id, lease_holder, lease_until from zenhire.interview_sessions where next_collect_at <= %(now)s
    union
    select post_id, lease_holder, lease_until from zenhire.interview_sessions where next_search_at <= %(now)s
)
select r.id, r.host, r.pid, r.version, r.started_at, r.last_tick_at, r.last_tick_at > %(live_since)s as is_live,
       (select count(*) from held where lease_holder = r.id and lease_until > %(now)s) as leases
from zenhire.replicas r
where r.gone_at is null and r.last_tick_at > %(shown_since)s
order by r.started_at
"""

_LAST_TICK = "select max(last_tick_at) as last_tick_at from zenhire.replicas"

_ATTENTION = """
select since, what, account, invite_id, code, why, statement, count(*) over () as total
from zenhire.attention limit %(limit)s
"""


class Precision(StrEnum):
    """How well the finished invites are known."""

    EXACT = "exact"
    ESTIMATED = "estimated"  #: from the table's statistics
    AT_LEAST = "at_least"  #: more than were counted, and no statistics yet


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCount:
    invites: int
    lately: int  #: came to this status in the recent window


@dataclass(frozen=True, slots=True, kw_only=True)
class Invites:
    by_status: dict[InviteStatus, StatusCount]
    finished_precision: Precision
    lately_since: datetime

    @property
    def open(self) -> int:
        return sum(count.invites for status, count in self.by_status.items() if not status.is_final)

    @property
    def total(self) -> int:
        return sum(count.invites for count in self.by_status.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Some invites of one account that wait for the same thing."""

    what: str  #: pending, starting, transcript
    account: str
    reason: str
    count: int
    since: datetime | None
    next_at: datetime | None
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    watched: int
    orphans_watched: int
    looks_due: int
    next_look_at: datetime | None
    lost_posts_searched: int
    next_search_at: datetime | None
    posts_lost_lately: int
    orphans_recorded_lately: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    id: UUID
    host: str
    pid: int
    version: str
    started_at: datetime
    last_tick_at: datetime
    is_live: bool
    leases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """A row of the view `attention`."""

    since: datetime | None
    what: str
    account: str | None
    invite_id: UUID | None
    code: str | None
    why: str
    statement: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All that `status` shows."""

    at: datetime
    invites: Invites
    waiting: tuple[Waiting, ...]
    sessions: Sessions
    replicas: tuple[Replica, ...]
    last_tick_at: datetime | None
    accounts: tuple[Account, ...]
    figures: tuple[AccountFigures, ...]
    attention: tuple[Attention, ...]
    attention_count: int

    @property
    def all_right(self) -> bool:
        return self.attention_count == 0

    @property
    def is_served(self) -> bool:
        return any(replica.is_live for replica in self.replicas)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lately:
    since: datetime
    to_status: dict[str, int]
    by_kind: dict[str, int]


def read_status(seen: Snapshot) -> Status:
    lately = _read_lately(seen)
    needy = seen.rows(_ATTENTION, limit=ATTENTION_SHOWN_MAX)
    return Status(
        at=seen.now,
        invites=_read_invites(seen, lately),
        waiting=tuple(Waiting(**row) for row in seen.rows(_WAITING)),
        sessions=_read_sessions(seen, lately),
        replicas=_read_replicas(seen),
        last_tick_at=last_tick(seen),
        accounts=read_accounts(seen),
        figures=read_figures(seen),
        attention=tuple(_attention(row) for row in needy),
        attention_count=needy[0]["total"] if needy else 0,
    )


def last_tick(seen: Snapshot) -> datetime | None:
    """When any replica has ticked last, those that are gone included."""
    at: datetime | None = seen.rows(_LAST_TICK)[0]["last_tick_at"]
    return at


def _read_lately(seen: Snapshot) -> _Lately:
    hour_ago = seen.now - LATELY
    rows = seen.rows(_LATELY, hour_ago=hour_ago, limit=COUNTED_MAX)
    total = next(row for row in rows if row["is_total"])
    cut_short = total["read"] == COUNTED_MAX and total["oldest"] > hour_ago
    return _Lately(
        since=total["oldest"] if cut_short else hour_ago,
        to_status={row["to_status"]: row["invites"] for row in rows if row["to_status"]},
        by_kind={row["kind"]: row["events"] for row in rows if row["kind"]},
    )


def _read_invites(seen: Snapshot, lately: _Lately) -> Invites:
    counts = {row["status"]: row for row in seen.rows(_OPEN, since=lately.since)}
    finished, precision = _read_finished(seen)
    by_status = {}
    for status in InviteStatus:
        if status in FINAL_STATUSES:
            count = StatusCount(invites=finished.get(status, 0), lately=lately.to_status.get(status, 0))
        else:
            row = counts.get(status, {"invites": 0, "lately": 0})
            count = StatusCount(invites=row["invites"], lately=row["lately"])
        by_status[status] = count
    return Invites(by_status=by_status, finished_precision=precision, lately_since=lately.since)


def _read_finished(seen: Snapshot) -> tuple[dict[str, int], Precision]:
    rows = seen.rows(_FINISHED_UP_TO, limit=COUNTED_MAX + 1)
    counted = {row["status"]: row["invites"] for row in rows}
    if sum(counted.values()) <= COUNTED_MAX:
        return counted, Precision.EXACT
    estimated = {row["status"]: row["invites"] for row in seen.rows(_FINISHED_ABOUT)}
    if sum(estimated.values()) > COUNTED_MAX:
        return estimated, Precision.ESTIMATED
    return counted, Precision.AT_LEAST


def _read_sessions(seen: Snapshot, lately: _Lately) -> Sessions:
    return Sessions(
        **seen.rows(_SESSIONS)[0],
        posts_lost_lately=sum(lately.by_kind.get(kind, 0) for kind in _LOSSES),
        orphans_recorded_lately=lately.by_kind.get("orphan_recorded", 0),
    )


def _read_replicas(seen: Snapshot) -> tuple[Replica, ...]:
    rows = seen.rows(_REPLICAS, live_since=seen.now - LIVE_WITHIN, shown_since=seen.now - SILENT_SHOWN_FOR)
    return tuple(Replica(**row | {"host": plain(row["host"])}) for row in rows)


def _attention(row: dict[str, Any]) -> Attention:
    given = {name: value for name, value in row.items() if name != "total"}
    return Attention(**given | {"why": safe(row["why"])})
