"""The worlds of the steps' tests, and `verify` run within the test's own process."""

import io
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from service.core.model import Policy
from service.operate.verify import Options, verify
from service.operate.verify_progress import Progress
from service.operate.verify_report import Report
from tests.integration.steps.conftest import MakeReplica, make_replica, replica, world
from tests.support.database import Database

__all__ = ["MakeReplica", "Verify", "make_replica", "replica", "world"]

Verify = Callable[..., Awaitable[Report]]


@pytest.fixture
def verify_database(database: Database) -> Verify:
    """`verify --database-only`; what is given replaces options."""

    def run(**over: Any) -> Awaitable[Report]:
        options: dict[str, Any] = {"database_url": database.url, "policy": Policy()} | over
        return verify(Options(**options), Progress(io.StringIO()))

    return run
