"""Second links, console re-invites and late outcomes, on the real steps: a candidate has one link that works."""

from datetime import timedelta
from uuid import UUID

import pytest

from service.core.reinvites import CODE
from tests.integration.steps.conftest import MakeReplica, make_replica, replica, world
from tests.support.control import call, invite
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, kinds_of_events, the_invite, the_posts
from tests.support.stages import move

pytestmark = pytest.mark.long

__all__ = ["MakeReplica", "make_replica", "replica", "world"]


def at_most_one_link_at_once(world: World) -> bool:
    return max(world.platform.truth().most_links_at_once().values()) == 1


async def let_pass(world: World, replica: Replica, *, steps: int, **by: float) -> None:
    for _ in range(steps):
        world.advance(**by)
        await replica.tick()


async def look(world: World, replica: Replica, invite_id: UUID, times: int = 1) -> None:
    """So many looks that somebody asked for."""
    for _ in range(times):
        world.advance(seconds=11)
        call(world.database, "look_now", invite_id, "the candidate called")
        await replica.watch.run_once()


async def failed(world: World, replica: Replica, **over: object) -> UUID:
    """An invite whose interview failed; a further link of it is never opened."""
    plan = {"sandbox_plan": "failed opens_after=60 talks_for=60|never"}
    invite_id = insert_invite(world.database, metadata=plan, **over)
    await replica.tick()
    world.advance(minutes=5)
    await look(world, replica, invite_id)
    return invite_id


async def test_no_second_link_a_minute_before_the_first_is_dead_and_one_after(world: World, replica: Replica) -> None:
    insert_invite(world.database, max_links=2, metadata={"sandbox_plan": "never"})
    await replica.tick()
    dead_at = the_invite(world.database)["link_expires_at"] + timedelta(hours=1)
    world.advance(seconds=(dead_at - world.now).total_seconds() - 60)
    await look(world, replica, the_invite(world.database)["id"])
    await replica.tick()
    assert len(the_posts(world.database)) == 1
    await let_pass(world, replica, steps=3, minutes=1)
    assert (the_invite(world.database)["status"], the_invite(world.database)["link_number"]) == ("link_ready", 2)
    assert at_most_one_link_at_once(world)


async def test_a_second_link_follows_at_once_when_the_vendor_has_ended_the_first_session(
    world: World, replica: Replica
) -> None:
    await failed(world, replica, max_links=2)
    await replica.tick()
    assert (the_invite(world.database)["status"], the_invite(world.database)["link_number"]) == ("link_ready", 2)
    assert at_most_one_link_at_once(world)


@pytest.mark.parametrize(("opens_after", "status"), [(3600, "link_ready"), (0, "in_progress")])
async def test_a_reinvite_is_followed_to_its_outcome_without_a_link_that_is_dead(
    world: World, replica: Replica, opens_after: int, status: str
) -> None:
    invite_id = await failed(world, replica)
    world.sandbox.console.reinvite(
        the_invite(world.database)["session_id"], f"completed opens_after={opens_after} talks_for=600"
    )
    await look(world, replica, invite_id)
    assert the_invite(world.database)["status"] == "failed"  # one look alone is not believed
    await look(world, replica, invite_id)
    row = the_invite(world.database)
    assert (row["status"], row["candidate_link"], row["error_code"]) == (status, None, CODE)
    (session,) = world.platform.truth().sessions
    assert row["link_expires_at"] >= session.links[-1].expires_at
    await let_pass(world, replica, steps=10, minutes=10)
    row = the_invite(world.database)
    assert (row["status"], row["error_code"], row["transcript_state"]) == ("completed", None, "stored")
    assert at_most_one_link_at_once(world)


async def test_a_second_failure_after_a_reinvite_is_followed_by_the_next_link_alone(
    world: World, replica: Replica
) -> None:
    invite_id = await failed(world, replica)
    world.sandbox.console.reinvite(the_invite(world.database)["session_id"], "failed opens_after=600 talks_for=60")
    await look(world, replica, invite_id, times=2)
    world.database.execute("update zenhire.candidate_invites set max_links = 2")
    await replica.tick()
    assert len(the_posts(world.database)) == 1
    world.advance(minutes=15)
    await look(world, replica, invite_id)
    await replica.tick()
    assert (the_invite(world.database)["status"], the_invite(world.database)["link_number"]) == ("link_ready", 2)
    assert at_most_one_link_at_once(world)


async def test_no_next_link_is_asked_for_while_the_console_s_works(world: World, replica: Replica) -> None:
    invite_id = await failed(world, replica, max_links=2)
    session_id = the_posts(world.database)[0]["session_id"]
    world.database.execute("select zenhire.pause_account('default', 'a freeze')")
    world.sandbox.console.reinvite(session_id, "completed opens_after=3600 talks_for=600")
    await look(world, replica, invite_id, times=2)
    world.database.execute("select zenhire.resume_account('default', 'no freeze')")
    await let_pass(world, replica, steps=3, minutes=5)
    assert (the_invite(world.database)["status"], len(world.platform.truth().sessions)) == ("pending", 1)
    assert [
        row["code"] for row in world.database.fetch("select code from zenhire.attention where what = 'session'")
    ] == [CODE]
    await let_pass(world, replica, steps=8, minutes=10)
    assert the_invite(world.database)["status"] == "completed"
    assert len(world.platform.truth().sessions) == 1
    assert at_most_one_link_at_once(world)


async def test_an_earlier_link_s_outcome_counts_with_its_rating_and_a_later_one_changes_nothing(
    world: World, replica: Replica
) -> None:
    invite_id = await failed(world, replica, max_links=2)
    await replica.tick()
    first, second = (post["session_id"] for post in the_posts(world.database))
    world.sandbox.console.reinvite(first, "completed opens_after=0 talks_for=60 rating=4 feedback_after=1800")
    await look(world, replica, invite_id, times=2)
    shown = world.database.fetch_one("select code from zenhire.attention where what = 'session'")
    assert shown["code"] == "TWO_LIVE_LINKS"  # the console made them
    world.advance(minutes=5)
    await look(world, replica, invite_id)
    row = the_invite(world.database)
    assert (row["status"], row["session_id"], row["candidate_survey_rating"]) == ("completed", first, None)
    assert world.database.fetch("select from zenhire.attention where what = 'session'") == []
    world.advance(hours=1)
    await look(world, replica, invite_id)
    assert the_invite(world.database)["candidate_survey_rating"] == 4
    assert second != first


@pytest.mark.parametrize("status", ["pending", "starting", "needs_review", "refused"])
async def test_what_an_orphan_brings_late_completes_its_invite(world: World, replica: Replica, status: str) -> None:
    world.sandbox.console.set_faults(["lost_after@create_session:1.0"])
    invite_id = insert_invite(world.database)
    await replica.start.run_once()
    (session,) = world.platform.truth().sessions
    world.sandbox.console.send_link(session.links[0].url, "completed opens_after=0 talks_for=60")
    if status != "starting":
        world.database.execute("update zenhire.interview_sessions set repost_at = null")
        move(world.database, invite_id, status)
    world.database.execute("select zenhire.pause_account('default', 'no further posts')")
    world.advance(minutes=2)
    await replica.settle.run_once()
    await look(world, replica, invite_id)
    assert invite(world.database, invite_id)["status"] == "completed"
    assert "interview_completed" in kinds_of_events(world.database)
