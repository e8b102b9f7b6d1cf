"""What people read: `attention`, `candidate_interviews`, `results`."""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.stages import WAYS, as_service, invite_at, set_invite

TICKING = (
    "insert into zenhire.replicas (id, host, pid, version, settings) values (gen_random_uuid(), 'h', 1, '0.1.0', '{}')"
)
WITH_KEY = "insert into zenhire.account_state (account) values ('default')"


def test_a_fresh_database_needs_nobody(database: Database) -> None:
    assert attention(database) == []


def test_a_working_service_needs_nobody(database: Database) -> None:
    database.execute(TICKING)
    database.execute(WITH_KEY)
    for status in sorted(set(WAYS) - {"needs_review"}):
        invite_at(database, status)
    assert attention(database) == []


def test_every_container_dead_is_the_first_row(database: Database) -> None:
    insert_invite(database, account="other")
    database.execute(TICKING)
    database.execute("update zenhire.replicas set last_tick_at = zenhire.clock() - interval '61 seconds'")
    first = attention(database)[0]
    assert (first["what"], first["code"], first["statement"]) == ("replica", "NO_REPLICA", None)
    assert "No replica has ticked for 60 s" in first["why"]


def test_invites_that_wait_without_any_replica_are_shown(database: Database) -> None:
    insert_invite(database, created_at="2026-01-01T00:00:00Z", start_after="2026-01-01T00:00:00Z")
    assert [row["code"] for row in attention(database)] == ["NO_REPLICA", "NO_KEY"]


def test_an_account_without_a_key_is_shown_while_invites_wait(database: Database) -> None:
    database.execute(TICKING)
    insert_invite(database, account="nobody_knows")
    insert_invite(database, account="key_removed")
    database.execute("insert into zenhire.account_state (account, key_present) values ('key_removed', false)")
    database.execute("insert into zenhire.account_state (account, key_present) values ('closed_for_good', false)")
    assert {(row["account"], row["code"]) for row in attention(database)} == {
        ("nobody_knows", "NO_KEY"),
        ("key_removed", "NO_KEY"),
    }


def test_a_paused_and_stopped_account_says_how_many_wait_and_its_statement_ends_it(database: Database) -> None:
    database.execute(TICKING)
    database.execute(WITH_KEY)
    insert_invite(database)
    insert_invite(database)
    insert_invite(database, start_after="2100-01-01T00:00:00Z")
    database.execute("select zenhire.pause_account('default', 'it''s a freeze')")
    database.execute(
        "update zenhire.account_state set stop_code = 'INSUFFICIENT_CREDITS', stop_scope = 'starts', "
        "stopped_at = zenhire.clock(), stop_message = 'no credits'"
    )
    rows = attention(database)
    assert [row["code"] for row in rows] == ["PAUSED", "INSUFFICIENT_CREDITS"]
    assert all("2 invite(s) wait" in row["why"] for row in rows)
    assert "it's a freeze" in rows[0]["why"]
    run_statement(database, rows[0])
    assert attention(database) == []


def test_lost_posts_of_one_account_are_one_row(database: Database) -> None:
    database.execute(TICKING)
    database.execute(WITH_KEY)
    for _ in range(3):
        invite_at(database, "starting")
    database.execute(
        "update zenhire.interview_sessions set state = 'lost', dead_at = zenhire.clock(), dead_because = 'not_found', "
        "lease_token = null, lease_until = null, lease_holder = null"
    )
    (row,) = attention(database)
    assert row["why"].startswith("3 post(s)")


def test_a_session_that_the_vendor_does_not_know_is_shown_while_its_invite_is_open(database: Database) -> None:
    database.execute(TICKING)
    database.execute(WITH_KEY)
    invite_id = invite_at(database, "link_ready")
    invite_at(database, "completed")
    database.execute("update zenhire.interview_sessions set last_look = 'missing', look_failures = 5")
    (row,) = attention(database)
    assert (row["code"], row["invite_id"]) == ("SESSION_MISSING", invite_id)
    run_statement(database, row)
    assert attention(database) == []


@pytest.mark.parametrize(
    ("status", "label", "waiting_on"),
    [
        ("pending", "waits for its link", "us"),
        ("starting", "the link is being made", "us"),
        ("link_ready", "link ready, interview not started", "ats"),
        ("in_progress", "interview running", "candidate"),
        ("completed", "interview finished", "nobody"),
        ("failed", "interview did not finish", "nobody"),
        ("expired", "link ran out unused", "nobody"),
        ("cancelled", "cancelled", "nobody"),
        ("refused", "no link could be made", "nobody"),
        ("needs_review", "a person must look at this", "operator"),
    ],
)
def test_where_is_my_candidates_interview(database: Database, status: str, label: str, waiting_on: str) -> None:
    database.execute(WITH_KEY)
    invite_id = invite_at(database, status, candidate_ref="candidate-7", request_key="application-1")
    row = whereabouts(database, invite_id)
    assert (row["candidate_ref"], row["request_key"], row["role"]) == (
        "candidate-7",
        "application-1",
        "Backend engineer",
    )
    assert (row["status"], row["label"], row["waiting_on"]) == (status, label, waiting_on)
    assert row["sentence"].endswith(".")
    if status == "link_ready":
        assert row["next_at"].year == 2100


def test_two_open_invites_of_the_same_candidate_and_persona_stand_out(database: Database) -> None:
    database.execute(WITH_KEY)
    first = invite_at(database, "link_ready", candidate_ref="C-1", role_name="Nurse", language="en")
    second = insert_invite(database, candidate_ref="C-1", role_name=" nurse", language="EN")
    assert (whereabouts(database, first)["twin_id"], whereabouts(database, second)["twin_id"]) == (second, first)
    said = whereabouts(database, first)["sentence"]
    assert said.endswith(f"Another open invite ({second}) asks for the same interview of this candidate.")
    database.execute("select zenhire.cancel_invite(%s, 'a mistake')", [second])
    assert {whereabouts(database, one)["twin_id"] for one in (first, second)} == {None}


def test_other_roles_candidates_accounts_and_ended_invites_are_no_twins(database: Database) -> None:
    database.execute(WITH_KEY)
    invite_id = insert_invite(database, candidate_ref="C-1", role_name="Nurse", language="en")
    insert_invite(database, candidate_ref="C-1", role_name="Nurse", language="de")
    insert_invite(database, candidate_ref="C-1", persona_id="persona-1")
    insert_invite(database, candidate_ref="C-2", role_name="Nurse", language="en")
    insert_invite(database, candidate_ref="C-1", role_name="Nurse", language="en", account="other")
    invite_at(database, "completed", candidate_ref="C-1", role_name="Nurse", language="en")
    assert whereabouts(database, invite_id)["twin_id"] is None


def test_a_link_that_the_ats_has_sent_or_seen_waits_for_the_candidate(database: Database) -> None:
    database.execute(WITH_KEY)
    sent, seen = invite_at(database, "link_ready"), invite_at(database, "link_ready")
    database.execute("update zenhire.candidate_invites set link_sent_at = zenhire.clock() where id = %s", [sent])
    database.execute("update zenhire.candidate_invites set seen_version = version where id = %s", [seen])
    assert {whereabouts(database, invite_id)["waiting_on"] for invite_id in (sent, seen)} == {"candidate"}


def test_an_invite_of_an_account_that_does_not_work_waits_for_the_operator(database: Database) -> None:
    without_key = insert_invite(database, account="nobody_knows")
    assert whereabouts(database, without_key)["waiting_on"] == "operator"
    database.execute(WITH_KEY)
    paused = insert_invite(database)
    database.execute("select zenhire.pause_account('default', 'a freeze')")
    assert whereabouts(database, paused)["sentence"].startswith("The account is paused.")


def test_an_invite_for_later_waits_for_nobody_and_says_until_when(database: Database) -> None:
    invite_id = insert_invite(database, start_after="2100-02-03T04:05:00Z")
    row = whereabouts(database, invite_id)
    assert (row["waiting_on"], row["next_at"].year) == ("nobody", 2100)
    assert "2100-02-03 04:05 UTC" in row["sentence"]


def test_results_show_the_outcome_with_its_transcript_and_the_recordings_place(database: Database) -> None:
    invite_id = invite_at(database, "completed", request_key="application-1")
    invite_at(database, "pending")
    with as_service(database) as connection:
        set_invite(connection, invite_id, candidate_survey_rating=4, transcript_state="stored")
        connection.execute(
            "insert into zenhire.transcripts (post_id, account, session_id, invite_id, document, byte_count, sha256) "
            "select post_id, account, session_id, invite_id, '[{\"text\": \"hello\"}]', 19, sha256('x') "
            "from zenhire.interview_sessions"
        )
        connection.execute(
            "insert into zenhire.recordings (post_id, account, session_id, invite_id, place, byte_count, sha256) "
            "select post_id, account, session_id, invite_id, 'file:///r.wav', 9, sha256('x') "
            "from zenhire.interview_sessions"
        )
    assert database.fetch_value("select count(*) from zenhire.results") == 2
    row = database.fetch_one("select * from zenhire.results where invite_id = %s", [invite_id])
    assert (row["status"], row["duration_seconds"], row["candidate_survey_rating"]) == ("completed", 600, 4)
    assert (row["transcript"], row["recording_place"]) == ([{"text": "hello"}], "file:///r.wav")


def test_no_view_reads_finished_rows_to_find_what_is_open(database: Database) -> None:
    """Cost must not grow with what is done: `attention` and one candidate's rows are found by index."""
    with psycopg.connect(database.url) as connection:
        connection.execute("set enable_seqscan = off")
        one = "select * from zenhire.candidate_interviews where account = 'default' and candidate_ref = 'x'"
        queries = {"attention": "select * from zenhire.attention", "one": one}
        plans = {
            name: "\n".join(line[0] for line in connection.execute(f"explain {query}"))
            for name, query in queries.items()
        }
    for plan in plans.values():
        assert "Seq Scan on candidate_invites" not in plan
        assert "Seq Scan on interview_sessions" not in plan


def attention(database: Database) -> list[dict[str, Any]]:
    return database.fetch("select * from zenhire.attention")


def whereabouts(database: Database, invite_id: UUID) -> dict[str, Any]:
    return database.fetch_one("select * from zenhire.candidate_interviews where invite_id = %s", [invite_id])


def run_statement(database: Database, row: dict[str, Any]) -> None:
    """What `attention` offers is run as it stands."""
    with psycopg.connect(database.url) as connection:
        connection.execute(row["statement"])
