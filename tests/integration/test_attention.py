"""Every row that `attention` can show: what brings it about, and how the statement that it offers ends it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import LiteralString

import psycopg
import pytest

from service.postgres.migrate import make_roles
from tests.integration.test_figures import list_is, open_sessions
from tests.integration.test_views import TICKING, WITH_KEY, attention
from tests.support.attention import codes_of_attention
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.stages import as_service, invite_at

SECOND_LINK = """
insert into zenhire.interview_sessions (account, invite_id, link_number, post_number, state, current, session_id,
    link_expires_at, superseded_at, vendor_status)
select account, id, 2, 1, 'published', false, 'session-2', '2100-01-01', zenhire.clock(), 'initiated'
from zenhire.candidate_invites
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """How a row comes about, as the service would write it; `ended_by` where the row offers no statement."""

    code: str
    status: str | None = None  #: of an invite that it needs
    written: LiteralString = ""
    acts: Callable[[Database], None] | None = None
    ended_by: LiteralString | None = None


def too_many_sessions(database: Database) -> None:
    database.execute("insert into zenhire.request_budget (account, requests_per_minute) values ('default', 350)")
    open_sessions(database, 9400)
    list_is(database, "ignored")


def _stopped(code: LiteralString, *, needs_person: LiteralString = "false") -> Trouble:
    return Trouble(
        code=code,
        written="update zenhire.account_state set stop_scope = 'starts', stopped_at = zenhire.clock(), "
        f"stop_message = 'It stopped', stop_code = '{code}', needs_person = {needs_person}",
    )


def _persona(code: LiteralString, columns: LiteralString, values: LiteralString, *, statement: bool = True) -> Trouble:
    head = f"insert into zenhire.personas (account, role_name, language, {columns}) "
    return Trouble(
        code=code,
        written=f"{head} values ('default', 'N', 'en', {values})",
        ended_by=None if statement else "delete from zenhire.personas",
    )


def invite_of_another_account(database: Database) -> None:
    insert_invite(database, account="other")


def pause(database: Database) -> None:
    database.execute("select zenhire.pause_account('default', 'a freeze')")


TROUBLES = {
    "no replica ticks": Trouble(
        code="NO_REPLICA",
        written="update zenhire.replicas set last_tick_at = zenhire.clock() - interval '61 seconds'",
        ended_by="update zenhire.replicas set last_tick_at = zenhire.clock()",
    ),
    "somebody paused it": Trouble(code="PAUSED", acts=pause),
    "no credits": _stopped("INSUFFICIENT_CREDITS"),
    "another vendor": _stopped("BASE_URL_CHANGED", needs_person="true"),
    "another client": _stopped("CLIENT_CHANGED", needs_person="true"),
    "the vendor asks to wait": Trouble(
        code="VENDOR_WAITS",
        written="insert into zenhire.request_budget (account, waiting_since) "
        "values ('default', zenhire.clock() - interval '2 minutes')",
        ended_by="update zenhire.request_budget set waiting_since = null",
    ),
    "nobody has a key": Trouble(
        code="NO_KEY",
        acts=invite_of_another_account,
        ended_by="insert into zenhire.account_state (account) values ('other')",
    ),
    "a person must decide": Trouble(code="A_TEST", status="needs_review"),
    "a person must decide, too late for a link": Trouble(
        code="A_TEST",
        status="needs_review",
        written="update zenhire.candidate_invites set start_after = zenhire.clock() - interval '1 hour', "
        "stop_after = zenhire.clock() - interval '1 second'",
    ),
    "the vendor does not know the session": Trouble(
        code="SESSION_MISSING",
        status="link_ready",
        written="update zenhire.interview_sessions set last_look = 'missing', look_failures = 5, "
        "last_look_at = zenhire.clock()",
    ),
    "the vendor's answer cannot be read": Trouble(
        code="SESSION_UNREADABLE",
        status="link_ready",
        written="update zenhire.interview_sessions set last_look = 'unreadable', look_failures = 5, "
        "last_look_at = zenhire.clock()",
    ),
    "somebody uses a link that was never published": Trouble(
        code="ORPHAN_IN_USE",
        status="starting",
        written="update zenhire.interview_sessions set state = 'orphan', session_id = 'o', "
        "status_seen_at = zenhire.clock(), vendor_status = 'active', "
        "link_expires_at = '2100-01-01', lease_token = null, lease_until = null, lease_holder = null",
        ended_by="update zenhire.interview_sessions set vendor_status = 'failed'",
    ),
    "somebody has used one": Trouble(
        code="ORPHAN_IN_USE",
        status="starting",
        written="update zenhire.interview_sessions set state = 'orphan', session_id = 'o', "
        "status_seen_at = zenhire.clock(), vendor_status = 'completed', "
        "link_expires_at = '2100-01-01', lease_token = null, lease_until = null, lease_holder = null",
    ),
    "two links work": Trouble(code="TWO_LIVE_LINKS", status="link_ready", written=SECOND_LINK),
    "the console re-invited whom nobody follows": Trouble(
        code="CONSOLE_REINVITED",
        status="failed",
        written="update zenhire.interview_sessions set reinvited_at = zenhire.clock(), next_look_at = null, "
        "next_look_reason = null",
    ),
    "sessions with our mark that nobody made": Trouble(
        code="UNKNOWN_POSTS",
        written="insert into zenhire.unclaimed_sessions (account, session_id, finding, vendor_status) "
        "values ('default', 's-1', 'unknown_post', 'active')",
    ),
    "the console made a session for a candidate of ours": Trouble(
        code="LIKELY_REINVITE",
        status="expired",
        written="insert into zenhire.unclaimed_sessions (account, session_id, finding, vendor_status, invite_id) "
        "select 'default', 's-1', 'likely_reinvite', 'active', id from zenhire.candidate_invites",
    ),
    "what a post made was never found": Trouble(
        code="POSTS_NEVER_SETTLED",
        status="starting",
        written="update zenhire.interview_sessions set state = 'lost', dead_at = zenhire.clock(), "
        "dead_because = 'not_found', lease_token = null, lease_until = null, lease_holder = null",
    ),
    "more open sessions than can be looked at": Trouble(code="CAPACITY", acts=too_many_sessions),
    "a replica has more to do than it gets done": Trouble(
        code="OVERLOADED",
        written="update zenhire.replicas set waited_seconds = 7, core_used = 0.97, "
        "overloaded_since = zenhire.clock() - interval '61 seconds'",
        ended_by="update zenhire.replicas set overloaded_since = null",
    ),
    "as many interviews as ever at once": Trouble(
        code="DOOR",
        written="insert into zenhire.list_state (account, running, peak, full_since) "
        "values ('default', 8, 8, zenhire.clock() - interval '301 seconds')",
        ended_by="update zenhire.list_state set full_since = null",
    ),
    "fewer credits than the links that are out may cost": Trouble(
        code="CREDITS",
        status="link_ready",
        written="update zenhire.account_state "
        "set credits_left = 9, credits_each = 10, credits_asked_at = zenhire.clock()",
        ended_by="update zenhire.account_state set credits_left = 10",
    ),
    "several personas serve a role": _persona("SEVERAL_PERSONAS", "state, persona_id, matches", "'ready', 'p1', 2"),
    "a persona was refused": _persona(
        "INVALID_INPUT", "state, error_code, next_try_at", "'refused', 'INVALID_INPUT', null"
    ),
    "too many new roles in a day": _persona(
        "TOO_MANY_NEW_PERSONAS", "state, error_code", "'wanted', 'TOO_MANY_NEW_PERSONAS'", statement=False
    ),
    "a persona cannot be had": _persona(
        "INTERNAL_ERROR", "state, error_code, failures", "'wanted', 'INTERNAL_ERROR', 3", statement=False
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TROUBLES)
def test_it_is_shown_and_ended_by_what_it_says(database: Database, name: str) -> None:
    trouble = TROUBLES[name]
    make_roles(database.url)
    database.execute(TICKING)
    database.execute(WITH_KEY)
    if trouble.status is not None:
        invite_at(database, trouble.status)
    if trouble.acts is not None:
        trouble.acts(database)
    if trouble.written:
        with as_service(database) as connection:
            connection.execute("set local session_replication_role = replica")
            connection.execute(trouble.written)
    (row,) = attention(database)
    assert row["code"] == trouble.code
    assert row["since"] is not None
    assert row["why"].endswith((".", "?"))
    if trouble.ended_by is None:
        as_operator(database, row["statement"])
    else:
        assert row["statement"] is None
        database.execute(trouble.ended_by)
    assert attention(database) == []


def test_every_code_of_the_view_is_provoked() -> None:
    assert codes_of_attention() - {trouble.code for trouble in TROUBLES.values()} == set()


def as_operator(database: Database, statement: str) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("set session authorization zenhire_operator")
        connection.execute(statement.encode())
