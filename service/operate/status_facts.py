"""How things stand, read in one snapshot from the views that psql has too."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from service.core.model import InviteStatus
from service.operate.account_facts import Account, read_accounts
from service.operate.account_figures import AccountFigures, read_figures
from service.operate.snapshot import Snapshot
from service.operate.words import plain, safe

LATELY = timedelta(hours=1)
ATTENTION_SHOWN_MAX = 100
LIVE_WITHIN = timedelta(seconds=60)  #: as in the view `attention`

_INVITES = "select status, invites, precision, last_hour, since from zenhire.invite_counts"

_WAITING = "select what, account, reason, count, since, next_at, code from zenhire.waits"

_SESSIONS = """
select coalesce(sum(watched), 0)::bigint as watched, coalesce(sum(orphans_watched), 0)::bigint as orphans_watched,
       coalesce(sum(looks_due), 0)::bigint as looks_due, min(next_look_at) as next_look_at,
       coalesce(sum(lost_posts_searched), 0)::bigint as lost_posts_searched, min(next_search_at) as next_search_at,
       coalesce(sum(posts_lost_lately), 0)::bigint as posts_lost_lately,
       coalesce(sum(orphans_recorded_lately), 0)::bigint as orphans_recorded_lately
from zenhire.session_counts
"""

_REPLICAS = """
select name::uuid as id, details ->> 'host' as host, (details ->> 'pid')::integer as pid,
       details ->> 'version' as version, (details ->> 'started_at')::timestamptz as started_at,
       (details ->> 'last_tick_at')::timestamptz as last_tick_at, state = 'running' as is_live,
       (details ->> 'rows_held')::bigint as leases
from zenhire.service_status where what = 'replica' and state <> 'gone' order by started_at
"""

_LAST_TICK = """
select (details ->> 'last_tick_at')::timestamptz as last_tick_at from zenhire.service_status where what = 'service'
"""

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


def read_status(seen: Snapshot) -> Status:
    needy = seen.rows(_ATTENTION, limit=ATTENTION_SHOWN_MAX)
    return Status(
        at=seen.now,
        invites=_read_invites(seen),
        waiting=tuple(Waiting(**row) for row in seen.rows(_WAITING)),
        sessions=Sessions(**seen.rows(_SESSIONS)[0]),
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


def _read_invites(seen: Snapshot) -> Invites:
    rows = {InviteStatus(row["status"]): row for row in seen.rows(_INVITES)}
    counts = {status: StatusCount(invites=row["invites"], lately=row["last_hour"]) for status, row in rows.items()}
    a_final_one = rows[InviteStatus.COMPLETED]
    return Invites(
        by_status=counts, finished_precision=Precision(a_final_one["precision"]), lately_since=a_final_one["since"]
    )


def _read_replicas(seen: Snapshot) -> tuple[Replica, ...]:
    return tuple(Replica(**row | {"host": plain(row["host"])}) for row in seen.rows(_REPLICAS))


def _attention(row: dict[str, Any]) -> Attention:
    given = {name: value for name, value in row.items() if name != "total"}
    return Attention(**given | {"why": safe(row["why"])})
