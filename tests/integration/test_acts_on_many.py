"""retry_all and set_account_limit: what concerns many invites, or the pace of an account."""

import asyncio

import psycopg
import pytest

from service.core.model import Lane
from service.postgres.budget import Budget
from service.postgres.engine import create_engine
from tests.support.control import call, newest_event
from tests.support.database import Database
from tests.support.replica import statuses
from tests.support.stages import as_service, invite_at, set_invite


def refused_with(database: Database, code: str) -> None:
    invite_id = invite_at(database, "refused")
    with as_service(database) as connection:
        set_invite(connection, invite_id, error_code=code)


def test_all_invites_that_stand_at_one_error_wait_for_their_turn_again(database: Database) -> None:
    for code in ("PERSONA_NOT_FOUND", "PERSONA_NOT_FOUND", "VALIDATION_ERROR"):
        refused_with(database, code)
    answer = call(database, "retry_all", "default", "PERSONA_NOT_FOUND", "it is there again")
    assert answer == "2 invite(s) of account default wait for their turn again."
    assert statuses(database) == {"pending": 2, "refused": 1}
    event = newest_event(database)
    assert (event["kind"], event["reason"]) == ("invite_retried", "it is there again")
    assert event["actor"] == database.fetch_value("select session_user::text")


@pytest.mark.parametrize("arguments", [("default", "OTHER", "why"), ("other", "PERSONA_NOT_FOUND", "why")])
def test_where_there_is_nothing_to_retry_it_says_so(database: Database, arguments: tuple[str, ...]) -> None:
    refused_with(database, "PERSONA_NOT_FOUND")
    with pytest.raises(psycopg.errors.NoDataFound) as refused:
        call(database, "retry_all", *arguments)
    assert "group by 1, 2" in (refused.value.diag.message_hint or "")
    assert statuses(database) == {"refused": 1}


@pytest.mark.parametrize("arguments", [("default", None, "why"), ("default", "X", " "), (None, "X", "why")])
def test_what_is_to_be_retried_and_why_must_be_said(database: Database, arguments: tuple[str | None, ...]) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        call(database, "retry_all", *arguments)


async def test_a_limit_holds_at_once_for_replicas_that_run(database: Database) -> None:
    database.execute("insert into zenhire.request_budget (account) values ('default')")
    database.execute(
        "insert into zenhire.account_state (account, pace, slowed_at) values ('default', 0.5, zenhire.clock())"
    )
    engine = create_engine(database.url, connections=2, application_name="zenhire-sync test")
    try:
        answer = call(database, "set_account_limit", "default", 60, "ZenHire lowered our limit")
        assert answer == "Account default may send 60 requests per minute."
        budget = Budget(engine, account="default", requests_per_minute=6000, stopping=asyncio.Event())
        assert (await budget.reserve(Lane.LOOK, 100)).slots == 1
    finally:
        await engine.dispose()
    event = newest_event(database)
    assert (event["kind"], event["details"]) == ("account_limit_set", {"before": None, "after": 60})
    assert database.fetch_value("select zenhire.pace_now(a) from zenhire.account_state a") == 1
    again = call(database, "set_account_limit", "default", None, "back to the setting")
    assert again == "Account default may send 400 requests per minute, as SYNC_REQUESTS_PER_MINUTE says."


def test_a_limit_below_one_is_refused_with_a_hint(database: Database) -> None:
    database.execute("insert into zenhire.account_state (account) values ('default')")
    with pytest.raises(psycopg.errors.InvalidParameterValue) as refused:
        call(database, "set_account_limit", "default", 0, "stop it")
    assert "pause_account" in (refused.value.diag.message_hint or "")
    with pytest.raises(psycopg.errors.NoDataFound):
        call(database, "set_account_limit", "nobody", 10, "why")
