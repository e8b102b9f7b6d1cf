"""The other end of `doomed.Teller`: holds a replica at one boundary, and lets it pass all others."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from service.steps.beats import Beat
from tests.crash.doomed import GO_ON
from tests.support.waiting import eventually


class Crossing:
    """Made by `a_crossing`. The replica is held once: the first time that it reaches `beat` after `ripe` was true."""

    def __init__(self, beat: Beat | None, *, ripe: Callable[[], bool], patience: float) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._beat = beat  #: None: it is never held
        self._ripe = ripe
        self._patience = patience
        self._word = GO_ON
        self._reached = threading.Event()
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def is_reached(self) -> bool:
        """The replica stands at the boundary."""
        return self._reached.is_set()

    def go_on(self, word: str = GO_ON) -> None:
        self._word = word
        self._released.set()

    def close(self) -> None:
        self._released.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(self._patience)

    def _serve(self) -> None:
        with suppress(OSError):
            wire, _address = self._listener.accept()
            with wire, wire.makefile("r") as lines:
                for line in lines:
                    wire.sendall(f"{self._word_for(Beat(line.strip()))}\n".encode())

    def _word_for(self, beat: Beat) -> str:
        if self._released.is_set():
            return GO_ON
        eventually(lambda: self._ripe() or self._released.is_set(), within=self._patience)
        if beat != self._beat:
            return GO_ON
        self._reached.set()
        self._released.wait()
        return self._word


@contextmanager
def a_crossing(beat: Beat | None, *, ripe: Callable[[], bool], patience: float) -> Iterator[Crossing]:
    crossing = Crossing(beat, ripe=ripe, patience=patience)
    try:
        yield crossing
    finally:
        crossing.close()
