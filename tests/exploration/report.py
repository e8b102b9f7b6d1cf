"""What an exploration of all worlds and all mutations says, for a terminal and for a document."""

from collections.abc import Iterator

from tests.exploration.explore import Explored, explore
from tests.exploration.invariants import IN_THE_END, OF_STATES, OF_STEPS
from tests.exploration.mutations import MUTATIONS, Mutation
from tests.exploration.words import in_words
from tests.exploration.worlds import MORE_WORLDS, WORLDS


def figures(found: Explored) -> str:
    """For one line of a terminal."""
    return f"{found.states:,} states, {found.transitions:,} transitions, {found.depth} steps deep"


def as_markdown(worlds: dict[str, Explored], mutations: dict[Mutation, Explored], replayed: str) -> str:
    return "\n".join([*_worlds(worlds), *_invariants(), "", replayed, "", *_mutations(mutations)])


def explore_worlds() -> Iterator[tuple[str, Explored]]:
    for name, world in (WORLDS | MORE_WORLDS).items():
        yield name, explore(world)


def explore_mutations() -> Iterator[tuple[Mutation, Explored]]:
    for mutation in MUTATIONS:
        yield mutation, explore(mutation.world)


def _worlds(worlds: dict[str, Explored]) -> Iterator[str]:
    yield "| world (two replicas, one invite) | states | transitions | steps of the longest shortest way | broken |"
    yield "|---|---:|---:|---:|---|"
    for name, found in worlds.items():
        yield f"| {name} | {found.states:,} | {found.transitions:,} | {found.depth} | {found.broken or 'nothing'} |"
    states = sum(found.states for found in worlds.values())
    transitions = sum(found.transitions for found in worlds.values())
    yield f"| together | {states:,} | {transitions:,} | | |"


def _invariants() -> Iterator[str]:
    yield from ("", "Checked in each state:", "")
    yield from (f"- {name}" for name in OF_STATES)
    yield from ("", "At each step:", "")
    yield from (f"- {name}" for name in OF_STEPS)
    yield from ("", "And from each state on:", "", f"- {IN_THE_END}")


def _mutations(mutations: dict[Mutation, Explored]) -> Iterator[str]:
    yield "A rule left out, one at a time, and the shortest way to what it prevents:"
    for mutation, found in mutations.items():
        yield from ("", f"**Without {mutation.name}** ({mutation.instead}): broken after {len(found.trace)} steps is")
        yield f"“{found.broken}”."
        yield from ("", "```text", *in_words(mutation.world.start(), found.trace), "```")
