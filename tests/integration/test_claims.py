"""The times of a claim: when its lease began, and what time it is at the database's."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from service.postgres.claims import Claims
from service.postgres.engine import create_engine, transaction
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.waiting import eventually_async

LEASE, DEADLINE = timedelta(seconds=30), timedelta(seconds=10)


async def test_a_wait_for_a_connection_costs_nothing_of_the_lease_and_makes_no_look_newer(database: Database) -> None:
    insert_invite(database, persona_id="persona-1")
    loop = asyncio.get_running_loop()
    engine = create_engine(database.url, connections=1, application_name="zenhire-sync test")
    async with transaction(engine):
        asked = loop.time()
        claiming = asyncio.ensure_future(Claims(engine, holder=uuid4(), lease=LEASE).posts("default", 1))
        await eventually_async(lambda: loop.time() > asked + 0.3, within=5)
    freed = loop.time()
    batch = await claiming
    await engine.dispose()
    assert len(batch.rows) == 1
    assert batch.send_before(DEADLINE) > freed - 0.2 + (LEASE - DEADLINE).total_seconds()
    assert batch.claimed_at <= batch.now() <= database.fetch_value("select zenhire.clock()")
