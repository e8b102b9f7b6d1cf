"""One replica's steps, ticked by hand: real Postgres, real HTTP to the sandbox, no timer and no LISTEN."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from pydantic import SecretStr

from sandbox.clock import VirtualClock
from sandbox.platform import Platform
from sandbox.running import RunningSandbox
from service.core.model import Policy
from service.postgres.accounts import Accounts
from service.postgres.apply import Apply
from service.postgres.budget import Budget
from service.postgres.claims import Claims
from service.postgres.engine import create_engine
from service.postgres.list_style import ListStyles
from service.postgres.personas import PersonaRows
from service.postgres.running import RunningLists
from service.postgres.sweeps import Sweeps
from service.postgres.writer import Writer
from service.steps.beats import Reached, go_on
from service.steps.collect import CollectStep
from service.steps.desk import Desk, Tools
from service.steps.outage import Outage
from service.steps.personas import PersonaStep
from service.steps.places import ACCOUNTS_AT_FULL_WIDTH
from service.steps.running import RunningStep
from service.steps.settle import SettleStep
from service.steps.start import StartStep
from service.steps.sweep import SweepStep
from service.steps.watch import WatchStep
from service.zenhire.client import Ceilings, ZenhireClient
from service.zenhire.network import NetworkTransport
from service.zenhire.transport import SlotTransport
from tests.support.database import Database

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NO_LIMIT = 600_000  #: requests a minute


class World:
    """The database's clock and the vendor's, pushed forward together."""

    def __init__(self, database: Database, sandbox: RunningSandbox, clock: VirtualClock) -> None:
        self.database = database
        self.sandbox = sandbox
        self._clock = clock
        self._database_now()

    @property
    def now(self) -> datetime:
        return self._clock()

    @property
    def platform(self) -> Platform:
        return self.sandbox.platform

    def advance(self, **by: float) -> None:
        """Let time pass: `advance(days=7, minutes=1)`."""
        self.sandbox.console.advance(timedelta(**by))
        self._database_now()

    def _database_now(self) -> None:
        self.database.stop_clock(self._clock())


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """The steps of one replica."""

    id: UUID
    tools: Tools
    accounts: Accounts
    start: StartStep
    running: RunningStep  #: not among those that `tick` ticks: without it, each session is looked at by itself
    watch: WatchStep
    collect: CollectStep
    settle: SettleStep
    sweep: SweepStep
    desks: dict[str, Desk] = field(default_factory=dict)

    async def list_and_tick(self) -> None:
        """As a tick, with the list of what runs, and what it leads to."""
        await self.tick()
        await self.running.run_once()
        await self.watch.run_once()

    async def tick(self) -> None:
        """Every step once, in the order of the way of the data."""
        await self.accounts.register(sorted(self.desks))
        for step in (self.start, self.watch, self.collect, self.settle, self.sweep):
            await step.run_once()


@asynccontextmanager
async def a_replica(
    database_url: str,
    base_url: str,
    *,
    keys: dict[str, str],
    policy: Policy | None = None,
    requests_per_minute: int = NO_LIMIT,
    lease: timedelta = timedelta(seconds=30),
    deadline: timedelta = timedelta(seconds=5),
    jitter: float = 0.5,
    reached: Reached = go_on,
) -> AsyncIterator[Replica]:
    """A replica with a fresh identity; nothing of it is left behind."""
    identity = uuid4()
    async with AsyncExitStack() as stack:
        engine = create_engine(database_url, connections=5, application_name="zenhire-sync test")
        stack.push_async_callback(engine.dispose)
        accounts = Accounts(engine, replica=identity, base_url=base_url)
        desks: dict[str, Desk] = {}
        tools = Tools(
            desks=lambda: desks,
            claims=Claims(engine, holder=identity, lease=lease),
            accounts=accounts,
            writer=Writer(Apply(engine, replica=identity), accounts, give_up=lambda: True),
            policy=policy or Policy(),
            jitter=lambda: jitter,
            log=structlog.get_logger(),
            outage=Outage(structlog.get_logger()),
            concurrency=16,
            concurrency_of_all=ACCOUNTS_AT_FULL_WIDTH * 16,
            deadline=deadline,
            reached=reached,
        )
        for account, key in keys.items():
            budget = Budget(engine, account=account, requests_per_minute=requests_per_minute, stopping=tools.stopping)
            client = ZenhireClient(
                base_url=base_url,
                api_key=SecretStr(key),
                transport=SlotTransport(NetworkTransport(), budget),
                ceilings=Ceilings(deadline=deadline),
            )
            desks[account] = Desk(account=account, client=await stack.enter_async_context(client), budget=budget)
        await accounts.register(sorted(desks))
        yield Replica(
            id=identity,
            tools=tools,
            accounts=accounts,
            start=StartStep(tools, PersonaStep(tools, PersonaRows(engine, replica=identity))),
            running=RunningStep(
                tools,
                RunningLists(engine, replica=identity, lease=deadline + timedelta(seconds=5), policy=tools.policy),
                wake_watch=lambda: None,
                wake_after=lambda _: None,
            ),
            watch=WatchStep(tools),
            collect=CollectStep(tools),
            settle=SettleStep(tools, ListStyles(engine)),
            sweep=SweepStep(
                tools,
                Sweeps(engine, replica=identity, lease=lease, policy=tools.policy),
                wake_after=lambda _: None,
            ),
            desks=desks,
        )


def statuses(database: Database) -> dict[str, int]:
    rows = database.fetch("select status, count(*) as invites from zenhire.candidate_invites group by status")
    return {row["status"]: row["invites"] for row in rows}


def the_invite(database: Database) -> dict[str, Any]:
    """The only invite of the test."""
    return database.fetch_one("select * from zenhire.candidate_invites")


def the_posts(database: Database) -> list[dict[str, Any]]:
    return database.fetch("select * from zenhire.interview_sessions order by posted_at, post_number")


def kinds_of_events(database: Database) -> list[str]:
    return [row["kind"] for row in database.fetch("select kind from zenhire.invite_events order by id")]
