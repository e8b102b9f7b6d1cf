"""Every interleaving of the start and watch protocols, small: all invariants in every state."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.exploration import model
from tests.exploration.explore import explore
from tests.exploration.moves import World
from tests.exploration.mutations import MUTATIONS, Mutation
from tests.exploration.report import figures
from tests.exploration.words import WHAT, in_words
from tests.exploration.worlds import LARGE_WORLDS, WORLDS

MODEL_LINES_MAX = 150


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name in LARGE_WORLDS else []) for name in WORLDS]
)
def test_every_order_of_everything_keeps_the_invariants(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    world = WORLDS[name]
    found = explore(world)
    assert found.broken is None, "\n".join(["", found.broken, *in_words(world.start(), found.trace)])
    assert set(WHAT) - set(found.moves) == _impossible(world), "less happened than is thought"
    record_property("figures", f"explored, {name}: {figures(found)}")


def _impossible(world: World) -> set[str]:
    """A link can be forced only where one works: after a cancellation, which is a fault of its own here."""
    return ({"force_link"} if world.faults < 2 else set()) | (set() if world.console else {"reinvite"})


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_rule_would_be_missed(mutation: Mutation, record_property: Callable[[str, object], None]) -> None:
    found = explore(mutation.world)
    assert found.broken, f"nothing needs {mutation.name}"
    record_property("figures", f"without {mutation.name}: {found.broken} (after {len(found.trace)} steps)")


def test_the_model_stays_small_enough_to_be_read() -> None:
    assert len(Path(model.__file__).read_text(encoding="utf-8").splitlines()) <= MODEL_LINES_MAX
