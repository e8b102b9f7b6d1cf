"""What the show runs on: a PostgreSQL, the sandbox and the real service, each gone afterwards."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.rows import DictRow, dict_row

from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.running import SandboxProcess, sandbox_process
from service.cli.demo.cast import sandbox_arguments, service_environment
from service.cli.demo.guard import Guard
from service.postgres.migrate import upgrade

DATABASE = "ats"
_STOP_SECONDS = 10


class ShowFailed(Exception):
    """The show did not go as it must: one sentence, and what to do."""


class Service:
    """The real `zenhire-sync run`, in a process that can be killed."""

    def __init__(self, environment: Mapping[str, str], directory: Path, guard: Guard) -> None:
        self._environment = environment
        self._directory = directory
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self._directory / "service.log"

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        # A session of its own: Ctrl-C in the terminal reaches the show alone, which then ends everything in order.
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "service", "run"],
                env=self._environment,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard.add(self._process.pid)

    def kill(self) -> None:
        """As a crash does; it has no chance to say goodbye."""
        if self._process is not None:
            self._process.kill()
            self._ended(self._process)

    def stop(self) -> None:
        """As an orchestrator does: SIGTERM first."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._ended(self._process)

    def _ended(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._guard.remove(process.pid)
        self._process = None

    def check(self) -> None:
        """Raise if it has ended by itself."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise ShowFailed(f"the service ended by itself with exit code {code}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """All that stands while the show runs."""

    postgres: EmbeddedPostgres
    database_url: str
    database: psycopg.Connection[DictRow]  #: as the ATS, or a person with psql, would connect
    sandbox: SandboxProcess
    service: Service

    def check(self) -> None:
        """Raise if something has ended by itself."""
        self.service.check()
        if self.sandbox.process.poll() is not None:
            raise ShowFailed(f"the sandbox ended by itself with exit code {self.sandbox.process.returncode}")


@contextmanager
def set_stage(
    environ: Mapping[str, str], directory: Path, *, check: Callable[[], None], say: Callable[[str], None]
) -> Iterator[Stage]:
    """Start everything but the service. `check` is called between the parts and may call it off."""
    _forget_postgres_settings(environ)
    with ExitStack() as stack:
        guard = stack.enter_context(Guard(directory))
        postgres = stack.enter_context(EmbeddedPostgres(durable=False))
        say(f"PostgreSQL {postgres.binaries.major} runs, in a directory of its own.")
        check()
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute(f"create database {DATABASE}")
        database_url = postgres.url(DATABASE)
        upgrade(database_url)
        database = psycopg.connect(database_url, autocommit=True, row_factory=dict_row)
        stack.enter_context(closing(database))
        say("Schema zenhire is there (zenhire-sync migrate).")
        check()
        sandbox = stack.enter_context(sandbox_process(sandbox_arguments()))
        guard.add(sandbox.process.pid)
        say(f"The sandbox answers on {sandbox.base_url}.")
        check()
        service = Service(service_environment(environ, database_url, sandbox), directory, guard)
        stack.callback(service.stop)
        yield Stage(postgres=postgres, database_url=database_url, database=database, sandbox=sandbox, service=service)


def _forget_postgres_settings(environ: Mapping[str, str]) -> None:
    """libpq reads PGSSLMODE, PGOPTIONS and their kin from this process; they are meant for other servers."""
    for name in environ:
        if name.startswith("PG"):
            os.unsetenv(name)
