"""Invites that the table accepts."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from tests.support.database import Database


def a_invite(**over: Any) -> dict[str, Any]:
    """Column values of a valid invite; `over` replaces some, and a new persona replaces the old way of naming it."""
    values: dict[str, Any] = {"candidate_ref": f"candidate-{uuid4()}", "consent_mode": "explicit"}
    if "persona_id" not in over:
        values |= {"role_name": "Backend engineer", "language": "en"}
    return values | over


def insert_invite(database: Database, **over: Any) -> UUID:
    """Insert `a_invite(**over)`, as an ATS does; its id."""
    values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in a_invite(**over).items()}
    statement = psycopg.sql.SQL("insert into zenhire.candidate_invites ({}) values ({}) returning id").format(
        psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, values)),
        psycopg.sql.SQL(", ").join(map(psycopg.sql.Placeholder, values)),
    )
    with psycopg.connect(database.url) as connection:
        row = connection.execute(statement, values).fetchone()
    assert row is not None
    invite_id: UUID = row[0]
    return invite_id
