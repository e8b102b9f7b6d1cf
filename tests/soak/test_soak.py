"""A soak of seconds: the same blows and the same end, with nothing measured."""

import pytest

from tests.soak.play import DRIFT, soak
from tests.soak.schedule import Blow

SECONDS = 24


@pytest.mark.long
def test_a_short_soak_loses_nothing_and_gives_nobody_two_links() -> None:
    said: list[str] = []
    result = soak(SECONDS, said.append)
    broken = [violation for violation in result.violations if not violation.startswith("not level")]
    assert not broken, "\n".join(said)
    assert result.ending.lost == 0
    assert result.ending.two_links == ()
    assert result.ending.unaccounted == 0
    assert result.verified[DRIFT] == 0
    assert result.blows[Blow.KILL] >= 1
    assert result.blows[Blow.CRASH] >= 1
