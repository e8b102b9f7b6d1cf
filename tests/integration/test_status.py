"""`zenhire-sync status` against a database that the service itself has written."""

import json
import re
import signal
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from service.core.decisions import MustWait
from service.core.load import Load
from service.core.model import InviteStatus, Policy
from service.core.observations import ErrorAnswer, NoAnswer
from service.operate import account_facts, explain, explain_facts, status, status_facts
from service.postgres.migrate import make_roles
from tests.integration.one_replica import LINK, one_replica, seen
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.postgres import Server
from tests.support.processes import process
from tests.support.stages import WAYS, invite_at
from tests.support.waiting import eventually

NOW = datetime(2031, 5, 6, 12, 0, tzinfo=UTC)


@pytest.fixture
def screen(database: Database, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `status` and gives back its exit code and its text without line breaks."""

    def shown() -> tuple[int, str]:
        code = status.run(database.url, as_json=False, watch=False)
        text = capsys.readouterr().out
        assert all(len(line) <= 80 for line in text.splitlines()), text
        return code, " ".join(text.split())

    return shown


@pytest.fixture
def document(database: Database, capsys: pytest.CaptureFixture[str]) -> Any:
    def shown() -> Any:
        status.run(database.url, as_json=True, watch=False)
        return json.loads(capsys.readouterr().out)

    return shown


def by_persona(**over: Any) -> dict[str, Any]:
    return {"persona_id": "persona-1", **over}


def test_an_empty_database_is_all_right_and_says_what_to_do_first(screen: Any) -> None:
    code, text = screen()
    assert code == 0
    assert text.startswith("All right: no invites yet, nothing needs a person.")
    assert "none is running; none has ever run: start one with `zenhire-sync run`" in text
    assert "none yet: a replica makes them known when it starts" in text


async def test_invites_are_counted_by_status_with_those_that_came_lately(
    database: Database, screen: Any, document: Any
) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        insert_invite(database, **by_persona(candidate_ref="done"))
        await replica.post()
        database.stop_clock(NOW + timedelta(minutes=1))
        await replica.look(seen("active"))
        database.stop_clock(NOW + timedelta(minutes=9))
        await replica.look(seen("completed"))
        await replica.collect(b'{"turns": []}')
        database.stop_clock(NOW + timedelta(hours=5))
        await replica.row.tick(Load())
        insert_invite(database, **by_persona())
        await replica.post()
        insert_invite(database, **by_persona())
    code, text = screen()
    assert code == 0
    assert text.startswith("All right: 3 invites (2 open), nothing needs a person.")
    assert "pending 1 +1 waiting for a link" in text
    assert "link_ready 1 +1 link ready, interview not started" in text
    assert "completed 1 - interview finished" in text
    counts = document()["invites"]
    assert (counts["total"], counts["open"], counts["finished_precision"]) == (3, 2, "exact")
    assert counts["by_status"]["completed"] == {"invites": 1, "lately": 0}


async def test_what_finished_within_the_hour_is_shown_as_such(database: Database, document: Any) -> None:
    async with one_replica(database) as replica:
        insert_invite(database, **by_persona())
        await replica.post(ErrorAnswer(http_status=404, code="PERSONA_NOT_FOUND", message="No such persona."))
    assert document()["invites"]["by_status"]["refused"] == {"invites": 1, "lately": 1}


async def test_pending_invites_are_told_apart_by_what_they_wait_for(database: Database, document: Any) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        await replica.accounts.register(["default", "told", "paused", "stopped", "gone"])
        await replica.accounts.register(["default", "told", "paused", "stopped"])
        await replica.accounts.note("told", [MustWait(delay=timedelta(seconds=30), reason="asked to")])
        for account in ("stopped", "paused"):
            insert_invite(database, **by_persona(account=account))
        await replica.post(ErrorAnswer(http_status=401, code="INVALID_API_KEY", message="No."), account="stopped")
    database.execute("select zenhire.pause_account('paused', 'holidays')")
    for account in ("told", "gone", "never_known", "default"):
        insert_invite(database, **by_persona(account=account))
    insert_invite(database, **by_persona(start_after=NOW + timedelta(hours=3)))
    insert_invite(database)
    waiting = {(row["account"], row["reason"]): row for row in document()["waiting"]}
    assert waiting.keys() == {
        ("default", "time"),
        ("default", "persona"),
        ("default", "turn"),
        ("gone", "no_key"),
        ("never_known", "no_key"),
        ("paused", "paused"),
        ("stopped", "stopped"),
        ("told", "told_to_wait"),
    }
    assert all(row["count"] == 1 and row["what"] == "pending" for row in waiting.values())
    assert waiting["default", "time"]["next_at"] == (NOW + timedelta(hours=3)).isoformat()
    assert waiting["told", "told_to_wait"]["next_at"] == (NOW + timedelta(seconds=30)).isoformat()
    assert waiting["stopped", "stopped"]["next_at"] == (NOW + timedelta(seconds=5)).isoformat()
    assert waiting["stopped", "stopped"]["code"] == "INVALID_API_KEY"


async def test_a_lost_post_is_shown_with_the_next_post_and_the_search(database: Database, screen: Any) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        insert_invite(database, **by_persona())
        await replica.post(NoAnswer(detail="the connection broke"))
    code, text = screen()
    assert code == 0
    assert "1 starting: the last post was lost (NO_ANSWER), another follows; next post in 2 s" in text
    assert "1 lost post searched for, next in 60 s; 0 orphans watched until dead" in text
    assert "lately: 1 post lost, 0 orphans recorded" in text


async def test_a_transcript_that_is_not_ready_is_waited_for(database: Database, screen: Any) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        insert_invite(database, **by_persona())
        await replica.post()
        database.stop_clock(NOW + timedelta(minutes=10))
        await replica.look(seen("completed", completed_at=NOW + timedelta(minutes=9)))
        await replica.collect(ErrorAnswer(http_status=409, code="ARTIFACT_NOT_READY", message="Not yet."))
    _, text = screen()
    assert "1 transcript: ZenHire has not made it yet; next try in 30 s" in text


async def test_a_replica_and_its_leases_are_shown(database: Database, document: Any, screen: Any) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        insert_invite(database, **by_persona())
        await replica.claims.posts("default", 1)
    database.stop_clock(NOW + timedelta(seconds=12))
    (shown,) = document()["replicas"]
    assert (shown["id"], shown["is_live"], shown["leases"]) == (str(replica.id), True, 1)
    _, text = screen()
    assert "version 0.1.0: last tick 12 s ago, holds 1 lease" in text
    assert "1 starting: ZenHire's answer, the first for 12 s" in text


async def test_silence_of_all_replicas_needs_a_person(database: Database, screen: Any) -> None:
    database.stop_clock(NOW)
    async with one_replica(database):
        pass
    database.stop_clock(NOW + timedelta(minutes=5))
    code, text = screen()
    assert code == 3
    assert text.startswith("1 thing needs a person: see ATTENTION.")
    assert "none is running; the last ticked 5 min ago" in text
    assert "1. NO_REPLICA: replica, since 2031-05-06 12:00 UTC (5 min ago)" in text


async def test_a_stopped_account_says_why_since_when_and_what_ends_it(database: Database, screen: Any) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        insert_invite(database, **by_persona())
        key = "zh_api_a_key_that_nobody_may_see"
        await replica.post(ErrorAnswer(http_status=401, code="INVALID_API_KEY", message=f"{key} is unknown."))
    code, text = screen()
    assert code == 3
    assert "default: STOPPED; no look yet, no link yet Stopped for 0 s: the vendor answered 401 INVALID_API_KEY" in text
    assert "Next probe in 5 s." in text
    assert key not in text
    statement = re.search(r"select zenhire\.resume_account\(.*?\);", text)
    assert statement is not None
    database.execute(statement.group())
    assert screen()[0] == 0


async def test_every_statement_that_is_shown_can_be_pasted(database: Database, screen: Any) -> None:
    async with one_replica(database, policy=Policy(posts_per_link=1)) as replica:
        insert_invite(database, **by_persona())
        await replica.post(NoAnswer(detail="the connection broke"))
    code, text = screen()
    assert code == 3
    assert "TOO_MANY_LOST_POSTS: invite of account default, invite " in text
    statement = re.search(r"select zenhire\.retry_invite\(.*?\);", text)
    assert statement is not None
    database.execute(statement.group())
    assert database.fetch_value("select status from zenhire.candidate_invites") == "pending"


async def test_an_account_that_is_told_to_wait_says_until_when(database: Database, screen: Any) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        await replica.accounts.note("default", [MustWait(delay=timedelta(seconds=30), reason="asked to")])
    assert "It waits: ZenHire asked it to, or could not be reached; it goes on in 30 s." in screen()[1]


async def test_the_form_for_programs_is_stable(database: Database, document: Any) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        insert_invite(database, **by_persona())
        await replica.post()
    database.execute("select zenhire.pause_account('default', 'holidays')")
    shown = document()
    assert list(shown) == [
        "all_right",
        "at",
        "invites",
        "waiting",
        "sessions",
        "replicas",
        "last_tick_at",
        "accounts",
        "figures",
        "attention",
        "attention_count",
    ]
    assert (shown["at"], shown["all_right"], shown["attention_count"]) == (NOW.isoformat(), False, 1)
    assert shown["accounts"][0]["paused_at"] == NOW.isoformat()
    assert (shown["figures"][0]["account"], shown["figures"][0]["allowed"]) == ("default", 400)
    assert shown["figures"][0]["seen_within"] > 0
    assert list(shown["attention"][0]) == ["since", "what", "account", "invite_id", "code", "why", "statement"]


async def test_no_link_and_nothing_of_the_ats_is_shown(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    async with one_replica(database) as replica:
        insert_invite(database, **by_persona(metadata={"name": "secret-name"}, tags=["secret-tag"]))
        await replica.post()
    for as_json in (True, False):
        status.run(database.url, as_json=as_json, watch=False)
    assert not re.search("secret|#t=", capsys.readouterr().out)
    assert database.fetch_value("select candidate_link from zenhire.candidate_invites") == LINK


def test_watching_goes_on_until_ctrl_c(database: Database) -> None:
    with process("status", "--watch", env={"DATABASE_URL": database.url}) as watching:
        eventually(lambda: watching.text.count("All right: no invites yet") >= 2, within=20)
        watching.signal(signal.SIGINT)
        assert watching.wait(within=10) == 0
    assert "Traceback" not in watching.text


def test_watching_waits_for_a_database_that_is_away_for_a_while(database: Database, postgres_server: Server) -> None:
    name = database.fetch_value("select current_database()")
    with process("status", "--watch", env={"DATABASE_URL": database.url}) as watching:
        watching.wait_for_line("All right", within=20)
        postgres_server.execute(f"alter database {name} allow_connections false")
        watching.wait_for_line("The database does not answer:", within=20)
        postgres_server.execute(f"alter database {name} allow_connections true")
        before = len(watching.lines)
        eventually(lambda: "All right" in "\n".join(watching.lines[before:]), within=20)


@pytest.fixture
def many_finished(database: Database) -> Database:
    """More finished invites than are counted one by one, each with its session and its event."""
    database.execute("""
        select set_config('zenhire.writer', 'service', true);
        insert into zenhire.candidate_invites (candidate_ref, persona_id, consent_mode, status, session_id,
            interview_completed_at)
        select 'c' || n, 'p', 'explicit', 'completed', 's' || n, zenhire.clock() from generate_series(1, 10100) n;
        insert into zenhire.interview_sessions (account, invite_id, link_number, post_number, state, session_id,
            link_expires_at, vendor_status, dead_at, dead_because)
        select account, id, 1, 1, 'published', session_id, zenhire.clock(), 'completed', zenhire.clock(), 'completed'
        from zenhire.candidate_invites;
        insert into zenhire.invite_events (account, invite_id, kind)
        select account, id, 'interview_completed' from zenhire.candidate_invites""")
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("analyze")
    return database


def test_very_many_finished_invites_are_estimated_and_said_to_be(many_finished: Database, document: Any) -> None:
    insert_invite(many_finished, **by_persona())
    counts = document()["invites"]
    assert counts["finished_precision"] == "estimated"
    assert counts["by_status"]["pending"]["invites"] == 1
    assert counts["total"] == pytest.approx(10_101, rel=0.02)
    many_finished.execute("delete from pg_statistic where starelid = 'zenhire.candidate_invites'::regclass")
    assert document()["invites"]["finished_precision"] == "at_least"
    assert document()["invites"]["total"] == 10_002


def test_no_query_walks_over_what_is_finished(many_finished: Database) -> None:
    queries: list[LiteralString] = [
        *(status_facts._INVITES, status_facts._WAITING, status_facts._SESSIONS, status_facts._REPLICAS),
        *(account_facts._ACCOUNTS, explain_facts._INVITE, explain_facts._POSTS, explain_facts._EVENTS),
    ]
    given = {"account": "default", "limit": 10, "id": UUID(int=1)}
    with psycopg.connect(many_finished.url) as connection:
        cursor = psycopg.ClientCursor(connection)
        for query in queries:
            plan = [row[0] for row in cursor.execute("explain " + query, given).fetchall()]
            for before, line in pairwise(plan):
                walks = re.search("Seq Scan on (candidate_invites|interview_sessions|invite_events)", line)
                assert not walks or "Limit" in before, "\n".join(plan)


def test_finding_an_invite_reads_a_few_pages_only(many_finished: Database) -> None:
    with psycopg.connect(many_finished.url) as connection:
        connection.execute("select * from zenhire.find_invites('c1')").fetchall()  # reads the catalogue
        for what in ("c77", "no such candidate", str(UUID(int=1))):
            asked = "explain (analyze, buffers, format json) select * from zenhire.find_invites(%s)"
            row = connection.execute(asked, [what]).fetchone()
            assert row is not None
            plan = row[0][0]["Plan"]
            assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 200, plan


@pytest.mark.parametrize("role", ["zenhire_operator", "zenhire_reader"])
@pytest.mark.parametrize("at", ["pending", "link_ready", "needs_review", "completed"])
def test_whoever_may_read_the_views_may_have_both_screens(
    database: Database, capsys: pytest.CaptureFixture[str], role: str, at: str
) -> None:
    make_roles(database.url)
    invite_id = invite_at(database, at)
    url = make_conninfo(database.url, options=f"-c role={role}")
    assert status.run(url, as_json=False, watch=False) in {status.ALL_RIGHT, status.NEEDS_A_PERSON}
    assert explain.run(url, str(invite_id)) == explain.DONE
    said = " ".join(capsys.readouterr().out.split())
    assert re.search(rf"{at} +1 ", said)
    assert f"INVITE {invite_id} status {at}" in said


@pytest.mark.parametrize("of", list(WAYS))
def test_the_screens_say_what_psql_says(database: Database, document: Any, of: str) -> None:
    invite_at(database, of)
    counts = database.fetch("select status, invites from zenhire.invite_counts")
    assert {row["status"]: row["invites"] for row in counts} == dict.fromkeys(InviteStatus, 0) | {of: 1}
    shown = document()
    by_status = shown["invites"]["by_status"]
    assert {name: count["invites"] for name, count in by_status.items() if count["invites"]} == {of: 1}
    waits = database.fetch("select reason, count from zenhire.waits")
    assert [{"reason": group["reason"], "count": group["count"]} for group in shown["waiting"]] == waits
