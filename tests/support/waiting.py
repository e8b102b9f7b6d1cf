"""Waiting for a condition with a deadline, instead of sleeping for a guess."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

_PAUSE_SECONDS = 0.02

#: What takes a second on an idle machine may take some on one that is shared; only a failure waits that long.
_PATIENCE = 4

Seen = TypeVar("Seen")


class NeverHappenedError(AssertionError):
    """The condition did not hold before the deadline; the message shows what was seen last."""

    def __init__(self, predicate: Callable[[], object], within: float, seen: object) -> None:
        what = inspect.getsource(predicate).strip() if inspect.isfunction(predicate) else repr(predicate)
        super().__init__(f"not within {within * _PATIENCE:g} s: {what} (seen last: {seen!r})")


def eventually(predicate: Callable[[], Seen], *, within: float, every: float = _PAUSE_SECONDS) -> Seen:
    """The first true value of `predicate`, asked `every` so many seconds for `within` seconds of an idle machine."""
    deadline = time.monotonic() + within * _PATIENCE
    while not (seen := predicate()):
        if time.monotonic() > deadline:
            raise NeverHappenedError(predicate, within, seen)
        time.sleep(every)
    return seen


@overload
async def eventually_async(predicate: Callable[[], Awaitable[Seen]], *, within: float) -> Seen: ...
@overload
async def eventually_async(predicate: Callable[[], Seen], *, within: float) -> Seen: ...
async def eventually_async(predicate: Callable[[], object], *, within: float) -> object:
    """As `eventually`, while the event loop runs on; `predicate` may be a coroutine function."""
    deadline = time.monotonic() + within * _PATIENCE
    while True:
        answer = predicate()
        seen = await answer if inspect.isawaitable(answer) else answer
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise NeverHappenedError(predicate, within, seen)
        await asyncio.sleep(_PAUSE_SECONDS)


async def pace(seconds: float) -> None:
    """The pause of a stand-in that is slow on purpose; never a wait for something to happen."""
    await asyncio.sleep(seconds)


async def dawdle(seconds: float) -> None:
    """How a slow peer that a test plays spends its time; never a way to wait for something."""
    await asyncio.sleep(seconds)


async def all_stands_still() -> None:
    """Let every task go on as far as it can without a clock or a socket."""
    for _ in range(100):
        await asyncio.sleep(0)
