"""`zenhire-sync verify`: whether database and vendor tell the same story."""

# ruff: noqa: PLC0415 - what is heavy is imported after the settings are known to be right

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.operate.verify_report import Report
    from service.operate.verify_vendor import Vendor
    from service.settings import Settings

FAILED, WRONG_USAGE, MIGRATIONS_PENDING = 1, 2, 4

EPILOG = """\
examples:
  zenhire-sync verify
  zenhire-sync verify --account default --json | jq .counts
  zenhire-sync verify --database-only

Reads, and changes nothing: neither at ZenHire nor in the tables. It only writes down its own run, in
zenhire.verify_runs. It may run at any time beside the service; what it finds, it reads twice.

What it finds has a level:
  drift        wrong, and nothing mends it by itself, or what should have mended it is overdue (looks, searches and
               posts by an hour, a dead replica's post by 5 minutes, a transcript by 3 days)
  in_progress  a step of the service mends it in its own time; the finding says which
  note         worth knowing; nothing is wrong

A run that was cut short less than an hour ago, or that ended then because ZenHire did not answer, is taken up where it
was; none that began more than 6 hours ago, for what it has read of the database is as old.

exit codes: 0 clean (in_progress and notes count as clean), 3 drift, 1 not all could be checked, 2 wrong usage or
settings, 4 migrations are pending.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--account", metavar="NAME", action="append", help="only this account; may be repeated")
    parser.add_argument("--database-only", action="store_true", help="do not ask ZenHire; needs no key")
    parser.add_argument("--fresh", action="store_true", help="begin anew although a run could be taken up")
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object, for programs")


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from service.settings import load

    settings = load(environ, needs_key=not args.database_only)
    database_url = settings.database_url.get_secret_value()
    from service.postgres.migrate import check

    schema = check(database_url)
    if not schema.may_run:
        _say(schema.sentence)
        return MIGRATIONS_PENDING if schema.is_pending else FAILED
    import asyncio

    from service.operate.progress import Progress
    from service.operate.verify import Options, UnknownAccounts, verify
    from service.postgres.verify_runs import TakenOver

    vendor = None if args.database_only else _vendor(settings)
    options = Options(
        database_url=database_url,
        policy=settings.policy(),
        accounts=args.account,
        vendor=vendor,
        fresh=args.fresh,
    )
    try:
        report = asyncio.run(verify(options, Progress()))
    except UnknownAccounts as error:
        _say(str(error))
        return WRONG_USAGE
    except TakenOver as error:
        _say(str(error))
        return FAILED
    _show(report, as_json=args.as_json)
    return report.exit_code


def _vendor(settings: "Settings") -> "Vendor":
    from functools import partial

    from service.accounts import Accounts
    from service.operate.verify_vendor import Vendor
    from service.wiring import desk_maker

    return Vendor(
        keys=Accounts(api_key=settings.api_key, keys_dir=settings.api_keys_dir).current(),
        make_desks=partial(desk_maker, settings),
        base_url=settings.base_url,
        requests_per_minute=settings.requests_per_minute,
    )


def _show(report: "Report", *, as_json: bool) -> None:
    from service.operate.show import show, write
    from service.operate.verify_report import as_document, screen

    if as_json:
        import json

        write(json.dumps(as_document(report), indent=2) + "\n")
    else:
        show(screen(report))


def _say(sentence: str) -> None:
    sys.stderr.write(f"zenhire-sync: {sentence}\n")
