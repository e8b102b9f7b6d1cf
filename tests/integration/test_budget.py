"""The budget holds across replicas: on the database's clock, whoever asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise

from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.limits import BUDGET_SHARE, Share
from service.core.model import Lane
from service.postgres.budget import Budget
from service.postgres.engine import create_engine
from tests.support.database import Database
from tests.support.replica import START

PER_MINUTE = 3000


@asynccontextmanager
async def an_engine(database: Database) -> AsyncIterator[AsyncEngine]:
    database.execute("insert into zenhire.request_budget (account) values ('default')")
    database.execute("insert into zenhire.account_state (account, base_url) values ('default', 'http://localhost')")
    engine = create_engine(database.url, connections=6, application_name="zenhire-sync test")
    try:
        yield engine
    finally:
        await engine.dispose()


def a_budget(engine: AsyncEngine, *, per_minute: int = PER_MINUTE) -> Budget:
    return Budget(engine, account="default", requests_per_minute=per_minute, stopping=asyncio.Event())


async def send_for(budget: Budget, share: Share = Share.OUTCOMES, *, seconds: float) -> list[float]:
    """Send as often as the budget allows; when each was sent."""
    loop = asyncio.get_running_loop()
    end, sent = loop.time() + seconds, []
    while loop.time() < end and await budget.acquire(share, end):
        sent.append(loop.time())
    return sent


async def test_replicas_together_never_send_more_than_the_limit(database: Database) -> None:
    async with an_engine(database) as engine:
        replicas = [a_budget(engine) for _ in range(3)]
        each = await asyncio.gather(*(send_for(one, seconds=1.5) for one in replicas))
    sent = sorted(at for one in each for at in one)
    allowed_each_second = PER_MINUTE * BUDGET_SHARE / 60
    for start in sent:
        within = [at for at in sent if start <= at < start + 1.0]
        assert len(within) <= allowed_each_second * 1.25 + 1  # a slot may be used up to 250 ms late
    assert len(sent) <= allowed_each_second * 1.75 + 1
    assert len(sent) >= allowed_each_second * 0.75  # and it is no brake either


async def test_slots_lie_evenly_apart(database: Database) -> None:
    async with an_engine(database) as engine:
        database.stop_clock(START)
        budget = a_budget(engine, per_minute=600)
        grant = await budget.reserve(Lane.START, 5)
        distances = [later - sooner for sooner, later in pairwise(budget._slots[Share.STARTS])]
    assert grant.slots == 5
    assert all(abs(distance - 0.1 / BUDGET_SHARE) < 0.001 for distance in distances)


async def test_no_more_than_a_second_is_handed_out_ahead(database: Database) -> None:
    async with an_engine(database) as engine:
        database.stop_clock(START)
        one, two = a_budget(engine, per_minute=600), a_budget(engine, per_minute=600)
        first, second = await one.reserve(Lane.LOOK, 100), await two.reserve(Lane.START, 100)
        third = await a_budget(engine, per_minute=600).reserve(Lane.LOOK, 100)
    assert (first.slots, second.slots) == (8, 2)  # the second is owed its floor, and reaches as far as an allotment
    assert third.slots == 0
    assert third.retry_in is not None


async def test_a_pause_of_the_account_holds_every_replica(database: Database) -> None:
    async with an_engine(database) as engine:
        database.stop_clock(START)
        database.execute("update zenhire.request_budget set paused_until = zenhire.clock() + interval '1 hour'")
        grant = await a_budget(engine).reserve(Lane.LOOK, 5)
        assert grant.slots == 0
        assert grant.retry_in is not None
        assert grant.retry_in > 3000
        database.stop_clock(START + timedelta(hours=1))
        assert (await a_budget(engine).reserve(Lane.LOOK, 5)).slots == 5


async def test_a_clock_that_jumped_ahead_does_not_silence_the_account(database: Database) -> None:
    async with an_engine(database) as engine:
        database.stop_clock(START)
        database.execute("update zenhire.request_budget set next_slot_at = zenhire.clock() + interval '1 day'")
        await a_budget(engine).reserve(Lane.LOOK, 1)
        database.stop_clock(START + timedelta(seconds=2))
        assert (await a_budget(engine).reserve(Lane.LOOK, 1)).slots == 1


async def test_a_limit_of_the_accounts_own_counts_instead_of_the_setting(database: Database) -> None:
    async with an_engine(database) as engine:
        database.stop_clock(START)
        database.execute("update zenhire.request_budget set requests_per_minute = 60")
        assert (await a_budget(engine, per_minute=6000).reserve(Lane.START, 100)).slots == 1


async def test_an_operators_pause_stops_links_and_not_looks(database: Database) -> None:
    async with an_engine(database) as engine:
        database.execute("select zenhire.pause_account('default', 'audit')")
        budget = a_budget(engine)
        assert (await budget.reserve(Lane.START, 1)).slots == 0
        assert (await budget.reserve(Lane.LOOK, 1)).slots == 1


async def test_nothing_is_sent_when_its_slot_comes_too_late(database: Database) -> None:
    async with an_engine(database) as engine:
        database.execute("update zenhire.request_budget set paused_until = zenhire.clock() + interval '1 minute'")
        loop = asyncio.get_running_loop()
        assert not await a_budget(engine).acquire(Share.OUTCOMES, loop.time() + 5)


async def test_a_stop_ends_the_wait_for_a_slot_at_once(database: Database) -> None:
    async with an_engine(database) as engine:
        database.execute("update zenhire.request_budget set paused_until = zenhire.clock() + interval '10 seconds'")
        stopping = asyncio.Event()
        budget = Budget(engine, account="default", requests_per_minute=600, stopping=stopping)
        loop = asyncio.get_running_loop()
        loop.call_later(0.2, stopping.set)
        began = loop.time()
        assert not await budget.acquire(Share.OUTCOMES, began + 60)
        assert loop.time() - began < 5


async def test_a_limit_below_one_request_in_two_seconds_holds_too(database: Database) -> None:
    async with an_engine(database) as engine:
        slots = 0
        for second in range(60):
            database.stop_clock(START + timedelta(seconds=second))
            slots += (await a_budget(engine, per_minute=6).reserve(Lane.LOOK, 10)).slots
    assert 5 <= slots <= 7
