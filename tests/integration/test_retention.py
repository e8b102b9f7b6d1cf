"""What has no end is forgotten after a while, and nothing else."""

from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.postgres import retention
from service.postgres.engine import create_engine
from service.postgres.retention import Retention
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.stages import WAYS, as_service, invite_at

KEPT = timedelta(days=30)
FILL = """
insert into zenhire.request_counts (account, minute, share, sent)
select 'default', zenhire.clock() - make_interval(days => age), 'nets', 1 from unnest('{0,29,31,400}'::integer[]) age;
insert into zenhire.verify_runs (scope, runner, host, started_at)
select 'default', gen_random_uuid(), 'host', zenhire.clock() - make_interval(days => age)
from unnest('{0,29,31,400}'::integer[]) age;
insert into zenhire.verify_sightings (run_id, post_id) select id, gen_random_uuid() from zenhire.verify_runs;
insert into zenhire.replicas (id, host, pid, version, settings, last_tick_at)
select gen_random_uuid(), 'host', 1, '1', '{}', zenhire.clock() - make_interval(days => age)
from unnest('{0,29,31,400}'::integer[]) age
"""
LEFT = """
select 'counts' as what, extract(day from zenhire.clock() - minute)::integer as age from zenhire.request_counts
union all
select 'replicas', extract(day from zenhire.clock() - last_tick_at)::integer from zenhire.replicas
union all
select 'runs', extract(day from zenhire.clock() - started_at)::integer from zenhire.verify_runs
order by 1, 2
"""


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database.url, connections=1, application_name="zenhire-sync test")
    yield engine
    await engine.dispose()


@pytest.mark.parametrize("at_once", [1, 1000])
async def test_what_is_older_is_gone_and_the_rest_is_there(
    database: Database, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", at_once)
    database.execute(FILL)
    await Retention(engine, checks=KEPT, outcomes=None).forget()
    left = [(row["what"], row["age"]) for row in database.fetch(LEFT)]
    assert left == [(what, age) for what in ("counts", "replicas", "runs") for age in (0, 29)]
    assert database.fetch_value("select count(*) from zenhire.verify_sightings") == 2


async def test_unless_it_is_set_no_invite_and_no_event_is_ever_too_old(database: Database, engine: AsyncEngine) -> None:
    invite_at(database, "completed")
    events = database.fetch_value("select count(*) from zenhire.invite_events")
    await Retention(engine, checks=timedelta(0), outcomes=None).forget()
    assert database.fetch_value("select count(*) from zenhire.invite_events") == events > 0
    assert database.fetch_value("select count(*) from zenhire.candidate_invites") == 1


# --- invites ---------------------------------------------------------------------------------------------------------

DAYS = timedelta(days=30)
FINAL = {"completed", "failed", "expired", "cancelled"}


def make_old(database: Database, *, days: int = 31) -> None:
    """As if everything had happened so long ago, and nothing were due any more."""
    with as_service(database) as connection:
        connection.execute("set local session_replication_role = replica")
        connection.execute(
            "update zenhire.candidate_invites set status_changed_at = zenhire.clock() - make_interval(days => %s)",
            [days],
        )
        connection.execute(
            "update zenhire.interview_sessions set next_look_at = null, next_look_reason = null,"
            " next_collect_at = null, lease_token = null, lease_until = null, lease_holder = null"
            " where state <> 'posting'"
        )


async def forget(engine: AsyncEngine) -> bool:
    return await Retention(engine, checks=KEPT, outcomes=DAYS).forget()


@pytest.mark.parametrize("status", sorted(WAYS))
async def test_what_was_known_of_a_final_invite_goes_and_its_request_stays(
    database: Database, engine: AsyncEngine, status: str
) -> None:
    invite_id = invite_at(database, status)
    database.execute("update zenhire.candidate_invites set seen_version = version")
    make_old(database)
    before = database.fetch_one("select * from zenhire.candidate_invites")
    await forget(engine)
    after = database.fetch_one("select * from zenhire.candidate_invites")
    if status not in FINAL:
        assert after == before
        return
    assert (after["candidate_ref"], after["metadata"], after["candidate_link"]) == ("erased", {}, None)
    assert [after[name] for name in ("id", "request_key", "status", "session_id")] == [
        before[name] for name in ("id", "request_key", "status", "session_id")
    ]
    assert after["version"] > after["seen_version"]
    (event,) = database.fetch("select * from zenhire.invite_events where invite_id = %s", [invite_id])
    assert (event["kind"], event["from_status"], event["to_status"]) == ("history_forgotten", status, status)
    assert event["version"] == after["version"]
    assert database.fetch("select from zenhire.transcripts") == []
    assert database.fetch("select from zenhire.interview_sessions where vendor_object is not null") == []


async def test_the_same_request_is_refused_as_before(database: Database, engine: AsyncEngine) -> None:
    invite_at(database, "completed", request_key="application-7")
    make_old(database)
    await forget(engine)
    with pytest.raises(psycopg.errors.UniqueViolation, match="candidate_invites_request_key"):
        insert_invite(database, request_key="application-7")


async def test_what_is_not_old_enough_is_kept(database: Database, engine: AsyncEngine) -> None:
    invite_at(database, "completed")
    make_old(database, days=29)
    await forget(engine)
    assert database.fetch_value("select erased_at from zenhire.candidate_invites") is None


@pytest.mark.parametrize("due", ["next_look_at", "next_collect_at"])
async def test_what_something_may_still_come_of_is_kept(database: Database, engine: AsyncEngine, due: str) -> None:
    invite_at(database, "completed")
    make_old(database)
    reason = ", next_look_reason = 'a feedback may come'" if due == "next_look_at" else ""
    with as_service(database) as connection:
        connection.execute(f"update zenhire.interview_sessions set {due} = zenhire.clock(){reason}".encode())
    await forget(engine)
    assert database.fetch_value("select erased_at from zenhire.candidate_invites") is None


async def test_many_are_forgotten_a_few_at_a_time(
    database: Database, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "INVITES_AT_ONCE", 2)
    for number in range(3):
        invite_at(database, "expired", candidate_ref=f"candidate-{number}")
    make_old(database)
    assert [await forget(engine) for _ in range(3)] == [True, False, False]
    assert database.fetch_value("select count(*) from zenhire.candidate_invites where erased_at is not null") == 3


async def test_the_history_of_anybody_else_cannot_be_deleted(database: Database) -> None:
    invite_at(database, "completed")
    with as_service(database) as connection:
        connection.execute("set local zenhire.writer = 'erase'")
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("delete from zenhire.invite_events")
