"""Ctrl-C, SIGTERM and a closed terminal: noted when they come, obeyed where nothing is half done.

No exception flies out of a signal handler: it could hit between the start of a process and the note that it has to be
ended.
"""

import signal
import time
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SLICE_SECONDS = 0.05


class Interrupted(Exception):
    """The show is to end now."""


class Interruption:
    """While it is entered, the three signals are only noted."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type] # what `signal` returned

    @property
    def exit_code(self) -> int:
        return 128 + (self.number or 0)

    def check(self) -> None:
        """Raise `Interrupted` if a signal has come."""
        if self.number is not None:
            raise Interrupted

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until a signal comes."""
        until = time.monotonic() + seconds
        self.check()
        while (left := until - time.monotonic()) > 0:
            # In slices: a handler may not touch a lock, so nothing can wake this up.
            time.sleep(min(left, _SLICE_SECONDS))
            self.check()

    def _note(self, number: int, _: FrameType | None) -> None:
        self.number = self.number or number
