"""The clocks a stand-in can live on. Both can be pushed forward; neither can be turned back."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time, with a zone; can be pushed forward."""

    def __call__(self) -> datetime: ...

    def advance(self, by: timedelta) -> None: ...


class SystemClock:
    """The machine's clock, plus whatever it was pushed forward."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        now = datetime.now(UTC)  # noqa: TID251 - the stand-in plays the vendor, who has a clock of its own
        return now + self._ahead

    def advance(self, by: timedelta) -> None:
        self._ahead += forward(by)


class VirtualClock:
    """Stands still until it is pushed: days pass in a test without a second of waiting."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += forward(by)


def forward(by: timedelta) -> timedelta:
    """The same span, refused when it would turn the clock back."""
    if by < timedelta():
        raise ValueError("the sandbox's clock can only be pushed forward")
    return by
