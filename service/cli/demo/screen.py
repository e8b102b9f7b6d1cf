"""How the show is told: a table that moves on a terminal with room for it, else one line per change."""

import shutil
import sys
import textwrap
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from service.cli.demo.board import STATUS_WORDS, Frame

WIDTH_MAX = 80
_WIDTH_MIN = 40
COLUMNS_MIN, LINES_MIN = 80, 24
_CAPTION_LINES = 2
_CAPTION_SECONDS = 2.5  # so that two lines can be read
_STYLES = {
    "waits": "dim",
    "being made": "yellow",
    "link ready": "cyan",
    "interview": "bold magenta",
    "completed": "green",
    "failed": "red",
    "expired": "red",
    "refused": "red",
    "for review": "bold red",
}


class Screen(Protocol):
    """Where the show is told. `say` explains, `show` shows, `service` is what the first line says of the service."""

    service: str

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def say(self, sentence: str, *, at_once: bool = False) -> None: ...
    def show(self, frame: Frame) -> None: ...


def choose_screen(environ: Mapping[str, str]) -> Screen:
    return TableScreen() if _is_roomy_terminal(environ) else LineScreen()


def tell(text: str) -> None:
    """Lines before and after the show."""
    width = _width()
    for line in text.splitlines() or [""]:
        print(textwrap.fill(line, width, break_on_hyphens=False), flush=True)


def _width() -> int:
    return max(min(shutil.get_terminal_size().columns, WIDTH_MAX), _WIDTH_MIN)


def _is_roomy_terminal(environ: Mapping[str, str]) -> bool:
    if not sys.stdout.isatty() or environ.get("TERM", "") in {"", "dumb", "unknown"}:
        return False
    size = shutil.get_terminal_size()
    return size.columns >= COLUMNS_MIN and size.lines >= LINES_MIN


class _Stopwatch:
    def __init__(self) -> None:
        self._began = time.monotonic()

    def __str__(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        return f"{minutes:02}:{seconds:02}"


class LineScreen:
    """For pipes, small or simple terminals, and people who would rather read than watch."""

    def __init__(self) -> None:
        self.service = ""
        self._clock = _Stopwatch()
        self._width = _width()
        self._shown: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def say(self, sentence: str, *, at_once: bool = False) -> None:  # noqa: ARG002 - a line is always at once
        self._line("* ", sentence)

    def show(self, frame: Frame) -> None:
        """Those that changed, together where they changed to the same."""
        changed = defaultdict(list)
        for invite in frame.invites:
            word = invite.status_word + (" (again)" if invite.link_number > 1 and not invite.is_final else "")
            if self._shown.get(invite.candidate_ref) != word:
                changed[word].append(invite.candidate_ref)
                self._shown[invite.candidate_ref] = word
        for word, refs in changed.items():
            self._line(f"{word:<19}", " ".join(refs))

    def _line(self, head: str, text: str) -> None:
        head = f"{self._clock}  {head}"
        print(textwrap.fill(text, self._width, initial_indent=head, subsequent_indent=" " * len(head)), flush=True)


class TableScreen:
    """Twenty rows, two lines of explanation and the counts: 24 lines of 80 columns."""

    def __init__(self) -> None:
        self.service = ""
        self._clock = _Stopwatch()
        self._captions: deque[str] = deque()
        self._caption, self._caption_until = "", 0.0
        self._live = Live(console=Console(highlight=False), auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def say(self, sentence: str, *, at_once: bool = False) -> None:
        if at_once:
            self._captions.clear()
            self._caption_until = 0.0
        self._captions.append(sentence)

    def show(self, frame: Frame) -> None:
        self._turn_caption()
        first = Text(f"{self._clock}  {frame.summary}", style="bold", no_wrap=True, overflow="crop")
        service = Text(self.service, style="bold green" if "runs" in self.service else "bold red")
        head = Table.grid(expand=True)
        head.add_column(ratio=1)
        head.add_column(justify="right", no_wrap=True)
        head.add_row(first, service)
        self._live.update(Group(head, self._caption_text(), _table(frame)), refresh=True)

    def _turn_caption(self) -> None:
        now = time.monotonic()
        if self._captions and now >= self._caption_until:
            self._caption, self._caption_until = self._captions.popleft(), now + _CAPTION_SECONDS

    def _caption_text(self) -> Text:
        lines = textwrap.wrap(self._caption, self._live.console.width - 1)[:_CAPTION_LINES]
        lines += [""] * (_CAPTION_LINES - len(lines))
        return Text("\n".join(lines), style="yellow", no_wrap=True)


def _table(frame: Frame) -> Table:
    table = Table(box=None, expand=True, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for title, width in (("candidate", 9), ("role", 16), ("status", max(map(len, STATUS_WORDS.values()))), ("link", 8)):
        table.add_column(title, width=width, no_wrap=True)
    table.add_column("what is next, or why", ratio=1, no_wrap=True, overflow="ellipsis")
    for invite in frame.invites:
        style = _STYLES.get(invite.status_word, "")
        table.add_row(
            invite.candidate_ref, invite.role, Text(invite.status_word, style=style), invite.link_word, invite.why
        )
    return table
