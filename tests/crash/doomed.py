"""
A replica that tells at every boundary of one step and goes on when it is told to: `python -m tests.crash.doomed`.

Everything else is `zenhire-sync run`: the same environment, the same service.
"""

import asyncio
import os
import sys

from service.logs import configure
from service.settings import load
from service.steps.beats import Beat
from service.wiring import run_service

GO_ON = "go on"
RAISE = "raise"


class InjectedError(RuntimeError):
    """The exception that a cell wants; no code of the service knows it."""


class Teller:
    """Listens at the boundaries, for whoever listens on `port`."""

    def __init__(self, step: str, port: int) -> None:
        self._step = step
        self._port = port
        self._turn = asyncio.Lock()  # one boundary at a time
        self._wire: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def reached(self, step: str, beat: Beat) -> None:
        if step != self._step:
            return
        async with self._turn:
            word = await self._tell(beat)
        if word == RAISE:
            raise InjectedError(f"at {step}.{beat}")

    async def _tell(self, beat: Beat) -> str:
        if self._wire is None:
            self._wire = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._wire
        writer.write(f"{beat}\n".encode())
        return (await reader.readline()).decode().strip()


def main() -> int:
    step, port = sys.argv[1:]
    settings = load(os.environ)
    configure(settings.log_level, settings.log_format)
    return run_service(settings, reached=Teller(step, int(port)).reached)


if __name__ == "__main__":
    sys.exit(main())
