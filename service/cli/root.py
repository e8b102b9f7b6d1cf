"""Command line: argv to one command, and every failure to one sentence with a next step.

Only the chosen command's module is imported: the health check runs every few seconds.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from importlib import import_module
from importlib.metadata import version
from types import ModuleType

from service.cli.failures import sentence_for
from service.database_url import load_database_url
from service.problems import SettingsError

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


class Needs(Enum):
    """What a command is given beside its arguments."""

    ENVIRONMENT = auto()  #: it reads the settings itself
    DATABASE = auto()  #: the database alone
    NOTHING = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A module with `add_arguments(parser)` and `run(args[, environ | database_url]) -> int`."""

    module: str
    summary: str
    needs: Needs


COMMANDS = {
    "run": Command(module="service.cli.run", summary="run the service", needs=Needs.ENVIRONMENT),
    "migrate": Command(module="service.cli.migrate", summary="bring schema zenhire up to date", needs=Needs.DATABASE),
    "status": Command(module="service.cli.status", summary="how things stand", needs=Needs.DATABASE),
    "explain": Command(
        module="service.cli.explain",
        summary="what happened to an invite, what is next and why",
        needs=Needs.DATABASE,
    ),
    "invite": Command(
        module="service.cli.invite",
        summary="load invites from a CSV or JSON Lines file",
        needs=Needs.DATABASE,
    ),
    "verify": Command(
        module="service.cli.verify",
        summary="whether database and vendor tell the same story",
        needs=Needs.ENVIRONMENT,
    ),
    "doctor": Command(
        module="service.cli.doctor",
        summary="whether everything is ready, and what to do",
        needs=Needs.ENVIRONMENT,
    ),
    "report": Command(
        module="service.cli.report",
        summary="how the interviews went, as one page to look at or to print",
        needs=Needs.DATABASE,
    ),
    "healthcheck": Command(
        module="service.cli.healthcheck",
        summary="whether the replica on this host is alive",
        needs=Needs.DATABASE,
    ),
    "sandbox": Command(module="sandbox.cli", summary="run a stand-in of the vendor's platform", needs=Needs.NOTHING),
    "demo": Command(
        module="service.cli.demo",
        summary="see the whole product at work, with nothing set up",
        needs=Needs.ENVIRONMENT,
    ),
}

_EPILOG = """\
exit codes:
  0 done   1 failed   2 wrong usage or settings   3 something needs a person (status, verify)
  4 migrations are pending

Settings come from the environment; see docs/settings.md. `zenhire-sync COMMAND --help` shows an example.
"""


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command and return its exit code; argparse leaves by itself on wrong usage."""
    try:
        parser, module = _parser(arguments)
        args = parser.parse_args(arguments)
        code = DONE if module is None else _dispatch(args, module, environ)
        sys.stdout.flush()
    except SettingsError as error:
        _say(str(error))
        return WRONG_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has left (`| head`). Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # noqa: BLE001 - nobody is shown a traceback
        _say(sentence_for(error, environ))
        return FAILED
    return code


def _parser(arguments: Sequence[str]) -> tuple[argparse.ArgumentParser, ModuleType | None]:
    parser = argparse.ArgumentParser(
        prog="zenhire-sync",
        description="Runs AI voice interviews from ZenHire for an ATS, through a table in its Postgres.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"zenhire-sync {version('zenhire-sync')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    module = None
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(
            name,
            help=command.summary,
            description=command.summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == chosen:
            module = import_module(command.module)
            module.add_arguments(subparser)
    return parser, module


def _dispatch(args: argparse.Namespace, module: ModuleType, environ: Mapping[str, str]) -> int:
    match COMMANDS[args.command].needs:
        case Needs.ENVIRONMENT:
            return int(module.run(args, environ))
        case Needs.DATABASE:
            needless = getattr(args, "print_sql", False) or getattr(args, "print_roles", False)
            return int(module.run(args, "" if needless else load_database_url(environ)))
        case Needs.NOTHING:
            return int(module.run(args))


def _say(sentence: str) -> None:
    sys.stderr.write(f"zenhire-sync: {sentence}\n")
