"""Read, render, and put the page where it is wanted: the whole of it, or nothing."""

import secrets
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from service.operate.report.facts import read_report
from service.operate.report.page import page
from service.operate.snapshot import snapshot

STANDARD_OUTPUT = "-"


def run(database_url: str, *, out: str, period: timedelta) -> None:
    """`out` is a file, which is replaced, or `-`; an `OSError` says why it cannot be written."""
    with snapshot(database_url, command="report") as seen:
        report = read_report(seen, period)
    written = page(report).encode()
    if out == STANDARD_OUTPUT:
        sys.stdout.buffer.write(written)
    else:
        _replace(Path(out), written)


def _replace(path: Path, content: bytes) -> None:
    """Whoever opens the file meanwhile sees the old page or the new one."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
