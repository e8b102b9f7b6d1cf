"""`python -m tests.fuzz`: many cases for every target, from a seed; ends with 1 at the first fault, and shows it."""

import argparse
import secrets
import sys

from tests.fuzz.rows import a_table
from tests.fuzz.runner import fuzz
from tests.fuzz.targets import TARGETS
from tests.support.loopback import refuse_everything_else


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="of all targets together (default: 100000)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="the same cases again")
    arguments = parser.parse_args()
    refuse_everything_else()
    say(f"seed {arguments.seed}")
    with a_table() as rows:
        for name, target in (TARGETS | {"rows": rows}).items():
            cases = max(1, round(arguments.cases * target.share))
            run = fuzz(name, target, cases=cases, start=arguments.seed)
            say(f"{run.name:<10} {run.cases:>8} cases {run.seconds:>8.1f} s, no fault")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
