"""What is known of accounts, as a person asks for it."""

from dataclasses import dataclass
from datetime import datetime

from service.operate.snapshot import Snapshot
from service.operate.words import safe

#: An account of waiting invites that no replica has ever had a key for has no row of its own.
_ACCOUNTS = """
with known as (
    select account from zenhire.account_state
    union
    select account from zenhire.candidate_invites
    where status in ('pending', 'starting', 'link_ready', 'in_progress', 'needs_review')
)
select account, coalesce(a.key_present, false) as key_present,
       a.paused_at, a.paused_by, a.pause_reason,
       a.stop_code, a.stop_message, a.stop_scope, a.stopped_at, coalesce(a.needs_person, false) as needs_person,
       case when a.stop_code is not null and not a.needs_person then a.probe_at end as probe_at,
       a.last_look_at, a.last_link_at,
       case when b.paused_until > %(now)s then b.paused_until end as waits_until
from known
left join zenhire.account_state a using (account)
left join zenhire.request_budget b using (account)
where account = %(account)s or %(account)s::text is null
order by account
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account: whether it works, and if not, since when and why."""

    account: str
    key_present: bool
    paused_at: datetime | None
    paused_by: str | None
    pause_reason: str | None
    stop_code: str | None
    stop_message: str | None
    stop_scope: str | None
    stopped_at: datetime | None
    needs_person: bool
    probe_at: datetime | None
    last_look_at: datetime | None
    last_link_at: datetime | None
    waits_until: datetime | None  #: the vendor asked to wait

    @property
    def works(self) -> bool:
        return self.key_present and self.paused_at is None and self.stop_code is None

    @property
    def looks(self) -> bool:
        """Whether sessions are looked at: a pause and a stop of starts leave that alone."""
        return self.key_present and (self.stop_code is None or self.stop_scope == "starts")


def read_accounts(seen: Snapshot, account: str | None = None) -> tuple[Account, ...]:
    """All accounts, or the one."""
    found = []
    for row in seen.rows(_ACCOUNTS, account=account):
        row |= {name: safe(row[name]) for name in ("paused_by", "pause_reason", "stop_message")}
        found.append(Account(**row))
    return tuple(found)
