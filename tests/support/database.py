"""A plain window into a test's database, past all code of the service."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

Parameters = Sequence[Any] | Mapping[str, Any]
Row = dict[str, Any]


class Database:
    """Each call is a transaction and a connection of its own, so nothing is held between two looks."""

    def __init__(self, url: str) -> None:
        self.url = url

    def fetch(self, query: LiteralString, parameters: Parameters = ()) -> list[Row]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query, parameters or None).fetchall()

    def fetch_one(self, query: LiteralString, parameters: Parameters = ()) -> Row:
        rows = self.fetch(query, parameters)
        assert len(rows) == 1, f"expected one row, found {len(rows)}"
        return rows[0]

    def fetch_value(self, query: LiteralString, parameters: Parameters = ()) -> Any:
        (value,) = self.fetch_one(query, parameters).values()
        return value

    def execute(self, statements: LiteralString, parameters: Parameters = ()) -> int:
        """Run without reading rows; how many were touched. Without parameters it may be several statements."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(statements, parameters or None).rowcount

    def stop_clock(self, at: datetime) -> None:
        """`zenhire.clock()` says `at` from now on."""
        self._replace_clock(psycopg.sql.SQL("select {}::timestamptz").format(at.isoformat()))

    def run_clock(self) -> None:
        """`zenhire.clock()` tells the real time again."""
        self._replace_clock(psycopg.sql.SQL("select clock_timestamp()"))

    def _replace_clock(self, body: psycopg.sql.Composable) -> None:
        with psycopg.connect(self.url) as connection:
            text = body.as_string(connection)
            head = "create or replace function zenhire.clock() returns timestamptz language sql volatile as {}"
            connection.execute(psycopg.sql.SQL(head).format(text))


class OftenRead(Database):
    """For those who look several times a second: reads by one connection, opened again when the server went away."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._turn = threading.Lock()
        self._connection: psycopg.Connection[Row] | None = None

    def fetch(self, query: LiteralString, parameters: Parameters = ()) -> list[Row]:
        with self._turn:
            try:
                return self._open().execute(query, parameters or None).fetchall()
            except psycopg.OperationalError:  # a crashed server is only noticed when it is asked
                return self._open().execute(query, parameters or None).fetchall()

    def _open(self) -> psycopg.Connection[Row]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self.url, row_factory=dict_row, autocommit=True)
        return self._connection

    def close(self) -> None:
        with self._turn:
            if self._connection is not None:
                self._connection.close()
