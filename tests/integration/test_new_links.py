"""`new_link` and `look_now`: a further link for what has ended without a result, never a second one unawares."""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.support.control import call, current_post, invite, newest_event
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.stages import WAYS, invite_at, move

CAN_GET_ONE = ("failed", "expired", "cancelled")
TICKING = (
    "insert into zenhire.replicas (id, host, pid, version, settings) values (gen_random_uuid(), 'h', 1, '0.1.0', '{}')"
)
WITH_KEY = "insert into zenhire.account_state (account) values ('default')"

NO_NEW_LINK = psycopg.errors.ObjectNotInPrerequisiteState


def bury(database: Database) -> None:
    """The links of all sessions are dead."""
    database.execute("update zenhire.interview_sessions set dead_at = zenhire.clock(), dead_because = 'failed'")


def cancelled_with_a_link(database: Database) -> UUID:
    invite_id = invite_at(database, "link_ready")
    call(database, "cancel_invite", invite_id, "a mistake")
    return invite_id


@pytest.mark.parametrize("status", CAN_GET_ONE)
def test_an_invite_without_a_result_waits_for_its_next_link(database: Database, status: str) -> None:
    invite_id = invite_at(database, status, max_links=1)
    bury(database)
    number = invite(database, invite_id)["link_number"] + 1
    with psycopg.connect(database.url, autocommit=True) as listener:
        listener.execute("listen zenhire_invites")
        answer = call(database, "new_link", invite_id, "the candidate was ill")
        assert len(list(listener.notifies(timeout=5, stop_after=1))) == 1
    assert f"for link {number}." in answer
    after = invite(database, invite_id)
    shown = ("session_id", "candidate_link", "link_expires_at", "interview_started_at", "error_code", "error_message")
    assert {after[column] for column in shown} == {None}
    assert (after["status"], after["link_number"]) == ("pending", number - 1)
    event = newest_event(database)
    assert (event["kind"], event["from_status"], event["to_status"]) == ("new_link_wanted", status, "pending")
    assert (event["reason"], event["version"]) == ("the candidate was ill", after["version"])
    assert event["details"] == {"link_number": number, "force": False}
    assert event["actor"] == database.fetch_value("select session_user")


@pytest.mark.parametrize("status", sorted(set(WAYS) - set(CAN_GET_ONE)))
def test_nothing_else_gets_a_new_link_not_even_by_force(database: Database, status: str) -> None:
    invite_id = invite_at(database, status)
    with pytest.raises(NO_NEW_LINK, match=f"gets no new link: it is {status} since") as refused:
        call(database, "new_link", invite_id, "again", True)
    instead = {"refused": "retry_invite", "needs_review": "retry_invite", "completed": "insert another invite"}
    instead |= dict.fromkeys(("link_ready", "in_progress"), "cancel_invite")
    assert instead.get(status, "by itself") in (refused.value.diag.message_hint or "")


def test_while_the_old_link_works_the_hint_is_to_send_that_one_again(database: Database) -> None:
    invite_id = cancelled_with_a_link(database)
    with pytest.raises(NO_NEW_LINK, match="a link of it works until 2100-01-01 00:00 UTC") as refused:
        call(database, "new_link", invite_id, "changed our mind")
    assert (refused.value.diag.message_hint or "").startswith("Send that one again: candidate_link.")
    row = database.fetch_one("select status, candidate_link from zenhire.candidate_invites")
    assert row["status"] == "cancelled"
    assert row["candidate_link"] not in str(refused.value)


def test_a_link_that_has_run_out_counts_as_working_until_a_look_has_told(database: Database) -> None:
    invite_id = cancelled_with_a_link(database)
    database.execute("update zenhire.interview_sessions set link_expires_at = zenhire.clock() - interval '1 minute'")
    with pytest.raises(NO_NEW_LINK) as refused:
        call(database, "new_link", invite_id, "changed our mind")
    assert "may still get in" in (refused.value.diag.message_hint or "")


def test_a_second_live_link_by_force_is_recorded_and_shown_while_both_live(database: Database) -> None:
    database.execute(TICKING)
    database.execute(WITH_KEY)
    invite_id = cancelled_with_a_link(database)
    old = database.fetch_value("select session_id from zenhire.interview_sessions")
    answer = call(database, "new_link", invite_id, "he lost the mail", True)
    assert "the candidate has two" in answer
    assert newest_event(database)["details"] == {"link_number": 2, "force": True, "still_working": [old]}
    assert not database.fetch_value("select zenhire.has_working_link(%s)", [invite_id])
    assert attention(database) == []  # the second one is not made yet
    publish_another(database, invite_id)
    (shown,) = attention(database)
    assert (shown["code"], old in shown["why"], "by new_link with force" in shown["why"]) == (
        "TWO_LIVE_LINKS",
        True,
        True,
    )
    database.execute("update zenhire.interview_sessions set dead_at = zenhire.clock(), dead_because = 'expired'"
                     " where link_number = 1")  # fmt: skip
    assert attention(database) == []


def test_somebody_may_take_note_of_two_live_links(database: Database) -> None:
    database.execute(TICKING)
    database.execute(WITH_KEY)
    invite_id = cancelled_with_a_link(database)
    call(database, "new_link", invite_id, "he lost the mail", True)
    publish_another(database, invite_id)
    (shown,) = attention(database)
    database.execute(shown["statement"])
    assert attention(database) == []


def test_an_orphan_that_somebody_uses_counts_as_a_working_link(database: Database) -> None:
    invite_id = invite_at(database, "starting")
    database.execute(
        "update zenhire.interview_sessions set state = 'orphan', session_id = 'o', link_expires_at = '2100-01-01',"
        " vendor_status = 'active', lease_token = null, lease_until = null, lease_holder = null"
    )
    call(database, "cancel_invite", invite_id, "a mistake")
    with pytest.raises(NO_NEW_LINK, match="a link of it works"):
        call(database, "new_link", invite_id, "again")
    database.execute("update zenhire.interview_sessions set vendor_status = 'initiated'")  # nobody holds its link
    call(database, "new_link", invite_id, "again")
    assert invite(database, invite_id)["status"] == "pending"


def test_an_interview_that_was_finished_after_the_cancellation_is_not_repeated_unawares(database: Database) -> None:
    invite_id = cancelled_with_a_link(database)
    database.execute(
        "update zenhire.interview_sessions set vendor_status = 'completed', completed_at = zenhire.clock()"
    )
    bury(database)
    with pytest.raises(NO_NEW_LINK, match="its interview was finished all the same"):
        call(database, "new_link", invite_id, "again")
    call(database, "new_link", invite_id, "once more, on purpose", True)


def test_an_invite_that_wants_no_link_any_more_gets_none(database: Database) -> None:
    invite_id = invite_at(database, "expired")
    bury(database)
    database.execute("update zenhire.candidate_invites set stop_after = zenhire.clock()")
    with pytest.raises(NO_NEW_LINK, match="it wants no link after") as refused:
        call(database, "new_link", invite_id, "again", True)
    assert "stop_after" in (refused.value.diag.message_hint or "")
    database.execute("update zenhire.candidate_invites set stop_after = null")
    call(database, "new_link", invite_id, "again")


@pytest.mark.parametrize("function", ["new_link", "look_now"])
def test_an_erased_candidate_is_left_alone(database: Database, function: str) -> None:
    invite_id = invite_at(database, "expired", candidate_ref="candidate-7")
    bury(database)
    call(database, "erase_candidate", "default", "candidate-7", "asked for it")
    with pytest.raises(NO_NEW_LINK, match="was erased"):
        call(database, function, invite_id, "again")


def test_a_replica_in_the_middle_of_a_step_holds_nothing_after_a_new_link(database: Database) -> None:
    invite_id = invite_at(database, "failed")
    bury(database)
    lease(database)
    call(database, "new_link", invite_id, "again")
    assert current_post(database, invite_id)["lease_token"] is None


def test_lost_posts_of_the_next_link_no_longer_count(database: Database) -> None:
    invite_id = invite_at(database, "starting")
    call(database, "cancel_invite", invite_id, "a mistake")
    call(database, "new_link", invite_id, "no mistake")
    assert current_post(database, invite_id)["counted"] is False


@pytest.mark.parametrize("status", ["link_ready", "in_progress", "completed", "failed", "expired"])
def test_a_look_is_due_at_once_whatever_has_become_of_the_invite(database: Database, status: str) -> None:
    invite_id = invite_at(database, status)
    database.execute("update zenhire.interview_sessions set next_look_at = null, next_look_reason = null")
    lease(database)
    answer = call(database, "look_now", invite_id, "the candidate says that he is done")
    assert "1 session(s)" in answer
    post = current_post(database, invite_id)
    assert (post["next_look_reason"], post["lease_token"]) == ("somebody asked for it", None)
    assert database.fetch_value("select next_look_at <= zenhire.clock() from zenhire.interview_sessions")
    event = newest_event(database)
    assert (event["kind"], event["reason"]) == ("look_wanted", "the candidate says that he is done")
    assert invite(database, invite_id)["status"] == status


def test_no_session_is_looked_at_twice_within_ten_seconds(database: Database) -> None:
    invite_id = invite_at(database, "link_ready")
    database.execute("update zenhire.interview_sessions set last_look_at = zenhire.clock()")
    call(database, "look_now", invite_id, "again")
    distance = "select next_look_at - last_look_at = interval '10 seconds' from zenhire.interview_sessions"
    assert database.fetch_value(distance)


def test_a_post_on_its_way_goes_on_when_a_look_is_wanted(database: Database) -> None:
    invite_id = invite_at(database, "starting")
    before = current_post(database, invite_id)
    with pytest.raises(NO_NEW_LINK, match="has no session to look at: it is starting"):
        call(database, "look_now", invite_id, "now")
    assert current_post(database, invite_id) == before


def test_the_ats_never_sees_a_link_that_the_console_has_replaced(database: Database) -> None:
    invite_id = invite_at(database, "failed")
    told = {"candidate_link": None, "error_code": "CONSOLE_REINVITED", "error_message": "A fresh link is out."}
    rule = "link_ready_and_in_progress_have_their_link"
    for wrong in ({**told, "error_code": None}, {**told, "candidate_link": "https://interview.example/#t=dead"}):
        with pytest.raises(psycopg.errors.CheckViolation, match=rule):
            reopen(database, invite_id, wrong)
    reopen(database, invite_id, told)
    where = database.fetch_one("select waiting_on, sentence from zenhire.candidate_interviews")
    assert where == {"waiting_on": "candidate", "sentence": "A fresh link is out."}


def test_an_invite_that_waits_gets_no_link_while_the_consoles_works(database: Database) -> None:
    database.execute(TICKING)
    database.execute(WITH_KEY)
    invite_id = invite_at(database, "link_ready")
    move(database, invite_id, "pending", session_id=None, candidate_link=None, link_expires_at=None)
    database.execute("update zenhire.interview_sessions set reinvited_at = zenhire.clock()")
    assert database.fetch_value("select zenhire.has_working_link(%s)", [invite_id])
    where = database.fetch_one("select waiting_on, sentence from zenhire.candidate_interviews")
    assert (where["waiting_on"], "still works" in where["sentence"]) == ("candidate", True)
    (shown,) = attention(database)
    assert (shown["code"], "No other link is made while it works" in shown["why"]) == ("CONSOLE_REINVITED", True)


@pytest.mark.parametrize(
    ("vendor_status", "said"),
    [
        ("initiated", "Cancelled: a mistake ZenHire cannot revoke its link, which works until 2100-01-01 00:00 UTC."),
        ("active", "Cancelled: a mistake The candidate is in the interview all the same"),
        ("completed", "Cancelled: a mistake The interview was finished all the same; its outcome is kept with session"),
    ],
)
def test_what_comes_of_a_cancelled_invites_link_is_told(database: Database, vendor_status: str, said: str) -> None:
    cancelled_with_a_link(database)
    database.execute("update zenhire.interview_sessions set vendor_status = %s", [vendor_status])
    told = database.fetch_value("select sentence from zenhire.candidate_interviews")
    assert told.startswith(said)


def test_without_any_link_a_cancelled_invite_says_why_alone(database: Database) -> None:
    call(database, "cancel_invite", insert_invite(database), "a mistake")
    assert database.fetch_value("select sentence from zenhire.candidate_interviews") == "Cancelled: a mistake"


def attention(database: Database) -> list[dict[str, Any]]:
    return database.fetch("select * from zenhire.attention")


def lease(database: Database) -> None:
    database.execute(
        "update zenhire.interview_sessions set lease_token = gen_random_uuid(), lease_holder = gen_random_uuid(), "
        "lease_until = zenhire.clock() + interval '30 seconds'"
    )


def publish_another(database: Database, invite_id: UUID) -> None:
    """The next link of the invite is out."""
    database.execute("update zenhire.interview_sessions set current = false")
    database.execute(
        "insert into zenhire.interview_sessions (account, invite_id, link_number, post_number, state, session_id,"
        " link_expires_at, vendor_status) values ('default', %s, 2, 1, 'published', 'second', '2100-01-01',"
        " 'initiated')",
        [invite_id],
    )


def reopen(database: Database, invite_id: UUID, columns: dict[str, str | None]) -> None:
    row = "select session_id, link_expires_at, link_number from zenhire.candidate_invites"
    move(database, invite_id, "link_ready", **(database.fetch_one(row) | columns))
