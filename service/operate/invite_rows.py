"""Turns records into invites: names, types and forms are checked here, so that each problem is told in the file's own
terms. Limits of length and number are the database's, which checks every row as well.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, BinaryIO

from service.operate.invite_file import FileFormat, InviteFileError, Record, RowProblem, read_records


class BadCellError(Exception):
    """Why a cell's value cannot be loaded."""


#: Columns of the table that the ATS writes but a file cannot: they are the database's to fill, or belong to later.
NOT_LOADED = frozenset({"id", "created_at", "link_sent_at", "seen_version"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteRow:
    """A row fit to be sent to the database; `values` holds JSON's types and always `account` and `request_key`."""

    line: int
    values: dict[str, Any]
    has_own_key: bool  #: the file gave its request_key

    @property
    def key(self) -> tuple[str, str]:
        return self.values["account"], self.values["request_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """Every row of the file, good or bad."""

    rows: list[InviteRow]
    problems: list[RowProblem]


def check_file(file: BinaryIO, file_format: FileFormat) -> CheckedFile:
    """Check all rows. A name that is no column stops at once, since each row would say the same."""
    rows: dict[tuple[str, str], InviteRow] = {}
    problems: list[RowProblem] = []
    for record in read_records(file, file_format, _check_names):
        if isinstance(record, RowProblem):
            problems.append(record)
            continue
        values, found = _values(record)
        if found:
            problems += found
            continue
        row = InviteRow(line=record.line, values=values, has_own_key="request_key" in record.cells)
        first = rows.setdefault(row.key, row)
        if first is not row:
            problems.append(_twin(row, first))
    return CheckedFile(rows=list(rows.values()), problems=problems)


def _check_names(line: int, names: Iterable[str]) -> None:
    for column in names:
        if column in COLUMNS:
            continue
        near = get_close_matches(column, COLUMNS, n=1)
        if column in NOT_LOADED:
            hint = "is not loaded from a file: leave it out"
        elif near:
            hint = f"is not a column; did you mean {near[0]}?"
        else:
            hint = f"is not a column; these are: {', '.join(COLUMNS)}, and in CSV metadata.<key>"
        raise InviteFileError(f"line {line}: {column!r} {hint}")


def _values(record: Record) -> tuple[dict[str, Any], list[RowProblem]]:
    values: dict[str, Any] = {"account": "default"}
    problems = []
    for column, cell in record.cells.items():
        try:
            _check_characters(cell)
            values[column] = COLUMNS[column](cell)
        except BadCellError as error:
            problems.append(RowProblem(line=record.line, column=column, reason=str(error)))
    missing = [column for column in ("candidate_ref", "consent_mode") if column not in record.cells]
    problems += [RowProblem(line=record.line, column=column, reason="is missing") for column in missing]
    if not {"persona_id", "role_name"} & record.cells.keys():
        reason = "is missing; give persona_id, or role_name and language"
        problems.append(RowProblem(line=record.line, column="persona_id", reason=reason))
    values.setdefault("request_key", _derived_key(values))
    return values, problems


def _derived_key(values: dict[str, Any]) -> str:
    """The same row content has the same key, whatever the order of its columns, so that a second run adds nothing."""
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return f"file-{hashlib.sha256(canonical.encode()).hexdigest()[:32]}"


def _twin(row: InviteRow, first: InviteRow) -> RowProblem:
    if row.has_own_key:
        return RowProblem(line=row.line, column="request_key", reason=f"is the same as in line {first.line}")
    reason = f"is the same as line {first.line}; if both are meant, give each a request_key"
    return RowProblem(line=row.line, column=None, reason=reason)


def _check_characters(cell: Any) -> None:
    """Neither can be stored in Postgres."""
    for text in _texts_in(cell):
        if "\x00" in text:
            raise BadCellError("holds a NUL character")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise BadCellError("holds half of a character (a lone surrogate)")


def _texts_in(cell: Any) -> Iterator[str]:
    if isinstance(cell, str):
        yield cell
    elif isinstance(cell, dict | list):
        for item in [*cell.keys(), *cell.values()] if isinstance(cell, dict) else cell:
            yield from _texts_in(item)


def _text(cell: Any) -> str:
    if not isinstance(cell, str):
        raise BadCellError("must be text: put it in quotes")
    return cell


def _consent_mode(cell: Any) -> str:
    if cell not in ("explicit", "integrator"):
        raise BadCellError("must be explicit or integrator")
    return str(cell)


def _instant(cell: Any) -> str:
    try:
        moment = datetime.fromisoformat(_text(cell))
    except ValueError:
        raise BadCellError("is not a time like 2026-01-31T09:00:00+01:00") from None
    if moment.tzinfo is None:
        raise BadCellError("has no time zone; write it like 2026-01-31T09:00:00+01:00")
    return moment.isoformat()


def _small_number(cell: Any) -> int:
    if not isinstance(cell, int) or isinstance(cell, bool) or not -32_768 <= cell <= 32_767:
        raise BadCellError("must be a whole number from -32768 to 32767")
    return cell


def _metadata(cell: Any) -> dict[str, Any]:
    if not isinstance(cell, dict):
        raise BadCellError('must be a JSON object like {"source": "careers page"}')
    for key, value in cell.items():
        is_number = isinstance(value, int | float) and math.isfinite(value)
        if not isinstance(value, str | bool) and not is_number:
            raise BadCellError(f"its value of {key!r} must be text, a number, true or false")
    return cell


def _tags(cell: Any) -> list[str]:
    if not isinstance(cell, list) or not all(isinstance(tag, str) for tag in cell):
        raise BadCellError('must be a list of texts like ["berlin", "night shift"]')
    return cell


COLUMNS: dict[str, Callable[[Any], Any]] = {
    "account": _text,
    "request_key": _text,
    "candidate_ref": _text,
    "persona_id": _text,
    "role_name": _text,
    "language": _text,
    "consent_mode": _consent_mode,
    "metadata": _metadata,
    "tags": _tags,
    "start_after": _instant,
    "stop_after": _instant,
    "priority": _small_number,
    "max_links": _small_number,
}
