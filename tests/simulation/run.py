"""Plays one seed from beginning to end, and asks what is wrong."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from structlog.typing import Processor

from service.logs import hide_secrets
from tests.simulation.database import SimulatedDatabase
from tests.simulation.director import Director
from tests.simulation.engine import Shared
from tests.simulation.invariants import findings
from tests.simulation.loop import VirtualLoop
from tests.simulation.scenario import draw_scenario
from tests.simulation.world import EPOCH, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one seed came to."""

    seed: int
    findings: list[str]
    counts: Counter[str]
    story: list[str]
    passed: timedelta  #: of virtual time
    took: float  #: seconds of real time


class Stage:
    """One process's database and loop, for any number of runs after one another."""

    def __init__(self, database_url: str, *, tells_changes: bool = False) -> None:
        self._tells_changes = tells_changes
        self.database = SimulatedDatabase(database_url)
        self._loop = VirtualLoop()
        self._shared = Shared(database_url)

    def close(self) -> None:
        self._loop.close()
        self._shared.close()
        self.database.close()

    def play(self, seed: int) -> Run:
        began = time.perf_counter()
        self._loop.begin_again()
        scenario = draw_scenario(seed)
        self.database.begin(EPOCH)
        world = World(scenario, self._loop, self.database, tells_changes=self._tells_changes)
        world.tell("", f"seed {seed}: {', '.join(scenario.themes)}; {scenario.replicas} replicas")
        with _logs_kept(world):
            unrest = self._loop.run_until_complete(self._play(world))
        self._shared.must_be_there()
        self.database.tell(world.now, "simulation")
        wrong = findings(world)
        if unrest:
            wrong.insert(0, unrest)
        return Run(
            seed=seed,
            findings=wrong,
            counts=_counts(world),
            story=[str(line) for line in world.story],
            passed=world.now - EPOCH,
            took=time.perf_counter() - began,
        )

    async def _play(self, world: World) -> str | None:
        over: asyncio.Future[str | None] = self._loop.create_future()

        def end(unrest: str | None) -> None:
            self._loop.idle = None
            over.set_result(unrest)

        director = Director(world, self._shared, end)
        director.open()

        def move(until_timer: float | None) -> None:
            try:
                director.next(until_timer)
            except Exception as error:  # noqa: BLE001 - raised where the run is waited for, not in the loop's own code
                self._loop.idle = None
                over.set_exception(error)

        self._loop.idle = move
        try:
            return await over
        finally:
            self._loop.idle = None
            await _end_all_tasks()


async def _end_all_tasks() -> None:
    """What dead replicas were about to do; they hold nothing of the database's."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def _logs_kept(world: World) -> Iterator[None]:
    before = structlog.get_config()
    kept: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        hide_secrets,
        world.keep_log,
    ]
    structlog.configure(
        processors=kept,
        wrapper_class=structlog.BoundLogger,
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def _counts(world: World) -> Counter[str]:
    truth = world.platform.truth()
    counts = world.counts + Counter(
        {
            "beats": world.beats,
            "invites": len(world.invites),
            "sessions": len(truth.sessions),
            "requests": len(world.sent),
            "replicas": len(world.replicas),
        }
    )
    for (_endpoint, outcome), number in truth.answers.items():
        if not outcome.isdigit():
            counts[f"vendor: {outcome}"] += number
    for theme in world.scenario.themes:
        counts[f"theme: {theme}"] += 1
    return counts
