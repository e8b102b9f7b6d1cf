"""The server that the demo and the tests run on leaves nothing behind, however its owner ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from sandbox.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from sandbox.postgres_binaries import NoPostgresProgramsError, find_binaries, find_bundled_binaries, find_psql
from tests.support.postgres import VARIABLE
from tests.support.waiting import eventually

OWNER = """
import sys
from sandbox.embedded_postgres import EmbeddedPostgres
with EmbeddedPostgres(durable=False) as postgres:
    print(postgres.directory, postgres.url(), flush=True)
    sys.stdin.read()
"""


@contextmanager
def owner_process() -> Iterator[tuple[subprocess.Popen[str], Path, str]]:
    process = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        directory, url = process.stdout.readline().split()
        yield process, Path(directory), url
        process.kill()


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_stays_behind_when_the_owner_is_ended_by_a_signal(number: signal.Signals) -> None:
    with owner_process() as (process, directory, url):
        assert answers(url)
        assert directory.is_dir()
        process.send_signal(number)
        eventually(lambda: not directory.exists(), within=15)
        assert not answers(url)


def test_what_was_committed_survives_a_crash_and_the_address_stays() -> None:
    with EmbeddedPostgres(durable=False) as postgres:
        with psycopg.connect(postgres.url()) as connection:
            connection.execute("create table kept (id int)")
        postgres.crash()
        assert not answers(postgres.url())
        postgres.restart()
        with psycopg.connect(postgres.url()) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_a_second_close_is_harmless_and_the_server_is_not_usable_after_it() -> None:
    with EmbeddedPostgres(durable=False) as postgres:
        directory = postgres.directory
    postgres.close()
    assert not directory.exists()
    with pytest.raises(EmbeddedPostgresError, match="not running"):
        postgres.restart()


def test_a_password_is_needed_over_tcp() -> None:
    with EmbeddedPostgres(durable=False) as postgres:
        without = f"postgresql://postgres@127.0.0.1:{postgres.port}/postgres"
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(without)


def test_psql_is_one_that_runs() -> None:
    said = subprocess.run([find_psql(find_binaries()), "--version"], capture_output=True, text=True, check=True)
    assert "psql (PostgreSQL)" in said.stdout


def test_programs_that_the_server_account_cannot_reach_are_copied(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root lends the server to another account")
    hidden = tmp_path / "hidden"
    copy = find_bundled_binaries().copied_to(hidden)
    hidden.chmod(0o700)
    with EmbeddedPostgres(durable=False, binaries=copy) as postgres:
        assert answers(postgres.url())


def test_the_lack_of_programs_names_what_to_install() -> None:
    assert "pip install 'zenhire-sync[demo]'" in str(NoPostgresProgramsError())


def test_an_unknown_wish_for_a_server_is_refused_by_name() -> None:
    environment = {**os.environ, VARIABLE: "sqlite"}
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0", __file__],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "TEST_POSTGRES is 'sqlite'; allowed is container, local, or postgresql://" in said.stderr + said.stdout
