"""When a key's requests arrived: the limit per minute stands on it, and so does a test that counts."""

from array import array
from collections import deque
from datetime import datetime, timedelta

_WINDOW_SECONDS = 60.0


class Arrivals:
    """Every request of one key, and those of the last minute that were let in."""

    def __init__(self) -> None:
        self._all = array("d")
        self._let_in: deque[float] = deque()

    def __len__(self) -> int:
        return len(self._all)

    def note(self, now: datetime) -> None:
        self._all.append(now.timestamp())

    def wait_needed(self, now: datetime, per_minute: int) -> timedelta | None:
        """None: let in. Otherwise how long until the sliding window has room."""
        at = now.timestamp()
        while self._let_in and self._let_in[0] <= at - _WINDOW_SECONDS:
            self._let_in.popleft()
        if len(self._let_in) < per_minute:
            self._let_in.append(at)
            return None
        return timedelta(seconds=self._let_in[0] + _WINDOW_SECONDS - at)

    def busiest(self, window: timedelta = timedelta(seconds=_WINDOW_SECONDS)) -> int:
        """The most requests that ever arrived within one window, wherever it begins."""
        span, first, most = window.total_seconds(), 0, 0
        for last, at in enumerate(self._all):
            while self._all[first] <= at - span:
                first += 1
            most = max(most, last - first + 1)
        return most
