"""`python -m tests.exploration`: all worlds, all mutations, a replay; the result goes into docs/reliability.md."""

import asyncio
import os
import sys

from service.postgres.migrate import upgrade
from tests.exploration.explore import Explored
from tests.exploration.mutations import Mutation
from tests.exploration.replay import replayed
from tests.exploration.report import as_markdown, explore_mutations, explore_worlds, figures
from tests.exploration.words import in_words
from tests.support.loopback import refuse_everything_else
from tests.support.postgres import VARIABLE, running_server, source_from
from tests.support.report import RELIABILITY, replace_section

TRACES = 500


def main() -> int:
    refuse_everything_else()
    worlds: dict[str, Explored] = {}
    for name, found in explore_worlds():
        worlds[name] = found
        _say(f"{name}: {figures(found)}, broken: {found.broken or 'nothing'}")
    mutations: dict[Mutation, Explored] = {}
    for mutation, found in explore_mutations():
        mutations[mutation] = found
        _say(f"\nwithout {mutation.name}: {found.broken or 'NOTHING IS BROKEN'}")
        _say("\n".join(in_words(mutation.world.start(), found.trace)))
    with running_server(source_from(os.environ.get(VARIABLE, ""))) as server, server.database() as name:
        upgrade(server.url_of(name))
        said = asyncio.run(replayed(server.url_of(name), seed=0, count=TRACES))
    _say(f"\n{said}")
    replace_section(RELIABILITY, "exploration", as_markdown(worlds, mutations, said))
    sound = all(found.broken is None for found in worlds.values())
    return 0 if sound and all(found.broken for found in mutations.values()) else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
