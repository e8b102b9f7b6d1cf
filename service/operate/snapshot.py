"""One consistent look at the database for the commands that only look: read-only, short, on the database's clock."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row

CONNECT_TIMEOUT_SECONDS = 5

_BEGIN = """
    set transaction isolation level repeatable read, read only;
    set local lock_timeout = '5s';
    set local statement_timeout = '15s';
    set local idle_in_transaction_session_timeout = '15s';
    set local timezone = 'UTC'
"""


class Snapshot:
    """What stood in the database at `now`. Every query is handed `now`, so that all of them mean the same moment."""

    def __init__(self, connection: psycopg.Connection[DictRow]) -> None:
        self._connection = connection
        self.now: datetime = self._connection.execute("select zenhire.clock() as now").fetchall()[0]["now"]

    def rows(self, query: LiteralString, **given: Any) -> list[dict[str, Any]]:
        parameters: Mapping[str, Any] = {"now": self.now, **given}
        return self._connection.execute(query, parameters).fetchall()


@contextmanager
def snapshot(database_url: str, *, command: str) -> Iterator[Snapshot]:
    with psycopg.connect(
        database_url,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        application_name=f"zenhire-sync {command}",
        row_factory=dict_row,
    ) as connection:
        connection.execute(_BEGIN)
        yield Snapshot(connection)
