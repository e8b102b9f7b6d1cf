"""One soak from its first invite to its end."""

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.soak.ending import Ending, broken_promises, ending, unfinished
from tests.soak.measures import Level, Sample, levels, sample
from tests.soak.replicas import Replicas, two_replicas
from tests.soak.schedule import INVITES_A_SECOND, Blow, Schedule
from tests.soak.world import STORM, World, a_world, unless_the_database_is_away
from tests.support.processes import run_to_end
from tests.support.waiting import NeverHappenedError, eventually

LINE_EVERY = 10.0
SAMPLE_EVERY = 2.0
PAUSE = 0.1
DRAINED_WITHIN = 600
VERIFIED_WITHIN = 120
CLEAN, UNCHECKED, DRIFT = 0, 1, 3  #: exit codes of `verify`

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a soak came to."""

    schedule: Schedule
    ending: Ending
    blows: Counter[Blow]
    replicas: int
    verified: Counter[int]  #: runs of `verify` by their exit code
    levels: list[Level]
    faulty_answers: int
    drained_in: float
    violations: list[str]


@dataclass(slots=True, kw_only=True)
class Soak:
    """A soak that runs; all times count from its beginning."""

    world: World
    replicas: Replicas
    schedule: Schedule
    say: Say
    _began: float = field(default_factory=time.monotonic)
    _blows: Counter[Blow] = field(default_factory=Counter)
    _samples: list[Sample] = field(default_factory=list)
    _due: dict[str, float] = field(default_factory=dict)
    _verifying: list["Future[tuple[int, str]]"] = field(default_factory=list)
    _verifier: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _pause: threading.Event = field(default_factory=threading.Event)

    def run(self) -> Result:
        self._live_through_it()
        drained = self._drain()
        codes = self.replicas.end()
        self._verify()
        end = ending(self.world)
        found = self._levels()
        violations = [
            *broken_promises(self.world, end, self.replicas.all),
            *([] if drained is not None else [f"not drained within {DRAINED_WITHIN} s"]),
            *(f"a replica that was asked to end did so with {code}" for code in codes if code),
            *(f"not level: {level.name}: {level.last:g} after {level.warm:g}" for level in found if not level.is_level),
            *self._broken_verdicts(),
        ]
        return Result(
            schedule=self.schedule,
            ending=end,
            blows=self._blows,
            replicas=len(self.replicas.all),
            verified=Counter(code for code, _ in self._verdicts()),
            levels=found,
            faulty_answers=_faulty_answers(self.world),
            drained_in=drained or 0.0,
            violations=violations,
        )

    @property
    def _now(self) -> float:
        return time.monotonic() - self._began

    def _live_through_it(self) -> None:
        blows = self.schedule.blows()
        while self._now < self.schedule.seconds:
            while blows and blows[0][0] <= self._now:
                self._strike(blows.pop(0)[1])
            self._be_the_ats()
            self._now_and_then(self._take_a_sample, SAMPLE_EVERY)
            self._now_and_then(self._say_how_it_stands, LINE_EVERY)
            self._pause.wait(PAUSE)

    def _now_and_then(self, act: Callable[[], None], every: float) -> None:
        if self._now >= self._due.get(act.__name__, 0.0):
            self._due[act.__name__] = self._now + every
            act()

    def _be_the_ats(self) -> None:
        unless_the_database_is_away(lambda: self.world.insert_up_to(round(self._now * INVITES_A_SECOND)))
        unless_the_database_is_away(self.world.hand_over_links)

    def _strike(self, blow: Blow) -> None:
        self._blows[blow] += 1
        match blow:
            case Blow.KILL:
                self.replicas.kill()
            case Blow.STOP:
                self.replicas.stop()
            case Blow.PAUSE:
                self.replicas.pause()
            case Blow.WAKE:
                self.replicas.wake()
            case Blow.STORM:
                self.world.sandbox.console.set_faults(STORM)
            case Blow.CALM:
                self.world.sandbox.console.set_faults([])
            case Blow.CRASH:
                self.world.postgres.crash()
                self.world.postgres.restart()
                self._verify()

    def _take_a_sample(self) -> None:
        pid, database = self.replicas.steady.pid, self.world.database
        taken = unless_the_database_is_away(lambda: sample(self._now, pid, database))
        if taken is not None:
            self._samples.append(taken)

    def _say_how_it_stands(self) -> None:
        standing = unless_the_database_is_away(
            lambda: self.world.database.fetch(
                "select status, count(*) as n from zenhire.candidate_invites group by 1 order by 1"
            )
        )
        away = standing is None
        statuses = "Postgres is away" if away else " ".join(f"{row['status']} {row['n']}" for row in standing or ())
        last = self._samples[-1] if self._samples else None
        holds = f"{last.memory_mb:.0f} MB, {last.files} files, {last.connections} connections" if last else ""
        blows = " ".join(f"{blow} {count}" for blow, count in self._blows.items())
        self.say(f"{self._now:6.0f} s  {statuses or 'no invite yet'} | {blows or 'no blow yet'} | {holds}")

    def _drain(self) -> float | None:
        """No more invites, no more blows: how long until all have reached their end; None: not in time."""
        began = time.monotonic()

        def done() -> bool:
            self.world.hand_over_links()
            self._now_and_then(self._say_how_it_stands, LINE_EVERY)
            return unfinished(self.world) == (0, 0)

        try:
            eventually(done, within=DRAINED_WITHIN, every=PAUSE * 5)
        except NeverHappenedError:
            return None
        finally:
            self._say_how_it_stands()
        return time.monotonic() - began

    def _levels(self) -> list[Level]:
        storm_begins, _ = self.schedule.storm
        return levels(self._samples, warm=(self.schedule.warm_from, storm_begins), last_from=self.schedule.last_from)

    # --- verify ------------------------------------------------------------------------------------------------------

    def _verify(self) -> None:
        """Beside everything else, as an operator would."""
        self._verifying.append(self._verifier.submit(self._verify_now))

    def _verify_now(self) -> tuple[int, str]:
        try:
            ended = run_to_end("verify", "--fresh", env=self.world.environment, within=VERIFIED_WITHIN)
        except subprocess.TimeoutExpired:  # each page may cost half a minute in the storm
            return UNCHECKED, f"it was not through within {VERIFIED_WITHIN} s"
        return ended.returncode, ended.stdout + ended.stderr

    def _broken_verdicts(self) -> Iterator[str]:
        """A run in between may have been cut off; the last one has both sides to itself, and must be through."""
        *between, (last, said_last) = self._verdicts()
        yield from (f"verify ended with {code}:\n{said}" for code, said in between if code not in {CLEAN, UNCHECKED})
        if last != CLEAN:
            yield f"the last verify ended with {last}:\n{said_last}"

    def _verdicts(self) -> list[tuple[int, str]]:
        return [verdict.result() for verdict in self._verifying]

    def close(self) -> None:
        self._verifier.shutdown(cancel_futures=True)


def soak(seconds: float, say: Say) -> Result:
    """Everything is set up, lived through, checked, and gone again."""
    with a_world() as world, two_replicas(world.environment) as replicas:
        running = Soak(world=world, replicas=replicas, schedule=Schedule(seconds=seconds), say=say)
        try:
            return running.run()
        finally:
            running.close()


def _faulty_answers(world: World) -> int:
    """An answer's outcome is its status, or the name of the fault that struck it."""
    answers = world.sandbox.platform.truth().answers
    return sum(count for (_, outcome), count in answers.items() if not outcome.isdigit())
