"""What a finished run leaves behind: its tables, every change of them, and the vendor's truth."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sandbox.truth import Truth
from tests.simulation.world import World

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One change of a row, as a trigger saw it."""

    transaction: int
    at: datetime
    who: str
    table: str
    before: Row | None
    after: Row

    def moved(self, column: str) -> bool:
        """Whether an update changed this column."""
        return self.before is not None and self.before.get(column) != self.after.get(column)

    def has_moved(self, *columns: str) -> bool:
        return any(self.moved(column) for column in columns)


@dataclass(kw_only=True)
class Evidence:
    """Everything that a run leaves behind."""

    world: World
    truth: Truth
    invites: dict[UUID, Row]
    posts: dict[UUID, Row]
    events: list[Row]
    transcripts: dict[UUID, Row]
    attention: list[Row]
    unclaimed: set[str]  #: sessions that the list has shown, and that are followed by nobody
    changes: list[Changed]
    replicas: dict[str, str]  #: id by name

    @cached_property
    def posts_of(self) -> dict[UUID, list[Row]]:
        posts: defaultdict[UUID, list[Row]] = defaultdict(list)
        for post in self.posts.values():
            posts[post["invite_id"]].append(post)
        return posts

    def changes_of(self, table: str) -> Iterator[Changed]:
        return (change for change in self.changes if change.table == table)

    def name(self, invite_id: object) -> str:
        return self.world.invites.get(UUID(str(invite_id)), str(invite_id))


def gather(world: World) -> Evidence:
    fetch = world.database.fetch
    return Evidence(
        world=world,
        truth=world.platform.truth(),
        invites={row["id"]: row for row in fetch("select * from zenhire.candidate_invites")},
        posts={row["post_id"]: row for row in fetch("select * from zenhire.interview_sessions order by posted_at")},
        events=fetch("select * from zenhire.invite_events order by id"),
        transcripts={row["post_id"]: row for row in fetch("select * from zenhire.transcripts")},
        attention=fetch("select what, account, invite_id, code from zenhire.attention"),
        unclaimed={row["session_id"] for row in fetch("select session_id from zenhire.unclaimed_sessions")},
        changes=[
            Changed(
                transaction=row["transaction_id"],
                at=row["at"],
                who=row["who"],
                table=row["of_table"],
                before=row["before"],
                after=row["after"],
            )
            for row in fetch("select * from simulation.changes order by id")
        ],
        replicas={replica.name: str(replica.id) for replica in world.replicas},
    )
