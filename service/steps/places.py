"""
How much a step has at work at once, of all accounts together: what finds no place waits, and has claimed nothing.

Without it a replica that has more to do than it gets done would claim posts faster than it can send them, and their
leases would run out before their answers were written.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

#: One account has a quarter of a step's places at most, so one whose requests hang leaves the others the rest.
ACCOUNTS_AT_FULL_WIDTH = 4

#: Where others wait, each takes a sixteenth of the places: many have little to do, and would keep more until their
#: claim has told them so; with fewer, each row would cost a claim of its own.
GUESTS_AT_ONCE = 16


class Waits:
    """How long work has waited for places, in all steps of a replica."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._going_on: dict[object, float] = {}

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count the time in here as a wait."""
        loop, wait = asyncio.get_running_loop(), object()
        self._going_on[wait] = loop.time()
        try:
            yield
        finally:
            self._longest = max(self._longest, loop.time() - self._going_on.pop(wait))

    def take_longest(self) -> float:
        """Seconds of the longest one since this was last asked; one that goes on counts as far as it has come."""
        now = asyncio.get_running_loop().time()
        longest = max(self._longest, now - min(self._going_on.values(), default=now))
        self._longest = 0.0
        return longest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guest:
    wanted: int
    seated: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Places:
    """The places of one step, given out first come first served."""

    def __init__(self, number: int, *, waits: Waits, stopping: asyncio.Event) -> None:
        self._free = number
        self._share = max(1, number // GUESTS_AT_ONCE)  # where others wait
        self._waits = waits
        self._stopping = stopping
        self._queue: deque[_Guest] = deque()

    async def take(self, wanted: int) -> int:
        """Wait for a few places and take up to `wanted`; none once the service stops."""
        if self._stopping.is_set():
            return 0
        if self._queue or self._free < min(wanted, self._share):
            return await self._wait(wanted)
        return self._seat(wanted)

    def give_back(self, places: int) -> None:
        """Leave them to those who wait, in the order in which they came."""
        self._free += places
        while self._queue:
            guest = self._queue[0]
            share = min(guest.wanted, self._share)
            if self._free < share and not self._stopping.is_set():
                return
            self._queue.popleft()
            if not guest.seated.done():  # its task may have been cancelled, at the end of the process
                guest.seated.set_result(0 if self._stopping.is_set() else self._seat(share))

    @asynccontextmanager
    async def one(self) -> AsyncIterator[bool]:
        """Hold one place in here; False once the service stops."""
        taken = await self.take(1)
        try:
            yield taken > 0
        finally:
            self.give_back(taken)

    async def _wait(self, wanted: int) -> int:
        guest = _Guest(wanted=wanted)
        self._queue.append(guest)
        with self._waits.one():
            return await guest.seated

    def _seat(self, wanted: int) -> int:
        taken = min(self._free, wanted)
        self._free -= taken
        return taken
