"""`zenhire-sync migrate`: bring schema zenhire up to date, say whether it is, or print how."""

# ruff: noqa: PLC0415 - what is heavy is imported when it is needed

import argparse
import sys

DONE, FAILED, PENDING = 0, 1, 4

EPILOG = """\
examples:
  zenhire-sync migrate
  zenhire-sync migrate --check
  zenhire-sync migrate --print-sql > zenhire.sql

exit code 4 with --check while migrations are pending.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="change nothing; say whether migrations are pending")
    what.add_argument("--print-sql", action="store_true", help="print the SQL for an empty database; needs no database")


def run(args: argparse.Namespace, database_url: str) -> int:
    from service.postgres.migrate import MigrationFailed, print_sql

    if args.print_sql:
        sys.stdout.write(print_sql())
        return DONE
    try:
        return _check(database_url) if args.check else _upgrade(database_url)
    except MigrationFailed as failure:
        sys.stderr.write(f"zenhire-sync: {failure}\n")
        return FAILED


def _check(database_url: str) -> int:
    from service.postgres.migrate import check

    state = check(database_url)
    print(state.sentence)
    if state.is_pending:
        return PENDING
    return DONE if state.may_run else FAILED


def _upgrade(database_url: str) -> int:
    from service.postgres.migrate import check, upgrade

    changed = upgrade(database_url)
    state = check(database_url)
    print(f"Schema zenhire was brought to {state.revision}." if changed else state.sentence)
    return DONE
