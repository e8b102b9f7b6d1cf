"""settle: what lost posts left behind is found, also after everything had stopped."""

import pytest

from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, the_posts


async def test_a_stop_that_a_refused_list_began_ends_with_the_first_look_that_works(
    world: World, replica: Replica
) -> None:
    key = world.platform.keys[world.sandbox.key]
    persona = world.platform.create_persona(key, {"role_name": "Nurse", "language": "en"}).id
    insert_invite(world.database, persona_id=persona, metadata={"sandbox_plan": "never"})
    world.sandbox.console.set_faults(["lost_after@create_session:#1"])
    await replica.start.run_once()
    world.sandbox.console.set_faults([])
    world.advance(seconds=30)
    await replica.start.run_once()
    world.sandbox.console.set_key(world.sandbox.key, permitted=False)
    world.advance(minutes=2)
    await replica.settle.run_once()
    stopped = "select stop_code from zenhire.account_state"
    assert world.database.fetch_value(stopped) == "MISSING_PERMISSION"

    world.sandbox.console.set_key(world.sandbox.key, permitted=True)
    world.advance(minutes=10)
    await replica.watch.run_once()
    assert world.database.fetch_value(stopped) is None
    world.advance(hours=1)
    await replica.settle.run_once()
    assert sorted(post["state"] for post in the_posts(world.database)) == ["orphan", "published"]


@pytest.mark.parametrize("next_look", ["no look", "a look in three days"])
async def test_where_only_lists_are_due_a_list_is_the_probe_and_the_search_goes_on(
    world: World, replica: Replica, next_look: str
) -> None:
    """A candidate whose post was lost is cancelled; then the key is refused, and nothing else is to be asked for."""
    if next_look != "no look":
        insert_invite(world.database, candidate_ref="other", metadata={"sandbox_plan": "never"})
        await replica.tick()
    lost = insert_invite(world.database, candidate_ref="lost", metadata={"sandbox_plan": "never"})
    world.sandbox.console.set_faults(["lost_after@create_session:#1"])
    await replica.start.run_once()
    world.sandbox.console.set_faults([])
    world.database.fetch("select zenhire.cancel_invite(%s, 'a mistake')", [lost])
    world.database.execute(
        "update zenhire.interview_sessions set next_look_at = zenhire.clock() + interval '3 days' "
        "where next_look_at is not null"
    )
    third = insert_invite(world.database, candidate_ref="third", metadata={"sandbox_plan": "never"})
    world.sandbox.console.set_key(world.sandbox.key, permitted=False)
    await replica.start.run_once()
    world.database.fetch("select zenhire.cancel_invite(%s, 'a mistake')", [third])
    scope = "select stop_scope from zenhire.account_state"
    world.database.execute("update zenhire.account_state set stop_scope = 'everything'")

    for _ in range(5):  # while it lasts, each probe fails
        world.advance(minutes=2)
        await replica.sweep.run_once()
        await replica.settle.run_once()
    assert world.database.fetch_value(scope) == "everything"
    world.sandbox.console.set_key(world.sandbox.key, permitted=True)
    for _ in range(4):
        world.advance(hours=1)
        await replica.sweep.run_once()
        await replica.settle.run_once()
    assert world.database.fetch_value(scope) is None
    assert [post["state"] for post in the_posts(world.database) if post["invite_id"] == lost] == ["orphan"]


async def test_while_a_look_is_due_the_look_is_the_probe(world: World, replica: Replica) -> None:
    insert_invite(world.database, metadata={"sandbox_plan": "never"})
    await replica.tick()
    world.database.execute(
        "update zenhire.account_state set stop_code = 'X', stop_message = 'x', stop_scope = 'everything', "
        "stop_lane = 'look', stopped_at = zenhire.clock(), probe_at = zenhire.clock(), probe_seconds = 5"
    )
    world.database.execute("update zenhire.interview_sessions set next_look_at = zenhire.clock()")
    world.advance(hours=2)
    await replica.sweep.run_once()
    assert world.database.fetch_value("select stop_code from zenhire.account_state") == "X"
    await replica.watch.run_once()
    assert world.database.fetch_value("select stop_code from zenhire.account_state") is None
