"""Candidates who open their links one after another, as many at once as the vendor lets in."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.failed import BenchmarkFailed
from sandbox.platform import Platform
from sandbox.running import RunningSandbox

#: At least so much, or half of the average, is left of an interview that runs when the measurement begins: it stands
#: on one list of what runs, as it would have since its beginning.
LEFT_SECONDS = 25.0


@dataclass(slots=True, kw_only=True)
class Candidates:
    """Whoever finishes makes room for the next."""

    platform: Platform
    sandbox: RunningSandbox
    links: Sequence[str]
    cap: int  #: interviews at once
    talk: float  #: seconds that an interview takes, on average
    still_there: Callable[[], object]  #: fails when what is measured has ended by itself
    _came: int = field(default=0)

    def come_for(self, minutes: float) -> None:
        ends_at = time.monotonic() + minutes * 60
        while time.monotonic() < ends_at:
            self.still_there()
            counts = self.platform.counts()
            for _ in range(self.cap - counts["by_status"]["active"] - counts["waiting_at_the_door"]):
                self._next_comes()
            time.sleep(0.05)

    def _next_comes(self) -> None:
        if self._came == len(self.links):
            raise BenchmarkFailed(f"all {self._came} candidates have come: more sessions must be open")
        self.sandbox.console.send_link(
            self.links[self._came], f"completed opens_after=0 talks_for={self._seconds():.1f}"
        )
        self._came += 1

    def _seconds(self) -> float:
        """How long the next one talks."""
        if self._came < self.cap:  # as if they had begun one after the other
            least = min(LEFT_SECONDS, self.talk / 2)
            return least + (self.talk - least) * (self.cap - self._came) / self.cap
        # between half and one and a half of it, so that they do not end in step
        return self.talk * (0.5 + ((len(self.links) - self._came) * 7919 % 1000) / 1000)
