"""Links per second without a limit: all sides in turns, each with a vendor, a database and a process of its own."""

import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any

import psycopg

from benchmarks.failed import BenchmarkFailed
from benchmarks.peers.sides import Side, Terms, fresh_database, insert, running, say, still_there
from benchmarks.stage import SANDBOX
from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.running import SandboxProcess, sandbox_process

_WITHIN_SECONDS = 300
_PAUSE_SECONDS = 0.02
_WARM_UP = 4  # a quarter of a round, unrecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One side, at work."""

    side: Side
    url: str  #: of the database
    database: psycopg.Connection[Any]
    sandbox: SandboxProcess
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def missing(self) -> int:
        """Invites that have no link."""
        row = self.database.execute(
            f"select count(*) from ({self.side.links}) as i (c, s, l) where l is null"
        ).fetchone()
        return row[0] if row else 0


def measure(
    server: EmbeddedPostgres, sides: Sequence[Side], terms: Terms, *, rounds: int, size: int
) -> dict[str, list[float]]:
    """The rates of each round, by the side's name."""
    rates: dict[str, list[float]] = {side.name: [] for side in sides}
    with ExitStack() as stack:
        fields = [stack.enter_context(at_work(server, side, terms)) for side in sides]
        for parts in fields:
            seconds_for(parts, "warm-", max(1, size // _WARM_UP))
        for number in range(1, rounds + 1):
            for parts in fields:
                rates[parts.side.name].append(size / seconds_for(parts, f"round-{number}-", size))
            say(
                f"links, round {number} of {rounds}: "
                + ", ".join(f"{name} {of[-1]:.0f}/s" for name, of in rates.items())
            )
        for parts in fields:
            _check(parts)
    return rates


@contextmanager
def at_work(
    server: EmbeddedPostgres, side: Side, terms: Terms, sandbox_settings: Sequence[str] = ()
) -> Iterator[Parts]:
    url = fresh_database(server, side)
    with (
        sandbox_process((*SANDBOX, *sandbox_settings)) as sandbox,
        psycopg.connect(url, autocommit=True) as database,
        tempfile.TemporaryFile() as log,
        running(side, url, sandbox, terms, log) as process,
    ):
        yield Parts(side=side, url=url, database=database, sandbox=sandbox, process=process, log=log)


def seconds_for(parts: Parts, prefix: str, size: int) -> float:
    """From the commit of the invites to the commit of the last link."""
    insert(parts.side, parts.database, prefix, size)
    begun = time.perf_counter()
    while missing := parts.missing():
        still_there(parts.side, parts.process, parts.log)
        if time.perf_counter() - begun > _WITHIN_SECONDS:
            raise BenchmarkFailed(f"{parts.side.name}: {missing} of {size} links missing after {_WITHIN_SECONDS} s")
        time.sleep(_PAUSE_SECONDS)
    return time.perf_counter() - begun


def _check(parts: Parts) -> None:
    """A fast wrong answer is no figure: each invite holds the link that was made for it, and was posted once."""
    held = sorted(parts.database.execute(parts.side.links.encode()).fetchall())
    sessions = parts.sandbox.control.sessions()
    minted = sorted((one["candidate_ref"], one["id"], one["links"][-1]["url"]) for one in sessions)
    if held != minted:
        raise BenchmarkFailed(f"{parts.side.name}: {len(held)} links held, {len(minted)} made, and not the same")
