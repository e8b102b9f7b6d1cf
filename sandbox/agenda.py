"""What will happen, in order of time. Nothing happens by itself: whoever asks the platform brings the time with him."""

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime

Act = Callable[[datetime], None]


class Agenda:
    """A heap of acts. Each is handed the time it was due, so history does not depend on how often one looks."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Act]] = []
        self._order = itertools.count()
        self.now: datetime | None = None  #: while an act runs: the time it was due

    def at(self, when: datetime, act: Act) -> None:
        heapq.heappush(self._heap, (when, next(self._order), act))

    def run_until(self, now: datetime) -> None:
        while self._heap and self._heap[0][0] <= now:
            when, _, act = heapq.heappop(self._heap)
            self.now = when
            try:
                act(when)
            finally:
                self.now = None
