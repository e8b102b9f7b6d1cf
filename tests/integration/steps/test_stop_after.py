"""`stop_after` passes, in each status: no new link from then on, and a link that is out runs on."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.steps.beats import Beat
from tests.integration.steps.conftest import Between, MakeReplica, make_replica, replica, world
from tests.support.control import call, invite
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, kinds_of_events, the_invite, the_posts
from tests.support.stages import invite_at

__all__ = ["MakeReplica", "make_replica", "replica", "world"]

STOPPED = ("cancelled", "STOP_AFTER_PASSED")


def wanted_for_an_hour(world: World, plan: str = "never", **over: Any) -> UUID:
    return insert_invite(
        world.database, stop_after=world.now + timedelta(hours=1), metadata={"sandbox_plan": plan}, **over
    )


def ended(world: World) -> tuple[str, str | None]:
    row = the_invite(world.database)
    return row["status"], row["error_code"]


async def look(world: World, replica: Replica) -> None:
    world.advance(seconds=11)
    call(world.database, "look_now", the_invite(world.database)["id"], "somebody is curious")
    await replica.watch.run_once()


# --- no link yet -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waits_for", ["its account", "its key", "its persona"])
async def test_a_pending_invite_is_cancelled_whatever_it_waits_for(
    world: World, replica: Replica, waits_for: str
) -> None:
    wanted_for_an_hour(world, account="other" if waits_for == "its key" else "default")
    if waits_for == "its account":
        call(world.database, "pause_account", "default", "a freeze")
    world.sandbox.console.set_faults(["lost_before@list_personas:1.0"])
    world.advance(seconds=3599)
    await replica.start.run_once()
    assert ended(world) == ("pending", None)
    world.advance(seconds=1)
    await replica.start.run_once()
    assert ended(world) == STOPPED
    assert kinds_of_events(world.database)[-1] == "stop_after_passed"
    assert the_posts(world.database) == []


async def test_nothing_is_made_at_the_vendor_for_an_invite_that_is_too_late_already(
    world: World, replica: Replica
) -> None:
    """No replica ran in time. A persona could never be deleted again."""
    wanted_for_an_hour(world)
    world.advance(hours=1)
    await replica.start.run_once()
    assert ended(world) == STOPPED
    assert world.platform.truth().answers == {}
    assert world.database.fetch("select from zenhire.personas") == []


async def test_a_further_link_that_is_not_made_in_time_is_none(world: World, replica: Replica) -> None:
    wanted_for_an_hour(world, "failed opens_after=1 talks_for=60|never", max_links=2)
    await replica.start.run_once()
    world.advance(minutes=5)
    await look(world, replica)
    assert ended(world) == ("pending", None)
    call(world.database, "pause_account", "default", "a freeze")
    world.advance(hours=1)
    await replica.start.run_once()
    assert ended(world) == STOPPED
    call(world.database, "resume_account", "default", "no freeze")
    await replica.tick()
    assert len(world.platform.truth().sessions) == 1


async def test_what_a_lost_post_left_behind_is_still_found_and_its_outcome_changes_nothing(
    world: World, replica: Replica
) -> None:
    wanted_for_an_hour(world)
    world.sandbox.console.set_faults(["lost_after@create_session:#1"])
    await replica.start.run_once()
    assert ended(world)[0] == "starting"
    world.advance(hours=1)
    await replica.start.run_once()
    assert ended(world) == STOPPED
    (session,) = world.platform.truth().sessions
    world.sandbox.console.send_link(session.links[0].url, "completed opens_after=0 talks_for=60")
    world.advance(minutes=5)
    await replica.tick()
    await look(world, replica)
    (post,) = the_posts(world.database)
    assert (post["state"], post["vendor_status"]) == ("orphan", "completed")
    assert ended(world) == STOPPED


@pytest.mark.parametrize("beat", [Beat.CLAIMED, Beat.ANSWERED])
async def test_a_post_that_is_on_its_way_when_it_passes_still_brings_its_link(
    world: World, make_replica: MakeReplica, beat: Beat
) -> None:
    between = Between("start", beat)
    async with make_replica(reached=between.reached) as slow, make_replica() as other:

        async def it_passes() -> None:
            world.advance(seconds=2)
            await other.start.run_once()
            assert ended(world) == ("starting", None)

        wanted_for_an_hour(world)
        world.advance(seconds=3599)
        between.meanwhile = it_passes
        await slow.start.run_once()
        assert ended(world) == ("link_ready", None)
        await slow.tick()
        await other.tick()
    assert ended(world) == ("link_ready", None)
    assert len(world.platform.truth().sessions) == 1


async def test_a_post_of_a_dead_replica_is_not_repeated_after_it(world: World, replica: Replica) -> None:
    wanted_for_an_hour(world, persona_id="persona-1")
    batch = await replica.tools.claims.posts("default", 1)
    assert len(batch.rows) == 1  # and its replica is never heard of again
    world.advance(hours=1)
    await replica.start.run_once()
    assert ended(world) == STOPPED
    (post,) = the_posts(world.database)
    assert (post["state"], post["repost_at"]) == ("lost", None)
    assert post["next_search_at"] is not None
    assert ("create_session", "201") not in world.platform.truth().answers


# --- a link is out ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("opens_after", "status"), [(7200, "link_ready"), (1800, "in_progress")])
async def test_a_link_that_is_out_runs_on_to_its_outcome(
    world: World, replica: Replica, opens_after: int, status: str
) -> None:
    wanted_for_an_hour(world, f"completed opens_after={opens_after} talks_for=3600 artifacts_after=0")
    await replica.start.run_once()
    world.advance(minutes=45)
    await look(world, replica)
    for _ in range(2):
        assert ended(world) == (status, None)
        world.advance(minutes=16)
        await replica.tick()
    world.advance(hours=3)
    await look(world, replica)
    world.advance(minutes=1)
    await replica.tick()
    assert ended(world) == ("completed", None)
    assert the_invite(world.database)["transcript_state"] == "stored"


@pytest.mark.parametrize(
    ("plan", "status"), [("never", "expired"), ("failed opens_after=1800 talks_for=3600|never", "failed")]
)
async def test_no_further_link_follows_one_that_dies_after_it(
    world: World, replica: Replica, plan: str, status: str
) -> None:
    wanted_for_an_hour(world, plan, max_links=2)
    await replica.start.run_once()
    world.advance(hours=2)
    await look(world, replica)
    if status == "expired":
        world.advance(days=7, hours=1)
        await look(world, replica)
    await replica.tick()
    assert ended(world)[0] == status
    assert len(the_posts(world.database)) == 1


# --- at its end ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["completed", "failed", "expired", "cancelled", "refused", "needs_review"])
async def test_an_invite_that_has_ended_or_waits_for_a_person_stays_as_it_is(
    world: World, replica: Replica, status: str
) -> None:
    invite_id = invite_at(world.database, status, stop_after=world.now + timedelta(hours=1))
    world.database.execute("update zenhire.interview_sessions set next_look_at = null, next_look_reason = null")
    before = invite(world.database, invite_id)
    world.advance(hours=1)
    await replica.start.run_once()
    assert invite(world.database, invite_id) == before
    shown = world.database.fetch("select code from zenhire.attention where what = 'invite'")
    assert [row["code"] for row in shown] == (["A_TEST"] if status == "needs_review" else [])


@pytest.mark.parametrize(
    ("status", "function"),
    [("refused", "retry_invite"), ("needs_review", "retry_invite"), ("cancelled", "new_link")],
)
async def test_an_operator_moves_it_first_and_then_the_invite_gets_its_link(
    world: World, replica: Replica, status: str, function: str
) -> None:
    invite_id = invite_at(world.database, status, stop_after=world.now + timedelta(hours=1))
    world.advance(hours=1)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="it wants no link after") as refused:
        call(world.database, function, invite_id, "once more")
    assert "Set its stop_after" in (refused.value.diag.message_hint or "")
    assert ended(world)[0] == status
    world.database.execute("update zenhire.candidate_invites set stop_after = stop_after + interval '1 hour'")
    call(world.database, function, invite_id, "once more")
    await replica.start.run_once()
    assert ended(world) == ("link_ready", None)


async def test_the_statement_in_attention_ends_an_invite_that_wants_no_link_any_more(world: World) -> None:
    invite_at(world.database, "needs_review", stop_after=world.now + timedelta(hours=1))
    shown = "select statement from zenhire.attention where what = 'invite'"
    assert "retry_invite" in world.database.fetch_value(shown)
    world.advance(hours=1)
    world.database.execute(world.database.fetch_value(shown))
    assert ended(world)[0] == "cancelled"
    assert world.database.fetch(shown) == []
