"""`python -m tests.fuzz`: many cases for every target, from a seed; ends at the first fault, and shows it."""

import argparse
import platform
import secrets
import sys
from collections.abc import Sequence

from tests.fuzz.rows import a_table
from tests.fuzz.runner import Run, fuzz
from tests.fuzz.targets import TARGETS
from tests.support.loopback import refuse_everything_else
from tests.support.report import RELIABILITY, replace_section


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="of all targets together (default: 100000)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="the same cases again")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    arguments = parser.parse_args()
    refuse_everything_else()
    say(f"seed {arguments.seed}")
    runs: list[Run] = []
    with a_table() as rows:
        for name, target in (TARGETS | {"rows": rows}).items():
            cases = max(1, round(arguments.cases * target.share))
            run = fuzz(name, target, cases=cases, start=arguments.seed)
            say(f"{run.name:<10} {run.cases:>8} cases {run.seconds:>8.1f} s, no fault")
            runs.append(run)
    if arguments.write:
        replace_section(RELIABILITY, "fuzz", as_markdown(runs, arguments.cases, arguments.seed))


def as_markdown(runs: Sequence[Run], asked: int, seed: int) -> str:
    """The command plays the same cases again: so it has the number that was asked for, of which targets have shares."""
    about = {name: " ".join((target.check.__doc__ or "").split()) for name, target in TARGETS.items()}
    about["rows"] = "One invite's whole way with mutated answers, written to a real Postgres."
    total = sum(run.cases for run in runs)
    command = f"make fuzz CASES={asked} SEED={seed} WRITE=1"
    return "\n".join(
        [
            f"`{command}` on Python {platform.python_version()}, {total:,} cases, no fault:",
            "",
            "| what is fuzzed | cases | seconds |",
            "|---|--:|--:|",
            *(f"| {about[run.name]} | {run.cases:,} | {run.seconds:.0f} |" for run in runs),
        ]
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
