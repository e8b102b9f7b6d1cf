"""`python -m tests.soak`: two real replicas through kills, crashes and a storm; writes docs/reliability.md."""

import argparse
import signal
import sys

from tests.soak.play import soak
from tests.soak.report import as_markdown
from tests.support.loopback import refuse_everything_else
from tests.support.report import RELIABILITY, replace_section


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="how long (default: 30)")
    parser.add_argument("--no-document", action="store_true", help="print the result and write it nowhere")
    arguments = parser.parse_args()
    refuse_everything_else()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # nothing is left running
    result = soak(arguments.minutes * 60, _say)
    text = as_markdown(result)
    _say(f"\n{text}\n")
    for violation in result.violations:
        _say(f"BROKEN: {violation}")
    if result.violations:
        return 1
    if not arguments.no_document:
        replace_section(RELIABILITY, "soak", text)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
