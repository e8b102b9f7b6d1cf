"""One replica of a run: the service's own parts, on the run's network and database."""

import asyncio
import random
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, cast
from uuid import UUID

import structlog
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.load import Load
from service.core.model import Policy
from service.postgres.accounts import Accounts
from service.postgres.apply import Apply
from service.postgres.budget import Budget
from service.postgres.claims import Claims
from service.postgres.engine import DatabaseLost
from service.postgres.list_style import ListStyles
from service.postgres.personas import PersonaRows
from service.postgres.replicas import ReplicaRow
from service.postgres.running import RunningLists
from service.postgres.sweeps import Sweeps
from service.postgres.writer import Writer
from service.steps.beats import Beat
from service.steps.collect import CollectStep
from service.steps.desk import Desk, Tools
from service.steps.outage import Outage
from service.steps.personas import PersonaStep
from service.steps.running import RunningStep
from service.steps.settle import SettleStep
from service.steps.start import StartStep
from service.steps.sweep import SweepStep
from service.steps.watch import WatchStep
from service.zenhire.client import Ceilings, ZenhireClient
from service.zenhire.transport import SlotTransport
from tests.simulation.engine import Shared, SteppedEngine
from tests.simulation.wire import Wire
from tests.simulation.world import EPOCH, KEYS, World

BASE_URL = "https://platform.zenhire.ai/api/v1/interview"


class Step(Protocol):
    async def tick(self) -> None: ...
    async def drained(self) -> None: ...


@dataclass(slots=True, eq=False, kw_only=True)
class SimulatedReplica:
    """Lives until it is killed, asleep while it is paused; a fresh identity each."""

    name: str
    id: UUID
    world: World
    dead: bool = False
    asleep: bool = False
    arrived: bool = False
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    steps: dict[str, Step] = field(default_factory=dict)
    accounts: Accounts | None = None
    row: ReplicaRow | None = None
    troubled: bool = False  #: was killed, stopped or put to sleep: it may not have done what it had begun
    asked_to_wait: list[tuple[str, float, int]] = field(default_factory=list)  #: which account, when, and seconds
    busy: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def ready_for(self, step: str) -> bool:
        under_way = self.busy.get(step)
        return self.arrived and not self.asleep and not self.dead and (under_way is None or under_way.done())

    def tick(self, step: str) -> None:
        """As the timer does: never twice at once."""
        self.busy[step] = self.world.loop.create_task(self._safely(step, self.steps[step].tick()))

    def arrive(self) -> None:
        self.busy["arrival"] = self.world.loop.create_task(self._safely("arrival", self._arrive()))

    def heartbeat(self) -> None:
        self.busy["heartbeat"] = self.world.loop.create_task(self._safely("heartbeat", self._heartbeat()))

    def stop(self) -> None:
        """SIGTERM: finish what is under way, give the rest back, say goodbye."""
        self.stopping.set()
        self.troubled = True
        self.busy["stop"] = self.world.loop.create_task(self._safely("stop", self._leave()))

    async def reached(self, step: str, beat: Beat) -> None:
        await self.world.park(self, f"{step}: {beat}")

    async def _arrive(self) -> None:
        if self.row is None:
            raise AssertionError("a replica that was never put together")
        await self.row.hello()
        await self._heartbeat()
        self.arrived = True

    async def _heartbeat(self) -> None:
        if self.row is None or self.accounts is None:
            raise AssertionError("a replica that was never put together")
        await self.accounts.register(self.world.scenario.accounts)
        await self.row.tick(Load())

    async def _leave(self) -> None:
        for step in self.steps.values():
            await step.drained()
        with suppress(DatabaseLost):
            if self.row is not None:
                await self.row.goodbye()
        self.world.kill(self)

    async def _safely(self, step: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except DatabaseLost:
            return
        except Exception:  # noqa: BLE001 - as the timer does: the next tick tries again; the log is read in the end
            structlog.get_logger().exception("tick_failed", step=step)


def make_replica(world: World, shared: Shared) -> SimulatedReplica:
    """As `service.wiring` does it, on the run's network and database."""
    scenario, number = world.scenario, len(world.replicas) + 1
    dice = random.Random(f"{scenario.seed}/replica {number}")
    replica = SimulatedReplica(name=f"R{number}", id=UUID(int=dice.getrandbits(128), version=4), world=world)
    engine = cast("AsyncEngine", SteppedEngine(world, replica, shared))
    log = structlog.get_logger().bind(replica=replica.name)
    replica.accounts = Accounts(engine, replica=replica.id, base_url=BASE_URL)
    replica.row = ReplicaRow(engine, replica=replica.id, version="0", settings={})
    desks = {account: _desk(world, replica, engine, account) for account in scenario.accounts}
    tools = Tools(
        desks=lambda: desks,
        claims=Claims(engine, holder=replica.id, lease=timedelta(seconds=scenario.lease)),
        accounts=replica.accounts,
        writer=Writer(Apply(engine, replica=replica.id), replica.accounts, give_up=replica.stopping.is_set),
        policy=Policy(
            watch_interval=timedelta(seconds=scenario.watch_interval),
            sweep_every=round(scenario.sweep_interval / scenario.watch_interval),
            list_every=scenario.list_every,
            ended_every=scenario.ended_every,
            settle_after=timedelta(seconds=scenario.settle_after),
            expiry_grace=timedelta(seconds=scenario.expiry_grace),
            posts_per_link=scenario.posts_per_link,
        ),
        jitter=dice.random,
        log=log,
        outage=Outage(log),
        concurrency=scenario.concurrency,
        concurrency_of_all=scenario.concurrency_of_all,
        deadline=timedelta(seconds=scenario.deadline),
        reached=replica.reached,
        stopping=replica.stopping,
    )
    list_lease = timedelta(seconds=scenario.deadline + 5)
    lists = RunningLists(engine, replica=replica.id, lease=list_lease, policy=tools.policy)
    sweeps = Sweeps(engine, replica=replica.id, lease=timedelta(seconds=scenario.lease), policy=tools.policy)
    replica.steps = {
        "start": StartStep(tools, PersonaStep(tools, PersonaRows(engine, replica=replica.id))),
        "running": RunningStep(tools, lists, wake_watch=lambda: None, wake_after=lambda _: None),
        "watch": WatchStep(tools),
        "collect": CollectStep(tools),
        "settle": SettleStep(tools, ListStyles(engine)),
        "sweep": SweepStep(tools, sweeps, wake_after=lambda _: None),
    }
    world.replicas.append(replica)
    replica.arrive()
    return replica


def _desk(world: World, replica: SimulatedReplica, engine: AsyncEngine, account: str) -> Desk:
    scenario = world.scenario
    budget = Budget(
        engine, account=account, requests_per_minute=scenario.requests_per_minute, stopping=replica.stopping
    )
    client = ZenhireClient(
        base_url=BASE_URL,
        api_key=SecretStr(KEYS[account]),
        transport=SlotTransport(Wire(world, replica, account), budget),
        ceilings=Ceilings(
            deadline=timedelta(seconds=scenario.deadline), artifact_deadline=timedelta(seconds=scenario.deadline)
        ),
        wall_clock=lambda: (world.now - EPOCH).total_seconds() + EPOCH.timestamp() + scenario.skew_of_replicas,
    )
    return Desk(account=account, client=client, budget=budget)
