"""The wire that tests cut breaks where it is told to: the commit is there, and nobody was told."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from tests.support.postgres_proxy import Aim, PostgresProxy, postgres_proxy


@pytest.fixture
def proxy(empty_database_url: str) -> Iterator[PostgresProxy]:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("create table seen (word text)")
    with postgres_proxy(empty_database_url) as running:
        yield running


def words(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [word for (word,) in connection.execute("select word from seen order by word")]


def say(connection: psycopg.Connection, word: str) -> None:
    connection.execute("insert into seen values (%s)", [word])


def test_it_lets_everything_through_until_it_is_told_otherwise(proxy: PostgresProxy, empty_database_url: str) -> None:
    with psycopg.connect(proxy.url) as connection:
        say(connection, "one")
    assert words(empty_database_url) == words(proxy.url) == ["one"]


def test_a_commit_happens_though_its_answer_is_lost(proxy: PostgresProxy, empty_database_url: str) -> None:
    with closing(psycopg.connect(proxy.url)) as connection:
        proxy.lose_answer(Aim(text="insert into seen", bound="two"))
        say(connection, "one")
        connection.commit()
        say(connection, "two")
        assert not proxy.answer_lost.is_set()
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
    assert proxy.answer_lost.is_set()
    assert words(empty_database_url) == ["one", "two"]
    assert words(proxy.url) == ["one", "two"], "later connections work"


def test_a_statement_is_known_by_the_name_that_it_was_prepared_under(
    proxy: PostgresProxy, empty_database_url: str
) -> None:
    with closing(psycopg.connect(proxy.url, prepare_threshold=1)) as connection:
        for word in ("a", "b", "c"):
            say(connection, word)
            connection.commit()
        proxy.lose_answer(Aim(text="insert into seen"))
        say(connection, "d")
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
    assert words(empty_database_url) == ["a", "b", "c", "d"]


def test_a_statement_that_touches_nothing_or_is_rolled_back_is_no_aim(
    proxy: PostgresProxy, empty_database_url: str
) -> None:
    with psycopg.connect(proxy.url) as connection:
        proxy.lose_answer(Aim(text="into seen"))
        connection.execute("insert into seen select 'none' where false")
        connection.commit()
        say(connection, "rolled back")
        connection.rollback()
        connection.execute("select 1")
        connection.commit()
    assert not proxy.answer_lost.is_set()
    assert words(empty_database_url) == []


def test_an_aim_may_wait_for_another_statement(proxy: PostgresProxy, empty_database_url: str) -> None:
    with closing(psycopg.connect(proxy.url)) as connection:
        proxy.lose_answer(Aim(text="insert into seen", after=Aim(text="pg_sleep(0)")))
        say(connection, "before")
        connection.commit()
        connection.execute("select pg_sleep(0)")
        say(connection, "after")
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
    assert words(empty_database_url) == ["after", "before"]


def test_a_cut_breaks_every_connection_and_no_later_one(proxy: PostgresProxy) -> None:
    with closing(psycopg.connect(proxy.url)) as first, closing(psycopg.connect(proxy.url)) as second:
        assert proxy.cut() == 2
        for connection in (first, second):
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
    assert words(proxy.url) == []
