"""Connections: one pool per replica, always named, always with time limits; and what a lost connection is called."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import RowMapping, TextClause, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

#: A good neighbour in the ATS's database never holds a lock or a transaction for long. The triggers take what these
#: connections write for the service's own; said once for each connection, it costs no transaction a message.
SESSION_SETTINGS = """
set zenhire.writer = 'service';
set lock_timeout = '5s';
set statement_timeout = '15s';
set idle_in_transaction_session_timeout = '15s'
"""

#: A host that vanishes without a word is noticed within 20 s; the URL may say otherwise.
NETWORK_LIMITS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}


class DatabaseLost(Exception):
    """Postgres cannot be reached, or went away in the middle; whether the last COMMIT happened is unknown."""


def create_engine(database_url: str, *, connections: int, application_name: str) -> AsyncEngine:
    """Make a pool of `connections`; opens none."""
    engine = create_async_engine(
        "postgresql+psycopg://",
        async_creator=lambda: connect(database_url, application_name=application_name),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=10,
        hide_parameters=True,  # no link, no metadata in an error
    )
    event.listen(engine.sync_engine, "connect", _set_limits)
    return engine


async def connect(database_url: str, *, application_name: str) -> psycopg.AsyncConnection[Any]:
    """Open one connection by libpq's own reading of the URL, so that all its options work."""
    given = conninfo_to_dict(database_url)
    ours = {name: value for name, value in NETWORK_LIMITS.items() if name not in given}
    return await psycopg.AsyncConnection.connect(make_conninfo(database_url, application_name=application_name, **ours))


def _set_limits(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(SESSION_SETTINGS)
    cursor.close()
    connection.commit()


@contextmanager
def lost_connections() -> Iterator[None]:
    """Translate everything that means "the database cannot do it now" into `DatabaseLost`."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError, OSError) as error:
        raise DatabaseLost(_first_line(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated or _may_pass(error):
            raise DatabaseLost(_first_line(error)) from error
        raise


def _may_pass(error: DBAPIError) -> bool:
    """A standby that only reads, a deadlock, a server that is short of something: the same again may work."""
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return state.startswith(("08", "25", "40", "53", "55", "57", "58"))


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a short transaction."""
    with lost_connections():
        async with engine.begin() as connection:
            yield connection


@asynccontextmanager
async def one_moment(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a short transaction that only reads, and whose statements all see the same moment."""
    with lost_connections():
        async with engine.begin() as connection:
            await connection.exec_driver_sql("set transaction isolation level repeatable read, read only")
            yield connection


async def fetch(engine: AsyncEngine, statement: TextClause, parameters: Mapping[str, Any]) -> Sequence[RowMapping]:
    """Run one statement in a transaction of its own and return its rows."""
    async with transaction(engine) as connection:
        return (await connection.execute(statement, parameters)).mappings().all()


async def execute(engine: AsyncEngine, statement: TextClause, parameters: Mapping[str, Any]) -> None:
    """Run one statement that returns no rows in a transaction of its own."""
    async with transaction(engine) as connection:
        await connection.execute(statement, parameters)
