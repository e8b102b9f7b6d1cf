"""Writes down what was counted: how the request budget is used, and how far the vendor's clock is off."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.limits import Used
from service.postgres.engine import execute

COUNT = text("""
insert into zenhire.request_counts as c (account, minute, share, sent, too_fast, unanswered)
select u.account, date_trunc('minute', zenhire.clock()), u.share, u.sent, u.too_fast, u.unanswered
from unnest(cast(:accounts as text[]), cast(:shares as text[]), cast(:sent as integer[]), cast(:too_fast as integer[]),
            cast(:unanswered as integer[])) u (account, share, sent, too_fast, unanswered)
order by u.account, u.share
on conflict (account, minute, share) do update set
    sent = c.sent + excluded.sent,
    too_fast = c.too_fast + excluded.too_fast,
    unanswered = c.unanswered + excluded.unanswered
""")

#: A clock that is watched to half a second is written when it is off by more than it was.
VENDOR_TIME = text("""
update zenhire.account_state a
set vendor_ahead = v.at - zenhire.clock()
from unnest(cast(:accounts as text[]), cast(:times as timestamptz[])) v (account, at)
where a.account = v.account
  and (a.vendor_ahead is null or abs(extract(epoch from v.at - zenhire.clock() - a.vendor_ahead)) > 1)
""")


class Usage:
    """The counts of all replicas, minute by minute."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def count(self, used: Sequence[tuple[str, Used]]) -> None:
        """Add what this replica has sent for each account."""
        if not used:
            return
        given = {
            "accounts": [account for account, _ in used],
            "shares": [one.share for _, one in used],
            "sent": [one.sent for _, one in used],
            "too_fast": [one.too_fast for _, one in used],
            "unanswered": [one.unanswered for _, one in used],
        }
        await execute(self._engine, COUNT, given)

    async def vendor_times(self, times: Sequence[tuple[str, datetime]]) -> None:
        """Note what the vendor's clock shows now."""
        if times:
            given = {"accounts": [account for account, _ in times], "times": [at for _, at in times]}
            await execute(self._engine, VENDOR_TIME, given)
