"""No request leaves without a slot, or too late."""

import asyncio
from datetime import timedelta

import httpx
from pydantic import SecretStr

from service.core.limits import Share
from service.core.observations import NotSent, Sighting
from service.zenhire.client import Ceilings, ZenhireClient
from service.zenhire.transport import SlotTransport
from tests.unit.zenhire.examples import BASE_URL, KEY, SESSION, SESSION_ID, OpenBudget, later
from tests.unit.zenhire.test_client import CALLS


class ClosedBudget:
    """A budget that has no slot in time."""

    async def acquire(self, _share: Share, send_before: float) -> bool:
        return send_before < 0


class LateBudget:
    """A budget whose slot comes only when it is too late."""

    async def acquire(self, _share: Share, send_before: float) -> bool:
        too_late = asyncio.Event()
        asyncio.get_running_loop().call_at(send_before + 0.001, too_late.set)
        return await too_late.wait()


class LostDatabaseError(Exception):
    """The budget lives in a database, which may be away."""


class BrokenBudget:
    """A budget whose database is away."""

    async def acquire(self, _share: Share, send_before: float) -> bool:
        raise LostDatabaseError(send_before)


class Vendor:
    """Counts what reaches it."""

    def __init__(self) -> None:
        self.reached = 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.reached += 1
        return httpx.Response(200, json=SESSION)


def client_with(budget: ClosedBudget | LateBudget | BrokenBudget | OpenBudget, vendor: Vendor) -> ZenhireClient:
    return ZenhireClient(
        base_url=BASE_URL,
        api_key=SecretStr(KEY),
        transport=SlotTransport(httpx.MockTransport(vendor), budget),
        ceilings=Ceilings(deadline=timedelta(seconds=1)),
    )


async def test_every_request_takes_a_slot() -> None:
    budget, vendor = OpenBudget(), Vendor()
    async with client_with(budget, vendor) as client:
        for call in CALLS.values():
            await call(client)
    assert budget.taken == vendor.reached == len(CALLS)


async def test_nothing_is_sent_without_a_slot() -> None:
    vendor = Vendor()
    async with client_with(ClosedBudget(), vendor) as client:
        for call in CALLS.values():
            assert isinstance(await call(client), NotSent)
    assert vendor.reached == 0


async def test_nothing_is_sent_when_the_slot_comes_too_late() -> None:
    vendor = Vendor()
    async with client_with(LateBudget(), vendor) as client:
        assert isinstance(await client.get_session(SESSION_ID, send_before=later(0.02)), NotSent)
    assert vendor.reached == 0


async def test_no_slot_is_spent_on_a_request_that_is_late_already() -> None:
    budget, vendor = OpenBudget(), Vendor()
    async with client_with(budget, vendor) as client:
        assert isinstance(await client.get_session(SESSION_ID, send_before=later(-1)), NotSent)
        assert budget.taken == vendor.reached == 0
        assert isinstance(await client.get_session(SESSION_ID, send_before=later()), Sighting)


async def test_a_budget_that_breaks_down_is_not_taken_for_the_vendors_trouble() -> None:
    vendor = Vendor()
    async with client_with(BrokenBudget(), vendor) as client:
        try:
            await client.get_session(SESSION_ID, send_before=later())
        except LostDatabaseError:
            pass
        else:
            raise AssertionError("the exception was swallowed")
    assert vendor.reached == 0
