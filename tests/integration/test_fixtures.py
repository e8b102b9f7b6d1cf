"""The fixtures themselves: what every other test with a database rests on."""

import socket
from datetime import UTC, datetime

import psycopg
import pytest

from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.loopback import ReachedOutsideError
from tests.support.waiting import NeverHappenedError, eventually, eventually_async


def test_a_database_is_migrated_and_empty(database: Database) -> None:
    assert database.fetch_value("select count(*) from zenhire.candidate_invites") == 0
    invite_id = insert_invite(database)
    assert database.fetch_value("select id from zenhire.candidate_invites") == invite_id


def test_an_invite_of_another_test_is_not_here(database: Database) -> None:
    assert database.fetch("select id from zenhire.candidate_invites") == []


def test_an_empty_database_has_no_schema_of_ours(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("select to_regnamespace('zenhire')").fetchone() == (None,)


def test_the_clock_can_be_stopped_and_runs_on(database: Database) -> None:
    moment = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    database.stop_clock(moment)
    assert database.fetch_value("select zenhire.clock()") == moment
    database.run_clock()
    assert database.fetch_value("select zenhire.clock() = now()") is False


def test_a_condition_that_never_holds_says_what_was_seen_last() -> None:
    with pytest.raises(NeverHappenedError, match="seen last: 0"):
        eventually(lambda: 0, within=0.05)


async def test_a_condition_may_be_awaited() -> None:
    async def seven() -> int:
        return 7

    assert await eventually_async(seven, within=1) == 7


def test_another_machine_cannot_be_reached() -> None:
    with pytest.raises(ReachedOutsideError, match=r"192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
