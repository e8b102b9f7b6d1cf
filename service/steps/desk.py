"""What a step needs at hand: one desk for each account with a key, and the tools that all steps of a replica share."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from service.core.model import Policy
from service.postgres.accounts import Accounts
from service.postgres.budget import Budget
from service.postgres.claims import Claims
from service.postgres.writer import Writer
from service.steps.beats import Reached, go_on
from service.steps.outage import Outage
from service.zenhire.client import ZenhireClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One account: whom to ask, and how often."""

    account: str
    client: ZenhireClient
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Shared by all steps of a replica."""

    desks: Callable[[], Mapping[str, Desk]]
    claims: Claims
    accounts: Accounts
    writer: Writer
    policy: Policy
    jitter: Callable[[], float]
    log: FilteringBoundLogger
    outage: Outage
    concurrency: int
    deadline: timedelta  #: one request with its whole answer
    reached: Reached = go_on
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
