"""A replica's database: each transaction is a beat whose turn must come, and may be refused, cut, or not answered."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import Connection, CursorResult, Executable, create_engine

from service.postgres.engine import SESSION_SETTINGS
from tests.simulation.world import TRANSACTION, World

if TYPE_CHECKING:
    from tests.simulation.replica import SimulatedReplica


class Trouble(StrEnum):
    """What can go wrong with one transaction."""

    REFUSED = "database: connection refused"
    CUT = "database: connection cut before COMMIT"
    UNANSWERED = "database: COMMIT happened, its answer is lost"


class _Connection:
    """
    As much of an `AsyncConnection` as the service uses.

    A statement is done when it returns: no beat lies within a transaction, so nobody could do anything meanwhile.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> CursorResult[Any]:
        return self._connection.exec_driver_sql(statement, parameters)


class Shared:
    """The one connection of all replicas: their transactions come one after another."""

    def __init__(self, database_url: str) -> None:
        self._engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(database_url),
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
        )
        self._connection = self._engine.connect()
        self._connection.exec_driver_sql(SESSION_SETTINGS)

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    @contextmanager
    def transaction(self, now: datetime, who: str) -> Iterator[_Connection]:
        """BEGIN comes with what time it is and whose the transaction is: one message for the three."""
        begin = f"begin; set local simulation.now = '{now.isoformat()}'; set local simulation.who = '{who}'"
        self._connection.exec_driver_sql(begin)
        try:
            yield _Connection(self._connection)
        except BaseException:
            self._connection.exec_driver_sql("rollback")
            raise
        self._connection.exec_driver_sql("commit")


class SteppedEngine:
    """Stands where a replica's `AsyncEngine` does: the service opens its transactions with `begin` and nothing else."""

    def __init__(self, world: World, replica: "SimulatedReplica", shared: Shared) -> None:
        self._world = world
        self._replica = replica
        self._shared = shared

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[_Connection]:
        await self._world.park(self._replica, TRANSACTION)
        trouble = self._draw()
        if trouble is not None:
            self._world.happened(trouble)
            self._world.tell(self._replica.name, trouble)
        if trouble is Trouble.REFUSED:
            raise psycopg.OperationalError(trouble)
        with self._shared.transaction(self._world.now, self._replica.name) as connection:
            yield connection
            if trouble is Trouble.CUT:
                raise psycopg.OperationalError(trouble)
        self._world.tell_changes(self._replica.name)
        if trouble is Trouble.UNANSWERED:
            raise psycopg.OperationalError(trouble)

    def _draw(self) -> Trouble | None:
        scenario = self._world.scenario
        if not self._world.storm:
            return None
        roll = self._world.dice.random()
        for share, trouble in (
            (scenario.database_refused, Trouble.REFUSED),
            (scenario.database_cut, Trouble.CUT),
            (scenario.commit_unanswered, Trouble.UNANSWERED),
        ):
            if roll < share:
                return trouble
            roll -= share
        return None
