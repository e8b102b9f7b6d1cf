"""Runs the migrations: on the connection that `service.postgres.migrate` hands over, or as SQL on paper."""

from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection

from service.postgres.migrate import MIGRATION_TIMEOUTS, SCHEMA, MigrationFailed, migration_engine


def drop_schema_below_the_first(
    ctx: MigrationContext,
    step: MigrationInfo,  # noqa: ARG001 - Alembic passes all four by name
    heads: Collection[str],
    run_args: Mapping[str, Any],  # noqa: ARG001
) -> None:
    """The version table lives in the schema, so the schema can go only after the last version is struck out."""
    if not heads:
        ctx.execute(f"drop schema {SCHEMA} cascade")


def run(**target: Any) -> None:
    context.configure(
        **target,
        version_table="alembic_version",
        version_table_schema=SCHEMA,
        on_version_apply=drop_schema_below_the_first,
    )
    with context.begin_transaction():
        for statement in MIGRATION_TIMEOUTS:
            context.execute(statement)
        context.execute(f"create schema if not exists {SCHEMA}")
        context.run_migrations()


def given_connection() -> Connection | None:
    connection = context.config.attributes.get("connection")
    return connection if isinstance(connection, Connection) else None


def run_on_database() -> None:
    if connection := given_connection():
        run(connection=connection)
        return
    database_url = context.get_x_argument(as_dictionary=True).get("database_url")
    if database_url is None:
        raise MigrationFailed(
            "Run `zenhire-sync migrate`, or name the database: alembic -x database_url=postgresql://…"
        )
    with migration_engine(str(database_url)).connect() as connection:
        run(connection=connection)


if context.is_offline_mode():
    run(dialect_name="postgresql")
else:
    run_on_database()
