"""Writes checked rows into `zenhire.candidate_invites`, as the ATS would: all of them or none, in one transaction."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from service.operate.invite_file import RowProblem
from service.operate.invite_rows import COLUMNS, InviteRow

BATCH_ROWS = 500

_LIMITS = """
    set local lock_timeout = '5s';
    set local statement_timeout = '15s';
    set local idle_in_transaction_session_timeout = '15s'
"""

_ROWS = """
    jsonb_to_recordset(%s) as r (
        account text, request_key text, candidate_ref text, persona_id text, role_name text, language text,
        consent_mode text, metadata jsonb, tags text[], start_after timestamptz, stop_after timestamptz,
        priority smallint, max_links smallint
    )
"""

_INSERT = f"""
    insert into zenhire.candidate_invites (
        account, request_key, candidate_ref, persona_id, role_name, language,
        consent_mode, metadata, tags, start_after, stop_after, priority, max_links
    )
    select
        account, request_key, candidate_ref, persona_id, role_name, language,
        consent_mode, coalesce(metadata, '{{}}'), coalesce(tags, '{{}}'), coalesce(start_after, zenhire.clock()),
        stop_after, coalesce(priority, 0), coalesce(max_links, 1)
    from {_ROWS}
    on conflict (account, request_key) do nothing
    returning account, request_key
"""

_PRESENT = f"""
    select {", ".join(f"i.{column}" for column in COLUMNS)}
    from zenhire.candidate_invites i join {_ROWS} on (i.account, i.request_key) = (r.account, r.request_key)
"""

_WORDS = re.compile(rf"(?:{'|'.join(COLUMNS)})(?=_|$)|[^_]+")


@dataclass(slots=True)
class Loaded:
    """What became of the rows."""

    new: int = 0
    present: int = 0
    problems: list[RowProblem] = field(default_factory=list)  #: refused by the database's rules
    differing: list[RowProblem] = field(default_factory=list)  #: already there, with another content


def load_rows(
    database_url: str,
    rows: list[InviteRow],
    *,
    keep: Callable[[Loaded], bool],
    progress: Callable[[int], None],
) -> Loaded:
    """Insert what is not there yet; `keep` decides at the end whether it stays."""
    loaded = Loaded()
    with psycopg.connect(database_url, connect_timeout=5, application_name="zenhire-sync invite") as connection:
        connection.execute(_LIMITS)
        for start in range(0, len(rows), BATCH_ROWS):
            _load_batch(connection, rows[start : start + BATCH_ROWS], loaded)
            progress(loaded.new + loaded.present + len(loaded.problems))
        if not keep(loaded):
            connection.rollback()
    return loaded


def _load_batch(connection: psycopg.Connection[Any], batch: list[InviteRow], loaded: Loaded) -> None:
    """All rows at once; only where the database refuses, one by one, to learn which and why."""
    try:
        new = _insert(connection, batch)
    except psycopg.Error as error:
        if not _is_about_the_row(error):
            raise
        if len(batch) == 1:
            loaded.problems.append(_problem(batch[0], error))
            return
        for row in batch:
            _load_batch(connection, [row], loaded)
        return
    loaded.new += len(new)
    present = [row for row in batch if row.key not in new]
    loaded.present += len(present)
    if present:
        loaded.differing += _differing(connection, present)


def _insert(connection: psycopg.Connection[Any], rows: Iterable[InviteRow]) -> set[tuple[str, str]]:
    with connection.transaction():
        return set(connection.execute(_INSERT, [_as_json(rows)]).fetchall())


def _as_json(rows: Iterable[InviteRow]) -> str:
    return json.dumps([row.values for row in rows])


def _differing(connection: psycopg.Connection[Any], rows: list[InviteRow]) -> Iterator[RowProblem]:
    with connection.cursor(row_factory=dict_row) as cursor:
        stored = {
            (there["account"], there["request_key"]): there for there in cursor.execute(_PRESENT, [_as_json(rows)])
        }
    for row in rows:
        there = stored.get(row.key, {})
        columns = [column for column, value in row.values.items() if _as_stored(column, value) != there.get(column)]
        if columns:
            reason = f"is already there and differs in {', '.join(columns)}; the row in the table stays as it is"
            yield RowProblem(line=row.line, column="request_key", reason=reason)


def _as_stored(column: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if column.endswith("_after") else value


def _is_about_the_row(error: psycopg.Error) -> bool:
    """Bad data, a broken constraint, or a rule that a trigger tells."""
    return (error.sqlstate or "")[:2] in {"22", "23", "P0"}


def _problem(row: InviteRow, error: psycopg.Error) -> RowProblem:
    """A CHECK's name tells its rule: `candidate_ref_is_1_to_256_characters`."""
    name = error.diag.constraint_name
    if name is None:
        hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
        reason = f"{error.diag.message_primary or type(error).__name__}{hint}"
        return RowProblem(line=row.line, column=error.diag.column_name, reason=reason)
    words = _WORDS.findall(name)
    column = words[0] if words[0] in COLUMNS else None
    return RowProblem(line=row.line, column=column, reason=f"breaks the rule {' '.join(words)} [{name}]")
