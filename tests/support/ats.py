"""The ATS's part of the day: it hands each link that the table shows to its candidate."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from sandbox.console import Console
from tests.support.database import Database


class Ats:
    """For a sandbox whose candidates come only `when_sent`: nobody comes with a link that was never published."""

    def __init__(self, database: Database, console: Console) -> None:
        self._database = database
        self._console = console
        self._sent: set[str] = set()

    def hand_over_links(self) -> int:
        """Send what is new; how many links were ever sent."""
        rows = self._database.fetch(
            "select candidate_link from zenhire.candidate_invites"
            " where status = 'link_ready' and candidate_link is not null"
        )
        for row in rows:
            link = row["candidate_link"]
            if link not in self._sent:
                self._console.send_link(link)
                self._sent.add(link)
        return len(self._sent)


_PAUSE_SECONDS = 0.2


@contextmanager
def links_handed_over(database: Database, console: Console) -> Iterator[None]:
    """In a thread, again and again while the block runs; a database that is away is asked again."""
    ats, over = Ats(database, console), threading.Event()

    def work() -> None:
        while not over.wait(_PAUSE_SECONDS):
            with suppress(psycopg.OperationalError):
                ats.hand_over_links()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
