"""Makes the README's picture from a real `zenhire-sync demo`: the table at the moment at which the service is killed.

`python docs/demo_picture.py` runs the demo in a terminal of its own and writes docs/demo.svg. It takes a minute.
"""

# ruff: noqa: INP001 - a script beside its picture, no package

import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS, LINES = 80, 26
PICTURE = Path(__file__).with_name("demo.svg")
PROGRAM = Path(sys.executable).with_name("zenhire-sync")
MOMENT = b"kill -9"
_BETWEEN_FRAMES = re.compile(rb"(?:\r?\x1b\[2K|\x1b\[1A)+")
_REMOTE_FONTS = re.compile(r"@font-face \{.*?\}\n*", re.DOTALL)


def main() -> None:
    console = Console(record=True, width=COLUMNS, file=StringIO(), highlight=False)
    console.print(Text("$ make demo", style="bold"))
    console.print(Text.from_ansi(frame_with(MOMENT).decode().replace("\r", "")))
    svg = console.export_svg(title="zenhire-sync", unique_id="demo")
    # The viewer's own fixed-width font does: a picture that fetches fonts would tell others who reads the README.
    text = _REMOTE_FONTS.sub("", svg).replace("Fira Code", "ui-monospace, Menlo, DejaVu Sans Mono")
    PICTURE.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8")


def frame_with(words: bytes) -> bytes:
    """The first state of the moving table that shows `words`, as the terminal got it."""
    pid, terminal = pty.fork()
    if pid == 0:
        environment = {"PATH": os.defpath, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        os.execve(PROGRAM, [str(PROGRAM), "demo"], environment)  # noqa: S606 - a program of ours
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    output = b""
    try:
        while True:
            output += os.read(terminal, 65536)
            *whole, _ = _BETWEEN_FRAMES.split(output)
            if (frame := next((frame for frame in whole if words in frame), None)) is not None:
                return frame
    finally:
        os.kill(pid, signal.SIGINT)
        while _still_reads(terminal):
            pass
        os.waitpid(pid, 0)


def _still_reads(terminal: int) -> bool:
    """Until the demo has taken itself down; a terminal whose other end is closed cannot be read."""
    try:
        return bool(os.read(terminal, 65536))
    except OSError:
        return False


if __name__ == "__main__":
    main()
