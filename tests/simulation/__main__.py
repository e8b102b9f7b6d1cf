"""`python -m tests.simulation`: many seeds, or one with its whole story, or the service without its safeguards."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.simulation.campaign import play_all
from tests.simulation.journal import Journal
from tests.simulation.mutations import MUTATIONS, Caught, hunt
from tests.simulation.run import Stage
from tests.simulation.tables import campaign_table, mutation_table, write_into_the_document
from tests.support.migrated import migrated_server

HUNT_SEEDS_MAX = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    parser.add_argument("--seed", type=int, help="play this one, and tell what happens in it")
    parser.add_argument("--mutations", action="store_true", help="take out the safeguards, one at a time")
    given = parser.parse_args()
    if given.seed is not None:
        return tell(given.seed)
    if given.mutations:
        caught = take_out_the_safeguards()
        say(mutation_table(caught))
        return 0 if all(one.seed is not None for one in caught) else 1
    return campaign(range(given.first, given.first + given.seeds), jobs=given.jobs, write=given.write)


def campaign(seeds: range, *, jobs: int, write: bool) -> int:
    """Play them all; what was played is kept in a journal, and not played again by the same code."""
    totals = play_all(seeds, jobs, Journal())
    table = campaign_table(totals)
    say(table)
    for seed, findings in sorted(totals.failed.items()):
        say(f"\nseed {seed} failed; make simulate SEED={seed} tells its story", *findings)
    if write:
        write_into_the_document(table, mutation_table(take_out_the_safeguards()))
    return 1 if totals.failed else 0


def take_out_the_safeguards() -> list[Caught]:
    caught = []
    with a_stage() as stage:
        for name, mutation in MUTATIONS.items():
            one = hunt(stage, mutation, seeds_max=HUNT_SEEDS_MAX)
            caught.append(one)
            sys.stderr.write(f"without {name}: seed {one.seed}, after {one.played}\n")
    return caught


def tell(seed: int) -> int:
    """The story of one seed, beat by beat, and what is wrong with it."""
    with a_stage(tells_changes=True) as stage:
        run = stage.play(seed)
    say(*run.story)
    say(*[f"WRONG: {finding}" for finding in run.findings] or ["Everything holds."])
    return 1 if run.findings else 0


@contextmanager
def a_stage(*, tells_changes: bool = False) -> Iterator[Stage]:
    with migrated_server() as (server, template), server.database(template=template) as name:
        stage = Stage(server.url_of(name), tells_changes=tells_changes)
        try:
            yield stage
        finally:
            stage.close()


def say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
