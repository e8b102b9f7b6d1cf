"""A world for each test: a fresh database and a sandbox on one virtual clock."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import pytest
import pytest_asyncio

from sandbox.clock import VirtualClock
from sandbox.platform import Platform
from sandbox.profile import Profile
from sandbox.running import running_sandbox
from service.steps.beats import Beat
from tests.support.database import Database
from tests.support.replica import START, Replica, World, a_replica


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    clock = VirtualClock(START)
    with running_sandbox(Platform(Profile(), clock)) as sandbox:
        yield World(database, sandbox, clock)


class MakeReplica(Protocol):
    def __call__(self, **over: Any) -> AbstractAsyncContextManager[Replica]: ...


@pytest.fixture
def make_replica(world: World) -> MakeReplica:
    """Replicas of this world: `async with make_replica() as replica`."""

    def make(**over: Any) -> AbstractAsyncContextManager[Replica]:
        settings = {"keys": {"default": world.sandbox.key}} | over
        return a_replica(world.database.url, world.sandbox.base_url, **settings)

    return make


@pytest_asyncio.fixture
async def replica(make_replica: MakeReplica) -> AsyncIterator[Replica]:
    async with make_replica() as made:
        yield made


class Between:
    """Lets another replica go first, once, when this one reaches a boundary."""

    def __init__(self, step: str, beat: Beat) -> None:
        self._at = (step, beat)
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def reached(self, step: str, beat: Beat) -> None:
        if (step, beat) == self._at and self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
