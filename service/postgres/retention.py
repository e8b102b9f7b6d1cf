"""What is forgotten after a while: counts, runs and replicas of long ago, and invites that nothing more can come of."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.postgres.engine import transaction

AT_ONCE = 1000  #: rows of one statement: none may take long
INVITES_AT_ONCE = 100  #: each with its sessions and its history

FORGET_COUNTS = text("""
delete from zenhire.request_counts
where ctid = any (array(select ctid from zenhire.request_counts
                        where minute < (select zenhire.clock()) - :kept limit :limit))
""")

FORGET_RUNS = text("""
delete from zenhire.verify_runs
where id in (select id from zenhire.verify_runs where started_at < (select zenhire.clock()) - :kept limit :limit)
""")

#: Gone, or silent for so long: nothing can be its own any more.
FORGET_REPLICAS = text("""
delete from zenhire.replicas
where id in (select id from zenhire.replicas where last_tick_at < (select zenhire.clock()) - :kept limit :limit)
""")


FORGET_INVITES = text("select zenhire.forget_invites(:kept, :limit)")


class Retention:
    """Keeps what has no end from growing for ever. Any number of replicas may do so side by side."""

    def __init__(self, engine: AsyncEngine, *, checks: timedelta, outcomes: timedelta | None) -> None:
        """
        `checks`: how long counts of requests, runs of verify and rows of replicas are kept. `outcomes`: how long what
        is known of a final invite is; None: for ever.
        """
        self._engine = engine
        self._checks = checks
        self._outcomes = outcomes

    async def forget(self) -> bool:
        """Delete and erase what is older; whether there are more invites to erase, which may be asked for soon."""
        for statement in (FORGET_COUNTS, FORGET_RUNS, FORGET_REPLICAS):
            given = {"kept": self._checks, "limit": AT_ONCE}
            forgotten = AT_ONCE
            while forgotten == AT_ONCE:
                async with transaction(self._engine) as connection:
                    forgotten = (await connection.execute(statement, given)).rowcount
        return self._outcomes is not None and await self._forget_invites(self._outcomes)

    async def _forget_invites(self, kept: timedelta) -> bool:
        """A few, not all: where the setting is new there may be years of them, and the heartbeat must not wait."""
        given = {"kept": kept, "limit": INVITES_AT_ONCE}
        async with transaction(self._engine) as connection:
            forgotten: int = (await connection.execute(FORGET_INVITES, given)).scalar_one()
        return forgotten == INVITES_AT_ONCE
