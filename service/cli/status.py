"""`zenhire-sync status`: how things stand."""

# ruff: noqa: PLC0415 - what is heavy is imported when it is needed

import argparse

EPILOG = """\
examples:
  zenhire-sync status
  zenhire-sync status --watch
  zenhire-sync status --json | jq .

exit code 3 while something needs a person.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--watch", action="store_true", help="show it again and again until Ctrl-C")
    how.add_argument("--json", action="store_true", dest="as_json", help="one JSON object, for programs")


def run(args: argparse.Namespace, database_url: str) -> int:
    from service.operate import status

    return status.run(database_url, as_json=args.as_json, watch=args.watch)
