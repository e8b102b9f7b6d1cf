"""`zenhire-sync report`: how the interviews went, as one page to look at or to print."""

# ruff: noqa: PLC0415 - what is heavy is imported when it is needed

import argparse
import sys
from datetime import timedelta

DAYS_MAX = 366
WRONG_USAGE = 2

EPILOG = """\
examples:
  zenhire-sync report --out report.html
  zenhire-sync report --days 7 --out - | mail-a-page

One HTML file that needs nothing else: no network, no script. It holds no candidate's name, no link, no transcript and
no key; what needs a person is told in the words of zenhire.attention. A file that is there is replaced.

exit codes: 0 written, 1 failed, 2 wrong usage, or the file cannot be written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--out", metavar="FILE", required=True, help="where to write it, or - for standard output")
    parser.add_argument(
        "--days", type=_days, default=28, metavar="N", help=f"how many days it tells of, 1 to {DAYS_MAX} (default: 28)"
    )


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= DAYS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days from 1 to {DAYS_MAX}")
    return int(text)


def run(args: argparse.Namespace, database_url: str) -> int:
    from service.operate.report import command

    try:
        command.run(database_url, out=args.out, period=timedelta(days=args.days))
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stderr.write(f"zenhire-sync: cannot write {args.out}: {error.strerror}\n")
        return WRONG_USAGE
    return 0
