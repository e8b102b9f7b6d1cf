"""Runs one target for so many cases, from a seed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    name: str
    cases: int
    seconds: float


def fuzz(name: str, target: Target, *, cases: int, start: int) -> Run:
    """Raises what the first faulty case raised, with that case made as small as it goes."""
    ran = 0

    def check(case: Any) -> None:
        nonlocal ran
        ran += 1
        target.check(case)

    repeated: Callable[[], None] = settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )(seed(start)(given(target.cases)(check)))
    began = time.monotonic()
    repeated()
    return Run(name=name, cases=ran, seconds=time.monotonic() - began)
