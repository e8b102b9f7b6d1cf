"""Who is served when there is not enough for all, and at which pace after the vendor found the account too fast."""

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.decisions import MustWait
from service.core.limits import BUDGET_SHARE, TERMS, Share
from service.core.model import Lane
from service.postgres.accounts import Accounts
from tests.integration.test_budget import a_budget, an_engine
from tests.support.database import Database
from tests.support.replica import START

PER_MINUTE = 600
TOO_FAST = MustWait(delay=None, reason="RATE_LIMIT_EXCEEDED", too_fast=True)

LANES = {
    Share.OUTCOMES: Lane.LOOK,
    Share.STARTS: Lane.START,
    Share.ARTIFACTS: Lane.ARTIFACT,
    Share.NETS: Lane.LIST,
}


async def served(database: Database, engine: AsyncEngine, shares: list[Share], *, seconds: int) -> Counter[Share]:
    """How many slots each share gets when all of them want as many as they can have, in this order, all the time."""
    got: Counter[Share] = Counter()
    for tick in range(seconds * 20):
        database.stop_clock(START + timedelta(milliseconds=50 * tick))
        for share in shares:
            # each from a replica of its own: none finds another one's slots at hand
            grant = await a_budget(engine, per_minute=PER_MINUTE).reserve(LANES[share], 100, share=share)
            got[share] += grant.slots
    return got


async def test_everybody_gets_a_floor_and_the_whole_budget_is_used(database: Database) -> None:
    seconds = 8
    async with an_engine(database) as engine:
        got = await served(database, engine, list(Share), seconds=seconds)
    whole = PER_MINUTE * BUDGET_SHARE / 60 * seconds
    ahead = PER_MINUTE * BUDGET_SHARE / 60 + 1  # what is handed out for the second after the end
    assert whole * 0.97 <= got.total() <= whole + ahead
    for share in Share:
        assert got[share] >= TERMS[share].floor * whole * 0.9, (share, got)
    assert got[Share.OUTCOMES] > got[Share.ARTIFACTS] > got[Share.NETS], got


@pytest.mark.parametrize("share", Share)
async def test_what_nobody_else_wants_anybody_may_have(database: Database, share: Share) -> None:
    async with an_engine(database) as engine:
        got = await served(database, engine, [share], seconds=3)
    assert got[share] >= PER_MINUTE * BUDGET_SHARE / 60 * 3 * 0.97


@pytest.mark.parametrize("hungry", [Share.STARTS, Share.ARTIFACTS, Share.NETS])
async def test_no_backlog_delays_an_outcome_by_a_second(database: Database, hungry: Share) -> None:
    async with an_engine(database) as engine:
        await served(database, engine, [hungry], seconds=2)
        grant = await a_budget(engine, per_minute=PER_MINUTE).reserve(Lane.LOOK, 1)
    assert grant.slots == 1


async def test_slots_that_are_given_back_serve_whoever_comes_next(database: Database) -> None:
    async with an_engine(database) as engine:
        database.stop_clock(START)
        budget = a_budget(engine, per_minute=PER_MINUTE)
        first = await budget.reserve(Lane.LOOK, 8)
        budget.give_back(Lane.LOOK, 6)
        assert (await budget.reserve(Lane.START, 6)).slots == 6
        assert (await budget.reserve(Lane.LOOK, 2)).slots == 2
        assert first.slots == 8
        begins = database.fetch_value("select next_slot_at - zenhire.clock() from zenhire.request_budget")
    assert begins < timedelta(seconds=0.9)  # no more than the first eight was taken from the budget


async def test_an_account_that_is_found_too_fast_goes_more_slowly_and_wins_it_back(database: Database) -> None:
    async with an_engine(database) as engine:
        database.stop_clock(START)
        accounts = Accounts(engine, replica=uuid4(), base_url="http://localhost")
        for _ in range(5):  # requests that were on their way together
            await accounts.note("default", [TOO_FAST])
        paces = []
        for minutes in (0, 1, 2, 6):
            database.stop_clock(START + timedelta(minutes=minutes, seconds=2))
            paces.append(database.fetch_value("select zenhire.pace_now(a) from zenhire.account_state a"))
            grant = await a_budget(engine, per_minute=PER_MINUTE).reserve(Lane.LOOK, 100)
            assert abs(grant.slots - (1 + int(8 * BUDGET_SHARE * paces[-1]))) <= 1
    assert [round(pace, 2) for pace in paces] == [0.7, 0.75, 0.8, 1.0]


async def test_an_account_is_never_slowed_down_to_silence(database: Database) -> None:
    async with an_engine(database) as engine:
        accounts = Accounts(engine, replica=uuid4(), base_url="http://localhost")
        for tick in range(30):
            database.stop_clock(START + timedelta(seconds=11 * tick))
            await accounts.note("default", [TOO_FAST])
        assert database.fetch_value("select pace from zenhire.account_state") >= 0.1
