"""Reads a file of invites, CSV or JSON Lines, into records with line numbers. Knows the two formats; what a record
must hold to be an invite is `invite_rows`' affair.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

MAX_LINE_BYTES = 1_000_000
METADATA_PREFIX = "metadata."


class FileFormat(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


class InviteFileError(Exception):
    """The file as a whole cannot be read: one sentence that says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """Why one row cannot be loaded."""

    line: int
    column: str | None
    reason: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.column is None else f"line {self.line}, column {self.column}"
        return f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row with JSON's types; a cell that is empty in CSV, or null, is not there."""

    line: int
    cells: dict[str, Any]


#: Refuses a name that is no column, by InviteFileError.
CheckNames = Callable[[int, Iterable[str]], None]


def format_of(name: str) -> FileFormat | None:
    """The format that a file name's ending tells."""
    lower = name.lower()
    if lower.endswith(".csv"):
        return FileFormat.CSV
    return FileFormat.JSONL if lower.endswith((".jsonl", ".ndjson")) else None


def read_records(
    file: BinaryIO,
    file_format: FileFormat,
    check_names: CheckNames,
) -> Iterator[Record | RowProblem]:
    """Each row of the file, or what is wrong with it. InviteFileError where nothing after it can be trusted."""
    lines = _text_lines(file)
    found = (_csv_records if file_format is FileFormat.CSV else _json_records)(lines, check_names)
    empty = True
    for item in found:
        empty = False
        yield item
    if empty:
        raise InviteFileError("the file holds no invites")


def _text_lines(file: BinaryIO) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise InviteFileError(f"line {number} is longer than {MAX_LINE_BYTES:,} bytes: is this a file of invites?")
        if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InviteFileError("the file is UTF-16: save it as UTF-8")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start]
            raise InviteFileError(f"line {number} is not UTF-8 (byte 0x{byte:02x}): save the file as UTF-8") from None


def _csv_records(lines: Iterable[str], check_names: CheckNames) -> Iterator[Record | RowProblem]:
    reader = csv.reader(lines, strict=True)
    header = [name.strip() for name in next(_csv_rows(reader), (0, []))[1]]
    _check_header(header)
    check_names(1, (name for name in header if not name.startswith(METADATA_PREFIX)))
    for line, cells in _csv_rows(reader):
        if len(cells) != len(header):
            reason = (
                f"has {len(cells)} cells where the header has {len(header)}; a cell with a comma in it needs quotes"
            )
            yield RowProblem(line=line, column=None, reason=reason)
            continue
        yield _csv_record(line, dict(zip(header, cells, strict=True)))


def _csv_rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of its first line: a quoted cell may span several."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InviteFileError(f"line {line}: {error}; is a quote opened here and never closed?") from None
        if cells:
            yield line, cells


def _check_header(header: list[str]) -> None:
    if not header:
        raise InviteFileError("the file is empty")
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise InviteFileError("line 1: the cells must be separated by commas")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InviteFileError(f"line 1: the header names {', '.join(map(repr, twice))} more than once")
    if "candidate_ref" not in header:
        raise InviteFileError("line 1 must be the header with the columns' names, candidate_ref among them")


def _csv_record(line: int, cells: dict[str, str]) -> Record | RowProblem:
    values: dict[str, Any] = {}
    for column, text in cells.items():
        if not text.strip():
            continue
        try:
            values[column] = _from_text(column, text)
        except (ValueError, RecursionError):
            kind = "a JSON object" if column == "metadata" else "a whole number"
            return RowProblem(line=line, column=column, reason=f"is not {kind}")
    return _fold_metadata(line, values)


def _from_text(column: str, text: str) -> Any:
    match column:
        case "metadata":
            return _parse_json(text)
        case "tags":
            return [tag.strip() for tag in text.split(";") if tag.strip()]
        case "priority" | "max_links":
            return int(text)
        case "consent_mode" | "start_after" | "stop_after" | "account":
            return text.strip()
        case _:
            return text


def _fold_metadata(line: int, values: dict[str, Any]) -> Record | RowProblem:
    """`metadata.<key>` columns become keys of `metadata`, always as text."""
    single = [column for column in values if column.startswith(METADATA_PREFIX)]
    metadata = values.get("metadata", {})
    if not single or not isinstance(metadata, dict):
        return Record(line=line, cells=values)
    for column in single:
        key = column.removeprefix(METADATA_PREFIX)
        if key in metadata:
            return RowProblem(line=line, column=column, reason="is in the column metadata, too")
        metadata[key] = values.pop(column)
    return Record(line=line, cells={**values, "metadata": metadata})


def _json_records(lines: Iterable[str], check_names: CheckNames) -> Iterator[Record | RowProblem]:
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            value = _parse_json(text)
        except json.JSONDecodeError as error:
            yield RowProblem(line=line, column=None, reason=f"is not JSON: {error.msg} at character {error.pos + 1}")
        except (ValueError, RecursionError) as error:
            yield RowProblem(line=line, column=None, reason=f"is not JSON that can be loaded: {error}")
        else:
            yield _json_record(line, value, check_names)


def _json_record(line: int, value: Any, check_names: CheckNames) -> Record | RowProblem:
    if not isinstance(value, dict):
        return RowProblem(line=line, column=None, reason='is not a JSON object like {"candidate_ref": …}')
    try:
        check_names(line, value)
    except InviteFileError as error:  # of this line alone, unlike a CSV's header
        return RowProblem(line=line, column=None, reason=str(error).removeprefix(f"line {line}: "))
    return Record(line=line, cells={name: cell for name, cell in value.items() if cell is not None})


def _parse_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object_without_twins, parse_constant=_refuse_constant)


def _object_without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{twice[0]!r} stands there twice")
    return dict(pairs)


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is no number in JSON")
