"""What has no end is forgotten after a while, and nothing else."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.postgres import retention
from service.postgres.engine import create_engine
from service.postgres.retention import Retention
from tests.support.database import Database
from tests.support.stages import invite_at

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
    await Retention(engine, checks=KEPT).forget()
    left = [(row["what"], row["age"]) for row in database.fetch(LEFT)]
    assert left == [(what, age) for what in ("counts", "replicas", "runs") for age in (0, 29)]
    assert database.fetch_value("select count(*) from zenhire.verify_sightings") == 2


async def test_no_invite_and_no_event_is_ever_too_old(database: Database, engine: AsyncEngine) -> None:
    invite_at(database, "completed")
    events = database.fetch_value("select count(*) from zenhire.invite_events")
    await Retention(engine, checks=timedelta(0)).forget()
    assert database.fetch_value("select count(*) from zenhire.invite_events") == events > 0
    assert database.fetch_value("select count(*) from zenhire.candidate_invites") == 1
