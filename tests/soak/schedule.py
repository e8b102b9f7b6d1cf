"""When what happens in a soak of a given length."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

KILL_EVERY = 20.0
CRASH_EVERY = 120.0
PAUSED_FOR = 18.0  #: longer than a lease
INVITES_A_SECOND = 2.0


class Blow(StrEnum):
    """What is done to the service from outside."""

    KILL = "kill"  #: kill -9 of one replica, and a new one at once
    STOP = "stop"  #: the same with SIGTERM
    PAUSE = "pause"  #: SIGSTOP of one replica, and a new one at once
    WAKE = "wake"  #: SIGCONT of it: others have long done what it held
    CRASH = "crash"  #: Postgres, `-m immediate`, and up again
    STORM = "storm"  #: half of all the vendor's answers are 429 or broken from here on
    CALM = "calm"  #: all of them are whole again


#: Every so many-th end of a replica is an orderly one.
STOPS_AMONG_KILLS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A half-hour has the whole programme; what is shorter has the same in smaller portions."""

    seconds: float

    @property
    def kill_every(self) -> float:
        return min(KILL_EVERY, self.seconds / 4)

    @property
    def crash_every(self) -> float:
        return min(CRASH_EVERY, self.seconds / 3)

    @property
    def storm(self) -> tuple[float, float]:
        """A sixth of the time, in its middle: five minutes of thirty."""
        return self.seconds * 5 / 12, self.seconds * 7 / 12

    @property
    def warm_from(self) -> float:
        """From here to the storm is the stretch with which the last one is compared."""
        return self.seconds / 6

    @property
    def last_from(self) -> float:
        return self.seconds * 5 / 6

    def blows(self) -> list[tuple[float, Blow]]:
        begin, end = self.storm
        kills = (
            (at, Blow.STOP if number % STOPS_AMONG_KILLS == 0 else Blow.KILL)
            for number, at in enumerate(_every(self.kill_every, self.seconds), 1)
        )
        # Beside the kills, not with them.
        crashes = ((at - self.kill_every / 2, Blow.CRASH) for at in _every(self.crash_every, self.seconds))
        # None reaches into the last stretch, where a third replica would count among the connections.
        last = self.last_from - PAUSED_FOR - self.kill_every
        pauses = [at + self.kill_every / 4 for at in _every(self.crash_every, last)]
        naps = ((at + after, blow) for at in pauses for after, blow in ((0.0, Blow.PAUSE), (PAUSED_FOR, Blow.WAKE)))
        return sorted([*kills, *crashes, *naps, (begin, Blow.STORM), (end, Blow.CALM)])


def _every(distance: float, until: float) -> Iterator[float]:
    times = 1
    while times * distance < until:
        yield times * distance
        times += 1
