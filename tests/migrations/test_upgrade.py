"""Bringing a database to the head, from many processes at once, and saying how schema and program fit."""

import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from service.postgres import migrate
from service.postgres.migrate import MigrationFailed, SchemaKind, alembic_config, check, print_sql, upgrade
from tests.migrations.schema import definitions, other_objects
from tests.support.database import Database
from tests.support.invites import insert_invite

HEAD = "0001"


def test_an_empty_database_is_brought_to_the_head_once(empty_database_url: str) -> None:
    assert check(empty_database_url).kind is SchemaKind.MISSING
    assert upgrade(empty_database_url) is True
    assert upgrade(empty_database_url) is False
    state = check(empty_database_url)
    assert (state.kind, state.revision, state.may_run) == (SchemaKind.AT_HEAD, HEAD, True)


def test_nothing_is_made_outside_of_the_schema(empty_database_url: str) -> None:
    before = other_objects(empty_database_url)
    upgrade(empty_database_url)
    assert other_objects(empty_database_url) == before
    assert "relation zenhire.alembic_version" in definitions(empty_database_url)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_both_forms_of_the_url_work(database_url: str, scheme: str) -> None:
    assert check(database_url.replace("postgresql", scheme, 1)).kind is SchemaKind.AT_HEAD


def test_ten_containers_may_start_at_once(empty_database_url: str) -> None:
    program = "import sys; from service.postgres.migrate import upgrade; print(upgrade(sys.argv[1]))"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, empty_database_url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(10)
    ]
    outcomes = [process.communicate(timeout=60) for process in started]
    assert [stderr for _, stderr in outcomes] == [""] * 10
    assert sorted(stdout.strip() for stdout, _ in outcomes) == ["False"] * 9 + ["True"]
    assert check(empty_database_url).kind is SchemaKind.AT_HEAD


def test_at_the_head_nothing_is_locked_and_nobody_waited_for(database_url: str) -> None:
    with psycopg.connect(database_url) as other:
        other.execute("select pg_advisory_lock(hashtextextended('zenhire.alembic_version', 0))")
        other.execute("lock table zenhire.candidate_invites in access exclusive mode")
        assert upgrade(database_url) is False


def test_the_lock_is_released_also_when_the_migration_fails(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("create schema zenhire create table replicas (mine int)")
    with pytest.raises(MigrationFailed, match='relation "replicas" already exists'):
        upgrade(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        locks = connection.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone()
        connection.execute("drop schema zenhire cascade")
    assert locks == (0,)
    assert upgrade(empty_database_url) is True


def test_a_newer_schema_that_lets_this_program_run_is_left_alone(database_url: str) -> None:
    set_revision(database_url, "0099", oldest_program="0.1.0")
    state = check(database_url)
    assert (state.kind, state.may_run, state.is_pending) == (SchemaKind.NEWER, True, False)
    assert upgrade(database_url) is False


@pytest.mark.parametrize("oldest_program", ["0.1.1", "0.10", "1.0.0", "99"])
def test_a_schema_that_needs_a_newer_program_is_refused(database_url: str, oldest_program: str) -> None:
    set_revision(database_url, "0099", oldest_program=oldest_program)
    state = check(database_url)
    assert (state.kind, state.may_run) == (SchemaKind.PROGRAM_TOO_OLD, False)
    assert f"needs zenhire-sync {oldest_program} or newer" in state.sentence
    with pytest.raises(MigrationFailed, match="install a newer release"):
        upgrade(database_url)


@pytest.mark.parametrize("oldest_program", ["0.0.9", "0.1", "0.1.0", "0.1.0rc1", "0"])
def test_versions_are_compared_as_versions(database_url: str, oldest_program: str) -> None:
    set_revision(database_url, "0099", oldest_program=oldest_program)
    assert check(database_url).kind is SchemaKind.NEWER


def test_an_empty_version_table_counts_as_no_schema(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("delete from zenhire.alembic_version")
    assert check(database_url).kind is SchemaKind.MISSING


def test_the_next_release_finds_the_schema_behind_and_this_one_finds_it_newer(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as next_release:
        directory = tmp_path / "migrations"
        shutil.copytree(migrate.migrations_directory(), directory)
        next_release.setattr(migrate, "migrations_directory", lambda: directory)
        command.revision(alembic_config(), message="a table", rev_id="0002")
        (written,) = (directory / "versions").glob("0002*.py")
        text = written.read_text()
        assert "The rules of a rolling deploy" in text
        written.write_text(text.replace("op.execute()", 'op.execute("create table zenhire.extra ()")', 1))
        state = check(database_url)
        assert (state.kind, state.is_pending, state.may_run) == (SchemaKind.BEHIND, True, False)
        assert upgrade(database_url) is True
        assert check(database_url).kind is SchemaKind.AT_HEAD
    assert check(database_url).kind is SchemaKind.NEWER


def test_the_printed_sql_gives_the_same_schema(empty_database_url: str, database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(print_sql().encode())
    assert definitions(empty_database_url) == definitions(database_url)
    assert check(empty_database_url).kind is SchemaKind.AT_HEAD


def test_going_back_drops_the_schema_where_nothing_is_in_it(database_url: str) -> None:
    gone = downgrade(database_url)
    assert gone.returncode == 0, gone.stderr
    assert definitions(database_url) == {}
    assert upgrade(database_url) is True


def test_going_back_is_refused_while_invites_exist(database_url: str) -> None:
    insert_invite(Database(database_url))
    refused = downgrade(database_url)
    assert refused.returncode != 0
    assert "holds invites or sessions" in refused.stderr
    assert check(database_url).kind is SchemaKind.AT_HEAD


def test_a_bad_or_unreachable_database_is_one_sentence_without_a_password() -> None:
    for url in (
        "postgresql://user:hush-hush@127.0.0.1:1/nothing",
        "postgresql://user:hush-hush@localhost:port/nothing",
        "postgresql://user:hush@hush-hush@localhost/nothing",
        "postgresql//user:hush-hush@localhost/nothing",
    ):
        with pytest.raises(MigrationFailed) as failed:
            check(url)
        assert "hush" not in str(failed.value)
        assert "\n" not in str(failed.value)


def test_the_migrations_are_found_without_the_working_directory(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert check(database_url).kind is SchemaKind.AT_HEAD
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


def set_revision(database_url: str, revision: str, *, oldest_program: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("update zenhire.alembic_version set version_num = %s", [revision])
        connection.execute("update zenhire.schema_info set oldest_program = %s", [oldest_program])


def downgrade(database_url: str) -> subprocess.CompletedProcess[str]:
    """As a developer does it, from anywhere."""
    settings = Path(__file__).parents[2] / "config" / "alembic.ini"
    return subprocess.run(
        [sys.executable, "-m", "alembic", "-c", settings, "-x", f"database_url={database_url}", "downgrade", "base"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
    )
