"""Brings invites into every status with the service's mark and plain SQL, past all code of the service."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.support.database import Database
from tests.support.invites import insert_invite

LINK_EXPIRES_AT = datetime(2100, 1, 1, tzinfo=UTC)

#: The way that leads from `pending` to each status.
WAYS: dict[str, Sequence[str]] = {
    "pending": (),
    "starting": ("starting",),
    "link_ready": ("starting", "link_ready"),
    "in_progress": ("starting", "link_ready", "in_progress"),
    "completed": ("starting", "link_ready", "in_progress", "completed"),
    "failed": ("starting", "link_ready", "failed"),
    "expired": ("starting", "link_ready", "expired"),
    "cancelled": ("cancelled",),
    "refused": ("starting", "refused"),
    "needs_review": ("starting", "needs_review"),
}


@contextmanager
def as_service(database: Database) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A transaction whose writes count as the service's own."""
    # closed also where COMMIT fails, which psycopg's own context leaves open
    with closing(psycopg.connect(database.url, row_factory=dict_row)) as connection, connection:
        connection.execute("select set_config('zenhire.writer', 'service', true)")
        yield connection


def set_invite(connection: psycopg.Connection[dict[str, Any]], invite_id: UUID, **columns: Any) -> None:
    """An UPDATE of one invite without any event."""
    assignments = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in columns
    )
    statement = sql.SQL("update zenhire.candidate_invites set {} where id = %(invite_id)s").format(assignments)
    connection.execute(statement, columns | {"invite_id": invite_id})


def move(database: Database, invite_id: UUID, status: str, **columns: Any) -> None:
    """One move with what the status asks for and its event, in one transaction."""
    with as_service(database) as connection:
        before = connection.execute(
            "select status, account from zenhire.candidate_invites where id = %s", [invite_id]
        ).fetchone()
        assert before is not None
        set_invite(connection, invite_id, status=status, **(_needs_of(status) | columns))
        connection.execute(
            """
            insert into zenhire.invite_events (account, invite_id, kind, from_status, to_status, version, reason)
            select account, id, 'moved', %(before)s, status, version, 'a test' from zenhire.candidate_invites
            where id = %(id)s
            """,
            {"before": before["status"], "id": invite_id},
        )


def invite_at(database: Database, status: str, **over: Any) -> UUID:
    """A new invite in `status`, with a post where the service would have made one."""
    invite_id = insert_invite(database, **over)
    for step in WAYS[status]:
        move(database, invite_id, step)
        if step == "starting":
            add_post(database, invite_id)
        elif step == "link_ready":
            publish(database, invite_id)
    return invite_id


def add_post(database: Database, invite_id: UUID, **columns: Any) -> UUID:
    """A post of the invite's next link, on its way and leased."""
    values = {"lease_token": uuid4(), "lease_until": LINK_EXPIRES_AT, "lease_holder": uuid4(), "post_number": 1}
    values |= columns
    statement = sql.SQL(
        """
        insert into zenhire.interview_sessions (account, invite_id, link_number, {})
        select account, id, link_number + 1, {} from zenhire.candidate_invites where id = %(invite_id)s
        returning post_id
        """
    ).format(
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(map(sql.Placeholder, values)),
    )
    with as_service(database) as connection:
        row = connection.execute(statement, values | {"invite_id": invite_id}).fetchone()
    assert row is not None
    post_id: UUID = row["post_id"]
    return post_id


def publish(database: Database, invite_id: UUID) -> None:
    """The invite's current post brought the link that the invite shows."""
    database.execute(
        """
        update zenhire.interview_sessions s
        set state = 'published', session_id = i.session_id, link_expires_at = i.link_expires_at,
            next_look_at = zenhire.clock(), next_look_reason = 'the link is new',
            lease_token = null, lease_until = null, lease_holder = null
        from zenhire.candidate_invites i where i.id = s.invite_id and s.current and i.id = %s
        """,
        [invite_id],
    )


def _needs_of(status: str) -> dict[str, Any]:
    match status:
        case "link_ready":
            session = f"session-{uuid4()}"
            link = f"https://interview.example/#t={session}"
            return {
                "session_id": session,
                "candidate_link": link,
                "link_expires_at": LINK_EXPIRES_AT,
                "link_number": 1,
            }
        case "completed":
            return {"interview_completed_at": datetime(2026, 1, 2, tzinfo=UTC), "duration_seconds": 600}
        case "failed" | "expired" | "cancelled" | "refused" | "needs_review":
            return {"error_code": "A_TEST", "error_message": "A test wanted this."}
        case _:
            return {}
