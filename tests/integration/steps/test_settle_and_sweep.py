"""A lost post's session is learned from two sides at once: one orphan, told once, whichever of them is first."""

import pytest
from structlog.testing import capture_logs

from service.core.limits import LINK_LIFETIME
from service.core.model import Policy
from service.core.observations import Minted
from service.core.starting import decide_post
from service.steps.beats import Beat
from tests.integration.steps.conftest import Between, MakeReplica
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, kinds_of_events, statuses, the_posts

LOST = "lost_after@create_session:#1"
LATE = "late_commit@create_session:#1:seconds=70"


async def a_lost_post(world: World, replica: Replica, fault: str) -> None:
    """A post whose answer never came, and whose search and sweep are both due."""
    insert_invite(world.database, candidate_ref="anna", metadata={"sandbox_plan": "never"})
    world.sandbox.console.set_faults([fault])
    await replica.start.run_once()
    (post,) = the_posts(world.database)
    assert (post["state"], post["session_id"]) == ("lost", None)
    world.advance(seconds=60)


async def settle_whole(replica: Replica) -> None:
    await replica.settle.run_once()


async def sweep_whole(world: World, replica: Replica) -> None:
    """Every page of one walk, in so little time that no lease ends."""
    for _ in range(5):
        await replica.sweep.run_once()
        world.advance(seconds=1)
        if world.database.fetch("select from zenhire.sweeps where finished_at is not null"):
            return
    raise AssertionError("the walk does not end")


def is_one_orphan(world: World) -> None:
    """The lost post has its session, one line of the history tells it, and nothing else was made of it."""
    (session,) = world.platform.truth().sessions
    (post,) = the_posts(world.database)
    assert (post["state"], post["session_id"]) == ("orphan", session.id)
    assert (post["next_search_at"], post["dead_at"], post["lease_token"]) == (None, None, None)
    assert post["next_look_at"] is not None
    assert kinds_of_events(world.database).count("orphan_recorded") == 1
    assert "answer_set_aside" not in kinds_of_events(world.database)
    assert world.database.fetch("select from zenhire.unclaimed_sessions") == []


async def goes_on(world: World, replica: Replica) -> None:
    """What follows is as for any other lost post: another one brings the link, and nobody asks again."""
    for _ in range(3):
        world.advance(minutes=2)
        await replica.tick()
    assert statuses(world.database) == {"link_ready": 1}
    states = {post["session_id"]: post["state"] for post in the_posts(world.database)}
    assert states.keys() == world.platform.truth().by_id().keys()
    assert sorted(states.values()) == ["orphan", "published"]
    assert kinds_of_events(world.database).count("orphan_recorded") == 1


@pytest.mark.parametrize("beat", [Beat.CLAIMED, Beat.ANSWERED])
@pytest.mark.parametrize("first", ["settle", "sweep"])
async def test_both_find_the_session_of_one_lost_post(
    world: World, make_replica: MakeReplica, first: str, beat: Beat
) -> None:
    between = Between(first, beat)
    async with make_replica(reached=between.reached) as one, make_replica() as two:
        await a_lost_post(world, one, LOST)

        async def other() -> None:
            await (sweep_whole(world, two) if first == "settle" else settle_whole(two))

        between.meanwhile = other
        with capture_logs() as logs:
            await (settle_whole(one) if first == "settle" else sweep_whole(world, one))
        assert between.meanwhile is None
        assert [line for line in logs if line["log_level"] in {"error", "critical"}] == []
        await settle_whole(two)
        is_one_orphan(world)
        await goes_on(world, two)


async def test_a_search_that_came_too_early_does_not_put_off_what_the_sweep_has_told(
    world: World, make_replica: MakeReplica
) -> None:
    between = Between("settle", Beat.ANSWERED)
    async with make_replica(reached=between.reached) as one, make_replica() as two:
        await a_lost_post(world, one, LATE)

        async def the_session_comes() -> None:
            world.advance(seconds=12)
            await sweep_whole(world, two)

        between.meanwhile = the_session_comes
        await settle_whole(one)
        assert between.meanwhile is None
        await settle_whole(two)
        is_one_orphan(world)
        await goes_on(world, two)


async def test_the_last_search_does_not_give_up_a_post_whose_session_the_sweep_has_told(
    world: World, make_replica: MakeReplica
) -> None:
    until = LINK_LIFETIME + Policy().expiry_grace
    between = Between("settle", Beat.ANSWERED)
    async with make_replica(reached=between.reached) as one, make_replica() as two:
        await a_lost_post(world, one, f"late_commit@create_session:#1:seconds={until.total_seconds() + 70:.0f}")
        world.advance(seconds=until.total_seconds())

        async def the_session_comes() -> None:
            world.advance(seconds=12)
            await sweep_whole(world, two)

        between.meanwhile = the_session_comes
        await settle_whole(one)
        assert between.meanwhile is None
        await settle_whole(two)
        is_one_orphan(world)


async def test_a_search_under_way_does_not_put_off_what_a_late_answer_has_told(
    world: World, make_replica: MakeReplica
) -> None:
    key = world.platform.keys[world.sandbox.key]
    persona = world.platform.create_persona(key, {"role_name": "Nurse", "language": "en"}).id
    insert_invite(world.database, persona_id=persona, metadata={"sandbox_plan": "never"})
    between = Between("settle", Beat.ANSWERED)
    async with make_replica(reached=between.reached) as quick, make_replica() as slow:
        (claim,) = (await slow.tools.claims.posts("default", 1)).rows
        world.advance(seconds=31)
        await quick.start.run_once()
        world.advance(seconds=60)

        async def the_answer_comes() -> None:
            answer = Minted(session_id="late", candidate_link="https://late.example/#t=x", expires_in=LINK_LIFETIME)
            late = decide_post(claim, answer, now=world.now, policy=Policy(), jitter=0.5)
            assert (await slow.tools.writer.write(late)).why_not == "late_session_recorded"

        between.meanwhile = the_answer_comes
        await settle_whole(quick)
        assert between.meanwhile is None
        await settle_whole(quick)
    (post,) = world.database.fetch("select * from zenhire.interview_sessions where post_id = %s", [claim.post_id])
    assert (post["state"], post["session_id"], post["next_search_at"]) == ("orphan", "late", None)
    assert kinds_of_events(world.database).count("orphan_recorded") == 1
