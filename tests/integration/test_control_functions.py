"""The control plane: what each function does, refuses, answers and records."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.support.control import call, current_post, invite, newest_event
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.stages import WAYS, add_post, as_service, invite_at, move, set_invite

CAN_BE_CANCELLED = ("pending", "starting", "link_ready", "in_progress", "needs_review")
CAN_BE_RETRIED = ("needs_review", "refused")


@pytest.mark.parametrize("status", CAN_BE_CANCELLED)
def test_an_open_invite_is_cancelled_with_its_event(database: Database, status: str) -> None:
    invite_id = invite_at(database, status)
    before = invite(database, invite_id)
    call(database, "cancel_invite", invite_id, "the candidate withdrew")
    after = invite(database, invite_id)
    assert (after["status"], after["error_code"]) == ("cancelled", "CANCELLED")
    assert after["candidate_link"] == before["candidate_link"]
    event = newest_event(database)
    assert (event["kind"], event["from_status"], event["to_status"]) == ("invite_cancelled", status, "cancelled")
    assert (event["version"], event["reason"]) == (after["version"], "the candidate withdrew")
    assert event["actor"] == database.fetch_value("select session_user")
    assert event["invite_id"] == invite_id


@pytest.mark.parametrize("status", sorted(set(WAYS) - set(CAN_BE_CANCELLED)))
def test_a_final_invite_cannot_be_cancelled(database: Database, status: str) -> None:
    invite_id = invite_at(database, status)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=f"it is {status} since") as refused:
        call(database, "cancel_invite", invite_id, "too late")
    assert "link_ready" in (refused.value.diag.message_hint or "")


def test_the_answer_says_until_when_the_link_works_and_that_it_may_cost_credits(database: Database) -> None:
    invite_id = invite_at(database, "link_ready")
    answer = call(database, "cancel_invite", invite_id, "a mistake")
    assert "ZenHire cannot revoke its link: it works until 2100-01-01 00:00 UTC" in answer
    assert "may still cost credits" in answer
    assert invite(database, invite_id)["candidate_link"] not in answer


def test_a_replica_in_the_middle_of_a_post_holds_nothing_after_a_cancellation(database: Database) -> None:
    invite_id = invite_at(database, "starting")
    before = current_post(database, invite_id)
    call(database, "cancel_invite", invite_id, "a mistake")
    after = current_post(database, invite_id)
    assert after["state"] == "posting"
    assert after["lease_token"] not in {None, before["lease_token"]}
    assert database.fetch_value("select lease_until <= zenhire.clock() from zenhire.interview_sessions")


def test_a_replica_in_the_middle_of_a_look_holds_nothing_after_a_cancellation(database: Database) -> None:
    invite_id = invite_at(database, "link_ready")
    database.execute(
        "update zenhire.interview_sessions set lease_token = gen_random_uuid(), lease_holder = gen_random_uuid(), "
        "lease_until = zenhire.clock() + interval '30 seconds'"
    )
    call(database, "cancel_invite", invite_id, "a mistake")
    after = current_post(database, invite_id)
    assert (after["lease_token"], after["lease_until"], after["lease_holder"]) == (None, None, None)
    assert after["next_look_at"] is not None  # its link is out: it is watched on


def test_a_lost_post_is_not_repeated_after_a_cancellation(database: Database) -> None:
    invite_id = invite_at(database, "starting")
    lose_current_post(database)
    call(database, "cancel_invite", invite_id, "a mistake")
    assert current_post(database, invite_id)["repost_at"] is None


@pytest.mark.parametrize("status", CAN_BE_RETRIED)
def test_a_retried_invite_waits_for_the_same_link_and_its_posts_no_longer_count(
    database: Database, status: str
) -> None:
    invite_id = invite_at(database, status)
    lose_current_post(database)
    with psycopg.connect(database.url, autocommit=True) as listener:
        listener.execute("listen zenhire_invites")
        call(database, "retry_invite", invite_id, "credits were bought")
        heard = list(listener.notifies(timeout=5, stop_after=1))
    after = invite(database, invite_id)
    assert (after["status"], after["error_code"], after["error_message"]) == ("pending", None, None)
    assert after["link_number"] == 0
    post = current_post(database, invite_id)
    assert (post["counted"], post["repost_at"]) == (False, None)
    assert len(heard) == 1
    assert newest_event(database)["kind"] == "invite_retried"


def test_a_retry_asks_again_for_a_persona_that_was_refused(database: Database) -> None:
    invite_id = invite_at(database, "refused", role_name=" backend Engineer ")
    database.execute(
        "insert into zenhire.personas (account, role_name, language, state, error_code, next_try_at) "
        "values ('default', 'Backend engineer', 'EN', 'refused', 'INVALID_INPUT', null)"
    )
    call(database, "retry_invite", invite_id, "the role is allowed now")
    persona = database.fetch_one("select * from zenhire.personas")
    assert (persona["state"], persona["error_code"]) == ("wanted", None)
    assert persona["next_try_at"] is not None


@pytest.mark.parametrize("status", sorted(set(WAYS) - set(CAN_BE_RETRIED)))
def test_nothing_else_can_be_retried(database: Database, status: str) -> None:
    invite_id = invite_at(database, status)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="cannot be retried") as refused:
        call(database, "retry_invite", invite_id, "again")
    assert "needs_review" in (refused.value.diag.message_hint or "")


@pytest.mark.parametrize("function", ["cancel_invite", "retry_invite", "new_link", "look_now"])
def test_an_invite_that_is_not_there_is_named(database: Database, function: str) -> None:
    nobody = uuid4()
    with pytest.raises(psycopg.errors.NoDataFound, match=f"there is no invite {nobody}"):
        call(database, function, nobody, "a reason")
    with pytest.raises(psycopg.errors.NoDataFound, match="there is no invite NULL"):
        call(database, function, None, "a reason")


@pytest.mark.parametrize(
    "function", ["cancel_invite", "retry_invite", "new_link", "look_now", "pause_account", "resume_account"]
)
@pytest.mark.parametrize("reason", [None, "", "  "])
def test_an_act_without_a_reason_is_refused(database: Database, function: str, reason: str | None) -> None:
    target = "default" if function.endswith("account") else invite_at(database, "needs_review")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="a reason is needed"):
        call(database, function, target, reason)


def test_the_function_s_mark_does_not_outlive_it(database: Database) -> None:
    invite_id = invite_at(database, "needs_review")
    with psycopg.connect(database.url) as connection:
        connection.execute("select zenhire.retry_invite(%s, 'again')", [invite_id])
        with pytest.raises(psycopg.errors.CheckViolation, match="is written by zenhire-sync"):
            connection.execute("update zenhire.candidate_invites set status = 'completed'")


def test_an_account_is_paused_and_resumed(database: Database) -> None:
    insert_invite(database)
    answer = call(database, "pause_account", "default", "hiring freeze")
    assert "starts no new links" in answer
    state = account(database)
    assert (state["pause_reason"], state["paused_by"]) == ("hiring freeze", database.fetch_value("select session_user"))
    assert newest_event(database)["kind"] == "account_paused"
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="is paused already"):
        call(database, "pause_account", "default", "again")
    call(database, "resume_account", "default", "freeze is over")
    assert (account(database)["paused_at"], newest_event(database)["kind"]) == (None, "account_resumed")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="neither paused nor stopped"):
        call(database, "resume_account", "default", "again")


@pytest.mark.parametrize("function", ["pause_account", "resume_account"])
def test_an_account_that_nobody_knows_is_named(database: Database, function: str) -> None:
    with pytest.raises(psycopg.errors.NoDataFound, match="there is no account defualt"):
        call(database, function, "defualt", "a slip")


@pytest.mark.parametrize(
    ("code", "base_url", "client_id"),
    [
        ("INSUFFICIENT_CREDITS", "https://old.example", "client-1"),
        ("BASE_URL_CHANGED", None, "client-1"),
        ("CLIENT_CHANGED", "https://old.example", None),
    ],
)
def test_resuming_ends_a_stop_and_accepts_what_changed(
    database: Database, code: str, base_url: str | None, client_id: str | None
) -> None:
    database.execute(
        "insert into zenhire.account_state (account, base_url, client_id, stop_code, stop_scope, stopped_at, "
        "needs_person, probe_at, probe_seconds) values ('default', 'https://old.example', 'client-1', %s, "
        "'everything', zenhire.clock(), true, zenhire.clock(), 5)",
        [code],
    )
    database.execute(
        "insert into zenhire.account_streaks (account, lane, code, invite_ids) "
        "values ('default', 'start', 'HTTP_500', array[gen_random_uuid()])"
    )
    with psycopg.connect(database.url, autocommit=True) as listener:
        listener.execute("listen zenhire_invites")
        call(database, "resume_account", "default", "mended")
        assert len(list(listener.notifies(timeout=5, stop_after=1))) == 1
    state = account(database)
    assert (state["stop_code"], state["stop_scope"], state["stopped_at"]) == (None, None, None)
    assert (state["needs_person"], state["probe_at"], state["probe_seconds"]) == (False, None, None)
    assert (state["base_url"], state["client_id"]) == (base_url, client_id)
    assert database.fetch("select * from zenhire.account_streaks") == []


@pytest.mark.parametrize("status", WAYS)
def test_an_erased_candidate_leaves_no_words_behind(database: Database, status: str) -> None:
    invite_id = invite_at(
        database, status, candidate_ref="candidate-7", metadata={"note": "secret-note"}, tags=["secret-tag"]
    )
    database.execute('update zenhire.interview_sessions set vendor_object = \'{"x": "secret-object"}\'')
    call(database, "erase_candidate", "default", "candidate-7", "asked for it")
    row = invite(database, invite_id)
    assert row["erased_at"] is not None
    assert (row["candidate_ref"], row["metadata"], row["tags"]) == ("erased", {}, [])
    assert (row["candidate_link"], row["error_message"]) == (None, None)
    assert row["status"] == ("cancelled" if status in CAN_BE_CANCELLED else status)
    for post in database.fetch("select * from zenhire.interview_sessions"):
        assert {post[column] for column in ("vendor_object", "error_message", "next_look_at", "repost_at")} == {None}
    everything = whole_database(database)
    assert "secret-" not in everything
    assert "candidate-7" not in everything


def test_an_erasure_deletes_the_transcript_and_is_recorded_without_the_reference(database: Database) -> None:
    invite_id = invite_at(database, "completed", candidate_ref="candidate-7")
    with as_service(database) as connection:
        set_invite(connection, invite_id, transcript_state="stored")
        connection.execute(
            "insert into zenhire.transcripts (post_id, account, session_id, invite_id, document, byte_count, sha256) "
            "select post_id, account, session_id, invite_id, '[]', 2, sha256('[]') from zenhire.interview_sessions"
        )
    other = invite_at(database, "link_ready", candidate_ref="candidate-8")
    answer = call(database, "erase_candidate", "default", "candidate-7", "asked for it")
    assert "Erased from 1 invite(s)" in answer
    assert "its own copy of 1 session(s)" in answer
    assert database.fetch("select * from zenhire.transcripts") == []
    assert invite(database, invite_id)["transcript_state"] == "unavailable"
    event = newest_event(database)
    assert (event["kind"], event["reason"], event["details"]) == ("candidate_erased", "asked for it", {"invites": 1})
    assert event["invite_id"] is None
    assert invite(database, other)["candidate_ref"] == "candidate-8"


def test_an_erased_invite_takes_no_change_but_the_ats_s_mark(database: Database) -> None:
    invite_id = invite_at(database, "expired", candidate_ref="candidate-7")
    call(database, "erase_candidate", "default", "candidate-7", "asked for it")
    with pytest.raises(psycopg.errors.CheckViolation, match="of an erased invite can no longer be changed"):
        database.execute("update zenhire.candidate_invites set priority = 1")
    database.execute("update zenhire.candidate_invites set seen_version = version where version > seen_version")
    assert database.fetch("select from zenhire.candidate_invites where version > seen_version") == []
    with pytest.raises(psycopg.errors.NoDataFound, match="no invite of this candidate"):
        call(database, "erase_candidate", "default", "candidate-7", "twice")
    assert invite(database, invite_id)["candidate_ref"] == "erased"


def test_a_refused_invite_of_an_erased_candidate_is_not_retried(database: Database) -> None:
    invite_id = invite_at(database, "refused", candidate_ref="candidate-7")
    call(database, "erase_candidate", "default", "candidate-7", "asked for it")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="was erased"):
        call(database, "retry_invite", invite_id, "again")


def test_functions_work_under_any_search_path(database: Database) -> None:
    invite_id = invite_at(database, "link_ready")
    with psycopg.connect(database.url) as connection:
        connection.execute("create schema trap; create function trap.clock() returns int language sql as 'select 1'")
        connection.execute("set search_path = trap")
        connection.execute("select zenhire.cancel_invite(%s, 'a mistake')", [invite_id])
    assert invite(database, invite_id)["status"] == "cancelled"


def test_an_invite_that_comes_back_gets_its_next_post(database: Database) -> None:
    invite_id = invite_at(database, "needs_review")
    call(database, "retry_invite", invite_id, "again")
    database.execute("update zenhire.interview_sessions set current = false")
    move(database, invite_id, "starting")
    add_post(database, invite_id, post_number=2)
    assert current_post(database, invite_id)["link_number"] == 1


def account(database: Database) -> dict[str, Any]:
    return database.fetch_one("select * from zenhire.account_state where account = 'default'")


def lose_current_post(database: Database) -> None:
    database.execute(
        "update zenhire.interview_sessions set state = 'lost', lease_token = null, lease_until = null, "
        "lease_holder = null, repost_at = zenhire.clock(), next_search_at = zenhire.clock()"
    )


def whole_database(database: Database) -> str:
    """Every row of the tables that can hold a candidate's words, as text."""
    rows = database.fetch(
        "select to_jsonb(i)::text as row from zenhire.candidate_invites i "
        "union all select to_jsonb(s)::text from zenhire.interview_sessions s "
        "union all select to_jsonb(t)::text from zenhire.transcripts t "
        "union all select to_jsonb(e)::text from zenhire.invite_events e"
    )
    return "\n".join(row["row"] for row in rows)
