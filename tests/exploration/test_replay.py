"""The model agrees with Postgres: 500 random traces, in parts that can run side by side."""

from collections.abc import Callable

import pytest

from tests.exploration.replay import replayed

PARTS = 5
TRACES_IN_EACH = 100


@pytest.mark.parametrize("part", range(PARTS))
async def test_postgres_does_what_the_model_says(
    database_url: str, part: int, record_property: Callable[[str, object], None]
) -> None:
    record_property("figures", await replayed(database_url, seed=part, count=TRACES_IN_EACH))
