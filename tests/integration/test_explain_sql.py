"""timeline, explain_invite and help: an invite's life and the schema's content, for whoever has psql alone."""

import psycopg
import pytest

from tests.support.control import call
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.stages import WAYS, invite_at

#: What an example may answer where the database does not hold what it acts on.
NOT_HERE = (psycopg.errors.NoDataFound, psycopg.errors.ObjectNotInPrerequisiteState)


@pytest.mark.parametrize("status", WAYS)
def test_every_invite_explains_itself(database: Database, status: str) -> None:
    invite_id = invite_at(database, status, candidate_ref="C-17")
    story = call(database, "explain_invite", invite_id)
    assert story.startswith(f"Invite {invite_id} of candidate C-17")
    assert f"({status}" in story
    assert "The ATS wrote the invite." in story
    assert story.count("\n") >= 2 + len(WAYS[status])


def test_what_happened_is_told_in_order_with_who_and_why(database: Database) -> None:
    invite_id = invite_at(database, "link_ready")
    call(database, "cancel_invite", invite_id, "position filled")
    rows = database.fetch(
        "select what, says, who from zenhire.timeline where invite_id = %s order by at, event_id", [invite_id]
    )
    assert [row["what"] for row in rows] == ["inserted", "moved", "moved", "invite_cancelled"]
    assert rows[-1]["says"] == "Invite cancelled (link_ready → cancelled): position filled"
    assert rows[-1]["who"] == database.fetch_value("select session_user::text")


def test_looks_that_found_nothing_are_one_line(database: Database) -> None:
    invite_id = invite_at(database, "link_ready")
    database.execute(
        "update zenhire.interview_sessions set look_count = 41, first_look_at = '2026-11-23 09:00Z', "
        "last_look_at = '2026-11-26 10:02Z', vendor_status = 'initiated', next_look_at = '2026-11-26 10:40Z', "
        "next_look_reason = 'nobody has opened the link'"
    )
    says = database.fetch_value(
        "select says from zenhire.timeline where invite_id = %s and what = 'looks'", [invite_id]
    )
    assert says.startswith("Looked 41 time(s) at session ")
    assert "since 2026-11-23 09:00 UTC; ZenHire says initiated." in says
    assert says.endswith("Next look 2026-11-26 10:40 UTC: nobody has opened the link.")


def test_an_explanation_holds_what_needs_a_person_and_the_statement(database: Database) -> None:
    invite_id = invite_at(database, "needs_review")
    story = call(database, "explain_invite", invite_id)
    assert "Needs a person: " in story
    assert f"select zenhire.retry_invite('{invite_id}'" in story


def test_an_invite_that_is_not_there_is_refused_with_a_hint(database: Database) -> None:
    with pytest.raises(psycopg.errors.NoDataFound) as refused:
        call(database, "explain_invite", "00000000-0000-0000-0000-000000000000")
    assert "candidate_ref" in (refused.value.diag.message_hint or "")


def test_help_tells_of_everything_that_people_use(database: Database) -> None:
    rows = database.fetch("select * from zenhire.help()")
    assert all(row["says"] for row in rows)
    named = {row["name"].partition("(")[0] for row in rows}
    views = database.fetch("select viewname from pg_views where schemaname = 'zenhire'")
    assert {row["viewname"] for row in views} - {"waiting", "last_hour"} <= named
    acts = {"cancel_invite", "retry_invite", "retry_all", "new_link", "look_now", "pause_account", "resume_account"}
    assert acts | {"set_account_limit", "erase_candidate", "explain_invite", "clock"} <= named


def test_every_example_of_help_can_be_executed(database: Database) -> None:
    for status in WAYS:
        invite_at(database, status)
    insert_invite(database, candidate_ref="C-17", request_key="application-4711")
    database.execute("insert into zenhire.account_state (account) values ('default')")
    for row in database.fetch("select * from zenhire.help()"):
        with psycopg.connect(database.url) as connection:
            try:
                connection.execute(row["example"])
            except NOT_HERE:
                assert row["name"].startswith(("retry_all", "resume_account", "new_link")), row
            connection.rollback()
