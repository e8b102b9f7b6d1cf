"""The command line: exit codes, and one sentence instead of a traceback."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from service.cli.failures import sentence_for
from service.cli.root import COMMANDS, main

NOWHERE = "postgresql://sync:hunter2@127.0.0.1:1/ats"
ENVIRON = {"DATABASE_URL": NOWHERE}


def zenhire_sync(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


class TestProcesses:
    def test_wrong_settings_stop_the_service_with_code_2_and_every_problem(self) -> None:
        done = zenhire_sync("run", DATABASE_URL="mysql://u:hunter2@db/x", SYNC_WATCH_INTERVALL_SECONDS="10")

        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("zenhire-sync: 3 settings are wrong:\n")
        assert "did you mean SYNC_WATCH_INTERVAL_SECONDS?" in done.stderr
        assert "hunter2" not in done.stderr

    def test_an_unreachable_database_is_one_line_on_stderr_with_code_1(self, tmp_path: Path) -> None:
        file = tmp_path / "invites.csv"
        file.write_text("candidate_ref,persona_id,consent_mode\nc1,p1,explicit\n")

        done = zenhire_sync("invite", str(file), DATABASE_URL=NOWHERE)

        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            "zenhire-sync: no database at 127.0.0.1:1, database ats: Connection refused; "
            "check DATABASE_URL, and that Postgres runs and lets this host in\n"
        )

    def test_the_health_check_loads_neither_settings_nor_sqlalchemy(self) -> None:
        program = (
            "import sys; from service.cli.root import main; main(['healthcheck'], {'DATABASE_URL': sys.argv[1]});"
            "print(sorted({'pydantic', 'sqlalchemy', 'rich', 'httpx', 'structlog', 'alembic'} & sys.modules.keys()))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, NOWHERE], capture_output=True, text=True, timeout=30, check=True
        )

        assert done.stdout.splitlines()[-1] == "[]"

    def test_a_reader_that_leaves_early_is_no_error(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        program = [sys.executable, "-m", "service", "healthcheck"]
        done = subprocess.run(program, env=ENVIRON, stdout=writing, stderr=subprocess.PIPE, timeout=30, check=False)
        os.close(writing)

        assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"], {})

    assert left.value.code == 0
    assert f"zenhire-sync {name}" in capsys.readouterr().out


def test_the_help_lists_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"], {})

    text = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert name in text
        assert command.summary in text
    assert "exit codes:" in text


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"], {})

    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("zenhire-sync 0.")


@pytest.mark.parametrize(
    "arguments",
    [[], ["walk"], ["status", "--json", "--watch"], ["explain"], ["invite"], ["invite", "a.csv", "--format", "xml"]],
)
def test_wrong_usage_is_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments, ENVIRON)

    assert left.value.code == 2
    assert "usage: zenhire-sync" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["status"], ["explain", "x"], ["invite", "a.csv"], ["healthcheck"], ["migrate"]])
def test_a_command_for_the_database_asks_for_its_url_alone(
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(arguments, {}) == 2
    assert capsys.readouterr().err.startswith("zenhire-sync: one setting is wrong:\n  DATABASE_URL: is not set")


def test_the_health_check_says_why_it_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["healthcheck"], ENVIRON) == 1
    assert capsys.readouterr().out == "no answer from 127.0.0.1:1, database ats: Connection refused\n"


def test_a_file_that_is_not_there_is_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["invite", "gone.csv"], ENVIRON) == 2
    assert capsys.readouterr().err == "zenhire-sync: cannot read gone.csv: No such file or directory\n"


def test_a_file_whose_format_is_not_told_is_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["invite", "invites.txt"], ENVIRON) == 2
    assert "say --format csv or --format jsonl" in capsys.readouterr().err


def test_ctrl_c_is_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(import_module("service.cli.healthcheck"), "run", interrupted)

    assert main(["healthcheck"], ENVIRON) == 130


class TestSentences:
    @pytest.mark.parametrize(
        ("error", "next_step"),
        [
            (psycopg.errors.InvalidSchemaName('schema "zenhire" does not exist'), "run `zenhire-sync migrate`"),
            (psycopg.errors.UndefinedTable("no table"), "run `zenhire-sync migrate`"),
            (psycopg.errors.UndefinedColumn("no column"), "run `zenhire-sync migrate --check`"),
            (psycopg.errors.InsufficientPrivilege("denied"), "the database role lacks a right"),
            (psycopg.errors.QueryCanceled("timeout"), "took too long"),
        ],
    )
    def test_an_error_of_the_database_gets_its_next_step(self, error: psycopg.Error, next_step: str) -> None:
        assert next_step in sentence_for(error, ENVIRON)
        assert next_step in sentence_for(OperationalError("select", {}, error), ENVIRON)

    @pytest.mark.parametrize("wrapped", [True, False])
    def test_an_unreachable_database_is_named_without_its_password(self, wrapped: bool) -> None:
        lost = psycopg.OperationalError(f"connection failed: no route to {NOWHERE}\nmore")
        error = OperationalError("select 1", {}, lost) if wrapped else lost

        sentence = sentence_for(error, ENVIRON)

        assert sentence.startswith("no database at 127.0.0.1:1, database ats: no route to postgresql://sync:[hidden]@")
        assert sentence.endswith("check DATABASE_URL, and that Postgres runs and lets this host in")
        assert "\n" not in sentence

    def test_anything_else_is_one_line_that_says_how_to_learn_more(self) -> None:
        sentence = sentence_for(ValueError("bad zh_api_123456\nand more"), {})

        assert sentence == "failed: ValueError: bad [hidden]; SYNC_LOG_LEVEL=debug shows where"

    def test_the_traceback_is_shown_on_request_only_and_without_secrets(self) -> None:
        sentence = sentence_for(ValueError("bad zh_api_123456"), {"SYNC_LOG_LEVEL": "debug"})

        assert sentence == "ValueError: bad [hidden]\n"
