"""`zenhire-sync doctor`: whether everything is as it has to be before the service is trusted."""

# ruff: noqa: PLC0415 - what is heavy is imported when it is needed

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.operate.doctor import Diagnosis

DONE, FAILED = 0, 1

EPILOG = """\
examples:
  zenhire-sync doctor
  zenhire-sync doctor --json | jq '.checks[] | select(.mark == "FAILED")'

Tries the settings, the database, the schema, and for each key whether ZenHire takes it; says what to do. It creates
nothing, at ZenHire or in the database. Below stands what ZenHire has not written down: what is assumed, and what of it
has been seen live.

exit codes: 0 all is well (warnings count as well), 1 something failed, 2 wrong usage or settings.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object, for programs")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from service.settings import load

    settings = load(environ)
    from service.operate.doctor import examine

    diagnosis = examine(settings)
    if args.as_json:
        print(json.dumps(asdict(diagnosis), indent=2))
    else:
        print("\n".join(_lines(diagnosis)))
    return FAILED if diagnosis.failed else DONE


def _lines(diagnosis: "Diagnosis") -> Iterator[str]:
    from service.operate.words import wrapped

    width = max(len(check.what) for check in diagnosis.checks)
    for check in diagnosis.checks:
        yield from wrapped(f"{check.mark:<8} {check.what:<{width}}  {check.found}", hanging=width + 11)
        if check.todo:
            yield from wrapped(f"-> {check.todo}", indent=width + 11)
    if diagnosis.assumptions:
        yield ""
        yield "What ZenHire has not written down"
        for assumption in diagnosis.assumptions:
            yield from wrapped(f"  {assumption.topic}: {assumption.assumed}", hanging=4)
            yield from wrapped(f"seen live: {assumption.seen or 'not yet'}", indent=4)
