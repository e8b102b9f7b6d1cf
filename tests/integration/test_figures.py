"""How the work stands, as people read it: backlog, capacity, outcome_lag, request_usage, service_status."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from service.core.limits import Share, Used
from service.postgres.engine import create_engine
from service.postgres.usage import Usage
from tests.integration.test_views import TICKING, WITH_KEY, attention
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.replica import START
from tests.support.stages import WAYS, add_post, as_service, invite_at, move


def one(database: Database, view: str, where: str = "true") -> dict[str, Any]:
    return database.fetch_one(f"select * from zenhire.{view} where {where}")


def a_replica(database: Database, *, state: str = "running", version: str = "0.1.0", **settings: object) -> UUID:
    replica = uuid4()
    database.execute(
        "insert into zenhire.replicas (id, host, pid, version, settings, last_tick_at, gone_at) values "
        "(%s, 'host-1', 7, %s, %s, zenhire.clock() - %s, case when %s then zenhire.clock() end)",
        [replica, version, Jsonb(settings), timedelta(seconds=61 if state == "silent" else 0), state == "gone"],
    )
    return replica


# --- backlog ---------------------------------------------------------------------------------------------------------


def test_the_backlog_counts_what_waits_and_how_long_it_takes(database: Database) -> None:
    database.execute(WITH_KEY)
    database.execute("insert into zenhire.request_budget (account, requests_per_minute) values ('default', 2)")
    for status in WAYS:
        invite_at(database, status)
    for _ in range(3):
        insert_invite(database)
    insert_invite(database, start_after="2100-01-01T00:00:00Z")
    row = one(database, "backlog")
    assert (row["due"], row["later"], row["starting"], row["links_out"], row["running"]) == (4, 1, 1, 1, 1)
    assert (row["needs_review"], row["works"], row["links_within"]) == (1, True, timedelta(minutes=2))
    assert row["next_start"].year == 2100
    assert row["due_since"] is not None


def test_an_account_without_a_key_has_a_backlog_and_promises_nothing(database: Database) -> None:
    insert_invite(database, account="keyless")
    row = one(database, "backlog")
    assert (row["account"], row["due"], row["works"], row["links_within"]) == ("keyless", 1, False, None)


# --- capacity --------------------------------------------------------------------------------------------------------


def open_sessions(database: Database, number: int) -> None:
    """So many sessions that are looked at, of one invite each."""
    with as_service(database) as connection:
        connection.execute(
            "insert into zenhire.candidate_invites (candidate_ref, persona_id, consent_mode) "
            "select 'C-' || n, 'persona-1', 'explicit' from generate_series(1, %s) n",
            [number],
        )
        connection.execute(
            "insert into zenhire.interview_sessions (account, invite_id, link_number, post_number, state, session_id, "
            "link_expires_at, next_look_at, next_look_reason) "
            "select account, id, 1, 1, 'published', 's-' || id, zenhire.clock() + interval '7 days', zenhire.clock(), "
            "'the link is new' from zenhire.candidate_invites"
        )


def list_is(database: Database, status_filter: str) -> None:
    database.execute(
        "insert into zenhire.list_state (account, status_filter, probed_at) values ('default', %s, zenhire.clock()) "
        "on conflict (account) do update set status_filter = excluded.status_filter",
        [status_filter],
    )


def test_too_many_open_sessions_are_said_beforehand_and_the_statement_mends_it(database: Database) -> None:
    database.execute(TICKING)
    database.execute(WITH_KEY)
    database.execute("insert into zenhire.request_budget (account, requests_per_minute) values ('default', 350)")
    open_sessions(database, 9400)
    list_is(database, "ignored")
    row = one(database, "capacity")
    assert row["says"] == (
        "9,400 open sessions are looked at one by one, since ZenHire's list cannot be asked for one status: "
        "a change is seen within 27 minutes."
    )
    assert (row["is_short"], row["limit_wanted"]) == (True, 1175)
    (shown,) = [row for row in attention(database) if row["code"] == "CAPACITY"]
    assert "within 27 minutes. With 1175 requests per minute it would be 10 minutes." in shown["why"]
    database.execute(shown["statement"])
    assert [row["code"] for row in attention(database) if row["code"] == "CAPACITY"] == []
    assert one(database, "capacity")["seen_within"] == timedelta(minutes=10)


def test_it_is_said_before_the_promise_is_broken(database: Database) -> None:
    database.execute(WITH_KEY)
    database.execute("insert into zenhire.request_budget (account, requests_per_minute) values ('default', 100)")
    list_is(database, "refused")
    open_sessions(database, 900)
    row = one(database, "capacity")
    assert (row["seen_within"], row["is_short"]) == (timedelta(minutes=10), True)


@pytest.mark.parametrize("number", [10, 9400])
def test_where_the_list_shows_what_runs_their_number_does_not_matter(database: Database, number: int) -> None:
    database.execute(WITH_KEY)
    list_is(database, "honoured")
    open_sessions(database, number)
    row = one(database, "capacity")
    assert (row["open_sessions"], row["seen_within"], row["is_short"]) == (number, timedelta(seconds=12), False)
    assert row["limit_wanted"] is None


def test_the_settings_in_force_decide(database: Database) -> None:
    database.execute(WITH_KEY)
    a_replica(database, SYNC_REQUESTS_PER_MINUTE=120, SYNC_WATCH_INTERVAL_SECONDS=30.0)
    list_is(database, "honoured")
    row = one(database, "capacity")
    assert (row["allowed"], row["seen_within"]) == (120, timedelta(seconds=32))


# --- outcome_lag -----------------------------------------------------------------------------------------------------


def completed_after(database: Database, seconds: float) -> None:
    """An invite whose interview ended so long before our commit."""
    invite_id = invite_at(database, "in_progress")
    ended_at = START - timedelta(seconds=seconds)
    move(database, invite_id, "completed", interview_completed_at=ended_at)


def test_the_lag_of_outcomes_is_told_in_percentiles(database: Database) -> None:
    database.stop_clock(START)
    database.execute(WITH_KEY)
    for seconds in range(1, 101):
        completed_after(database, seconds)
    rows = {row["period"]: row for row in database.fetch("select * from zenhire.outcome_lag")}
    assert set(rows) == {"last hour", "last day", "last 7 days"}
    hour = rows["last hour"]
    assert (hour["outcomes"], float(hour["p50_seconds"]), float(hour["worst_seconds"])) == (100, 50.5, 100.0)
    assert float(hour["p99_seconds"]) == pytest.approx(99.0, abs=0.1)
    database.stop_clock(START + timedelta(hours=2))
    assert {row["period"] for row in database.fetch("select * from zenhire.outcome_lag")} == {"last day", "last 7 days"}


def test_the_lag_is_corrected_by_the_vendors_clock(database: Database) -> None:
    database.stop_clock(START)
    database.execute(WITH_KEY)
    completed_after(database, 5)
    database.execute("update zenhire.account_state set vendor_ahead = interval '60 seconds'")
    assert float(one(database, "outcome_lag", "period = 'last hour'")["p50_seconds"]) == 65.0
    database.execute("update zenhire.account_state set vendor_ahead = interval '-60 seconds'")
    assert float(one(database, "outcome_lag", "period = 'last hour'")["p50_seconds"]) == 0.0


# --- request_usage ---------------------------------------------------------------------------------------------------


async def test_requests_are_counted_by_the_minute(database: Database) -> None:
    database.execute("insert into zenhire.request_budget (account, requests_per_minute) values ('default', 100)")
    database.execute(WITH_KEY)
    engine = create_engine(database.url, connections=2, application_name="zenhire-sync test")
    looks = Used(share=Share.OUTCOMES, sent=30, too_fast=2, unanswered=1)
    starts = Used(share=Share.STARTS, sent=10, too_fast=0, unanswered=0)
    usage = Usage(engine)
    try:
        database.stop_clock(START)
        await usage.count([("default", looks), ("default", starts)])
        await usage.count([("default", looks)])
        database.stop_clock(START + timedelta(minutes=1))
        await usage.count([("default", starts)])
        rows = database.fetch("select * from zenhire.request_usage order by minute")
        assert [(row["sent"], float(row["percent"]), row["too_fast"]) for row in rows] == [(70, 70.0, 4), (10, 10.0, 0)]
        assert (rows[0]["for_outcomes"], rows[0]["for_starts"], rows[0]["for_nets"]) == (60, 10, 0)
        await usage.vendor_times([("default", START)])
        ahead = database.fetch_value("select vendor_ahead from zenhire.account_state")
        assert ahead == -timedelta(minutes=1)
    finally:
        await engine.dispose()


# --- service_status --------------------------------------------------------------------------------------------------


def status_of(database: Database, what: str) -> list[dict[str, Any]]:
    return database.fetch("select * from zenhire.service_status where what = %s", [what])


def test_a_service_that_never_ran_is_silent(database: Database) -> None:
    (row,) = status_of(database, "service")
    assert (row["state"], row["since"]) == ("silent", None)
    (schema,) = status_of(database, "schema")
    assert (schema["name"], schema["state"]) == ("0001", "present")


def test_replicas_say_what_they_hold_and_whether_they_differ(database: Database) -> None:
    database.execute(WITH_KEY)
    first = a_replica(database, hash="a")
    second = a_replica(database, hash="b", version="0.2.0")
    a_replica(database, state="silent")
    a_replica(database, state="gone")
    database.execute(
        "insert into zenhire.leases (name, holder, term, until) "
        "select name, %s, 1, zenhire.clock() + interval '1 minute' "
        "from unnest(array['sweep:default', 'running:default', 'running:other']) name",
        [first],
    )
    invite_id = insert_invite(database)
    move(database, invite_id, "starting")
    add_post(database, invite_id, lease_holder=second)
    (service,) = status_of(database, "service")
    assert service["state"] == "running"
    assert service["says"].startswith("2 replica(s) run, of different versions, with different settings;")
    rows = {row["name"]: row for row in status_of(database, "replica")}
    assert sorted(row["state"] for row in rows.values()) == ["gone", "running", "running", "silent"]
    assert rows[str(first)]["says"] == "0.1.0 on host-1 (process 7) holds 0 row(s), 2 list(s) of what runs, 1 walk(s)."
    assert rows[str(second)]["says"] == "0.2.0 on host-1 (process 7) holds 1 row(s)."
    assert rows[str(second)]["details"]["settings"] == {"hash": "b"}


STOP = """
update zenhire.account_state set stop_code = 'INVALID_API_KEY', stop_scope = 'everything',
    stopped_at = zenhire.clock(), stop_message = 'the vendor answered 401'
"""
WAIT = """
insert into zenhire.request_budget (account, paused_until, wait_reason)
values ('default', zenhire.clock() + interval '1 minute', 'ZenHire asked to wait')
"""


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("select zenhire.pause_account('default', 'budget review')", "paused"),
        ("update zenhire.account_state set key_present = false", "no key"),
        (STOP, "stopped"),
        (WAIT, "waits"),
        ("select 1", "works"),
    ],
)
def test_an_account_says_whether_it_works(database: Database, statement: str, state: str) -> None:
    database.execute(WITH_KEY)
    database.execute(statement)
    (row,) = status_of(database, "account")
    assert row["state"] == state
    assert "a change is seen within" in row["says"]


def test_the_number_of_things_that_need_a_person_is_told(database: Database) -> None:
    database.execute(WITH_KEY)
    database.execute(TICKING)
    invite_at(database, "needs_review")
    (service,) = status_of(database, "service")
    assert service["details"]["attention"] == 1
