"""
What one writes first: asyncio, httpx and a table. Posts what waits, and asks each open session in turn.

It keeps nothing but the table's rows. A post whose answer was lost is posted again, and what the first one made is
nobody's. Nothing keeps a second process from doing the same work at the same time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

import httpx

from benchmarks.peers.invites import Invite, Invites, opened
from benchmarks.peers.options import Options, read_options
from benchmarks.peers.vendor import FINAL, Vendor, connected

SCAN_SECONDS = 0.1  #: between two looks into the table

Item = TypeVar("Item")
_log = logging.getLogger(__name__)


async def in_parallel(concurrency: int, items: Sequence[Item], act: Callable[[Item], Awaitable[None]]) -> None:
    """In the order of the items. One that fails is told of and left for the next round."""
    rest = iter(items)
    await asyncio.gather(*(_one_after_the_other(rest, act) for _ in range(concurrency)))


async def _one_after_the_other(rest: Iterator[Item], act: Callable[[Item], Awaitable[None]]) -> None:
    for item in rest:
        try:
            await act(item)
        except httpx.HTTPError as problem:
            _log.warning("%s: %r", item, problem)


async def start_sessions(vendor: Vendor, invites: Invites, concurrency: int) -> None:
    async def start(invite: Invite) -> None:
        await invites.started(invite, *await vendor.start(invite.candidate_ref))

    while True:
        waiting = await invites.waiting()
        await in_parallel(concurrency, waiting, start)
        await asyncio.sleep(SCAN_SECONDS)


async def ask_sessions(vendor: Vendor, invites: Invites, concurrency: int, interval: float) -> None:
    async def ask(session_id: str) -> None:
        session = await vendor.look(session_id)
        if session["status"] in FINAL:
            await invites.finished(session)

    loop = asyncio.get_running_loop()
    while True:
        next_at = loop.time() + interval
        await in_parallel(concurrency, await invites.open_sessions(), ask)
        await asyncio.sleep(max(next_at - loop.time(), SCAN_SECONDS))


async def run(options: Options) -> None:
    async with opened(options.database) as invites, connected(options) as vendor, asyncio.TaskGroup() as group:
        group.create_task(start_sessions(vendor, invites, options.concurrency))
        group.create_task(ask_sessions(vendor, invites, options.concurrency, options.interval))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(run(read_options()))
