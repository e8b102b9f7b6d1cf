"""Brings schema zenhire up to date, and says whether this program may work on the schema it finds.

Ten containers may start at once: at head nothing is locked; otherwise one of them migrates while the others wait for a
session advisory lock, and find the work done.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from io import StringIO
from itertools import zip_longest
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import conninfo
from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

SCHEMA = "zenhire"
CONNECT_TIMEOUT_SECONDS = 10
LOCK_WAIT_SECONDS = 120  # for another container's migration; both timeouts also cut off the wait on an advisory lock
MIGRATION_TIMEOUTS = (
    "set local lock_timeout = '5s'",  # an ATS in a long transaction makes the migration fail, not the ATS wait
    "set local statement_timeout = '60s'",
    "set local idle_in_transaction_session_timeout = '60s'",
)
_LOCK = "hashtextextended('zenhire.alembic_version', 0)"


class MigrationFailed(Exception):
    """One sentence that says what is wrong and what to do; never a password."""


class SchemaKind(StrEnum):
    MISSING = "missing"
    BEHIND = "behind"
    AT_HEAD = "at_head"
    NEWER = "newer"  #: made by a later release that lets this one run on
    PROGRAM_TOO_OLD = "program_too_old"  #: made by a later release that does not


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaState:
    """What stands in the database, seen by this program."""

    kind: SchemaKind
    revision: str | None
    head: str
    program: str
    oldest_program: str | None

    @property
    def may_run(self) -> bool:
        return self.kind in {SchemaKind.AT_HEAD, SchemaKind.NEWER}

    @property
    def is_pending(self) -> bool:
        return self.kind in {SchemaKind.MISSING, SchemaKind.BEHIND}

    @property
    def sentence(self) -> str:
        match self.kind:
            case SchemaKind.MISSING:
                return f"The database has no schema {SCHEMA} yet: run `zenhire-sync migrate`."
            case SchemaKind.BEHIND:
                return f"Schema {SCHEMA} is at {self.revision}, not yet at {self.head}: run `zenhire-sync migrate`."
            case SchemaKind.AT_HEAD:
                return f"Schema {SCHEMA} is at {self.head}, as this program needs it."
            case SchemaKind.NEWER:
                return f"Schema {SCHEMA} is at {self.revision}, newer than {self.head}; this program may run on it."
            case SchemaKind.PROGRAM_TOO_OLD:
                return (
                    f"Schema {SCHEMA} (at {self.revision}) needs zenhire-sync {self.oldest_program} or newer, "
                    f"this is {self.program}: install a newer release."
                )


def upgrade(database_url: str) -> bool:
    """Bring the schema to this program's head; True if something changed. Safe in many processes at once."""
    with _failures_in_a_sentence(), migration_engine(database_url).connect() as connection:
        if not _needs_upgrade(connection):
            return False
        with _migration_lock(connection):
            if not _needs_upgrade(connection):
                return False
            command.upgrade(alembic_config(connection), "head")
            connection.commit()
            return True


def check(database_url: str) -> SchemaState:
    """Say how schema and program fit, without a lock."""
    with _failures_in_a_sentence(), migration_engine(database_url).connect() as connection:
        return _state(connection)


def print_sql() -> str:
    """Return everything `upgrade` would do to an empty database, for `psql` and for review."""
    config = alembic_config()
    config.output_buffer = StringIO()
    command.upgrade(config, "head", sql=True)
    return config.output_buffer.getvalue()


def roles_sql() -> str:
    """The statements that make the roles and grant them their rights."""
    return (migrations_directory() / "sql" / "roles.sql").read_text(encoding="utf-8")


def make_roles(database_url: str) -> None:
    """Make the roles of the schema, or bring their rights up to date."""
    with (
        _failures_in_a_sentence(),
        migration_engine(database_url).connect() as connection,
        _migration_lock(connection),
    ):
        for statement in MIGRATION_TIMEOUTS:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(roles_sql(), execution_options={"no_parameters": True})
        connection.commit()


def migration_engine(database_url: str) -> Engine:
    """One connection by libpq's own reading of the URL, so that every form and option of libpq works."""
    _refuse_unreadable(database_url)

    def connect() -> psycopg.Connection:
        return psycopg.connect(
            database_url,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            fallback_application_name="zenhire-sync migrate",
        )

    return create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_directory()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrations_directory() -> Path:
    """In a wheel the migrations are shipped inside the package, in a checkout they stand beside it."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "migrations"
    return shipped if shipped.is_dir() else package.parent / "migrations"


def _refuse_unreadable(database_url: str) -> None:
    """Refuse here what libpq would refuse with an error that shows (a part of) the password."""
    try:
        parts = conninfo.conninfo_to_dict(database_url)
    except psycopg.ProgrammingError:
        raise MigrationFailed(
            "DATABASE_URL is not readable: write postgresql://user:password@host:5432/name."
        ) from None
    if "@" in str(parts.get("host", "")):
        raise MigrationFailed("DATABASE_URL has an @ in user or password: write it as %40.")


def _needs_upgrade(connection: Connection) -> bool:
    state = _state(connection)
    if state.kind is SchemaKind.PROGRAM_TOO_OLD:
        raise MigrationFailed(state.sentence)
    return state.is_pending


def _state(connection: Connection) -> SchemaState:
    script = ScriptDirectory.from_config(alembic_config())
    head = script.get_current_head() or ""
    revision = _revision(connection)
    oldest = _oldest_program(connection) if revision else None
    program = version("zenhire-sync")
    known = {entry.revision for entry in script.walk_revisions()}
    return SchemaState(
        kind=_kind(revision, head, known, too_old=oldest is not None and _is_older(program, oldest)),
        revision=revision,
        head=head,
        program=program,
        oldest_program=oldest,
    )


def _kind(revision: str | None, head: str, known: set[str], *, too_old: bool) -> SchemaKind:
    if revision is None:
        return SchemaKind.MISSING
    if too_old:
        return SchemaKind.PROGRAM_TOO_OLD
    if revision == head:
        return SchemaKind.AT_HEAD
    return SchemaKind.BEHIND if revision in known else SchemaKind.NEWER


def _revision(connection: Connection) -> str | None:
    revision: str | None = None
    if connection.exec_driver_sql(f"select to_regclass('{SCHEMA}.alembic_version') is not null").scalar():
        revision = connection.exec_driver_sql(f"select version_num from {SCHEMA}.alembic_version").scalar()
    connection.rollback()
    return revision


def _oldest_program(connection: Connection) -> str | None:
    oldest: str | None = connection.exec_driver_sql(f"select oldest_program from {SCHEMA}.schema_info").scalar()
    connection.rollback()
    return oldest


def _is_older(program: str, other: str) -> bool:
    """Compare releases as versions: 0.10 is newer than 0.9, and 0.2.0rc1 counts as 0.2.0."""
    pairs = zip_longest(_release(program), _release(other), fillvalue=0)
    return next((ours < theirs for ours, theirs in pairs if ours != theirs), False)


def _release(text: str) -> list[int]:
    found = re.match(r"\d+(?:\.\d+)*", text)
    return [int(part) for part in found.group().split(".")] if found else []


@contextmanager
def _migration_lock(connection: Connection) -> Iterator[None]:
    """Hold the lock of the session: the migration's own transactions come and go beneath it."""
    connection.exec_driver_sql(f"set local lock_timeout = '{LOCK_WAIT_SECONDS}s'")
    connection.exec_driver_sql(f"set local statement_timeout = '{LOCK_WAIT_SECONDS + 5}s'")
    try:
        connection.exec_driver_sql(f"select pg_advisory_lock({_LOCK})")
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable | psycopg.errors.QueryCanceled):
            raise MigrationFailed(
                f"Another process has held the migration lock for {LOCK_WAIT_SECONDS} s: see pg_locks, try again.",
            ) from error
        raise
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.exec_driver_sql(f"select pg_advisory_unlock({_LOCK})")
        connection.commit()


@contextmanager
def _failures_in_a_sentence() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise MigrationFailed(_sentence_of(error.orig)) from error
    except psycopg.Error as error:
        raise MigrationFailed(_sentence_of(error)) from error


def _sentence_of(error: BaseException | None) -> str:
    """Return the server's message and hint on one line, without the statement."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        hint = error.diag.message_hint
        return error.diag.message_primary + (f". {hint}" if hint else ".")
    return f"The database could not be reached: {' '.join(str(error).split())}"
