"""What is known of accounts, as a person asks for it."""

from dataclasses import dataclass
from datetime import datetime

from service.operate.snapshot import Snapshot
from service.operate.words import safe

_ACCOUNTS = """
select account, key_present, paused_at, paused_by, pause_reason, stop_code, stop_message, stop_scope, stopped_at,
       needs_person, probe_at, last_look_at, last_link_at, waits_until
from zenhire.accounts
where account = %(account)s or %(account)s::text is null
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
