"""`zenhire-sync healthcheck`: run every few seconds by the container engine, so it imports only the driver."""

# ruff: noqa: PLC0415 - the driver is imported when it is needed

import argparse
import socket

from service.database_url import database_place
from service.masking import mask

EPILOG = """\
example (Dockerfile):
  HEALTHCHECK CMD ["zenhire-sync", "healthcheck"]

exit code 0: a replica on this host has ticked within the last 60 seconds; 1: none has, or the database is away.
"""

TICK_LIMIT_SECONDS = 60
CONNECT_TIMEOUT_SECONDS = 3

_SINCE_LAST_TICK = """
    select extract(epoch from zenhire.clock() - max(last_tick_at))::float8
    from zenhire.replicas
    where host = %s and gone_at is null
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG


def run(_args: argparse.Namespace, database_url: str) -> int:
    healthy, sentence = check(database_url, host=socket.gethostname())
    print(sentence)
    return 0 if healthy else 1


def check(database_url: str, *, host: str) -> tuple[bool, str]:
    """Whether a replica on this host is alive, and the sentence that says why or why not."""
    import psycopg

    try:
        with psycopg.connect(
            database_url,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            application_name="zenhire-sync healthcheck",
        ) as connection:
            connection.execute("set local statement_timeout = '3s'")
            row = connection.execute(_SINCE_LAST_TICK, [host]).fetchone()
    except psycopg.Error as error:
        return False, f"no answer from {database_place(database_url)}: {_reason(error)}"
    if row is None or row[0] is None:
        return False, f"no replica on this host ({host}) is registered: is `zenhire-sync run` running here?"
    seconds = float(row[0])
    if seconds > TICK_LIMIT_SECONDS:
        return False, f"the replica on this host ({host}) last ticked {seconds:.0f} s ago: see its log"
    return True, f"the replica on this host ({host}) ticked {max(seconds, 0):.0f} s ago"


def _reason(error: Exception) -> str:
    lines = mask(str(error)).strip().splitlines() or [type(error).__name__]
    return lines[0].rpartition("failed: ")[2]
