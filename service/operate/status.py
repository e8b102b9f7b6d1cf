"""`status`: whether everything is all right, on one screen, as JSON, or again and again."""

# ruff: noqa: PLC0415 - rich is imported when there is a terminal

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from service.masking import mask
from service.operate.show import Line, Tone, as_rich, as_text, is_terminal, paragraph, show, write
from service.operate.snapshot import snapshot
from service.operate.status_facts import Status, read_status
from service.operate.status_screen import screen

ALL_RIGHT, NEEDS_A_PERSON = 0, 3
WATCH_SECONDS = 2.0


def run(database_url: str, *, as_json: bool, watch: bool) -> int:
    """Exit code 3 while something needs a person, else 0."""
    status = look(database_url)
    if as_json:
        write(json.dumps(as_document(status), indent=2) + "\n")
    elif watch:
        status = _watch(database_url, status)
    else:
        show(screen(status))
    return ALL_RIGHT if status.all_right else NEEDS_A_PERSON


def look(database_url: str) -> Status:
    with snapshot(database_url, command="status") as seen:
        return read_status(seen)


def as_document(status: Status) -> dict[str, Any]:
    """The same facts for programs. Names stay; new ones may come."""
    invites = status.invites
    facts = (
        {"all_right": status.all_right}
        | asdict(status)
        | {
            "invites": {
                "total": invites.total,
                "open": invites.open,
                "finished_precision": invites.finished_precision,
                "lately_since": invites.lately_since,
                "by_status": {status: asdict(count) for status, count in invites.by_status.items()},
            },
        }
    )
    document: dict[str, Any] = _plain(facts)
    return document


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return float(value)
        case _:
            return value


def _watch(database_url: str, status: Status) -> Status:
    """Show it again every 2 s until Ctrl-C; a database that is away for a while is said, and waited for."""
    with _window() as put:
        try:
            put(screen(status, attention_first=True))
            while True:
                time.sleep(WATCH_SECONDS)
                try:
                    status = look(database_url)
                except psycopg.OperationalError as error:
                    put(_away(error))
                else:
                    put(screen(status, attention_first=True))
        except KeyboardInterrupt:
            return status


def _away(error: psycopg.Error) -> list[Line]:
    reason = " ".join(mask(str(error)).split()).rpartition("failed: ")[2]
    said = f"The database does not answer: {reason}. Trying again every {WATCH_SECONDS:g} s."
    return paragraph(said, tone=Tone.BAD)


@contextmanager
def _window() -> Iterator[Callable[[Sequence[Line]], None]]:
    """On a terminal the same place each time, in a pipe one block after the other."""
    if not is_terminal():
        yield lambda lines: write(as_text(lines) + "\n")
        return
    from rich.live import Live

    with Live(auto_refresh=False, vertical_overflow="ellipsis") as live:
        yield lambda lines: live.update(as_rich([*lines, Line(), Line("Ctrl-C ends it.")]), refresh=True)
