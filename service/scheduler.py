"""
The timer: APScheduler ticks each step, LISTEN wakes one early, SIGTERM drains.

APScheduler is a timer and nothing else: one scheduler per replica, in memory. Which rows are worked on is said by the
claims. Its `shutdown` cancels the coroutines it runs, so it runs none but those that start a tick and return.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from structlog.typing import FilteringBoundLogger

from service.postgres.engine import DatabaseLost
from service.steps.outage import Outage


@dataclass(slots=True, kw_only=True)
class Ticker:
    """Runs one step: never twice at once, and once more if it was woken meanwhile."""

    name: str
    tick: Callable[[], Awaitable[None]]
    every: timedelta
    outage: Outage
    log: FilteringBoundLogger
    stopping: asyncio.Event
    started: Callable[[], Awaitable[None]] | None = None  #: waits for what ticks have started
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _again: bool = False
    _running: asyncio.Future[None] | None = None  # kept: the loop alone holds tasks weakly

    def __post_init__(self) -> None:
        self._idle.set()

    async def on_timer(self) -> None:
        """Tick, unless a tick runs: what it leaves is taken up by the next one."""
        if self._idle.is_set():
            self.wake()

    def wake(self) -> None:
        """Tick now, or once more after the tick that runs."""
        self._again = True
        if self._idle.is_set() and not self.stopping.is_set():
            self._idle.clear()
            self._running = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        """One tick, and another for each wake-up that came while it ran."""
        try:
            while self._again and not self.stopping.is_set():
                self._again = False
                await self._tick_once()
        finally:
            self._idle.set()

    async def _tick_once(self) -> None:
        """Never raises: the next tick tries again."""
        turn = self.outage.turn
        try:
            await self.tick()
        except DatabaseLost as error:
            self.outage.note_lost(error, turn)
        except Exception:
            self.log.exception("tick_failed", step=self.name)
        else:
            self.outage.note_back(turn)

    async def drained(self) -> None:
        """Wait until nothing of this step is under way."""
        await self._idle.wait()
        if self.started is not None:
            await self.started()


class Scheduler:
    """All tickers of a replica."""

    def __init__(self, tickers: Sequence[Ticker]) -> None:
        self._tickers = tickers
        self._timer = AsyncIOScheduler(timezone="UTC")

    def start(self) -> None:
        for ticker in self._tickers:
            self._timer.add_job(
                ticker.on_timer,
                "interval",
                seconds=ticker.every.total_seconds(),
                jitter=ticker.every.total_seconds() * 0.1,
                id=ticker.name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
            ticker.wake()
        self._timer.start()

    async def drain(self, within: timedelta) -> bool:
        """Tick no more and let what is under way end; False if it did not end in time."""
        self._timer.pause()
        waits = {asyncio.ensure_future(ticker.drained()) for ticker in self._tickers}
        _, late = await asyncio.wait(waits, timeout=within.total_seconds())
        for wait in late:
            wait.cancel()
        self._timer.shutdown(wait=False)
        return not late
