"""What a consumer of changes promises, in whatever language it is written; a module of tests says how it is run."""

from collections.abc import Callable
from uuid import UUID

import psycopg

from tests.support.database import Database
from tests.support.stages import invite_at, move

#: Hands over what is new until nothing is: the invites and their statuses, in that order.
AllChanges = Callable[[str], list[tuple[UUID, str]]]


def check_every_change_is_handled_once(database: Database, url: str, all_changes: AllChanges) -> None:
    first, second = invite_at(database, "link_ready"), invite_at(database, "refused")
    assert sorted(all_changes(url)) == sorted([(first, "link_ready"), (second, "refused")])
    assert all_changes(url) == []
    move(database, first, "in_progress")
    assert all_changes(url) == [(first, "in_progress")]


def check_a_late_commit_is_not_missed_and_not_seen_half(database: Database, url: str, all_changes: AllChanges) -> None:
    late, early = invite_at(database, "link_ready"), invite_at(database, "link_ready")
    all_changes(url)
    with psycopg.connect(database.url) as slow:
        slow.execute("update zenhire.candidate_invites set priority = 1 where id = %s", [late])
        move(database, early, "in_progress")  # begun later, committed first
        assert all_changes(url) == [(early, "in_progress")]
    assert all_changes(url) == [(late, "link_ready")]
