"""LISTEN: wakes the start step when invites come in. It only accelerates; a pooler that drops it costs seconds."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import psycopg

from service.postgres.engine import connect

CHANNEL = "zenhire_invites"
RECONNECT_SECONDS = 5.0


async def listen(
    database_url: str, *, application_name: str, wake: Callable[[], None], stopping: asyncio.Event
) -> None:
    """Call `wake` for each notification until `stopping`; a lost connection is opened again, and wakes once."""
    while not stopping.is_set():
        with suppress(psycopg.Error, OSError):
            await _listen_once(database_url, application_name, wake, stopping)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), RECONNECT_SECONDS)


async def _listen_once(
    database_url: str, application_name: str, wake: Callable[[], None], stopping: asyncio.Event
) -> None:
    connection = await connect(database_url, application_name=application_name)
    async with connection:
        await connection.set_autocommit(True)
        await connection.execute(f"listen {CHANNEL}")
        wake()  # what came in while nobody listened
        while not stopping.is_set():
            async for _notification in connection.notifies(timeout=1.0, stop_after=1):
                wake()
