"""How far a long run has come, on stderr: one line that moves on a terminal, a line now and then in a pipe."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

from service.operate.show import write
from service.operate.words import WIDTH, shortened

MOVES_EVERY = 0.2
LINES_EVERY = 10.0
BAR_WIDTH = 20


class Progress:
    """Says nothing of a run that is over before there is anything to wait for."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._moves = self._stream.isatty()
        self._said_at = clock()
        self._shown = False

    def say(self, what: str) -> None:
        """At once, and on a line of its own."""
        self.clear()
        write(f"{what}\n", self._stream)

    def note(self, what: str, *, part: float | None = None) -> None:
        """
        How far it has come now; said only if the last time is long enough ago.

        Where it is known which part of the whole that is, 0 to 1, a terminal shows a bar too.
        """
        now = self._clock()
        if now - self._said_at < (MOVES_EVERY if self._moves else LINES_EVERY):
            return
        self._said_at = now
        if self._moves:
            what = what if part is None else f"{_bar(part)} {what}"
            write(f"\r{shortened(what, WIDTH - 1):<{WIDTH - 1}}", self._stream)
            self._shown = True
        else:
            write(f"{what}\n", self._stream)

    def clear(self) -> None:
        """Take the moving line away."""
        if self._shown:
            write(f"\r{'':{WIDTH - 1}}\r", self._stream)
            self._shown = False


def _bar(part: float) -> str:
    """In letters that every terminal has."""
    full = round(BAR_WIDTH * min(max(part, 0.0), 1.0))
    return f"[{'#' * full}{'-' * (BAR_WIDTH - full)}]"
