"""What every part of the platform shares: which vendor it plays, what time it is, what will happen, which dice fall."""

import random
import uuid
from datetime import datetime, timedelta

from sandbox.agenda import Agenda
from sandbox.clock import Clock
from sandbox.plans import Script
from sandbox.profile import Profile


class World:
    """The profile of the moment, the clock, the agenda, the script, and ids that a seed repeats."""

    def __init__(self, profile: Profile, clock: Clock, seed: int, script: Script) -> None:
        self.profile = profile
        self.clock = clock
        self.seed = seed
        self.script = script
        self.agenda = Agenda()
        self._ids = random.Random(f"{seed}:ids")  # noqa: S311 - replayable, not secret

    def now(self) -> datetime:
        """The vendor's time, after everything that was due by then has happened."""
        if self.agenda.now is not None:  # an act asks: its own time, whenever it comes to be run
            return self.agenda.now
        now = self.clock() + timedelta(seconds=self.profile.shapes.clock_skew_seconds)
        self.agenda.run_until(now)
        return now

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def new_token(self) -> str:
        return f"{self._ids.getrandbits(192):048x}"

    def dice(self, name: str) -> random.Random:
        """Dice of one's own: the order in which candidates arrive does not change what each of them does."""
        return random.Random(f"{self.seed}:{name}")  # noqa: S311 - replayable, not secret
