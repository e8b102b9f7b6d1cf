"""An event loop whose time stands still until somebody lets it pass. Nothing on it waits for a socket."""

import asyncio
import selectors
from collections.abc import Callable

START = 1_000.0  #: the loop's time at which every run begins

Idle = Callable[[float | None], None]


class _Selector(selectors.SelectSelector):
    """No callback is ready: nothing can happen by itself, and `idle` is told."""

    def __init__(self, loop: "VirtualLoop") -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._loop.idle is None:
            return super().select(timeout)
        if timeout is None or timeout > 0:
            self._loop.idle(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`idle` is called whenever no callback is ready, with the seconds until the next timer; it must move something."""

    def __init__(self) -> None:
        self.idle: Idle | None = None
        self._virtual = START
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self._virtual

    def pass_time(self, seconds: float) -> None:
        self._virtual = round(self._virtual + seconds, 6)

    def begin_again(self) -> None:
        """Back to the start, with no timer of an earlier run left."""
        timers: list[asyncio.TimerHandle] = getattr(self, "_scheduled", [])
        for timer in timers:
            timer.cancel()
        self._virtual = START
