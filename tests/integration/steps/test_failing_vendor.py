"""A vendor that answers everybody with the same failure stops the account and burns no invite."""

import pytest

from tests.integration.steps.conftest import make_replica, replica, world
from tests.support.database import Database
from tests.support.replica import Replica, World, statuses

pytestmark = pytest.mark.long

__all__ = ["make_replica", "replica", "world"]

INVITES = """
insert into zenhire.candidate_invites (candidate_ref, consent_mode, persona_id, start_after)
select gen_random_uuid()::text, 'explicit', %s, zenhire.clock() from generate_series(1, %s)
"""


def a_persona(world: World, role: str = "Nurse") -> str:
    key = world.platform.keys[world.sandbox.key]
    return world.platform.create_persona(key, {"role_name": role, "language": "en"}).id


def restore_persona(world: World, persona_id: str) -> None:
    for client in world.platform.clients.values():
        client.personas[persona_id].deleted = False


def invites_for(world: World, persona_id: str, count: int) -> None:
    world.database.execute(INVITES, [persona_id, count])


def of_persona(database: Database, persona_id: str) -> dict[str, int]:
    rows = database.fetch(
        "select status, count(*) as invites from zenhire.candidate_invites where persona_id = %s group by status",
        [persona_id],
    )
    return {row["status"]: row["invites"] for row in rows}


async def for_a_while(world: World, replica: Replica, *, minutes: int) -> None:
    """Twenty ticks in that time."""
    for _ in range(20):
        await replica.start.run_once()
        world.advance(minutes=minutes / 20)


async def test_a_day_of_failures_leaves_all_of_50000_invites_pending(world: World, replica: Replica) -> None:
    invites_for(world, a_persona(world), 50_000)
    world.sandbox.console.set_faults(["internal_error@create_session:1.0"])
    for _ in range(24 * 4):  # further apart than the probes of a stopped account grow
        await replica.start.run_once()
        world.advance(minutes=15)
    assert statuses(world.database) == {"pending": 50_000}
    posts = world.database.fetch_one(
        "select count(*) as made, count(*) filter (where state = 'lost') as lost,"
        " count(*) filter (where counted) as counted from zenhire.interview_sessions"
    )
    assert (
        24 * 4 <= posts["made"] <= 24 * 4 + 2 * replica.tools.concurrency
    )  # a probe each time, and what was in flight
    assert (posts["lost"], posts["counted"]) == (posts["made"], 0)
    assert len(world.platform.truth().sessions) == 0
    world.sandbox.console.set_faults([])
    batch = await replica.tools.claims.posts("default", 1)
    assert batch.rows[0].counted_posts == 0


@pytest.mark.parametrize("personas", [1, 3])
async def test_a_vendor_that_refuses_everybody_leaves_every_invite_pending(
    world: World, replica: Replica, personas: int
) -> None:
    refused = [a_persona(world, f"role {number}") for number in range(personas)]
    for persona_id in refused:
        world.sandbox.console.delete_persona(persona_id)
        invites_for(world, persona_id, 20)
    await for_a_while(world, replica, minutes=120)
    assert statuses(world.database) == {"pending": 20 * personas}
    assert world.database.fetch_value("select stop_code from zenhire.account_state") == "VENDOR_FAILING"
    given_back = "select count(*) from zenhire.invite_events where from_status = 'refused' and to_status = 'pending'"
    assert world.database.fetch_value(given_back) >= 5
    for persona_id in refused:
        restore_persona(world, persona_id)
    await for_a_while(world, replica, minutes=20)
    assert statuses(world.database) == {"link_ready": 20 * personas}


async def test_one_persona_that_is_gone_holds_up_no_other_and_its_invites_are_refused(
    world: World, replica: Replica
) -> None:
    gone, there = a_persona(world, "gone"), a_persona(world, "there")
    world.sandbox.console.delete_persona(gone)
    invites_for(world, gone, 130)
    world.advance(seconds=1)
    invites_for(world, there, 10)  # behind more of the others than a probe looks through
    await for_a_while(world, replica, minutes=10)
    assert of_persona(world.database, there) == {"link_ready": 10}
    assert of_persona(world.database, gone) == {"refused": 130}
    assert world.database.fetch_value("select stop_code from zenhire.account_state") is None


async def test_an_invite_of_another_persona_tells_whom_to_blame_whenever_it_comes(
    world: World, replica: Replica
) -> None:
    gone, there = a_persona(world, "gone"), a_persona(world, "there")
    world.sandbox.console.delete_persona(gone)
    invites_for(world, gone, 130)
    await for_a_while(world, replica, minutes=60)
    assert statuses(world.database) == {"pending": 130}
    invites_for(world, there, 1)
    await for_a_while(world, replica, minutes=20)
    assert statuses(world.database) == {"link_ready": 1, "refused": 130}
    blamed = "select blamed_personas from zenhire.account_state"
    assert world.database.fetch_value(blamed) == [gone]
    restore_persona(world, gone)
    invites_for(world, gone, 1)
    await replica.start.run_once()
    assert of_persona(world.database, gone) == {"link_ready": 1, "refused": 130}
    assert world.database.fetch_value(blamed) == []
