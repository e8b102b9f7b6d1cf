"""One replica that watches many open sessions, with a Postgres of default durability and the sandbox in a thread."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

import psycopg

from benchmarks.failed import BenchmarkFailed
from benchmarks.filled import fill
from benchmarks.stage import service_process, settings_of
from sandbox.clock import SystemClock
from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.platform import Platform
from sandbox.profile import Profile
from sandbox.running import RunningSandbox, running_sandbox
from service.postgres.migrate import upgrade

PER_MINUTE = 500  #: the vendor's default (contract §7)
_WARM_SECONDS = 60
_PAUSE_SECONDS = 0.1

#: As a service leaves them that has watched by the list since they were made.
WATCHED_BY_LIST = """
update zenhire.interview_sessions
set next_look_at = zenhire.clock() + interval '2 days' + random() * interval '2 days',
    next_look_reason = 'the list of running interviews tells when it begins'
"""
LISTED = "select exists (select from zenhire.list_state where status_filter = 'honoured' and listed_at is not null)"
_TICKED = "select exists (select from zenhire.replicas)"  # without an open session nothing is listed


@dataclass(slots=True, kw_only=True)
class Watched:
    """All parts of one run."""

    postgres: EmbeddedPostgres
    platform: Platform
    sandbox: RunningSandbox
    links: Sequence[str]  #: of the open sessions, in the order they were made
    settings: Mapping[str, str]
    log: IO[bytes]
    stack: ExitStack
    replica: subprocess.Popen[bytes] | None = field(default=None)  #: None while there is none

    def start_replica(self) -> None:
        self.replica = self.stack.enter_context(service_process(dict(self.settings), self.log))

    def kill_replica(self) -> None:
        """As `kill -9` does."""
        if self.replica is not None:
            self.replica.kill()
            self.replica.wait()
        self.replica = None

    def there_if_it_should(self) -> None:
        """Fails when the replica has ended and nobody killed it."""
        if self.replica is not None:
            self.replica_pid()

    def replica_pid(self) -> int:
        """Fails when it has ended by itself."""
        if self.replica is None or self.replica.poll() is not None:
            raise BenchmarkFailed(f"the service has ended; it said:\n{self.last_words()}")
        return self.replica.pid

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Each question has a connection of its own, so that Postgres may go and come in between."""
        with psycopg.connect(self.postgres.url(), autocommit=True) as database:
            cursor = database.execute(question.encode())
            return cursor.fetchall() if cursor.description else []

    def ask(self, question: str) -> Any:
        """The first column of the first row."""
        return self.rows(question)[0][0]

    def now(self) -> datetime:
        """The vendor's time, which is this machine's."""
        with self.platform.lock:
            return self.platform.world.now()

    def wait_until(self, condition: Callable[[], bool], *, within: float, what: str) -> None:
        deadline = time.monotonic() + within
        while not condition():
            if self.replica_pid() and time.monotonic() > deadline:
                raise BenchmarkFailed(f"{what}: not within {within:g} s; the service said:\n{self.last_words()}")
            time.sleep(_PAUSE_SECONDS)

    def last_words(self) -> str:
        self.log.seek(0)
        return self.log.read()[-2000:].decode(errors="replace")


@contextmanager
def watched(open_sessions: int, profile: Profile, **settings: str) -> Iterator[Watched]:
    """So many open sessions on both sides, and one replica that has read its first list of what runs."""
    platform = Platform(profile, SystemClock())
    with ExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres())
        sandbox = stack.enter_context(running_sandbox(platform))
        upgrade(postgres.url())
        made = Watched(
            postgres=postgres,
            platform=platform,
            sandbox=sandbox,
            links=fill(postgres.url(), platform, sandbox.key, open_sessions),
            settings=watching(postgres.url(), sandbox, **settings),
            log=stack.enter_context(tempfile.TemporaryFile()),
            stack=stack,
        )
        made.rows(WATCHED_BY_LIST)
        made.rows("vacuum analyze")
        made.start_replica()
        warm = LISTED if open_sessions else _TICKED
        made.wait_until(lambda: bool(made.ask(warm)), within=_WARM_SECONDS, what="the service at work")
        yield made


def watching(database_url: str, sandbox: RunningSandbox, **more: str) -> dict[str, str]:
    """The vendor's default limit, and unless told otherwise no transcripts: each outcome costs its look."""
    usual = {"SYNC_REQUESTS_PER_MINUTE": str(PER_MINUTE), "SYNC_TRANSCRIPTS": "false"}
    return settings_of(database_url, sandbox, **usual | more)
