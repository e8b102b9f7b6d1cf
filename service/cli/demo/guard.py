"""Ends what the show started when the show itself is killed and can end nothing any more.

A shell holds the other end of a pipe to us. When the pipe closes because this process died, the shell kills the
processes on its list and removes the directory. (The embedded PostgreSQL has a keeper of the same kind.)
"""

import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

# Each line is the whole list; the last one counts.
_SHELL = """
while read -r line; do pids=$line; done
kill -9 $pids 2>/dev/null
rm -rf "$1"
"""


class Guard:
    """Stands by until it is left in good order."""

    def __init__(self, directory: Path) -> None:
        self._pids: set[int] = set()
        # A session of its own: Ctrl-C in the terminal must not end the guard before it is needed.
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SHELL, "zenhire-demo-guard", directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=directory.parent,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shell.kill()
        self._shell.communicate()

    def add(self, pid: int) -> None:
        self._pids.add(pid)
        self._write()

    def remove(self, pid: int) -> None:
        """To be called once it has ended: its number may soon be somebody else's."""
        self._pids.discard(pid)
        self._write()

    def _write(self) -> None:
        if self._shell.stdin is not None:
            self._shell.stdin.write(" ".join(map(str, self._pids)).encode() + b"\n")
            self._shell.stdin.flush()
