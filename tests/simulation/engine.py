"""A replica's database: each transaction is a beat whose turn must come, and may be refused, cut, or not answered."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import ExecStatus
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


class _Transaction:
    """
    As much of an `AsyncConnection` as the service uses.

    A statement is done when it returns: no beat lies within a transaction, so nobody could do anything meanwhile. What
    a transaction says of itself goes out with its BEGIN, in one message: half of a run's time is messages.
    """

    def __init__(self, connection: Connection, begin: str) -> None:
        self._connection = connection
        self._driver: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        self._preamble: list[str] | None = [begin]

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        self._begin()
        return self._connection.execute(statement, parameters)

    async def exec_driver_sql(self, statement: str) -> None:
        if self._preamble is None:
            raise AssertionError(f"said after the transaction's first statement: {statement}")
        self._preamble.append(statement)

    def end(self, how: str) -> None:
        """COMMIT or ROLLBACK; nothing was begun where nothing was asked."""
        if self._preamble is None:
            self._send(how)

    def _begin(self) -> None:
        if self._preamble is not None:
            self._send("; ".join(self._preamble))
            self._preamble = None

    def _send(self, statements: str) -> None:
        result = self._driver.pgconn.exec_(statements.encode())
        if result.status not in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}:
            raise psycopg.errors.error_from_result(result)


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
        self._connection.invalidate()  # closed as it is: it may be lost, or in the middle of something
        self._engine.dispose()

    def must_be_there(self) -> None:
        """A connection that is really lost looks to replicas like a database that is away: the run says nothing."""
        if self._connection.invalidated or self._connection.connection.driver_connection.closed:  # type: ignore[union-attr]
            raise RuntimeError("the run's own connection to Postgres is gone")

    @contextmanager
    def transaction(self, now: datetime, who: str) -> Iterator[_Transaction]:
        """BEGIN comes with what time it is and whose the transaction is."""
        begin = f"begin; set local simulation.now = '{now.isoformat()}'; set local simulation.who = '{who}'"
        transaction = _Transaction(self._connection, begin)
        try:
            yield transaction
        except BaseException:
            transaction.end("rollback")
            raise
        transaction.end("commit")


class SteppedEngine:
    """Stands where a replica's `AsyncEngine` does: the service opens its transactions with `begin` and nothing else."""

    def __init__(self, world: World, replica: "SimulatedReplica", shared: Shared) -> None:
        self._world = world
        self._replica = replica
        self._shared = shared

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[_Transaction]:
        await self._world.park(self._replica, TRANSACTION)
        trouble = self._draw()
        if trouble is not None:
            self._world.happened(trouble)
            self._world.tell(self._replica.name, trouble)
        if trouble is Trouble.REFUSED:
            raise psycopg.OperationalError(trouble)
        with self._shared.transaction(self._world.now, self._replica.name) as transaction:
            yield transaction
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
