"""A server of one's own, for commands that are no tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from service.postgres.migrate import upgrade
from tests.support.postgres import VARIABLE, Server, running_server, source_from


@contextmanager
def migrated_server() -> Iterator[tuple[Server, str]]:
    """A server, and the name of a database to copy from."""
    with running_server(source_from(os.environ.get(VARIABLE, ""))) as server, server.database() as template:
        upgrade(server.url_of(template))
        yield server, template
