"""The examples of docs/integrating.md do what it says, with the rights of the ATS's role."""

import importlib.util
import re
import threading
from collections.abc import Mapping
from datetime import timedelta
from types import ModuleType
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sandbox.running import running_sandbox
from tests.acceptance.consuming import (
    check_a_late_commit_is_not_missed_and_not_seen_half,
    check_every_change_is_handled_once,
)
from tests.acceptance.test_service import a_fast_vendor, service
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.report import ROOT
from tests.support.stages import invite_at, move
from tests.support.waiting import eventually

DOCS = ROOT / "docs"
JOB = re.findall(r"<!-- sql: job -->\n```sql\n(.*?)```", (DOCS / "integrating.md").read_text(), re.DOTALL)[0]
REQUEST = {"request_key": "application-1", "candidate_ref": "C-1", "role_name": "Nurse", "language": "en"}


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- from application code -------------------------------------------------------------------------------------------


def test_an_interview_is_asked_for_once(database: Database, url: str) -> None:
    ask = example("insert_invite").ask_for_interview
    with psycopg.connect(url) as connection:
        assert ask(connection, **REQUEST) is True
        assert ask(connection, **REQUEST) is False
    assert database.fetch_value("select count(*) from zenhire.candidate_invites") == 1


def test_nothing_is_asked_for_where_the_transaction_is_rolled_back(database: Database, url: str) -> None:
    with psycopg.connect(url) as connection:
        example("insert_invite").ask_for_interview(connection, **REQUEST)
        connection.rollback()
    assert database.fetch("select from zenhire.candidate_invites") == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"candidate_ref": ""}, "candidate_ref"),
        ({"language": None}, "persona"),
        ({"metadata": '{"a": {}}'}, "metadata"),
    ],
)
def test_what_can_never_work_is_refused_in_words_and_spoils_nothing(
    database: Database, url: str, wrong: dict[str, Any], said: str
) -> None:
    module = example("insert_invite")
    with psycopg.connect(url) as connection:
        module.ask_for_interview(connection, **REQUEST)
        with pytest.raises(module.NotAccepted, match=said):
            module.ask_for_interview(connection, **REQUEST | {"request_key": "application-2"} | wrong)
    assert database.fetch_value("select count(*) from zenhire.candidate_invites") == 1


# --- from a trigger --------------------------------------------------------------------------------------------------


def test_applications_ask_by_themselves_and_get_link_and_outcome_back(database: Database) -> None:
    database.execute((DOCS / "examples" / "applications.sql").read_text())
    with running_sandbox(profile=a_fast_vendor()) as sandbox, service(database.url, sandbox) as running:
        database.execute("insert into applications (candidate_number, role) values ('C-1', 'Nurse'), ('C-2', 'Nurse')")
        assert database.fetch("select from zenhire.candidate_invites") == []
        for _ in range(2):
            database.execute("update applications set stage = 'interview' where candidate_number = 'C-1'")
        eventually(
            lambda: database.fetch("select from applications where interview_link is not null"),
            within=30,
        )
        eventually(
            lambda: database.fetch(
                "select from applications where interview_status in ('completed', 'failed', 'expired')"
            ),
            within=60,
        )
        assert running.terminate() == 0
    rows = database.fetch("select candidate_number, interview_status from applications order by id")
    assert [row["candidate_number"] for row in rows if row["interview_status"]] == ["C-1"]
    assert database.fetch_value("select count(*) from zenhire.candidate_invites") == 1


# --- consuming changes -----------------------------------------------------------------------------------------------


def all_changes(url: str) -> list[tuple[UUID, str]]:
    seen: list[tuple[UUID, str]] = []
    handle_changes = example("consume_changes").handle_changes
    while handle_changes(url, lambda invite: seen.append((invite["id"], invite["status"]))):
        pass
    return seen


def test_every_change_is_handled_once(database: Database, url: str) -> None:
    check_every_change_is_handled_once(database, url, all_changes)


def test_a_transaction_that_commits_late_is_not_missed_and_not_seen_half(database: Database, url: str) -> None:
    check_a_late_commit_is_not_missed_and_not_seen_half(database, url, all_changes)


def test_what_could_not_be_handled_comes_again(database: Database, url: str) -> None:
    invite_id = invite_at(database, "link_ready")

    def fails(_: Mapping[str, Any]) -> None:
        raise RuntimeError("no mail server")

    for _ in range(2):
        with pytest.raises(RuntimeError):
            example("consume_changes").handle_changes(url, fails)
    assert all_changes(url) == [(invite_id, "link_ready")]


def test_two_consumers_share_the_work(database: Database, url: str) -> None:
    ids = {invite_at(database, "link_ready") for _ in range(20)}
    seen: list[UUID] = []

    def consume() -> None:
        example("consume_changes").handle_changes(url, lambda invite: seen.append(invite["id"]))

    threads = [threading.Thread(target=consume) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen += [invite_id for invite_id, _ in all_changes(url)]
    assert sorted(seen) == sorted(ids)


def test_a_consumer_is_woken_by_a_change(database: Database, url: str) -> None:
    seen: list[str] = []
    stop = threading.Event()
    consumer = threading.Thread(
        target=example("consume_changes").consume,
        args=(url, lambda invite: seen.append(invite["status"])),
        kwargs={"goes_on": lambda: not stop.is_set()},
    )
    consumer.start()
    try:
        invite_id = invite_at(database, "link_ready")
        eventually(lambda: "link_ready" in seen, within=20)
        move(database, invite_id, "in_progress")
        eventually(lambda: "in_progress" in seen, within=8)  # sooner than the next look by itself
    finally:
        stop.set()
        insert_invite(database)
        move(database, invite_id, "completed", interview_completed_at=database.fetch_value("select zenhire.clock()"))
        consumer.join(timedelta(seconds=15).total_seconds())
    assert not consumer.is_alive()


def test_the_job_in_plain_sql_takes_what_is_new(database: Database, url: str) -> None:
    invite_at(database, "link_ready", request_key="application-9")
    with psycopg.connect(url) as connection:
        rows = connection.execute(JOB).fetchall()
        assert [row[:2] for row in rows] == [("application-9", "link_ready")]
        assert connection.execute(JOB).fetchall() == []
