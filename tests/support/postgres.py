"""Where the tests' PostgreSQL comes from: a container, this machine's own programs, or a server that is named."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.postgres_binaries import find_binaries
from tests.support.waiting import eventually

IMAGE = "postgres:17-bookworm"
VARIABLE = "TEST_POSTGRES"
_ENGINE_TIMEOUT_SECONDS = 3
_FORGETFUL = "-c fsync=off -c full_page_writes=off -c max_connections=200"


class Source(StrEnum):
    CONTAINER = "container"
    LOCAL = "local"
    NAMED = "named"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server, and a superuser's address of its database `postgres`."""

    url: str

    def url_of(self, dbname: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{dbname}"))

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @contextmanager
    def database(self, *, template: str = "template1") -> Iterator[str]:
        """The name of a database that lives as long as the block."""
        name = f"zenhire_test_{secrets.token_hex(6)}"
        self.execute(f"create database {name} template {template}")
        try:
            yield name
        finally:
            with suppress(psycopg.OperationalError):  # a test may have stopped the server
                self.execute(f"drop database if exists {name} with (force)")


def source_from(wish: str) -> Source:
    """What `TEST_POSTGRES` asks for; without a wish a container if its image is here, else our own programs."""
    if wish.startswith(("postgresql://", "postgres://")):
        return Source.NAMED
    if not wish:
        return Source.CONTAINER if _image_is_here() else Source.LOCAL
    if wish not in {Source.CONTAINER, Source.LOCAL}:
        raise pytest.UsageError(f"{VARIABLE} is {wish!r}; allowed is container, local, or postgresql://...")
    return Source(wish)


def describe(source: Source) -> str:
    """For the head of the test report."""
    match source:
        case Source.CONTAINER:
            return f"container of {IMAGE}"
        case Source.LOCAL:
            binaries = find_binaries()
            return f"version {binaries.major} from {binaries.directory}"
        case Source.NAMED:
            return f"the server named in {VARIABLE}"


@contextmanager
def running_server(source: Source) -> Iterator[Server]:
    """A server that is ready, and gone after the block unless it was somebody else's."""
    match source:
        case Source.CONTAINER:
            with _container() as server:
                yield server
        case Source.LOCAL:
            with EmbeddedPostgres(durable=False) as postgres:
                yield Server(url=postgres.url())
        case Source.NAMED:
            yield Server(url=os.environ[VARIABLE])


def _image_is_here() -> bool:
    """Whether an engine answers and has the image: tests never download one."""
    look = ["docker", "image", "inspect", "--format", "here", IMAGE]
    try:
        return subprocess.run(look, capture_output=True, timeout=_ENGINE_TIMEOUT_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextmanager
def _container() -> Iterator[Server]:
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"  # its image may not be here; read at import
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415

    postgres = PostgresContainer(IMAGE, driver=None, dbname="postgres").with_command(f"postgres {_FORGETFUL}").start()
    with _removed_with_us(postgres.get_wrapped_container().id):
        server = Server(url=postgres.get_connection_url())
        # The image's first server, which prepares the data, listens on its socket only: readiness counts over TCP.
        eventually(lambda: _answers(server), within=60)
        yield server


@contextmanager
def _removed_with_us(container: str) -> Iterator[None]:
    """Also after a signal: a pipe closes with this process, whatever ended it, and the keeper removes the container."""
    keeper = subprocess.Popen(
        ["/bin/sh", "-c", 'cat >/dev/null; docker rm --force --volumes "$0" >/dev/null 2>&1', container],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    with keeper:
        yield


def _answers(server: Server) -> bool:
    with suppress(psycopg.OperationalError):
        server.execute("select 1")
        return True
    return False
