"""Each role does what it is for, and nothing else; the matrix in docs/security.md is what the database says."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql

from service.postgres.migrate import make_roles, upgrade
from tests.roles import ROLES, SECURITY, matrix
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.stages import invite_at

DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def guarded(database: Database) -> Database:
    make_roles(database.url)
    return database


@contextmanager
def logged_in_as(database: Database, role: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """As after a login: session_user is the role as well."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(sql.SQL("set session authorization {}").format(sql.Identifier(role)))
        yield connection


def one(database: Database, role: str, statement: str, *given: object) -> Any:
    with logged_in_as(database, role) as connection:
        row = connection.execute(statement, given).fetchone()
    return row[0] if row else None


def may_not(database: Database, role: str, statement: str, *given: object) -> None:
    with logged_in_as(database, role) as connection, pytest.raises(DENIED):
        connection.execute(statement, given)


INSERT = """
insert into zenhire.candidate_invites (candidate_ref, role_name, language, consent_mode, request_key, metadata, tags)
values ('C-17', 'Nurse', 'en', 'explicit', 'application-1', '{"a": 1}', '{x}') on conflict do nothing returning id
"""


def test_the_matrix_in_the_document_is_what_the_database_says(guarded: Database) -> None:
    written = SECURITY.read_text().partition("<!-- roles -->")[2].partition("<!-- /roles -->")[0].strip()
    assert matrix(guarded) == written


def test_roles_can_be_made_again_and_by_several_migrations_at_once(guarded: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(make_roles, [guarded.url] * 4)) == [None] * 4
    assert not upgrade(guarded.url)
    found = guarded.fetch("select rolname, rolcanlogin from pg_roles where rolname like 'zenhire\\_%%'")
    assert {(row["rolname"], row["rolcanlogin"]) for row in found} >= {(role, False) for role in ROLES}


def test_the_ats_inserts_changes_reads_and_cancels(guarded: Database) -> None:
    invite_id = one(guarded, "zenhire_ats", INSERT)
    assert one(guarded, "zenhire_ats", INSERT) is None
    one(
        guarded, "zenhire_ats", "update zenhire.candidate_invites set priority = 5 where id = %s returning 1", invite_id
    )
    linked = invite_at(guarded, "link_ready")
    assert one(guarded, "zenhire_ats", "select candidate_link from zenhire.candidate_invites where id = %s", linked)
    one(
        guarded,
        "zenhire_ats",
        "update zenhire.candidate_invites set seen_version = version where id = %s returning 1",
        linked,
    )
    assert one(guarded, "zenhire_ats", "select label from zenhire.candidate_interviews where invite_id = %s", linked)
    assert (
        one(guarded, "zenhire_ats", "select status from zenhire.results where invite_id = %s", linked) == "link_ready"
    )
    assert "is cancelled" in one(guarded, "zenhire_ats", "select zenhire.cancel_invite(%s, 'filled')", linked)
    event = guarded.fetch_one("select actor from zenhire.invite_events order by id desc limit 1")
    assert event["actor"] == "zenhire_ats"
    assert one(guarded, "zenhire_ats", "delete from zenhire.candidate_invites where id = %s returning id", invite_id)


@pytest.mark.parametrize(
    "statement",
    [
        "update zenhire.candidate_invites set status = 'completed'",
        "update zenhire.candidate_invites set candidate_link = 'https://evil.example'",
        "insert into zenhire.candidate_invites (candidate_ref, status) values ('c', 'pending')",
        "select * from zenhire.interview_sessions",
        "select * from zenhire.transcripts",
        "update zenhire.account_state set paused_at = null",
        "select zenhire.new_link(gen_random_uuid(), 'x')",
        "select zenhire.pause_account('default', 'x')",
        "select zenhire.erase_candidate('default', 'x', 'x')",
        "create table zenhire.mine ()",
        "truncate zenhire.candidate_invites",
    ],
)
def test_the_ats_may_nothing_else(guarded: Database, statement: str) -> None:
    insert_invite(guarded)
    may_not(guarded, "zenhire_ats", statement)


def test_a_mark_of_the_services_gives_the_ats_no_rights(guarded: Database) -> None:
    insert_invite(guarded)
    with logged_in_as(guarded, "zenhire_ats") as connection:
        connection.execute("set zenhire.writer = 'service'")
        with pytest.raises(DENIED):
            connection.execute("update zenhire.candidate_invites set status = 'cancelled'")


def test_an_operator_finds_out_and_acts_with_functions_alone(guarded: Database) -> None:
    guarded.execute("insert into zenhire.account_state (account) values ('default')")
    waiting, review, expired = (
        insert_invite(guarded),
        invite_at(guarded, "needs_review"),
        invite_at(guarded, "link_ready"),
    )
    acts: list[tuple[object, ...]] = [
        ("select why from zenhire.attention where invite_id = %s", review),
        ("select says from zenhire.service_status where what = 'account'",),
        ("select zenhire.explain_invite(%s)", waiting),
        ("select zenhire.retry_invite(%s, 'looked at')", review),
        ("select zenhire.look_now(%s, 'the candidate called')", expired),
        ("select zenhire.cancel_invite(%s, 'filled')", expired),
        ("select zenhire.pause_account('default', 'audit')",),
        ("select zenhire.resume_account('default', 'audit is over')",),
        ("select zenhire.set_account_limit('default', 450, 'raised')",),
        ("select example from zenhire.help()",),
    ]
    for statement, *given in acts:
        assert one(guarded, "zenhire_operator", str(statement), *given) is not None, statement
    actors = guarded.fetch("select distinct actor from zenhire.invite_events where kind <> 'moved'")
    assert [row["actor"] for row in actors] == ["zenhire_operator"]


@pytest.mark.parametrize(
    "statement",
    [
        "select candidate_link from zenhire.candidate_invites",
        "select metadata from zenhire.candidate_invites",
        "select transcript from zenhire.results",
        "select document from zenhire.transcripts",
        "update zenhire.candidate_invites set priority = 1",
        "insert into zenhire.candidate_invites (candidate_ref, persona_id, consent_mode) values ('c', 'p', 'explicit')",
        "update zenhire.interview_sessions set state = 'orphan'",
        "delete from zenhire.invite_events",
    ],
)
def test_operators_and_readers_see_no_link_and_change_no_table(guarded: Database, statement: str) -> None:
    insert_invite(guarded)
    for role in ("zenhire_operator", "zenhire_reader"):
        may_not(guarded, role, statement)


def test_a_reader_reads_the_views_and_may_not_act(guarded: Database) -> None:
    invite_id = invite_at(guarded, "completed")
    views = "attention service_status candidate_interviews timeline backlog capacity outcome_lag request_usage"
    for view in views.split():
        one(guarded, "zenhire_reader", f"select count(*) from zenhire.{view}")
    assert one(guarded, "zenhire_reader", "select status from zenhire.results") == "completed"
    for act in ("cancel_invite", "retry_invite", "look_now"):
        may_not(guarded, "zenhire_reader", f"select zenhire.{act}(%s, 'x')", invite_id)


def test_whoever_has_no_role_may_nothing(guarded: Database) -> None:
    guarded.execute("do $$ begin create role zenhire_test_nobody; exception when others then null; end $$")
    for statement in ("select zenhire.clock()", "select * from zenhire.attention", "select zenhire.help()"):
        may_not(guarded, "zenhire_test_nobody", statement)
