"""The real parts: a Postgres of our own with default durability, a sandbox process, a `zenhire-sync run` process."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg

from benchmarks.cpu import cpu_seconds
from benchmarks.failed import BenchmarkFailed
from benchmarks.invites import insert
from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.running import RunningSandbox, SandboxProcess, sandbox_process
from service.postgres.migrate import upgrade

#: No limit, no latency, no credits to run out of; candidates who never come, so that nothing but starting goes on.
SANDBOX = ("--speed", "1", "--set", "candidates.never=1", "--set", "credits.balance=1000000000")
_REQUESTS_PER_MINUTE = 100_000  # the most that may be set
PROGRAM = Path(sys.executable).with_name("zenhire-sync")
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that a part of the benchmark needs; `database` stands for the ATS."""

    database_url: str
    database: psycopg.Connection[Any]
    sandbox: SandboxProcess
    service: subprocess.Popen[bytes]
    service_log: IO[bytes]
    postgres_pid: int

    def insert(self, prefix: str, count: int) -> None:
        insert(self.database, prefix, count)

    def ask(self, question: str) -> Any:
        """The first column of the first row."""
        row = self.database.execute(question.encode()).fetchone()
        return row[0] if row else None

    def wait_until(self, condition: Callable[[], bool], *, within: float, what: str) -> None:
        deadline = time.monotonic() + within
        while not condition():
            if self.service.poll() is not None:
                raise BenchmarkFailed(
                    f"the service ended with {self.service.returncode}; it said:\n{self.last_words()}"
                )
            if time.monotonic() > deadline:
                raise BenchmarkFailed(f"{what}: not within {within:g} s; the service said:\n{self.last_words()}")
            time.sleep(_PAUSE_SECONDS)

    def wait_for_links(self, *, within: float) -> None:
        """Until no invite waits for its link any more."""
        waiting = "select exists (select from zenhire.candidate_invites where status in ('pending', 'starting'))"
        self.wait_until(lambda: self.ask(waiting) is False, within=within, what="links for all invites")

    def last_words(self) -> str:
        self.service_log.seek(0)
        return self.service_log.read()[-2000:].decode(errors="replace")

    def cpu(self) -> "Cpu":
        return Cpu(
            client=cpu_seconds(self.service.pid),
            sandbox=cpu_seconds(self.sandbox.process.pid),
            postgres=cpu_seconds(self.postgres_pid),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """CPU seconds of the parts; None where they cannot be had."""

    client: float | None
    sandbox: float | None
    postgres: float | None

    def since(self, before: "Cpu") -> "Cpu":
        return Cpu(
            client=_less(self.client, before.client),
            sandbox=_less(self.sandbox, before.sandbox),
            postgres=_less(self.postgres, before.postgres),
        )


def _less(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before


@contextmanager
def stage(*, concurrency: int, latency: float = 0.0) -> Iterator[Stage]:
    """
    All parts running, and the first link made, so that the persona is known and nothing is measured cold.

    `latency`: seconds that the vendor takes for an answer.
    """
    with (
        EmbeddedPostgres() as postgres,
        psycopg.connect(postgres.url(), autocommit=True) as admin,
        sandbox_process((*SANDBOX, "--set", f"faults.latency_seconds={latency}")) as sandbox,
        tempfile.TemporaryFile() as log,
    ):
        admin.execute("create database ats")
        url = postgres.url("ats")
        upgrade(url)
        settings = settings_of(
            url,
            sandbox,
            SYNC_CONCURRENCY=str(concurrency),
            SYNC_REQUESTS_PER_MINUTE=str(_REQUESTS_PER_MINUTE),
            SYNC_WATCH_INTERVAL_SECONDS="3600",  # links are measured; looks at what stands already are put off
        )
        with (
            psycopg.connect(url, autocommit=True) as database,
            service_process(settings, log) as service,
        ):
            made = Stage(
                database_url=url,
                database=database,
                sandbox=sandbox,
                service=service,
                service_log=log,
                postgres_pid=int((postgres.directory / "data" / "postmaster.pid").read_text().split()[0]),
            )
            made.insert("first-", 1)
            made.wait_for_links(within=60)
            yield made


def settings_of(database_url: str, sandbox: RunningSandbox | SandboxProcess, **more: str) -> dict[str, str]:
    """Where the service works, and what it is told beside that; all else is as it is unset."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "ZENHIRE_API_KEY": sandbox.key,
        "ZENHIRE_BASE_URL": sandbox.base_url,
        **more,
    }


@contextmanager
def service_process(settings: dict[str, str], log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """`zenhire-sync run` with nothing but these settings; ended with the block."""
    with subprocess.Popen([PROGRAM, "run"], env=settings, stdout=log, stderr=log) as process:
        try:
            yield process
        finally:
            process.terminate()
