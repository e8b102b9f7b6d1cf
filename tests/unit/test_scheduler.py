"""The timer: one tick at a time, a wake-up is never lost, an outage is told once, a stop drains."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from structlog.testing import capture_logs

from service.postgres.engine import DatabaseLost
from service.scheduler import Scheduler, Ticker
from service.steps.outage import Outage
from tests.support.waiting import eventually_async


def a_ticker(tick: Callable[[], Awaitable[None]], *, every: float = 3600.0) -> Ticker:
    log = structlog.get_logger()
    return Ticker(
        name="start",
        tick=tick,
        every=timedelta(seconds=every),
        outage=Outage(log),
        log=log,
        stopping=asyncio.Event(),
    )


class Slow:
    """A tick that lasts until it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.at_once = 0
        self.most_at_once = 0
        self.go = asyncio.Semaphore(0)

    async def tick(self) -> None:
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.go.acquire()
        self.at_once -= 1


async def test_a_wake_up_during_a_tick_brings_one_more_tick_and_never_two_at_once() -> None:
    slow = Slow()
    ticker = a_ticker(slow.tick)
    ticker.wake()
    await eventually_async(lambda: slow.begun == 1, within=2)
    ticker.wake()
    ticker.wake()
    slow.go.release()
    slow.go.release()
    await ticker.drained()
    assert (slow.begun, slow.most_at_once) == (2, 1)


async def test_the_timer_leaves_a_running_tick_alone() -> None:
    slow = Slow()
    ticker = a_ticker(slow.tick)
    ticker.wake()
    await eventually_async(lambda: slow.begun == 1, within=2)
    await ticker.on_timer()
    slow.go.release()
    await ticker.drained()
    assert slow.begun == 1


async def test_a_tick_that_fails_is_logged_and_the_next_one_is_tried() -> None:
    ticks = 0

    async def fails() -> None:
        nonlocal ticks
        ticks += 1
        raise ValueError("a bug")

    ticker = a_ticker(fails)
    with capture_logs() as logs:
        for _ in range(2):
            ticker.wake()
            await ticker.drained()
    assert ticks == 2
    assert [line["event"] for line in logs] == ["tick_failed", "tick_failed"]


async def test_an_outage_of_the_database_is_told_once_and_its_end_once() -> None:
    answers = [DatabaseLost("gone"), DatabaseLost("gone"), None, None]

    async def tick() -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    ticker = a_ticker(tick)
    with capture_logs() as logs:
        for _ in range(4):
            ticker.wake()
            await ticker.drained()
    assert [line["event"] for line in logs] == ["database_lost", "database_back"]


async def test_what_was_sent_into_an_outage_and_fails_after_it_is_no_second_one() -> None:
    outage = Outage(structlog.get_logger())
    before = outage.turn
    with capture_logs() as logs:
        outage.note_lost(DatabaseLost("the server is gone"), before)
        during = outage.turn
        outage.note_back(before)  # it had done its work before, and says nothing of now
        outage.note_lost(DatabaseLost("nobody answers"), during)
        outage.note_back(during)
        outage.note_lost(DatabaseLost("no answer came"), during)  # was sent before the end
        outage.note_lost(DatabaseLost("gone again"), outage.turn)
    assert [(entry["event"], entry.get("reason")) for entry in logs] == [
        ("database_lost", "the server is gone"),
        ("database_back", None),
        ("database_lost", "gone again"),
    ]


async def test_a_stop_waits_for_what_is_under_way_and_ticks_no_more() -> None:
    slow = Slow()
    ticker = a_ticker(slow.tick, every=0.01)
    scheduler = Scheduler([ticker])
    scheduler.start()
    await eventually_async(lambda: slow.begun == 1, within=2)
    ticker.stopping.set()
    slow.go.release()
    assert await scheduler.drain(timedelta(seconds=5))
    ticker.wake()
    assert slow.begun == 1


async def test_a_stop_does_not_wait_for_ever() -> None:
    slow = Slow()
    scheduler = Scheduler([a_ticker(slow.tick)])
    scheduler.start()
    await eventually_async(lambda: slow.begun == 1, within=2)
    assert not await scheduler.drain(timedelta(seconds=0.05))
    slow.go.release()
