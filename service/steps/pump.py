"""
The loop that all steps share: claim as much as there are places and budget for, keep it in flight, claim again.

Requests in flight are never cancelled: when the service stops, no more is claimed, and what is under way ends itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from service.steps.places import Places

T = TypeVar("T")

REST_SECONDS_MAX = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch(Generic[T]):
    """What one claim brought. `retry_in`: nothing now, but in so many seconds; None: nothing more in this tick."""

    rows: Sequence[T] = ()
    wanted: int = 0
    retry_in: float | None = None

    @property
    def is_last(self) -> bool:
        """Fewer rows than slots: there is no more to do now."""
        return self.retry_in is None and len(self.rows) < self.wanted


async def pump(
    claim: Callable[[int], Awaitable[Catch[T]]],
    work: Callable[[T], Awaitable[None]],
    *,
    width: int,
    places: Places,
    stopping: asyncio.Event,
) -> int:
    """
    Keep up to `width` rows in work until `claim` has no more; returns how many were worked on.

    A row has its place among those of all accounts before it is claimed, and until `work` is done with it. `work` must
    not raise: what goes wrong with one row is its own affair.
    """
    running: set[asyncio.Task[None]] = set()
    worked = 0
    while not stopping.is_set():
        free = width - len(running)
        if free < max(1, width // 4):
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            continue
        taken = await places.take(free)
        if taken == 0:
            break
        catch = await _claim_safely(claim, taken, running, places)
        worked += len(catch.rows)
        running |= {asyncio.ensure_future(_in_its_place(work, row, places)) for row in catch.rows}
        if catch.is_last or (catch.retry_in or 0.0) > REST_SECONDS_MAX:
            break  # a longer wait is the timer's: by then the account may be paused, stopped, or free again
        if not catch.rows:
            await _rest(catch.retry_in or 0.0, stopping)
        running = {task for task in running if not task.done()}
    if running:
        await asyncio.wait(running)
    return worked


async def _claim_safely(
    claim: Callable[[int], Awaitable[Catch[T]]], taken: int, running: set[asyncio.Task[None]], places: Places
) -> Catch[T]:
    """A claim that fails must not leave rows in work behind, unwatched."""
    try:
        catch = await claim(taken)
    except BaseException:
        places.give_back(taken)
        if running:
            await asyncio.wait(running)
        raise
    places.give_back(taken - len(catch.rows))
    return catch


async def _in_its_place(work: Callable[[T], Awaitable[None]], row: T, places: Places) -> None:
    try:
        await work(row)
    finally:
        places.give_back(1)


async def _rest(seconds: float, stopping: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
