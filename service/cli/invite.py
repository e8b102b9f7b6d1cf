"""`zenhire-sync invite`: a file of invites into the table, for a first try and for an ATS that exports files."""

# ruff: noqa: PLC0415 - what is heavy is imported when it is needed

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.operate.invite_file import FileFormat, RowProblem
    from service.operate.invite_load import Loaded
    from service.operate.invite_rows import CheckedFile

SHOWN_PROBLEMS = 50

EPILOG = """\
examples:
  zenhire-sync invite candidates.csv
  zenhire-sync invite --format jsonl - < candidates.jsonl

candidates.csv:
  request_key,candidate_ref,role_name,language,consent_mode,tags,metadata.source
  application-4711,candidate-17,Night nurse,en,explicit,berlin;night shift,careers page

candidates.jsonl, one object per line:
  {"candidate_ref": "candidate-17", "persona_id": "8c1…", "consent_mode": "explicit", "tags": ["berlin"]}

columns: account (default: default), request_key, candidate_ref, persona_id or role_name and language, consent_mode
(explicit or integrator), metadata, tags, start_after, stop_after (2026-01-31T09:00:00+01:00), priority, max_links.
CSV has a header, commas, UTF-8; tags are separated by semicolons; metadata is a JSON object, or one column per key:
metadata.KEY. An empty cell means the column's default.

All rows are checked before anything is loaded, here and by the table's own rules. A second run of the same file loads
nothing: a row is known by account and request_key. Without a request_key a row gets one made from its content (a hash
of account and values), so two equal rows of a file need keys of their own. A row that is already there is left as it
is; if its content differs, a warning says so.

exit codes: 0 loaded (with --skip-bad: the good rows); 1 bad rows, nothing loaded; 2 no such file.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("file", metavar="FILE", help="a CSV or JSON Lines file, or - for standard input")
    parser.add_argument("--format", choices=["csv", "jsonl"], help="what the file is, where its name does not tell")
    parser.add_argument("--skip-bad", action="store_true", help="load the good rows although others are bad")


def run(args: argparse.Namespace, database_url: str) -> int:
    from service.operate.invite_file import FileFormat, InviteFileError, format_of

    file_format = FileFormat(args.format) if args.format else format_of(args.file)
    if file_format is None:
        return _fail(f"{args.file}: say --format csv or --format jsonl, the name does not tell", code=2)
    try:
        checked = _check(args.file, file_format)
    except InviteFileError as error:
        return _fail(f"{args.file}: {error}; nothing was loaded", code=1)
    except OSError as error:
        return _fail(f"cannot read {args.file}: {error.strerror}", code=2)
    return _load(database_url, checked, skip_bad=args.skip_bad)


def _check(name: str, file_format: "FileFormat") -> "CheckedFile":
    from service.operate.invite_rows import check_file

    if name == "-":
        return check_file(sys.stdin.buffer, file_format)
    with Path(name).open("rb") as file:
        return check_file(file, file_format)


def _load(database_url: str, checked: "CheckedFile", *, skip_bad: bool) -> int:
    from service.operate.invite_load import load_rows
    from service.operate.progress import Progress

    def keep(loaded: "Loaded") -> bool:
        return skip_bad or not (checked.problems or loaded.problems)

    rows = len(checked.rows)
    progress = Progress()
    loaded = load_rows(
        database_url,
        checked.rows,
        keep=keep,
        progress=lambda done: progress.note(f"{done:,} of {rows:,} rows", part=done / rows),
    )
    progress.clear()
    problems = sorted([*checked.problems, *loaded.problems], key=lambda problem: problem.line)
    _show(problems)
    bad_count = len({problem.line for problem in problems})
    if not keep(loaded):
        bad = "one row is bad" if bad_count == 1 else f"{bad_count:,} rows are bad"
        return _fail(f"nothing was loaded: {bad}; mend the file, or load the other rows with --skip-bad", code=1)
    for difference in loaded.differing:
        print(f"warning: {difference}", file=sys.stderr)
    skipped = f", {bad_count:,} bad ones skipped" if bad_count else ""
    total = loaded.new + loaded.present
    invites = "1 invite" if total == 1 else f"{total:,} invites"
    print(f"loaded {invites} ({loaded.new:,} new, {loaded.present:,} already there){skipped}")
    return 0


def _show(problems: "Sequence[RowProblem]") -> None:
    for problem in problems[:SHOWN_PROBLEMS]:
        print(problem, file=sys.stderr)
    if len(problems) > SHOWN_PROBLEMS:
        print(f"… and {len(problems) - SHOWN_PROBLEMS:,} more", file=sys.stderr)


def _fail(sentence: str, *, code: int) -> int:
    print(f"zenhire-sync: {sentence}", file=sys.stderr)
    return code
