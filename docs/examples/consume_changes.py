"""
Handle every change of an invite at least once: new links, outcomes, transcripts.

Each row carries its own `version`, and `seen_version` is your mark on it. So it does not matter in which order
transactions commit: a row is new for as long as its version is greater than the mark.
"""

from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg.rows import dict_row

CHANGED = """
select id, version, request_key, candidate_ref, status, candidate_link, link_expires_at, transcript_state, error_message
from zenhire.candidate_invites
where version > seen_version
order by updated_at
limit 100
for update skip locked
"""

SEEN = "update zenhire.candidate_invites set seen_version = %s where id = %s"


def handle_changes(url: str, handle: Callable[[Mapping[str, Any]], None]) -> int:
    """
    Hand what is new to `handle`, and mark it; how many rows that were.

    Where `handle` raises, or the process dies, nothing is marked and the rows come again. Several consumers share the
    work: a row that one of them holds is skipped by the others.
    """
    with psycopg.connect(url, row_factory=dict_row) as connection:
        changed = connection.execute(CHANGED).fetchall()
        for invite in changed:
            handle(invite)
            connection.execute(SEEN, [invite["version"], invite["id"]])
        return len(changed)


def consume(url: str, handle: Callable[[Mapping[str, Any]], None], *, goes_on: Callable[[], bool]) -> None:
    """Handle changes as they come, within a moment where notifications arrive and within ten seconds where not."""
    with psycopg.connect(url, autocommit=True) as listening:
        listening.execute("listen zenhire_changes")
        while goes_on():
            while handle_changes(url, handle):
                pass
            for _ in listening.notifies(timeout=10, stop_after=1):
                pass
