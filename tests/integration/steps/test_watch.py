"""watch and collect: what the vendor shows becomes the invite's outcome, once, and never a step too far."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from service.core.model import Policy
from service.steps.body import Held
from tests.integration.steps.conftest import MakeReplica
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, kinds_of_events, statuses, the_invite, the_posts

A_WEEK = {"days": 7, "hours": 1, "minutes": 1}


async def let_pass(world: World, replica: Replica, *, steps: int, **by: float) -> None:
    """Let time pass in steps, with a tick of everything after each."""
    for _ in range(steps):
        world.advance(**by)
        await replica.tick()


async def test_an_interview_is_followed_from_the_link_to_its_outcome(world: World, replica: Replica) -> None:
    insert_invite(
        world.database, candidate_ref="anna", metadata={"sandbox_plan": "completed opens_after=600 talks_for=900"}
    )
    await replica.tick()
    await let_pass(world, replica, steps=12, minutes=1)
    assert statuses(world.database) == {"in_progress": 1}
    await let_pass(world, replica, steps=20, minutes=1)
    invite = the_invite(world.database)
    (session,) = world.platform.truth().sessions
    assert invite["status"] == "completed"
    assert invite["interview_started_at"] == session.started_at
    assert invite["interview_completed_at"] == session.ended_at
    assert invite["duration_seconds"] == 900
    assert invite["credits_charged"] == session.credit_charged == 15
    assert invite["transcript_state"] == "stored"
    events = kinds_of_events(world.database)
    assert events[-4:] == ["link_published", "interview_started", "interview_completed", "transcript_stored"]


@pytest.mark.parametrize(("plan", "code"), [("failed", "INTERVIEW_FAILED"), ("timed_out", "SESSION_TIMEOUT")])
async def test_an_interview_without_result_fails_its_invite(
    world: World, replica: Replica, plan: str, code: str
) -> None:
    world.sandbox.console.change_profile({"shapes.timeout_shown": "error_code"})
    insert_invite(world.database, metadata={"sandbox_plan": f"{plan} opens_after=60 talks_for=600"})
    await replica.tick()
    await let_pass(world, replica, steps=30, minutes=5)
    invite = the_invite(world.database)
    assert (invite["status"], invite["error_code"]) == ("failed", code)
    assert invite["transcript_state"] == "none"


async def test_a_link_that_nobody_uses_expires_after_the_grace_and_not_before(world: World, replica: Replica) -> None:
    insert_invite(world.database, metadata={"sandbox_plan": "never"})
    await replica.tick()
    expires_at = the_invite(world.database)["link_expires_at"]
    world.advance(seconds=(expires_at - world.now).total_seconds() + 3590)
    await replica.tick()
    assert statuses(world.database) == {"link_ready": 1}
    await let_pass(world, replica, steps=3, minutes=6)
    assert statuses(world.database) == {"expired": 1}
    assert the_posts(world.database)[0]["next_look_at"] is None


async def test_a_second_link_follows_when_the_first_is_dead(world: World, replica: Replica) -> None:
    insert_invite(
        world.database, max_links=2, metadata={"sandbox_plan": "never|completed opens_after=60 talks_for=600"}
    )
    await replica.tick()
    first = the_invite(world.database)["candidate_link"]
    world.advance(seconds=5)
    world.database.execute("update zenhire.candidate_invites set link_sent_at = zenhire.clock()")
    waiting_on = "select waiting_on from zenhire.candidate_interviews"
    assert world.database.fetch_value(waiting_on) == "candidate"
    world.advance(**A_WEEK)
    await replica.tick()
    assert statuses(world.database) == {"pending": 1}
    await replica.tick()
    second = the_invite(world.database)
    assert (second["status"], second["link_number"]) == ("link_ready", 2)
    assert second["candidate_link"] != first
    assert world.database.fetch_value(waiting_on) == "ats"  # the mark was for the first link
    await let_pass(world, replica, steps=30, minutes=5)
    assert statuses(world.database) == {"completed": 1}
    assert max(world.platform.truth().most_links_at_once().values()) == 1


async def test_a_candidate_who_waits_at_the_door_when_the_link_dies_gets_in_and_no_second_link(
    world: World, replica: Replica
) -> None:
    world.sandbox.console.change_profile({"limits.concurrency": 1})
    insert_invite(world.database, metadata={"sandbox_plan": "completed opens_after=604000 talks_for=3000"})
    insert_invite(world.database, max_links=2, metadata={"sandbox_plan": "completed opens_after=604200 talks_for=600"})
    await replica.tick()
    world.advance(days=6, hours=23)
    await replica.tick()
    await let_pass(world, replica, steps=40, minutes=5)
    assert statuses(world.database) == {"completed": 2}
    assert len(world.platform.truth().sessions) == 2


async def test_an_act_in_the_middle_of_a_look_wins(world: World, replica: Replica) -> None:
    invite_id = insert_invite(world.database, metadata={"sandbox_plan": "completed opens_after=1 talks_for=60"})
    await replica.tick()
    world.advance(minutes=10)
    batch = await replica.tools.claims.looks("default", 1)
    decision = await replica.watch.ask_and_decide(replica.desks["default"], Held(claim=batch.rows[0], batch=batch))
    world.database.execute("select zenhire.cancel_invite(%s, 'withdrawn')", (invite_id,))
    written = await replica.tools.writer.write(decision)
    assert (written.applied, written.why_not) == (False, "lease_passed")
    assert statuses(world.database) == {"cancelled": 1}
    await let_pass(world, replica, steps=2, minutes=1)
    (post,) = the_posts(world.database)
    assert (post["vendor_status"], statuses(world.database)) == ("completed", {"cancelled": 1})


async def test_two_replicas_never_look_at_the_same_session_at_once(world: World, make_replica: MakeReplica) -> None:
    for _ in range(30):
        insert_invite(world.database, metadata={"sandbox_plan": "never"})
    async with make_replica() as one, make_replica() as two:
        await one.start.run_once()
        world.advance(minutes=2)
        await asyncio.gather(one.watch.run_once(), two.watch.run_once())
    assert {post["look_count"] for post in the_posts(world.database)} == {1}


async def test_a_look_that_tells_nothing_leaves_everything_as_it_is(world: World, replica: Replica) -> None:
    insert_invite(world.database, metadata={"sandbox_plan": "never"})
    await replica.tick()
    world.sandbox.console.set_faults(["any@get_session:1.0"])
    await let_pass(world, replica, steps=10, minutes=5)
    assert statuses(world.database) == {"link_ready": 1}
    world.sandbox.console.set_faults([])
    world.advance(**A_WEEK)
    await let_pass(world, replica, steps=3, minutes=10)
    assert statuses(world.database) == {"expired": 1}


async def test_a_session_that_the_vendor_does_not_know_stands_in_attention_and_nothing_is_final(
    world: World, replica: Replica
) -> None:
    insert_invite(world.database, metadata={"sandbox_plan": "never"})
    await replica.tick()
    world.database.execute(
        "update zenhire.interview_sessions set session_id = 'not-at-the-vendor', next_look_at = zenhire.clock()"
    )
    await let_pass(world, replica, steps=12, hours=1)
    assert statuses(world.database) == {"link_ready": 1}
    post = world.database.fetch_one("select * from zenhire.interview_sessions where current")
    assert post["last_look"] == "missing"
    assert world.database.fetch("select 1 from zenhire.attention where what = 'session'")


async def test_a_key_of_another_client_stops_the_account_for_a_person(world: World, replica: Replica) -> None:
    insert_invite(world.database, metadata={"sandbox_plan": "never"})
    await replica.tick()
    world.database.execute("update zenhire.account_state set client_id = 'somebody-else'")
    await let_pass(world, replica, steps=2, minutes=2)
    account = world.database.fetch_one("select stop_code, needs_person from zenhire.account_state")
    assert account == {"stop_code": "CLIENT_CHANGED", "needs_person": True}
    world.database.execute("select zenhire.resume_account('default', 'the client was renamed')")
    await let_pass(world, replica, steps=2, minutes=10)
    assert world.database.fetch_value("select stop_code from zenhire.account_state") is None


async def test_a_survey_that_comes_later_is_added_to_the_outcome(world: World, replica: Replica) -> None:
    world.sandbox.console.change_profile({"candidates.feedback": 1.0, "candidates.feedback_late": 1.0})
    world.sandbox.console.change_profile({"candidates.feedback_late_seconds": 1800.0})
    insert_invite(world.database, metadata={"sandbox_plan": "completed opens_after=60 talks_for=300"})
    await replica.tick()
    await let_pass(world, replica, steps=10, minutes=1)
    assert the_invite(world.database)["candidate_survey_rating"] is None
    await let_pass(world, replica, steps=3, minutes=30)
    assert the_invite(world.database)["candidate_survey_rating"] in range(1, 6)
    assert kinds_of_events(world.database)[-1] == "survey_arrived"


@pytest.mark.parametrize("status", [404, 409, 425, 503])
async def test_a_transcript_that_is_not_ready_is_waited_for_at_whatever_status(
    world: World, replica: Replica, status: int
) -> None:
    world.sandbox.console.change_profile(
        {"errors.not_ready_status": status, "candidates.artifacts_after_seconds": 600.0}
    )
    insert_invite(world.database, metadata={"sandbox_plan": "completed opens_after=60 talks_for=300"})
    await replica.tick()
    await let_pass(world, replica, steps=9, minutes=1)
    assert the_invite(world.database)["transcript_state"] == "waiting"
    (post,) = the_posts(world.database)
    assert (post["collect_failures"], post["last_collect"]) == (0, "not_ready")
    await let_pass(world, replica, steps=6, minutes=5)
    assert the_invite(world.database)["transcript_state"] == "stored"


@pytest.mark.parametrize("text", ["plain", "emoji", "nul", "surrogate"])
async def test_a_transcript_is_kept_whole_whatever_is_in_it(world: World, replica: Replica, text: str) -> None:
    world.sandbox.console.change_profile({"shapes.transcript_text": text, "shapes.transcript": "array"})
    insert_invite(world.database, metadata={"sandbox_plan": "completed opens_after=60 talks_for=300"})
    await replica.tick()
    await let_pass(world, replica, steps=10, minutes=1)
    key, (session,) = world.platform.keys[world.sandbox.key], world.platform.truth().sessions
    sent = world.platform.get_transcript(key, session.id)
    kept = world.database.fetch_one("select document, body, byte_count, sha256 from zenhire.transcripts")
    assert kept["byte_count"] == len(sent)
    assert isinstance(kept["document"], list)
    if text in {"nul", "surrogate"}:
        assert bytes(kept["body"]) == sent
    else:
        assert kept["body"] is None
        assert kept["document"] == json.loads(sent)


async def test_without_transcripts_none_is_asked_for(world: World, make_replica: MakeReplica) -> None:
    insert_invite(world.database, metadata={"sandbox_plan": "completed opens_after=60 talks_for=300"})
    async with make_replica(policy=Policy(transcripts=False)) as replica:
        await replica.tick()
        await let_pass(world, replica, steps=10, minutes=1)
    assert the_invite(world.database)["transcript_state"] == "none"
    assert not [endpoint for endpoint, _ in world.platform.truth().answers if endpoint == "get_transcript"]


async def test_the_reason_for_the_next_look_stands_on_the_row(world: World, replica: Replica) -> None:
    insert_invite(world.database, metadata={"sandbox_plan": "never"})
    await replica.tick()
    await let_pass(world, replica, steps=2, minutes=2)
    (post,) = the_posts(world.database)
    assert post["next_look_reason"] == "the link is new"
    assert timedelta(seconds=40) < post["next_look_at"] - world.now <= timedelta(seconds=60)


@pytest.mark.parametrize("profile", [{"shapes.session_id_field": "session_id"}, {"shapes.empty_collections": "empty"}])
async def test_the_main_job_is_done_on_either_side_of_an_unknown(
    world: World, replica: Replica, profile: dict[str, Any]
) -> None:
    world.sandbox.console.change_profile(profile)
    insert_invite(world.database, metadata={"sandbox_plan": "completed opens_after=60 talks_for=300"})
    await replica.tick()
    await let_pass(world, replica, steps=10, minutes=1)
    assert the_invite(world.database)["transcript_state"] == "stored"
