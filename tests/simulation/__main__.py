"""`python -m tests.simulation`: many seeds, or one with its whole story."""

import argparse
import os
import sys

from tests.simulation.campaign import migrated_server, play_all
from tests.simulation.run import Stage
from tests.simulation.tables import campaign_table, write_into_the_document


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="play this one, and tell what happens in it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    given = parser.parse_args()
    if given.seed is not None:
        return tell(given.seed)
    totals = play_all(range(given.first, given.first + given.seeds), given.jobs)
    table = campaign_table(totals)
    say(table)
    for seed, findings in sorted(totals.failed.items()):
        say(f"\nseed {seed} failed; make simulate SEED={seed} tells its story", *findings)
    if given.write and not totals.failed:
        write_into_the_document(table)
    return 1 if totals.failed else 0


def say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def tell(seed: int) -> int:
    """The story of one seed, beat by beat, and what is wrong with it."""
    with migrated_server() as (server, template), server.database(template=template) as name:
        stage = Stage(server.url_of(name), tells_changes=True)
        try:
            run = stage.play(seed)
        finally:
            stage.close()
    say(*run.story)
    say(*[f"WRONG: {finding}" for finding in run.findings] or ["Everything holds."])
    return 1 if run.findings else 0


if __name__ == "__main__":
    sys.exit(main())
