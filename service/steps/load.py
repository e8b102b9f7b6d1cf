"""How much a replica has to do, measured by itself between two heartbeats."""

import time
from dataclasses import dataclass, field

from service.core.load import Load
from service.steps.places import Waits


@dataclass(slots=True, kw_only=True)
class LoadMeter:
    """What this process used, and how long work waited in it, since it was last asked."""

    waits: Waits
    _cpu: float = field(default_factory=time.process_time)
    _at: float = field(default_factory=time.monotonic)

    def take(self) -> Load:
        cpu, at = time.process_time(), time.monotonic()
        used = (cpu - self._cpu) / max(at - self._at, 0.001)
        self._cpu, self._at = cpu, at
        return Load(waited=self.waits.take_longest(), core=used)
