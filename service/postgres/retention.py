"""What is forgotten after a while: counts, runs and replicas of long ago. The history of invites is not among it."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.postgres.engine import transaction

AT_ONCE = 1000  #: rows of one statement: none may take long

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


class Retention:
    """Keeps what has no end from growing for ever. Any number of replicas may do so side by side."""

    def __init__(self, engine: AsyncEngine, *, checks: timedelta) -> None:
        """`checks`: how long counts of requests, runs of verify and rows of replicas are kept."""
        self._engine = engine
        self._checks = checks

    async def forget(self) -> None:
        """Delete all that is older, a few rows in each transaction."""
        for statement in (FORGET_COUNTS, FORGET_RUNS, FORGET_REPLICAS):
            given = {"kept": self._checks, "limit": AT_ONCE}
            forgotten = AT_ONCE
            while forgotten == AT_ONCE:
                async with transaction(self._engine) as connection:
                    forgotten = (await connection.execute(statement, given)).rowcount
