"""One piece of work for each account at a time, and no account ever waits for another."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from service.postgres.engine import DatabaseLost
from service.steps.desk import Tools


class SideBySide:
    """Keeps `work(account)` running for the accounts that it is given; what goes wrong with one is its own affair."""

    def __init__(self, work: Callable[[str], Awaitable[None]], tools: Tools, *, step: str) -> None:
        self._work = work
        self._tools = tools
        self._step = step
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    def start(self, accounts: Iterable[str]) -> None:
        """Begin with each account, or do one more round where one is under way: it may not see what came meanwhile."""
        for account in accounts:
            self._again.add(account)
            if account not in self._running:
                self._running[account] = asyncio.create_task(self._rounds(account))

    async def drained(self) -> None:
        """Wait until nothing is under way."""
        while self._running:
            await asyncio.wait(self._running.values())

    async def _rounds(self, account: str) -> None:
        try:
            while account in self._again and not self._tools.stopping.is_set():
                self._again.discard(account)
                await self._round(account)
        finally:
            self._again.discard(account)
            del self._running[account]

    async def _round(self, account: str) -> None:
        """Never raises: the next tick tries again."""
        try:
            await self._work(account)
        except DatabaseLost as error:
            self._tools.outage.note_lost(error)
        except Exception:
            self._tools.log.exception("account_failed", step=self._step, account=account)
