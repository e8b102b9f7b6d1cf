"""The control plane as an operator uses it, and what it leaves behind."""

from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from tests.support.database import Database


def call(database: Database, function: str, *arguments: object) -> str:
    statement = sql.SQL("select zenhire.{}({})").format(
        sql.Identifier(function), sql.SQL(", ").join(sql.Placeholder() * len(arguments))
    )
    with psycopg.connect(database.url) as connection:
        row = connection.execute(statement, arguments).fetchone()
    assert row is not None
    answer: str = row[0]
    return answer


def invite(database: Database, invite_id: UUID) -> dict[str, Any]:
    return database.fetch_one("select * from zenhire.candidate_invites where id = %s", [invite_id])


def current_post(database: Database, invite_id: UUID) -> dict[str, Any]:
    return database.fetch_one("select * from zenhire.interview_sessions where invite_id = %s and current", [invite_id])


def newest_event(database: Database) -> dict[str, Any]:
    return database.fetch_one("select * from zenhire.invite_events order by id desc limit 1")
