"""`zenhire-sync healthcheck`: healthy is who ticked on this host within a minute, by the database's clock."""

import socket
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from service.cli.healthcheck import check
from service.cli.root import main
from tests.support.database import Database

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def register(database: Database, *, seconds_ago: int, host: str = "here", gone: bool = False) -> None:
    database.execute(
        """
        insert into zenhire.replicas (id, host, pid, version, settings, started_at, last_tick_at, gone_at)
        select %s, %s, 1, '0.1.0', '{}', now - interval '1 day', now - make_interval(secs => %s),
            case when %s then now end
        from zenhire.clock() as now
        """,
        [uuid4(), host, seconds_ago, gone],
    )


def test_a_replica_that_ticked_just_now_is_healthy(database: Database) -> None:
    database.stop_clock(NOW)
    register(database, seconds_ago=500)
    register(database, seconds_ago=3)

    healthy, sentence = check(database.url, host="here")

    assert healthy
    assert sentence == "the replica on this host (here) ticked 3 s ago"


def test_a_replica_that_has_not_ticked_for_over_a_minute_is_not(database: Database) -> None:
    database.stop_clock(NOW)
    register(database, seconds_ago=90)

    assert check(database.url, host="here") == (
        False,
        "the replica on this host (here) last ticked 90 s ago: see its log",
    )


@pytest.mark.parametrize(("host", "gone"), [("elsewhere", False), ("here", True)])
def test_replicas_of_other_hosts_and_gone_ones_do_not_count(database: Database, host: str, gone: bool) -> None:
    register(database, seconds_ago=1, host=host, gone=gone)

    healthy, sentence = check(database.url, host="here")

    assert not healthy
    assert sentence.startswith("no replica on this host (here) is registered")


def test_a_database_without_the_schema_is_unhealthy(empty_database_url: str) -> None:
    healthy, sentence = check(empty_database_url, host="here")

    assert not healthy
    assert "zenhire" in sentence


def test_the_command_looks_for_this_host_and_answers_with_its_code(
    database: Database,
    capsys: pytest.CaptureFixture[str],
) -> None:
    environ = {"DATABASE_URL": database.url}
    assert main(["healthcheck"], environ) == 1

    register(database, seconds_ago=1, host=socket.gethostname())
    assert main(["healthcheck"], environ) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(" s ago")
