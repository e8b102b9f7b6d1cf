"""`zenhire-sync migrate`, as people and containers call it."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest


def migrate(database_url: str | None, *options: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "PG"))}
    if database_url is not None:
        environ["DATABASE_URL"] = database_url
    return subprocess.run(
        [sys.executable, "-m", "service", "migrate", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environ,
        cwd=cwd,
    )


def test_a_fresh_database_is_pending_then_migrated_then_at_the_head(empty_database_url: str, tmp_path: Path) -> None:
    pending = migrate(empty_database_url, "--check", cwd=tmp_path)
    assert (pending.returncode, pending.stderr) == (4, "")
    assert "run `zenhire-sync migrate`" in pending.stdout
    done = migrate(empty_database_url, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Schema zenhire was brought to 0001.\n", "")
    again = migrate(empty_database_url)
    assert (again.returncode, again.stdout) == (0, "Schema zenhire is at 0001, as this program needs it.\n")
    assert migrate(empty_database_url, "--check").returncode == 0


def test_the_sql_is_printed_without_a_database(tmp_path: Path) -> None:
    printed = migrate(None, "--print-sql", cwd=tmp_path)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout.startswith("BEGIN;")
    assert "create table zenhire.candidate_invites" in printed.stdout
    assert printed.stdout.rstrip().endswith("COMMIT;")


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_a_database_that_is_not_there_is_one_sentence_without_the_password(options: tuple[str, ...]) -> None:
    failed = migrate("postgresql://user:hush-hush@127.0.0.1:1/nothing", *options)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert len(failed.stderr.splitlines()) == 1
    assert "hush" not in failed.stderr


def test_a_schema_that_needs_a_newer_program_fails_with_a_sentence(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("update zenhire.alembic_version set version_num = '0099'")
        connection.execute("update zenhire.schema_info set oldest_program = '9.0'")
    for options in ((), ("--check",)):
        failed = migrate(database_url, *options)
        assert failed.returncode == 1
        assert "needs zenhire-sync 9.0 or newer" in failed.stdout + failed.stderr


def test_a_role_without_rights_is_told_so(empty_database_url: str) -> None:
    role = f"stranger_{os.getpid()}"
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(f"create role {role} login password 'hush'".encode())
        try:
            address = urlsplit(empty_database_url)
            place = address.netloc.rpartition("@")[2]
            failed = migrate(urlunsplit(address._replace(netloc=f"{role}:hush@{place}")))
        finally:
            connection.execute(f"drop role {role}".encode())
    assert failed.returncode == 1
    assert "permission denied for database" in failed.stderr
