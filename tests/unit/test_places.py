"""Places: so much at work at once of all accounts, first come first served; and how long work waited for them."""

import asyncio
import time
from collections.abc import Callable

import pytest

from service.core.load import CORE_MAX, WAITED_MAX, Load
from service.steps.load import LoadMeter
from service.steps.places import Places, Waits
from service.steps.pump import Catch, pump
from tests.support.waiting import all_stands_still, eventually_async

WIDTH = 16


def some_places(number: int) -> Places:
    return Places(number, waits=Waits(), stopping=asyncio.Event())


class Account:
    """Rows that are claimed and worked on until they are let go; what is at work is counted for all accounts."""

    at_work = 0
    most_at_work = 0

    def __init__(self, places: Places, rows: int, *, fails: bool = False) -> None:
        self.rows = rows
        self.done = 0
        self.go = asyncio.Event()
        self.fails = fails
        self._places = places

    async def claim(self, wanted: int) -> Catch[int]:
        if self.fails:
            raise RuntimeError("no claim")
        claimed = min(wanted, self.rows)
        self.rows -= claimed
        Account.at_work += claimed
        Account.most_at_work = max(Account.most_at_work, Account.at_work)
        return Catch(rows=range(claimed), wanted=wanted)

    async def work(self, _row: int) -> None:
        await self.go.wait()
        self.done += 1
        Account.at_work -= 1

    async def run(self) -> None:
        await pump(self.claim, self.work, width=WIDTH, places=self._places, stopping=asyncio.Event())


@pytest.fixture(autouse=True)
def _nobody_at_work() -> None:
    Account.at_work = Account.most_at_work = 0


async def is_still(what: Callable[[], object], value: object) -> None:
    """Nothing more happens by itself."""
    await all_stands_still()
    assert what() == value


async def test_many_accounts_have_no_more_at_work_than_there_are_places() -> None:
    places = some_places(64)
    accounts = [Account(places, rows=50) for _ in range(40)]
    for account in accounts:
        account.go.set()
    await asyncio.gather(*(account.run() for account in accounts))
    assert [account.done for account in accounts] == [50] * 40
    assert Account.most_at_work == 64


async def test_what_finds_no_place_has_claimed_nothing() -> None:
    places = some_places(4)
    first, second = Account(places, rows=4), Account(places, rows=4)
    runs = [asyncio.ensure_future(account.run()) for account in (first, second)]
    await is_still(lambda: (first.rows, second.rows), (0, 4))
    first.go.set()
    second.go.set()
    await asyncio.gather(*runs)
    assert (first.done, second.done) == (4, 4)


async def test_an_account_whose_requests_hang_leaves_the_others_their_places() -> None:
    places = some_places(4 * WIDTH)
    hangs, works = Account(places, rows=1000), Account(places, rows=1000)
    works.go.set()
    hanging = asyncio.ensure_future(hangs.run())
    await works.run()
    assert (works.done, hangs.done, hangs.rows) == (1000, 0, 1000 - WIDTH)
    hangs.go.set()
    await hanging
    assert hangs.done == 1000


async def test_a_claim_that_fails_gives_its_places_back() -> None:
    places = some_places(WIDTH)
    with pytest.raises(RuntimeError, match="no claim"):
        await Account(places, rows=1, fails=True).run()
    assert await places.take(WIDTH) == WIDTH


async def test_where_others_wait_each_gets_a_few() -> None:
    places = some_places(4 * WIDTH)
    taken = [await places.take(WIDTH) for _ in range(4)]
    waiting = [asyncio.ensure_future(places.take(WIDTH)) for _ in range(20)]
    await is_still(lambda: (taken, any(wait.done() for wait in waiting)), ([WIDTH] * 4, False))
    places.give_back(2 * WIDTH)
    await all_stands_still()
    assert [wait.result() for wait in waiting if wait.done()] == [4] * 8
    for _ in waiting:
        places.give_back(4)
    await asyncio.gather(*waiting)


async def test_places_are_given_first_come_first_served() -> None:
    places = some_places(32)
    assert await places.take(32) == 32
    order: list[str] = []

    async def guest(name: str, wanted: int) -> None:
        order.append(f"{name} {await places.take(wanted)}")

    guests = [asyncio.ensure_future(guest(name, wanted)) for name, wanted in (("a", 2), ("b", 2), ("c", 1))]
    await is_still(lambda: order, [])
    places.give_back(3)
    await is_still(lambda: order, ["a 2"])  # one is left, too few for b; and c came later
    places.give_back(1)
    await is_still(lambda: order, ["a 2", "b 2"])
    places.give_back(1)
    await asyncio.gather(*guests)
    assert order == ["a 2", "b 2", "c 1"]


async def test_who_comes_while_others_wait_does_not_go_before_them() -> None:
    places = some_places(1)
    assert await places.take(1) == 1
    first = asyncio.ensure_future(places.take(1))
    await is_still(first.done, value=False)
    second = asyncio.ensure_future(places.take(1))
    places.give_back(1)
    assert await first == 1
    await is_still(second.done, value=False)
    places.give_back(1)
    assert await second == 1


async def test_a_stop_lets_nobody_else_in() -> None:
    stopping = asyncio.Event()
    places = Places(1, waits=Waits(), stopping=stopping)
    assert await places.take(1) == 1
    waiting = [asyncio.ensure_future(places.take(1)) for _ in range(3)]
    await is_still(waiting[0].done, value=False)
    stopping.set()
    places.give_back(1)
    assert await asyncio.gather(*waiting) == [0, 0, 0]
    assert await places.take(1) == 0
    async with places.one() as is_ours:
        assert not is_ours


async def test_a_place_of_one_that_gave_up_goes_to_the_next() -> None:
    places = some_places(1)
    assert await places.take(1) == 1
    given_up, next_one = asyncio.ensure_future(places.take(1)), asyncio.ensure_future(places.take(1))
    await is_still(next_one.done, value=False)
    given_up.cancel()
    await asyncio.wait([given_up])
    places.give_back(1)
    assert await next_one == 1


# --- how much there is to do -----------------------------------------------------------------------------------------


async def test_a_wait_counts_while_it_goes_on_and_once_after_it() -> None:
    waits = Waits()
    places = Places(1, waits=waits, stopping=asyncio.Event())
    meter = LoadMeter(waits=waits)
    assert await places.take(1) == 1
    assert meter.take().waited == 0
    began = asyncio.get_running_loop().time()
    waiting = asyncio.ensure_future(places.take(1))
    await eventually_async(lambda: asyncio.get_running_loop().time() - began > 0.05, within=5)
    assert meter.take().waited > 0.04
    places.give_back(1)
    await waiting
    assert meter.take().waited > 0.04
    assert meter.take().waited == 0


def cpu_and_wall() -> tuple[float, float]:
    return time.process_time(), time.monotonic()


async def test_the_part_of_a_core_is_told_since_the_last_time() -> None:
    """Read before and after each of the meter's own readings, for the process may lose its core in between."""
    meter = LoadMeter(waits=Waits())
    before_first = cpu_and_wall()
    meter.take()
    after_first = cpu_and_wall()
    while time.process_time() < after_first[0] + 0.1:
        pass
    before_second = cpu_and_wall()
    core = meter.take().core
    after_second = cpu_and_wall()
    least_cpu, least_wall = (late - early for early, late in zip(after_first, before_second, strict=True))
    most_cpu, most_wall = (late - early for early, late in zip(before_first, after_second, strict=True))
    assert least_cpu / most_wall <= core <= most_cpu / least_wall


@pytest.mark.parametrize(
    ("load", "is_too_much"),
    [
        (Load(), False),
        (Load(waited=WAITED_MAX - 0.1, core=CORE_MAX - 0.01), False),
        (Load(waited=WAITED_MAX), True),
        (Load(core=CORE_MAX), True),
    ],
)
def test_it_is_too_much_where_work_waits_or_the_core_is_used_up(load: Load, is_too_much: bool) -> None:
    assert load.is_too_much is is_too_much
