"""`zenhire-sync doctor`: what was tried, what was found, what to do; it creates nothing and tells no secret."""

import json
import re
from typing import Any

from sandbox.running import RunningSandbox, running_sandbox
from tests.acceptance.test_service import FAST, a_fast_vendor, service
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.processes import run_to_end
from tests.support.replica import statuses
from tests.support.waiting import eventually


def environment(database: Database, sandbox: RunningSandbox, **over: str) -> dict[str, str]:
    env = FAST | {"DATABASE_URL": database.url, "ZENHIRE_API_KEY": sandbox.key, "ZENHIRE_BASE_URL": sandbox.base_url}
    return env | over


def diagnosis(env: dict[str, str]) -> tuple[int, dict[str, Any]]:
    ended = run_to_end("doctor", "--json", env=env)
    return ended.returncode, json.loads(ended.stdout)


def marks(found: dict[str, Any]) -> dict[str, str]:
    return {check["what"]: check["mark"] for check in found["checks"]}


def everything(database: Database) -> list[int]:
    tables = ("candidate_invites", "interview_sessions", "account_state", "request_budget", "replicas", "invite_events")
    return [database.fetch_value(f"select count(*) from zenhire.{table}") for table in tables]


def test_before_the_first_start_it_says_what_is_right_and_creates_nothing(database: Database) -> None:
    with running_sandbox() as sandbox:
        before = everything(database)
        code, found = diagnosis(environment(database, sandbox))
        assert code == 0
        assert marks(found) == {
            "settings": "ok",
            "database": "ok",
            "schema": "ok",
            "service": "warning",
            "attention": "ok",
            "key of default": "ok",
            "sessions of default": "ok",
        }
        assert everything(database) == before
        truth = sandbox.platform.truth()
        assert (len(truth.sessions), sum(truth.answers.values())) == (0, 2)
    assert {one["seen"] for one in found["assumptions"]} == {""}
    assert len(found["assumptions"]) == len({one["topic"] for one in found["assumptions"]}) == 28


def test_after_some_work_it_says_what_was_seen_live(database: Database) -> None:
    with running_sandbox(profile=a_fast_vendor()) as sandbox:
        with service(database.url, sandbox) as running:
            insert_invite(database, metadata={"sandbox_plan": "completed"})
            eventually(lambda: statuses(database) == {"completed": 1}, within=60)
            eventually(lambda: database.fetch("select from zenhire.transcripts"), within=60)
            assert running.terminate() == 0
        shown = run_to_end("doctor", env=environment(database, sandbox))
    assert shown.returncode == 0
    assert "credits of default" in shown.stdout
    assert re.search(r"credits of default +[\d,]+ left", shown.stdout)
    assert "seen live: default: honoured" in shown.stdout
    assert "seen live: 1 JSON, 0 other" in shown.stdout
    assert "0 found, 1 made" in shown.stdout
    assert "was the longest" in shown.stdout
    assert max(len(line) for line in shown.stdout.splitlines()) <= 80
    assert sandbox.key not in shown.stdout + shown.stderr


def test_a_key_that_is_refused_fails_with_what_to_do_and_is_not_shown(database: Database) -> None:
    with running_sandbox() as sandbox:
        wrong = "zh_api_" + "0" * 32
        shown = run_to_end("doctor", env=environment(database, sandbox, ZENHIRE_API_KEY=wrong))
    assert shown.returncode == 1
    assert "FAILED   key of default" in shown.stdout
    assert "is it the right key" in shown.stdout
    assert wrong not in shown.stdout + shown.stderr


def test_a_vendor_and_a_database_that_are_away_are_both_told(database: Database) -> None:
    with running_sandbox() as sandbox:
        env = environment(database, sandbox)
    away = env | {"DATABASE_URL": "postgresql://u:hidden@127.0.0.1:9/none"}
    code, found = diagnosis(away)
    assert code == 1
    assert (marks(found)["database"], marks(found)["key of default"]) == ("FAILED", "FAILED")
    assert "hidden" not in json.dumps(found)
    assert all(check["todo"] for check in found["checks"] if check["mark"] == "FAILED")


def test_wrong_settings_are_told_all_at_once() -> None:
    ended = run_to_end("doctor", env={"SYNC_CONCURRENCY": "many"})
    assert ended.returncode == 2
    assert "DATABASE_URL" in ended.stderr
    assert "SYNC_CONCURRENCY" in ended.stderr
