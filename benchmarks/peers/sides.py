"""Who is compared, what a measurement asks of each, and how its process is started."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import psycopg

from benchmarks.failed import BenchmarkFailed
from benchmarks.invites import CONSENT, INSERT, METADATA, ROLE, TAGS
from benchmarks.peers.invites import SCHEMA
from benchmarks.stage import service_process, settings_of
from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.running import RunningSandbox, SandboxProcess
from service.postgres.migrate import upgrade

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
NOT_THERE = "benchmark: there is no {}: `make peers` installs the peers\n"
NO_LIMIT = 100_000  #: requests a minute; the most that the service may be set to

_PEER_INSERT = """
insert into peer.invites (candidate_ref) select %(prefix)s || g from generate_series(1, %(count)s) g
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The service or a peer: its statements, on tables of its own."""

    name: str
    module: str | None = None  #: None: the service
    starts: bool = True  #: it can start sessions
    insert: str = _PEER_INSERT
    links: str = "select candidate_ref, session_id, link from peer.invites"
    known: str = "select session_id from peer.invites where session_id is not null"
    outcomes: str = "select session_id, done_at from peer.invites where done_at is not null"


OURS = Side(
    name="zenhire-sync",
    insert=INSERT,
    links="select candidate_ref, session_id, candidate_link from zenhire.candidate_invites",
    known="select session_id from zenhire.interview_sessions where session_id is not null",
    outcomes="""
    select session_id, status_changed_at from zenhire.candidate_invites where status in ('completed', 'failed')
    """,
)
SIDES = (
    OURS,
    Side(name="naive", module="naive"),
    Side(name="procrastinate", module="on_procrastinate"),
    Side(name="pgqueuer", module="on_pgqueuer"),
    Side(name="dlt", module="with_dlt", starts=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The same for all sides of a measurement."""

    python: Path  #: of the peers' venv
    concurrency: int
    per_minute: int  #: 0: no limit
    interval: int  #: seconds between two looks, or two lists
    adopt: bool = False  #: sessions stand open already
    settle: int = 60  #: of the service alone: seconds until it searches for what a lost post left


def fresh_database(server: EmbeddedPostgres, side: Side) -> str:
    """A database that nobody has used; its URL."""
    name = f"peer_{uuid4().hex}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"create database {name}".encode())
    url = server.url(name)
    if side.module is None:
        upgrade(url)
    else:
        with psycopg.connect(url) as database:
            database.execute(SCHEMA.encode())
    return url


def insert(side: Side, database: psycopg.Connection[Any], prefix: str, count: int) -> None:
    """In one statement and so in one transaction."""
    given = {"prefix": prefix, "count": count, "consent": CONSENT, "tags": TAGS, **ROLE}
    database.execute(side.insert.encode(), given | {"metadata": psycopg.types.json.Jsonb(METADATA)})


def running(
    side: Side, database_url: str, sandbox: RunningSandbox | SandboxProcess, terms: Terms, log: IO[bytes]
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Its process; ended with the block."""
    if side.module is None:
        return service_process(_settings(database_url, sandbox, terms), log)
    return _peer_process(side.module, database_url, sandbox, terms, log)


def _settings(database_url: str, sandbox: RunningSandbox | SandboxProcess, terms: Terms) -> dict[str, str]:
    return settings_of(
        database_url,
        sandbox,
        SYNC_CONCURRENCY=str(terms.concurrency),
        SYNC_REQUESTS_PER_MINUTE=str(terms.per_minute or NO_LIMIT),
        SYNC_WATCH_INTERVAL_SECONDS=str(terms.interval),
        SYNC_SETTLE_SECONDS=str(terms.settle),
        SYNC_TRANSCRIPTS="false",
    )


@contextmanager
def _peer_process(
    module: str, database_url: str, sandbox: RunningSandbox | SandboxProcess, terms: Terms, log: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(terms.python), "-m", f"benchmarks.peers.{module}"]
    command += ["--url", sandbox.base_url, "--key", sandbox.key, "--database", database_url]
    command += ["--concurrency", str(terms.concurrency), "--per-minute", str(terms.per_minute)]
    command += ["--interval", str(terms.interval), *(["--adopt"] if terms.adopt else [])]
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log) as process:
        try:
            yield process
        finally:
            process.kill()  # it has nothing to finish, and some libraries put a SIGTERM off


def last_words(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read()[-2000:].decode(errors="replace")


def still_there(side: Side, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    if process.poll() is not None:
        raise BenchmarkFailed(f"{side.name} ended with {process.returncode}; it said:\n{last_words(log)}")


def say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
