"""Fixtures for all tests: a server per test process, a fresh database per test, and nothing but loopback."""

import os
import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.support import loopback
from tests.support.database import Database
from tests.support.postgres import VARIABLE, Server, Source, describe, running_server, source_from

# How fast examples come says something of the machine alone.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    loopback.refuse_everything_else()
    # What the service logs in a test's own process must not mix with what a command prints.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if not hasattr(config, "workerinput"):  # the workers of pytest-xdist inherit the answer
        wish = os.environ.get(VARIABLE, "")
        source = source_from(wish)
        os.environ[VARIABLE] = wish or source.value


def pytest_report_header() -> str:
    return f"PostgreSQL: {describe(_source())}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures that tests recorded, in the order of the tests: how much was covered is part of the result."""
    reports = (report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind))
    said = {str(figures) for report in reports for name, figures in report.user_properties if name == "figures"}
    for line in sorted(said):
        terminalreporter.write_line(line)


def _source() -> Source:
    return source_from(os.environ[VARIABLE])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    with running_server(_source()) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgres_server: Server) -> Iterator[str]:
    """The name of a database at the newest migration, to be copied and never connected to."""
    from service.postgres.migrate import upgrade  # noqa: PLC0415 - a test without a database needs none of it

    with postgres_server.database() as name:
        upgrade(postgres_server.url_of(name))
        yield name


@pytest.fixture
def database_url(postgres_server: Server, migrated_template: str) -> Iterator[str]:
    """A fresh, migrated database of this test alone."""
    with postgres_server.database(template=migrated_template) as name:
        yield postgres_server.url_of(name)


@pytest.fixture
def empty_database_url(postgres_server: Server) -> Iterator[str]:
    """A fresh database that no migration has seen."""
    with postgres_server.database() as name:
        yield postgres_server.url_of(name)


@pytest.fixture
def database(database_url: str) -> Database:
    """A window into `database_url`."""
    return Database(database_url)
