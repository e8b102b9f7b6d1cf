"""Two replicas: one that lives through everything, and one that dies all the time and comes back as another."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.support.processes import Process

STOPPED_WITHIN = 60


class Replicas:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.steady = self._start()
        self._mortal = self._start()
        self._paused: list[Process] = []
        self._awake: list[Process] = []  #: were paused, and are at work until the next blow
        self._leaving: list[Process] = []
        self._gone: list[Process] = []

    @property
    def all(self) -> list[Process]:
        """Every replica that ever was."""
        return [self.steady, self._mortal, *self._paused, *self._awake, *self._leaving, *self._gone]

    def kill(self) -> None:
        self._let_go()
        self._mortal.kill()
        self._gone.append(self._mortal)
        self._mortal = self._start()

    def stop(self) -> None:
        """Asked to end; while it does, its successor is at work already."""
        self._let_go()
        self._mortal.signal(signal.SIGTERM)
        self._leaving.append(self._mortal)
        self._mortal = self._start()

    def pause(self) -> None:
        """Frozen in whatever it does; others have its work before it goes on."""
        self._mortal.signal(signal.SIGSTOP)
        self._paused.append(self._mortal)
        self._mortal = self._start()

    def wake(self) -> None:
        for process in self._paused:
            process.signal(signal.SIGCONT)
        self._awake += self._paused
        self._paused.clear()

    def _let_go(self) -> None:
        for process in self._awake:
            process.signal(signal.SIGTERM)
        self._leaving += self._awake
        self._awake.clear()

    def end(self) -> list[int]:
        """The exit codes of all that were asked to end; one that had not begun yet may end in any way."""
        self.wake()
        self._let_go()
        for process in (self.steady, self._mortal):
            process.signal(signal.SIGTERM)
        asked = (self.steady, self._mortal, *self._leaving)
        codes = [(process, process.wait(within=STOPPED_WITHIN)) for process in asked]
        return [code for process, code in codes if process.events("service_started")]

    def close(self) -> None:
        for process in self.all:
            process.close()

    def _start(self) -> Process:
        return Process("run", env=self._environment)


@contextmanager
def two_replicas(environment: Mapping[str, str]) -> Iterator[Replicas]:
    replicas = Replicas(environment)
    try:
        replicas.steady.wait_for_line("service_started", within=60)
        yield replicas
    finally:
        replicas.close()
