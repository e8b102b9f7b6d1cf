"""Who goes next: whenever all stand still, one of them is let go, or time passes, or something goes wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sandbox.faults import FaultKind, FaultRule
from service.core.limits import LINK_LIFETIME
from tests.simulation.due import due_times
from tests.simulation.engine import Shared
from tests.simulation.loop import START
from tests.simulation.people import People
from tests.simulation.replica import SimulatedReplica, make_replica
from tests.simulation.scenario import longest_storm
from tests.simulation.world import EPOCH, KEYS, World

REST_MAX = 3600.0
ROUNDS_MAX = 100  #: of ticks at growing distances, in which no request is sent
BEATS_MAX = 30_000
MONTHS_MAX = timedelta(days=200)


class Director:
    """Called by the loop when no callback is ready; `over` once the run is."""

    def __init__(self, world: World, shared: Shared, over: Callable[[str | None], None]) -> None:
        self._world = world
        self._shared = shared
        self._over = over
        self._people = People(world)
        self._rounds = 0  #: ticks in a row after which nothing was sent
        self._sent_before = 0
        self._memory = 2 * LINK_LIFETIME + timedelta(seconds=world.scenario.expiry_grace)
        self._settled_at: datetime | None = None  #: since then only the vendor's list could tell anything
        self._moments = 0

    def open(self) -> None:
        """The first replicas, and everything that has its time."""
        world, scenario = self._world, self._world.scenario
        for key in world.platform.keys.values():
            world.platform.create_persona(key, {"role_name": "Pilot", "language": "de"})
        for plan in scenario.invites:
            world.plan(START + plan.at, partial(self._people.insert, plan))
        for begin, end in scenario.outages:
            world.plan(START + begin, self._vendor_goes, only_in_storm=True)
            world.plan(START + end, self._vendor_comes, only_in_storm=True)
        for begin, end, what in scenario.key_troubles:
            world.plan(START + begin, partial(self._key_trouble, what, begins=True), only_in_storm=True)
            world.plan(START + end, partial(self._key_trouble, what, begins=False), only_in_storm=True)
        for _ in range(scenario.replicas):
            make_replica(world, self._shared)

    def next(self, until_timer: float | None) -> None:
        """One move."""
        world, scenario = self._world, self._world.scenario
        self._moments += 1
        if self._agenda_is_due():
            return
        if world.storm and (world.beats >= scenario.storm_beats or world.now - EPOCH > longest_storm(scenario)):
            self._end_the_storm()
            return
        if world.beats > BEATS_MAX or self._moments > 10 * BEATS_MAX or world.now - EPOCH > MONTHS_MAX:
            self._over("it does not come to rest")
            return
        if world.storm and world.dice.random() < scenario.mischief.rate:
            self._mischief()
            return
        able = [parked for parked in world.parked if not parked.replica.asleep]
        if able and (not world.storm or world.dice.random() < 0.98):
            world.release(world.dice.choice(able))
        elif able:
            self._pass(world.dice.choice([0.05, 0.3, 1.0, 4.0]), until_timer)
        elif until_timer is not None:
            self._pass(until_timer, until_timer)
        else:
            self._between()

    # --- time --------------------------------------------------------------------------------------------------------

    def _pass(self, seconds: float, until_timer: float | None = None) -> None:
        """Time passes, but over nothing that is due on the way."""
        if until_timer is not None:
            seconds = min(seconds, until_timer)
        if self._world.agenda:
            seconds = min(seconds, min(planned.at for planned in self._world.agenda) - self._world.loop.time())
        self._world.loop.pass_time(max(seconds, 1e-6))

    def _agenda_is_due(self) -> bool:
        world = self._world
        due = [planned for planned in world.agenda if planned.at <= world.loop.time()]
        if not due:
            return False
        first = min(due, key=lambda planned: planned.at)
        world.agenda.remove(first)
        first.act()
        return True

    def _between(self) -> None:
        """Nothing is under way: somebody ticks, or time passes until there is something to do."""
        world = self._world
        world.database.tell(world.now, "simulation")
        due = due_times(world.database, memory=self._memory, lists_running=world.scenario.lists_running)
        self._people.hand_over_links()
        steps = sorted(step for step, at in due.items() if at <= world.now)
        ready = self._ready()
        if world.storm or due.keys() != {"sweep"}:
            self._settled_at = None
        elif self._settled_at is None:
            self._settled_at = world.now
        if len(world.sent) > self._sent_before:
            self._sent_before, self._rounds = len(world.sent), 0
        if steps and ready and self._rounds % 2 == 0:
            self._rounds += 1
            self._tick(steps, ready)
            return
        if steps and not world.storm and self._rounds > ROUNDS_MAX:
            self._over(f"nothing moves any more, and {', '.join(steps)} would have something to do")
        elif steps:
            self._rounds += 1
            self._pass(min(0.5 * 2.0 ** min(self._rounds // 2, 20), REST_MAX))
        else:
            self._wait_for_something(due)

    def _wait_for_something(self, due: dict[str, datetime]) -> None:
        """Until there is something to do, or a little longer; if there never will be, the run is over."""
        world = self._world
        if not world.agenda and self._lists_were_read_since():
            self._over(None)
            return
        later = [(at - world.now).total_seconds() for at in due.values() if at - world.now < MONTHS_MAX]
        if later:
            self._pass(min(later) if world.dice.random() < 0.7 else min(later) + world.dice.uniform(0, 60))
        elif world.agenda:
            self._pass(MONTHS_MAX.total_seconds())
        elif world.storm:
            self._end_the_storm()
        else:
            self._over(None)

    def _lists_were_read_since(self) -> bool:
        """A whole walk through each list, begun after everything else had come to its end, has led to nothing."""
        if self._settled_at is None:
            return False
        behind = self._world.database.fetch(
            "select from zenhire.sweeps where position is not null or finished_at is null or started_at < %s",
            (self._settled_at,),
        )
        return not behind

    def _ready(self) -> list[SimulatedReplica]:
        for replica in self._world.alive:
            if not replica.arrived and not replica.asleep and replica.busy["arrival"].done():
                replica.arrive()
        return [replica for replica in self._world.alive if replica.arrived and not replica.asleep]

    def _tick(self, steps: list[str], ready: list[SimulatedReplica]) -> None:
        """Not all replicas, and not always only what is due."""
        dice = self._world.dice
        for replica in dice.sample(ready, k=dice.randint(1, len(ready)) if self._world.storm else 1):
            for step in steps:
                if replica.ready_for(step) and not replica.stopping.is_set():
                    replica.tick(step)
            if dice.random() < 0.05 and replica.ready_for("heartbeat"):
                replica.heartbeat()

    # --- what goes wrong ---------------------------------------------------------------------------------------------

    def _mischief(self) -> None:
        world, mischief = self._world, self._world.scenario.mischief
        acts: dict[Callable[[], None], float] = {
            self._crash: mischief.crash,
            self._stop: mischief.stop,
            self._sleep: mischief.pause,
            self._people.ats_acts: mischief.ats,
            self._people.operator_acts: mischief.operator,
            self._people.console_acts: mischief.console,
            self._let_time_pass: mischief.time,
        }
        world.dice.choices(list(acts), weights=list(acts.values()))[0]()

    def _any_replica(self) -> SimulatedReplica | None:
        awake = [replica for replica in self._world.alive if not replica.asleep]
        return self._world.dice.choice(awake) if awake else None

    def _crash(self) -> None:
        replica = self._any_replica()
        if replica is not None:
            self._world.tell(replica.name, "is killed")
            self._world.happened("replica: killed")
            self._world.kill(replica)
            self._successor()

    def _stop(self) -> None:
        replica = self._any_replica()
        if replica is not None and replica.arrived and not replica.stopping.is_set():
            self._world.tell(replica.name, "is asked to stop")
            self._world.happened("replica: stopped")
            replica.stop()
            self._successor()

    def _successor(self) -> None:
        world = self._world
        world.plan(world.loop.time() + world.dice.choice([0.0, 1.0, 20.0, 60.0, 4000.0]), self._arrival)

    def _arrival(self) -> None:
        working = [replica for replica in self._world.alive if not replica.stopping.is_set()]
        if len(working) < self._world.scenario.replicas:
            replica = make_replica(self._world, self._shared)
            self._world.tell(replica.name, "starts")

    def _sleep(self) -> None:
        """SIGSTOP, and SIGCONT after less or more than a lease."""
        replica, world = self._any_replica(), self._world
        if replica is None:
            return
        seconds = self._until_others_have_its_work(replica) or world.dice.choice([1.0, 6.0, 31.0, 45.0, 300.0, 5000.0])
        replica.asleep = replica.troubled = True
        world.happened(
            "replica: asleep for longer than its lease" if seconds > world.scenario.lease else "replica: asleep"
        )
        world.tell(replica.name, f"is stopped for {seconds:.3f} s")
        world.plan(world.loop.time() + seconds, partial(self._wake, replica))

    def _until_others_have_its_work(self, replica: SimulatedReplica) -> float | None:
        """Often the worst moment: its lease is just over, and somebody else is in the middle of the same row."""
        world = self._world
        held = world.database.fetch(
            "select lease_until from zenhire.interview_sessions where lease_holder = %s and lease_token is not null",
            (replica.id,),
        )
        if not held or world.dice.random() < 0.3:
            return None
        until: datetime = world.dice.choice(sorted(row["lease_until"] for row in held))
        return max((until - world.now).total_seconds() + world.dice.uniform(-0.5, 2.0), 0.1)

    def _wake(self, replica: SimulatedReplica) -> None:
        if replica.asleep:
            replica.asleep = False
            self._world.tell(replica.name, "goes on")

    def _let_time_pass(self) -> None:
        self._pass(self._world.dice.choice([0.3, 2.0, 15.0, 40.0, 600.0]))

    def _vendor_goes(self) -> None:
        world = self._world
        world.tell("vendor", "goes away")
        world.happened("vendor: outages")
        if world.scenario.outage_kind == "refused":
            world.vendor_is_away = True
        else:
            faults = replace(
                world.scenario.profile.faults, rules=(FaultRule(kind=FaultKind.BAD_GATEWAY, probability=1.0),)
            )
            world.platform.profile = replace(world.platform.profile, faults=faults)

    def _vendor_comes(self) -> None:
        world = self._world
        if world.storm:
            world.tell("vendor", "is back")
        world.vendor_is_away = False
        faults = world.scenario.profile.faults if world.storm else replace(world.scenario.profile.faults, rules=())
        world.platform.profile = replace(world.platform.profile, faults=faults)

    def _key_trouble(self, what: str, *, begins: bool) -> None:
        console, key = self._world.console, KEYS["default"]
        match what:
            case "credits":
                balance = self._world.platform.keys[key].client.credits.balance
                console.top_up(key, -balance if begins else 100_000)
            case "revoked" | "expired":
                console.set_key(key, state=what if begins else "active")
            case "ip":
                console.set_key(key, state="ip_refused" if begins else "active")
            case "permission":
                console.set_key(key, permitted=not begins)
            case _:
                console.set_key(key, client_active=not begins)
        self._world.tell("vendor", f"{what}: {'trouble' if begins else 'mended'}")
        if begins:
            self._world.happened(f"vendor: {what}")

    # --- the calm after it -------------------------------------------------------------------------------------------

    def _end_the_storm(self) -> None:
        """From here on nothing goes wrong: everything has to come to its end."""
        world = self._world
        world.tell("", "the storm is over")
        world.storm = False
        self._people.unlock()
        self._vendor_comes()
        for what in {what for _, _, what in world.scenario.key_troubles}:
            self._key_trouble(what, begins=False)
        world.scenario.key_troubles.clear()
        world.agenda = [planned for planned in world.agenda if not planned.only_in_storm]
        for replica in world.alive:
            self._wake(replica)
        if not [replica for replica in world.alive if not replica.stopping.is_set()]:
            self._arrival()
        self._people.end_pauses()
