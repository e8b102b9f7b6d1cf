"""settle: what lost posts left behind is found, also after everything had stopped."""

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
