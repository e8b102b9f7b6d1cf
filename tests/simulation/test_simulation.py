"""200 seeds, whatever they stand for; `make simulate` plays more of them."""

from collections.abc import Iterator

import pytest

from tests.simulation.mutations import MUTATIONS, play_broken
from tests.simulation.run import Stage
from tests.support.postgres import Server

SEEDS = 200
SEEDS_IN_A_TEST = 10
#: Beyond the 200, seeds that have found a fault: two roles that wait for a persona on two requests a minute.
SEEDS_THAT_FOUND = [330]


@pytest.fixture(scope="module")
def stage(postgres_server: Server, migrated_template: str) -> Iterator[Stage]:
    with postgres_server.database(template=migrated_template) as name:
        stage = Stage(postgres_server.url_of(name))
        yield stage
        stage.close()


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_IN_A_TEST))
def test_whatever_goes_wrong_nothing_is_lost_and_nobody_has_two_links(stage: Stage, first: int) -> None:
    for seed in range(first, first + SEEDS_IN_A_TEST):
        findings = stage.play(seed).findings
        assert not findings, "\n    ".join([f"seed {seed} (make simulate SEED={seed} tells its story):", *findings])


def test_a_run_whose_own_connection_is_lost_says_nothing(postgres_server: Server, migrated_template: str) -> None:
    with postgres_server.database(template=migrated_template) as name:
        stage = Stage(postgres_server.url_of(name))
        stage.play(1)
        postgres_server.execute(
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}' and query = 'commit'"
        )
        with pytest.raises(RuntimeError, match="own connection to Postgres is gone"):
            stage.play(2)
        stage.close()


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS_THAT_FOUND)
def test_a_fault_that_was_mended_stays_mended(stage: Stage, seed: int) -> None:
    assert not stage.play(seed).findings


def test_a_seed_repeats_its_run_exactly(stage: Stage) -> None:
    first = stage.play(27)
    stage.play(3)
    assert stage.play(27).story == first.story


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name, mutation in MUTATIONS.items() if mutation.seeds])
def test_a_safeguard_that_is_missing_is_missed(stage: Stage, name: str) -> None:
    mutation = MUTATIONS[name]
    assert any(play_broken(stage, mutation, seed).findings for seed in mutation.seeds), f"{name} is not missed"
