"""What all parts of one run share: its clock, its dice, who waits for whose turn, and the story so far."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sandbox.console import Console
from sandbox.gateway import Gateway
from sandbox.model import KeySpec
from sandbox.platform import Platform
from tests.simulation.database import SimulatedDatabase
from tests.simulation.loop import START, VirtualLoop
from tests.simulation.scenario import Scenario

if TYPE_CHECKING:
    from tests.simulation.replica import SimulatedReplica

EPOCH = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEYS = {"default": "zh_api_simulated_key", "second": "zh_api_simulated_key_two"}  #: by account, each a client's
TRANSACTION = "transaction"  #: a beat that is told by what it changes


@dataclass(slots=True)
class LoopClock:
    """The sandbox's clock is the run's; the vendor's skew is its profile's affair."""

    loop: VirtualLoop

    def __call__(self) -> datetime:
        return EPOCH + timedelta(seconds=round(self.loop.time() - START, 6))

    def advance(self, by: timedelta) -> None:
        self.loop.pass_time(by.total_seconds())


@dataclass(slots=True, eq=False)
class Parked:
    """A replica that waits for its turn: at a boundary between two beats, before a transaction, around a request."""

    replica: "SimulatedReplica"
    what: str
    turn: asyncio.Future[None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What happens at a set time, beside the service."""

    at: float
    act: Callable[[], None]
    only_in_storm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as it was handed to the wire."""

    at: float
    account: str
    who: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    at: datetime
    who: str
    what: str

    def __str__(self) -> str:
        since = self.at - EPOCH
        hours, rest = divmod(since.seconds, 3600)
        clock = f"{hours:02}:{rest // 60:02}:{rest % 60 + since.microseconds / 1e6:06.3f}"
        return f"day {since.days:3} {clock}  {self.who:<8} {self.what}"


class World:
    """One run."""

    def __init__(
        self, scenario: Scenario, loop: VirtualLoop, database: SimulatedDatabase, *, tells_changes: bool
    ) -> None:
        self._tells_changes = tells_changes
        self.scenario = scenario
        self.dice = random.Random(f"{scenario.seed}/run")
        self.loop = loop
        self.database = database
        self.clock = LoopClock(loop)
        self.platform = Platform(
            scenario.profile,
            self.clock,
            scenario.seed,
            keys=tuple(KeySpec(value=KEYS[account]) for account in scenario.accounts),
        )
        self.gateway = Gateway(self.platform)
        self.console = Console(self.platform)
        self.replicas: list[SimulatedReplica] = []
        self.parked: list[Parked] = []
        self.limbo: list[asyncio.Future[None]] = []  #: where dead replicas wait for ever
        self.agenda: list[Planned] = []
        self.sent: list[Sent] = []
        self.logs: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.story: list[StoryLine] = []
        self.storm = True  #: things still go wrong
        self.vendor_is_away = False
        self.invites: dict[UUID, str] = {}  #: inserted ones, with their candidate_ref
        self.account_of: dict[UUID, str] = {}  #: the same
        self.console_reinvites: set[str] = set()  #: candidate_refs
        self.stale_once: set[str] = set()
        self.replies: dict[str, list[bytes]] = {}  #: what single looks were ever told, by session
        self.beats = 0

    @property
    def now(self) -> datetime:
        return self.clock()

    @property
    def alive(self) -> "list[SimulatedReplica]":
        return [replica for replica in self.replicas if not replica.dead]

    def tell(self, who: str, what: str) -> None:
        self.story.append(StoryLine(at=self.now, who=who, what=what))

    def tell_changes(self, who: str) -> None:
        """For a person who reads the story: what the last transaction did to invites and posts."""
        if self._tells_changes:
            for what in self.database.new_changes():
                self.tell(who, what)

    def happened(self, kind: str) -> None:
        """Count something that goes wrong, or that somebody does."""
        self.counts[kind] += 1

    def plan(self, at: float, act: Callable[[], None], *, only_in_storm: bool = False) -> None:
        """Let `act` happen at this time of the loop."""
        self.agenda.append(Planned(at=at, act=act, only_in_storm=only_in_storm))

    async def park(self, replica: "SimulatedReplica", what: str) -> None:
        """Wait for one's turn; a replica that is dead waits for ever."""
        turn = self.loop.create_future()
        if replica.dead:
            self.limbo.append(turn)
        else:
            self.parked.append(Parked(replica, what, turn))
        await turn

    async def wait(self, seconds: float) -> None:
        """Let time pass for one's own part."""
        over = self.loop.create_future()
        self.loop.call_later(seconds, lambda: None if over.done() else over.set_result(None))
        await over

    def release(self, parked: Parked) -> None:
        self.parked.remove(parked)
        self.beats += 1
        if parked.what != TRANSACTION:
            self.tell(parked.replica.name, parked.what)
        parked.turn.set_result(None)

    def kill(self, replica: "SimulatedReplica") -> None:
        """All that it does ends where it is, and nothing of it is written any more."""
        replica.dead = replica.troubled = True
        for parked in [parked for parked in self.parked if parked.replica is replica]:
            self.parked.remove(parked)
            self.limbo.append(parked.turn)

    def keep_log(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
        """The last structlog processor: what a line would say, kept instead of printed."""
        self.logs.append(dict(event))
        return json.dumps(event, default=str)


@dataclass(slots=True)
class Findings:
    """What a run has shown to be wrong, by invariant."""

    lines: list[str] = field(default_factory=list)

    def add(self, invariant: str, what: str) -> None:
        self.lines.append(f"{invariant}: {what}")
