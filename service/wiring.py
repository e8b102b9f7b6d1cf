"""The composition root: settings in, a running replica out."""

import asyncio
import random
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from uuid import UUID, uuid4

import structlog
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.typing import FilteringBoundLogger

from service.accounts import Accounts as Keys
from service.postgres.accounts import Accounts
from service.postgres.apply import Apply
from service.postgres.budget import Budget
from service.postgres.claims import Claims
from service.postgres.engine import DatabaseLost, create_engine
from service.postgres.list_style import ListStyles
from service.postgres.migrate import MigrationFailed, SchemaState, check
from service.postgres.notify import listen
from service.postgres.personas import PersonaRows
from service.postgres.replicas import ReplicaRow
from service.postgres.retention import Retention
from service.postgres.running import RunningLists
from service.postgres.sweeps import Sweeps
from service.postgres.usage import Usage
from service.postgres.writer import Writer
from service.scheduler import Scheduler, Ticker
from service.settings import Settings
from service.steps.beats import Reached, go_on
from service.steps.collect import CollectStep
from service.steps.desk import Desk, DeskMaker, Tools
from service.steps.load import LoadMeter
from service.steps.outage import Outage
from service.steps.personas import PersonaStep
from service.steps.places import ACCOUNTS_AT_FULL_WIDTH, Waits
from service.steps.running import RunningStep
from service.steps.settle import SettleStep
from service.steps.side_by_side import AccountStep
from service.steps.start import StartStep
from service.steps.sweep import SweepStep
from service.steps.watch import WatchStep

HEARTBEAT = timedelta(seconds=5)
DRAIN_WITHIN = timedelta(seconds=22)  # of the 25 s in which a stop is done; the rest is for goodbyes
GOODBYE_WITHIN = timedelta(seconds=2)
FORGET_EVERY = timedelta(hours=1)
RETRY_START = timedelta(seconds=2)
LIST_TO_SPARE = timedelta(seconds=5)  # between a list's answer and the end of its lease


def run_service(settings: Settings, *, reached: Reached = go_on) -> int:
    """
    Run one replica until SIGTERM or SIGINT: 0 after a clean stop, 1 if it may not start, 4 if a migration waits.

    `reached` listens at the boundaries between the beats of its steps.
    """
    return asyncio.run(_run(settings, reached))


async def _run(settings: Settings, reached: Reached) -> int:
    log: FilteringBoundLogger = structlog.get_logger()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    state = await _schema(settings, stopping, log)
    if state is None:
        return 0
    if not state.may_run:
        log.error("schema_refused", reason=state.sentence)
        return 4 if state.is_pending else 1
    async with AsyncExitStack() as stack:
        await Replica(settings, stopping, log, stack, reached).run()
    return 0


async def _schema(settings: Settings, stopping: asyncio.Event, log: FilteringBoundLogger) -> SchemaState | None:
    """The state of the schema, once the database can be reached; None if the stop came first."""
    reason = None
    while not stopping.is_set():
        try:
            return await asyncio.to_thread(check, settings.database_url.get_secret_value())
        except MigrationFailed as error:
            if str(error) != reason:
                log.warning("database_unreachable", reason=str(error))
            reason = str(error)
        await rest(RETRY_START, stopping)
    return None


async def rest(duration: timedelta, stopping: asyncio.Event) -> None:
    """Sleep, unless the stop comes first."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), duration.total_seconds())


@dataclass(slots=True)
class _Desks:
    """A desk for each account with a key; a changed key gets a new client, the old one ends with the process."""

    maker: DeskMaker
    keys: Keys
    stack: AsyncExitStack
    current: dict[str, Desk] = field(default_factory=dict)
    known: dict[str, SecretStr] = field(default_factory=dict)

    async def refresh(self) -> None:
        keys = self.keys.current()
        for account in self.current.keys() - keys.keys():
            del self.current[account], self.known[account]
        for account, key in keys.items():
            if self.known.get(account) != key:
                self.current[account] = await self.maker.make(account, key, self.stack)
                self.known[account] = key

    def now(self) -> Mapping[str, Desk]:
        return self.current


def running_lease(settings: Settings) -> timedelta:
    """Shorter than that of a row: for so long after a crash nobody lists what runs."""
    return min(settings.lease, settings.http_timeout + LIST_TO_SPARE)


def desk_maker(settings: Settings, engine: AsyncEngine, stopping: asyncio.Event) -> DeskMaker:
    def budget_of(account: str) -> Budget:
        return Budget(engine, account=account, requests_per_minute=settings.requests_per_minute, stopping=stopping)

    return DeskMaker(budget_of=budget_of, base_url=settings.base_url, deadline=settings.http_timeout)


class Replica:
    """One running process: a fresh identity at each start."""

    def __init__(
        self,
        settings: Settings,
        stopping: asyncio.Event,
        log: FilteringBoundLogger,
        stack: AsyncExitStack,
        reached: Reached,
    ) -> None:
        self._settings = settings
        self._reached = reached
        self._stopping = stopping
        self._stack = stack
        self._id: UUID = uuid4()
        self._log: FilteringBoundLogger = log.bind(replica=str(self._id))
        self._give_up_at = float("inf")
        self._name = f"zenhire-sync {str(self._id)[:8]}"
        self._engine = create_engine(
            settings.database_url.get_secret_value(),
            connections=settings.db_connections - 1,  # one more listens
            application_name=self._name,
        )
        self._accounts = Accounts(self._engine, replica=self._id, base_url=settings.base_url)
        maker = desk_maker(settings, self._engine, stopping)
        keys = Keys(api_key=settings.api_key, keys_dir=settings.api_keys_dir)
        self._desks = _Desks(maker=maker, keys=keys, stack=stack)
        self._usage = Usage(self._engine)
        outcomes = settings.retain_outcomes_days
        self._retention = Retention(
            self._engine,
            checks=timedelta(days=settings.retain_checks_days),
            outcomes=None if outcomes is None else timedelta(days=outcomes),
        )
        self._forget_at = 0.0  # the loop's time
        self._load = LoadMeter(waits=Waits())
        self._row = ReplicaRow(
            self._engine, replica=self._id, version=version("zenhire-sync"), settings=settings.redacted()
        )

    async def run(self) -> None:
        """Tick until the stop comes, then finish what is in flight and give the rest back."""
        self._stack.push_async_callback(self._engine.dispose)
        outage = Outage(self._log)
        if not await self._arrive(outage):
            return
        tickers = self._tickers(self._tools(outage))
        scheduler = Scheduler(list(tickers.values()))
        scheduler.start()
        self._log.info("service_started", version=version("zenhire-sync"), accounts=sorted(self._desks.current))
        listening = asyncio.create_task(
            listen(
                self._settings.database_url.get_secret_value(),
                application_name=f"{self._name} listen",
                wake=tickers["start"].wake,
                stopping=self._stopping,
            )
        )
        await self._stopping.wait()
        await self._leave(scheduler, listening)

    async def _arrive(self, outage: Outage) -> bool:
        """Say hello; False if the stop came before the database did."""
        while not self._stopping.is_set():
            turn = outage.turn
            try:
                await self._row.hello()
                await self._heartbeat()
            except DatabaseLost as error:
                outage.note_lost(error, turn)
                await rest(RETRY_START, self._stopping)
            else:
                outage.note_back(turn)
                return True
        return False

    async def _heartbeat(self) -> None:
        await self._desks.refresh()
        await self._accounts.register(sorted(self._desks.current))
        await self._row.tick(self._load.take())
        await self._count_requests()
        await self._forget_now_and_then()

    async def _forget_now_and_then(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._forget_at:
            there_is_more = await self._retention.forget()
            self._forget_at = now if there_is_more else now + FORGET_EVERY.total_seconds()

    async def _count_requests(self) -> None:
        """Write down what was sent since the last heartbeat, and what the vendor's clock shows."""
        meters = {account: desk.meter for account, desk in self._desks.current.items()}
        used = {account: meter.take() for account, meter in meters.items()}
        try:
            await self._usage.count([(account, one) for account, each in used.items() for one in each])
        except DatabaseLost:
            for account, each in used.items():
                meters[account].put_back(each)
            raise
        times = [(account, meter.vendor_time()) for account, meter in meters.items()]
        await self._usage.vendor_times([(account, at) for account, at in times if at is not None])

    async def _leave(self, scheduler: Scheduler, listening: asyncio.Task[None]) -> None:
        self._log.info("service_stopping")
        self._give_up_at = asyncio.get_running_loop().time() + DRAIN_WITHIN.total_seconds() - 2
        drained = await scheduler.drain(DRAIN_WITHIN)
        # A database that does not answer must not keep a stopping container: its leases run out by themselves.
        with suppress(DatabaseLost, TimeoutError):
            async with asyncio.timeout(GOODBYE_WITHIN.total_seconds()):
                await listening
                await self._count_requests()
                await self._row.goodbye()
        self._log.info("service_stopped", drained=drained)

    def _tools(self, outage: Outage) -> Tools:
        settings = self._settings
        return Tools(
            desks=self._desks.now,
            claims=Claims(self._engine, holder=self._id, lease=settings.lease),
            accounts=self._accounts,
            writer=Writer(Apply(self._engine, replica=self._id), self._accounts, give_up=self._gives_up),
            policy=settings.policy(),
            jitter=random.random,
            log=self._log,
            outage=outage,
            concurrency=settings.concurrency,
            concurrency_of_all=ACCOUNTS_AT_FULL_WIDTH * settings.concurrency,
            deadline=settings.http_timeout,
            reached=self._reached,
            stopping=self._stopping,
            waits=self._load.waits,
        )

    def _gives_up(self) -> bool:
        return asyncio.get_running_loop().time() >= self._give_up_at

    def _tickers(self, tools: Tools) -> dict[str, Ticker]:
        settings = self._settings
        tickers: dict[str, Ticker] = {}

        def wake_watch() -> None:
            tickers["watch"].wake()

        def wake_after(name: str, seconds: float) -> None:
            asyncio.get_running_loop().call_later(seconds, tickers[name].wake)

        often = min(max(settings.watch_interval / 5, timedelta(seconds=0.2)), timedelta(seconds=2))
        now_and_then = often * 2.5
        start = StartStep(tools, PersonaStep(tools, PersonaRows(self._engine, replica=self._id)))
        running = RunningStep(
            tools,
            RunningLists(self._engine, replica=self._id, lease=running_lease(settings), policy=tools.policy),
            wake_watch=wake_watch,
            wake_after=partial(wake_after, "running"),
        )
        sweeps = Sweeps(self._engine, replica=self._id, lease=settings.lease, policy=tools.policy)
        steps: list[tuple[AccountStep, timedelta]] = [
            (start, settings.start_interval),
            (running, often),  # a list that is due before that wakes it by itself
            (WatchStep(tools), often),
            (CollectStep(tools), now_and_then),  # nobody waits for a transcript
            (SettleStep(tools, ListStyles(self._engine)), max(settings.settle_after / 6, timedelta(seconds=0.5))),
            (SweepStep(tools, sweeps, wake_after=partial(wake_after, "sweep")), now_and_then),
        ]
        ticker = partial(Ticker, outage=tools.outage, log=self._log, stopping=self._stopping)
        for step, every in steps:
            tickers[step.name] = ticker(name=step.name, tick=step.tick, every=every, started=step.drained)
        tickers["heartbeat"] = ticker(name="heartbeat", tick=self._heartbeat, every=HEARTBEAT)
        return tickers
