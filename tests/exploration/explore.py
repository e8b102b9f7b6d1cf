"""Breadth first over all states: the invariants in each, and the shortest trace to the first fault."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.exploration.ending import endings
from tests.exploration.invariants import IN_THE_END, broken_by_step, broken_in
from tests.exploration.moves import Next, World, successors
from tests.exploration.rows import State

CameBy = dict[State, tuple[State, Next] | None]


@dataclass(slots=True, kw_only=True)
class Explored:
    """What an exploration found."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    moves: Counter[str] = field(default_factory=Counter)
    broken: str | None = None  #: the invariant that does not hold
    trace: list[Next] = field(default_factory=list)  #: the shortest way there


def explore(world: World) -> Explored:
    """Visit every state; stops at the first that breaks an invariant."""
    start = world.start()
    came_by: CameBy = {start: None}
    found = Explored()
    with _no_garbage():
        layer = [start]
        while layer and not found.broken:
            layer = _next_layer(world, layer, came_by, found)
            found.depth += bool(layer)
        found.states = len(came_by)
        stuck = None if found.broken else next(endings(world, came_by), None)
        if stuck is not None:
            found.broken, found.trace = IN_THE_END, _trace(came_by, stuck)
    return found


def _next_layer(world: World, layer: list[State], came_by: CameBy, found: Explored) -> list[State]:
    """The states that are one step further than `layer` and that nobody has seen."""
    following: list[State] = []
    for state in layer:
        for step in successors(world, state):
            found.transitions += 1
            found.moves[step.move.kind] += 1
            is_new = step.state not in came_by
            broken = broken_by_step(state, step) or (broken_in(step.state) if is_new else None)
            if broken:
                found.broken, found.trace = broken, [*_trace(came_by, state), step]
                return []
            if is_new:
                came_by[step.state] = (state, step)
                following.append(step.state)
    return following


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Nothing here refers to itself, and the collector would walk through all states again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _trace(came_by: CameBy, state: State) -> list[Next]:
    steps: list[Next] = []
    origin = came_by[state]
    while origin is not None:
        state, step = origin
        steps.append(step)
        origin = came_by[state]
    return steps[::-1]
