"""Real processes of `zenhire-sync`, started with nothing but the environment that a test gives them."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.waiting import eventually

PROGRAM = Path(sys.executable).with_name("zenhire-sync")
_KILL_AFTER_SECONDS = 40


class Process:
    """One running `zenhire-sync`; what it says is read while it runs."""

    def __init__(
        self,
        *arguments: str,
        env: Mapping[str, str],
        cwd: Path | None = None,
        program: Sequence[str | Path] = (PROGRAM,),
    ) -> None:
        self.lines: list[str] = []  # stdout and stderr together
        self._popen = subprocess.Popen(
            [*program, *arguments],
            env=environment(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """The JSON log lines so far, or those of one event."""
        found = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [event for event in found if name in {None, event.get("event")}]

    def wait_for_line(self, part: str, *, within: float) -> str:
        """The first line that holds `part`; fails at once, with all that was said, when the process ends before."""

        def found() -> str | None:
            line = next((line for line in self.lines if part in line), None)
            assert line or self.is_running, f"ended with {self._popen.returncode} without saying {part!r}:\n{self.text}"
            return line

        line = eventually(found, within=within)
        assert line is not None
        return line

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def kill(self) -> None:
        """As a crash does: without a chance to tidy up."""
        self._popen.kill()
        self.wait(within=10)

    def terminate(self, *, within: float = 30) -> int:
        """As an orchestrator does: SIGTERM, then the exit code."""
        self._popen.terminate()
        return self.wait(within=within)

    def wait(self, *, within: float) -> int:
        code = self._popen.wait(timeout=within)
        self._reader.join(timeout=10)
        return code

    def close(self) -> None:
        """End it whatever it takes."""
        if self.is_running:
            self._popen.send_signal(signal.SIGCONT)  # a test that failed may have left it paused
            self._popen.terminate()
            try:
                self.wait(within=_KILL_AFTER_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._reader.join(timeout=10)
        if self._popen.stdout:
            self._popen.stdout.close()

    def _read(self) -> None:
        for line in self._popen.stdout or ():
            self.lines.append(line.rstrip("\n"))


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """`given` and what any process needs; nothing of the developer's own settings."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8", **given}


@contextmanager
def process(
    *arguments: str,
    env: Mapping[str, str],
    cwd: Path | None = None,
    program: Sequence[str | Path] = (PROGRAM,),
) -> Iterator[Process]:
    """`zenhire-sync ARGUMENTS` (or `program`, with these arguments), ended with the block."""
    running = Process(*arguments, env=env, cwd=cwd, program=program)
    try:
        yield running
    finally:
        running.close()


def run_to_end(
    *arguments: str, env: Mapping[str, str], cwd: Path | None = None, within: float = 30, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """`zenhire-sync ARGUMENTS` for commands that end by themselves."""
    return subprocess.run(
        [PROGRAM, *arguments],
        env=environment(env),
        cwd=cwd,
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


def free_port() -> int:
    """A port of loopback that nobody listens on, at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
