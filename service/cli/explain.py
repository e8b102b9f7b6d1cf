"""`zenhire-sync explain`: what happened to one invite, what is next and why."""

# ruff: noqa: PLC0415 - what is heavy is imported when it is needed

import argparse

EPILOG = """\
examples:
  zenhire-sync explain 018f2c1e-7d3a-7c11-9a55-3f1f2a6f8c01
  zenhire-sync explain application-4711
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("what", metavar="INVITE", help="an invite's id, its request_key, or the candidate_ref")


def run(args: argparse.Namespace, database_url: str) -> int:
    from service.operate import explain

    return explain.run(database_url, args.what)
