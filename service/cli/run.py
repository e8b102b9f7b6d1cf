"""`zenhire-sync run`: the service."""

# ruff: noqa: PLC0415 - what is heavy is imported after the settings are known to be right

import argparse
from collections.abc import Mapping

EPILOG = """\
example:
  DATABASE_URL=postgresql://sync@db/ats ZENHIRE_API_KEY_FILE=/run/secrets/zenhire zenhire-sync run

Runs until SIGTERM, then finishes what is in flight. Any number of these may run side by side on one database.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG


def run(_args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from service.settings import load

    settings = load(environ)
    from service.logs import configure
    from service.wiring import run_service

    configure(settings.log_level, settings.log_format)
    return run_service(settings)
