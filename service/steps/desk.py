"""What a step needs at hand: one desk for each account with a key, and the tools that all steps of a replica share."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from service.core.limits import Share
from service.core.model import Policy
from service.postgres.accounts import Accounts
from service.postgres.budget import Budget
from service.postgres.claims import Claims
from service.postgres.writer import Writer
from service.steps.beats import Reached, go_on
from service.steps.outage import Outage
from service.steps.places import Places, Waits
from service.zenhire.client import Ceilings, ZenhireClient
from service.zenhire.meter import Meter
from service.zenhire.network import NetworkTransport, proxy_for
from service.zenhire.transport import SlotSource, SlotTransport


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One account: whom to ask, and how often."""

    account: str
    client: ZenhireClient
    budget: Budget
    meter: Meter = field(default_factory=Meter)

    @property
    def net(self) -> ZenhireClient:
        """For what may wait: it must not take the place of what hangs in it."""
        return self.client.on(Share.NETS)


def vendor_client(
    base_url: str, key: SecretStr, *, slots: SlotSource, deadline: timedelta, meter: Meter | None = None
) -> ZenhireClient:
    """A client over the network; nothing leaves it without a slot."""
    return ZenhireClient(
        base_url=base_url,
        api_key=key,
        transport=SlotTransport(NetworkTransport(proxy=proxy_for(base_url)), slots, meter),
        # A transcript's lease is not renewed while it comes in, so it has no more time than any other answer.
        ceilings=Ceilings(deadline=deadline, artifact_deadline=deadline),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskMaker:
    """Puts desks together: every request of an account goes through its budget."""

    budget_of: Callable[[str], Budget]
    base_url: str
    deadline: timedelta

    async def make(self, account: str, key: SecretStr, stack: AsyncExitStack) -> Desk:
        """A desk that lives as long as `stack`."""
        budget, meter = self.budget_of(account), Meter()
        client = vendor_client(self.base_url, key, slots=budget, deadline=self.deadline, meter=meter)
        return Desk(account=account, client=await stack.enter_async_context(client), budget=budget, meter=meter)


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
    concurrency: int  #: rows of one account that a step has at work at once
    concurrency_of_all: int  #: the same of all accounts together
    deadline: timedelta  #: one request with its whole answer
    reached: Reached = go_on
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    waits: Waits = field(default_factory=Waits)

    def places(self) -> Places:
        """The places of one step."""
        return Places(self.concurrency_of_all, waits=self.waits, stopping=self.stopping)
