"""The worlds of the steps' tests, and `verify` run within the test's own process."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.model import Policy
from service.operate.progress import Progress
from service.operate.verify import Options, verify
from service.operate.verify_report import Report
from service.operate.verify_vendor import Vendor
from service.postgres.budget import Budget
from service.steps.desk import DeskMaker
from tests.integration.steps.conftest import MakeReplica, make_replica, replica, world
from tests.support.database import Database
from tests.support.replica import NO_LIMIT, World

__all__ = ["MakeReplica", "Verify", "make_replica", "replica", "world"]

DEADLINE = timedelta(seconds=5)

Verify = Callable[..., Awaitable[Report]]


@pytest.fixture
def verify_database(database: Database) -> Verify:
    """`verify --database-only`; what is given replaces options."""

    def run(**over: Any) -> Awaitable[Report]:
        options: dict[str, Any] = {"database_url": database.url, "policy": Policy()} | over
        return verify(Options(**options), Progress(io.StringIO()))

    return run


@pytest.fixture
def verify_all(world: World) -> Verify:
    """`verify` of both sides; what is given replaces options or the vendor's settings."""

    def run(**over: Any) -> Awaitable[Report]:
        vendor: dict[str, Any] = {
            "keys": {"default": SecretStr(world.sandbox.key)},
            "base_url": world.sandbox.base_url,
            "requests_per_minute": NO_LIMIT,
        }
        names = {field.name for field in fields(Vendor)}
        vendor |= {name: value for name, value in over.items() if name in names}
        options: dict[str, Any] = {"database_url": world.database.url, "policy": Policy()}
        options |= {name: value for name, value in over.items() if name not in names}

        def make_desks(engine: AsyncEngine, stopping: asyncio.Event) -> DeskMaker:
            def budget_of(account: str) -> Budget:
                return Budget(engine, account=account, requests_per_minute=NO_LIMIT, stopping=stopping)

            return DeskMaker(budget_of=budget_of, base_url=vendor["base_url"], deadline=DEADLINE)

        sides = Vendor(**vendor, make_desks=make_desks)
        return verify(Options(**options, vendor=sides), Progress(io.StringIO()))

    return run
