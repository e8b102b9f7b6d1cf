"""Lines for a person: a little colour on a terminal, plain text in a pipe, and no letter that stdout cannot hold."""

# ruff: noqa: PLC0415 - rich is imported when there is a terminal

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO

from service.operate.words import wrapped, wrapped_sql

if TYPE_CHECKING:
    from rich.text import Text


class Tone(StrEnum):
    """What a line is; nothing depends on its colour."""

    PLAIN = ""
    TITLE = "bold"
    GOOD = "bold green"
    BAD = "bold red"
    STATEMENT = "cyan"


@dataclass(frozen=True, slots=True)
class Line:
    text: str = ""
    tone: Tone = Tone.PLAIN


def paragraph(text: str, *, indent: int = 0, hanging: int | None = None, tone: Tone = Tone.PLAIN) -> list[Line]:
    return [Line(line, tone) for line in wrapped(text, indent=indent, hanging=hanging)]


def statement(sql: str, *, indent: int) -> list[Line]:
    return [Line(line, Tone.STATEMENT) for line in wrapped_sql(sql, indent=indent)]


def as_text(lines: Iterable[Line]) -> str:
    return "".join(f"{line.text}\n" for line in lines)


def is_terminal() -> bool:
    return sys.stdout.isatty()


def show(lines: Sequence[Line]) -> None:
    if is_terminal():
        from rich.console import Console

        Console(soft_wrap=True, highlight=False).print(as_rich(lines))
    else:
        write(as_text(lines))


def write(text: str, stream: TextIO | None = None) -> None:
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def as_rich(lines: Sequence[Line]) -> "Text":
    from rich.text import Text

    return Text("\n").join(Text(line.text, style=line.tone) for line in lines)
