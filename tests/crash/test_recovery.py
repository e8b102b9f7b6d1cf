"""Recovery is a sweep that every replica repeats, never a start-up step; and a replica is nobody's heir by name."""

import pytest

from service.steps.beats import Beat
from tests.crash.cells import Fault, cell_of
from tests.crash.crossing import a_crossing
from tests.crash.play import play
from tests.crash.stage import LEASE, PATIENCE, SETTINGS, TICK, a_stage, identity, is_there
from tests.crash.takeover import BUSY, kill_and_wait, kill_one_of_two
from tests.support.postgres import Server
from tests.support.waiting import eventually

pytestmark = pytest.mark.long

NOISE = 60  #: seconds that a busy machine may add


def test_a_replica_that_was_up_all_the_time_takes_over_what_a_dead_one_held(
    postgres_server: Server, migrated_template: str
) -> None:
    with a_stage(postgres_server, migrated_template, settings=SETTINGS | BUSY) as stage:
        taken = kill_one_of_two(stage)
        survivor, _doomed = stage.replicas
        assert taken.replicas == {identity(survivor)}
        assert len(survivor.events("service_started")) == 1
        assert taken.too_early == 0
        assert taken.seconds < LEASE + TICK + NOISE


def test_a_takeover_that_a_crash_of_the_database_interrupts_is_done_by_the_same_replica_later(
    postgres_server: Server, migrated_template: str
) -> None:
    cell = cell_of("take_over", Beat.CLAIMED, Fault.POSTGRES_CRASH)
    tally = play(cell, postgres_server, migrated_template)
    assert tally.replicas == 2, "the one that died before, and the one that was up through the crash"
    assert tally.published == tally.invites


def test_a_restarted_replica_is_a_new_one_and_waits_for_the_leases_of_its_former_self(
    postgres_server: Server, migrated_template: str
) -> None:
    """Same host, same settings, same command; what the old process claimed is no more its own than anybody's."""
    with (
        a_stage(postgres_server, migrated_template) as stage,
        a_crossing(Beat.CLAIMED, ripe=lambda: True, patience=PATIENCE) as crossing,
    ):
        stage.invite(1)
        before = stage.start_doomed("start", crossing)
        eventually(lambda: is_there(crossing, before), within=PATIENCE)
        after = stage.start_replica()
        taken = kill_and_wait(stage, before)
        assert identity(after) != identity(before)
        assert taken.replicas == {identity(after)}
        assert taken.too_early == 0
