"""One piece of work for each account at a time; accounts do not wait for one another, but for places (`places.py`)."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import ClassVar

from service.postgres.engine import DatabaseLost
from service.steps.desk import Desk, Tools


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
        turn = self._tools.outage.turn
        try:
            await self._work(account)
        except DatabaseLost as error:
            self._tools.outage.note_lost(error, turn)
        except Exception:
            self._tools.log.exception("account_failed", step=self._step, account=account)


class AccountStep(ABC):
    """A step that works for each account with something to do, all of them side by side."""

    name: ClassVar[str]

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._places = tools.places()
        self._accounts = SideBySide(self._work_for_account, tools, step=self.name)

    @abstractmethod
    async def due(self, accounts: Sequence[str]) -> Iterable[str]:
        """Those of `accounts` that have something to do now."""

    @abstractmethod
    async def work_for(self, desk: Desk) -> None:
        """One round for one account."""

    async def tick(self) -> None:
        """See to it that every account with something to do is at work; does not wait for it."""
        self._accounts.start(await self.due(sorted(self._tools.desks())))

    async def drained(self) -> None:
        """Wait until no account is at work."""
        await self._accounts.drained()

    async def run_once(self) -> None:
        """One tick and all that it started, to its end."""
        await self.tick()
        await self.drained()

    async def _work_for_account(self, account: str) -> None:
        desk = self._tools.desks().get(account)
        if desk is not None:  # its key may have gone since the tick
            await self.work_for(desk)


class ListStep(AccountStep):
    """A step that reads an account's list at the vendor: one round has one place."""

    @abstractmethod
    async def read_for(self, desk: Desk) -> None:
        """Read, decide and write."""

    async def work_for(self, desk: Desk) -> None:
        async with self._places.one() as is_ours:
            if is_ours:
                await self.read_for(desk)
