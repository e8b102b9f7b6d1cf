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
  zenhire-sync migrate --with-roles

exit code 4 with --check while migrations are pending.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="change nothing; say whether migrations are pending")
    what.add_argument("--print-sql", action="store_true", help="print the SQL for an empty database; needs no database")
    what.add_argument(
        "--print-roles", action="store_true", help="print the SQL that makes the roles; needs no database"
    )
    what.add_argument("--with-roles", action="store_true", help="migrate, and make the roles or renew their rights")


def run(args: argparse.Namespace, database_url: str) -> int:
    from service.postgres.migrate import MigrationFailed, print_sql, roles_sql

    if args.print_sql or args.print_roles:
        sys.stdout.write(print_sql() if args.print_sql else roles_sql())
        return DONE
    try:
        if args.check:
            return _check(database_url)
        done = _upgrade(database_url)
        return _make_roles(database_url) if args.with_roles else done
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


def _make_roles(database_url: str) -> int:
    from service.postgres.migrate import make_roles

    make_roles(database_url)
    print("Roles zenhire_ats, zenhire_operator, zenhire_reader and zenhire_service have their rights.")
    return DONE
