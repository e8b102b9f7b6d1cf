"""The vendor makes two sessions of one post: both are on record, one link is out, a person hears when it matters."""

from sandbox.model import Session, Source
from service.steps.beats import Beat
from tests.integration.steps.conftest import Between, MakeReplica
from tests.support.database import Row
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, kinds_of_events, statuses, the_invite, the_posts

COMES = "completed opens_after=60 talks_for=600 artifacts_after=0"


def made_again(world: World) -> Session:
    """The vendor repeats a post on its own side, and answers once: nobody is ever told this session's link."""
    (client,) = world.platform.clients.values()
    with world.platform.lock:
        session = world.platform.copy_session(client.sessions[len(client.sessions) - 1])
        session.source = Source.REQUESTS
        world.platform.reply_lost(session)
        return session


async def sweep_whole(world: World, replica: Replica) -> None:
    world.database.execute("update zenhire.sweeps set next_at = zenhire.clock(), position = null, finished_at = null")
    for _ in range(10):
        await replica.sweep.run_once()
        world.advance(seconds=1)
        if world.database.fetch("select from zenhire.sweeps where finished_at is not null"):
            return
    raise AssertionError("the walk does not end")


def attention(world: World) -> list[Row]:
    return world.database.fetch("select * from zenhire.attention where what <> 'replica'")  # its clock is ours


def on_record(world: World) -> dict[str, str]:
    return {post["session_id"]: post["state"] for post in the_posts(world.database)}


def at_most_one_link_was_told(world: World) -> None:
    assert max(world.platform.truth().most_links_at_once("metadata.zenhire_sync_invite").values()) <= 1


async def two_of_one_post(world: World, replica: Replica, plan: str) -> tuple[str, Session]:
    """The session whose link is out, and the one that was made beside it."""
    insert_invite(world.database, candidate_ref="anna", metadata={"sandbox_plan": plan})
    await replica.start.run_once()
    twin = made_again(world)
    await sweep_whole(world, replica)
    return the_invite(world.database)["session_id"], twin


async def test_both_are_on_record_and_the_invite_keeps_the_link_that_it_has(world: World, replica: Replica) -> None:
    insert_invite(world.database, candidate_ref="anna", metadata={"sandbox_plan": COMES})
    await replica.start.run_once()
    before = the_invite(world.database)
    twin = made_again(world)
    for _ in range(2):
        await sweep_whole(world, replica)  # what is known is not found again
    assert the_invite(world.database) == before
    assert on_record(world) == {before["session_id"]: "published", twin.id: "orphan"}
    assert kinds_of_events(world.database).count("orphan_recorded") == 1
    assert attention(world) == []  # nobody holds its link: there is nothing for a person to do
    for _ in range(4):
        world.advance(minutes=5)
        await replica.tick()
    after = the_invite(world.database)
    assert (after["status"], after["session_id"]) == ("completed", before["session_id"])
    world.advance(days=8)
    await replica.watch.run_once()
    assert [post["dead_at"] is not None for post in the_posts(world.database)] == [True, True]
    assert attention(world) == []
    at_most_one_link_was_told(world)


async def test_one_that_somebody_uses_stands_in_attention_and_its_outcome_counts(
    world: World, replica: Replica
) -> None:
    published, twin = await two_of_one_post(world, replica, "never")
    with world.platform.lock:
        world.platform.lives.begin(twin, world.now, COMES)  # the vendor's staff gave its link away
    for _ in range(4):
        world.advance(minutes=5)
        await replica.tick()
    (row,) = attention(world)
    assert (row["code"], twin.id in row["why"]) == ("ORPHAN_IN_USE", True)
    invite = the_invite(world.database)
    assert (invite["status"], invite["session_id"], invite["transcript_state"]) == ("completed", twin.id, "stored")
    assert on_record(world) == {published: "published", twin.id: "orphan"}
    world.database.execute(row["statement"])
    assert attention(world) == []


async def test_no_further_link_is_published_for_the_twin_of_a_dead_one(world: World, replica: Replica) -> None:
    published, twin = await two_of_one_post(world, replica, "failed opens_after=60 talks_for=60")
    for _ in range(4):
        world.advance(minutes=5)
        await replica.tick()
    assert statuses(world.database) == {"failed": 1}  # the twin does not take over: its link is nobody's
    assert the_invite(world.database)["session_id"] == published
    assert [post["current"] for post in the_posts(world.database)] == [True, False]
    assert on_record(world)[twin.id] == "orphan"
    at_most_one_link_was_told(world)


async def test_of_a_post_whose_answer_was_lost_both_become_orphans(world: World, make_replica: MakeReplica) -> None:
    between = Between("settle", Beat.ANSWERED)
    async with make_replica(reached=between.reached) as one, make_replica() as two:
        insert_invite(world.database, candidate_ref="anna", metadata={"sandbox_plan": "never"})
        world.sandbox.console.set_faults(["lost_after@create_session:#1"])
        await one.start.run_once()
        twin = made_again(world)
        (first, _) = world.platform.truth().sessions
        world.advance(seconds=60)

        async def whole_sweeps() -> None:
            for _ in range(2):
                await sweep_whole(world, two)

        between.meanwhile = whole_sweeps
        await one.settle.run_once()  # has one of them in its hand, while the sweep finds both
        assert between.meanwhile is None
        for _ in range(2):
            await two.settle.run_once()
            await sweep_whole(world, two)
        assert on_record(world) == {first.id: "orphan", twin.id: "orphan"}
        assert kinds_of_events(world.database).count("orphan_recorded") == 2
        assert "answer_set_aside" not in kinds_of_events(world.database)
        world.advance(seconds=30)
        await two.start.run_once()
    assert statuses(world.database) == {"link_ready": 1}
    assert sorted(on_record(world).values()) == ["orphan", "orphan", "published"]
    at_most_one_link_was_told(world)
