"""start: one live link for each invite, whatever happens to the answer, the replica or the account."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sandbox.model import KeySpec
from sandbox.profiles import built_in
from service.core.model import Policy
from service.core.observations import MintedWithoutLink
from service.core.starting import decide_post
from service.steps.body import Held
from tests.integration.steps.conftest import MakeReplica
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.replica import START, Replica, World, a_replica, kinds_of_events, statuses, the_invite, the_posts
from tests.support.waiting import eventually_async


def links_are_the_minted_ones(world: World) -> bool:
    """Whether each link in the table is the one that the vendor made for that session."""
    minted = world.platform.truth().session_of_link()
    rows = world.database.fetch(
        "select candidate_link, session_id from zenhire.candidate_invites where candidate_link is not null"
    )
    return all(minted[row["candidate_link"]] == row["session_id"] for row in rows)


def a_persona(world: World) -> str:
    """The id of a persona that the vendor has."""
    key = world.platform.keys[world.sandbox.key]
    return world.platform.create_persona(key, {"role_name": "Nurse", "language": "en"}).id


async def tick_once(replica: Replica, database: Database) -> None:
    """One tick of start that does not wait out the account's back-off."""
    ticking = asyncio.ensure_future(replica.start.run_once())
    await eventually_async(lambda: {post["state"] for post in the_posts(database)} == {"not_made"}, within=5)
    replica.tools.stopping.set()
    await ticking


async def test_waiting_invites_get_the_links_that_the_vendor_minted(world: World, replica: Replica) -> None:
    for _ in range(20):
        insert_invite(world.database)
    await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 20}
    assert links_are_the_minted_ones(world)
    assert len(world.platform.truth().sessions) == 20


async def test_what_the_ats_wrote_goes_to_the_vendor_with_the_two_marks(world: World, replica: Replica) -> None:
    invite_id = insert_invite(world.database, candidate_ref="ü" * 256, metadata={"job": 7, "vip": True}, tags=["a"])
    await replica.start.run_once()
    (session,) = world.platform.truth().sessions
    (post,) = the_posts(world.database)
    assert session.candidate_ref == "ü" * 256
    assert session.metadata == {
        "job": 7,
        "vip": True,
        "zenhire_sync_invite": f"{invite_id}/1",
        "zenhire_sync_post": str(post["post_id"]),
    }


async def test_replicas_at_the_same_moment_start_no_invite_twice(world: World, make_replica: MakeReplica) -> None:
    for _ in range(60):
        insert_invite(world.database)
    async with make_replica() as one, make_replica() as two, make_replica() as three:
        await asyncio.gather(one.start.run_once(), two.start.run_once(), three.start.run_once())
    assert statuses(world.database) == {"link_ready": 60}
    assert len(the_posts(world.database)) == 60
    assert len(world.platform.truth().sessions) == 60


async def test_replicas_at_the_same_moment_create_a_persona_once(world: World, make_replica: MakeReplica) -> None:
    for _ in range(6):
        insert_invite(world.database, role_name="Nurse", language="de")
    async with make_replica() as one, make_replica() as two, make_replica() as three:
        await asyncio.gather(one.start.run_once(), two.start.run_once(), three.start.run_once())
        await one.start.run_once()
    assert statuses(world.database) == {"link_ready": 6}
    assert world.platform.truth().answers[("create_persona", "201")] == 1


async def test_a_persona_that_fits_but_for_case_and_blanks_is_used(world: World, replica: Replica) -> None:
    key = world.platform.keys[world.sandbox.key]
    persona = world.platform.create_persona(key, {"role_name": " Night  nurse ".strip(), "language": "EN"})
    insert_invite(world.database, role_name="night  NURSE", language="en ")
    await replica.start.run_once()
    assert [post["persona_id"] for post in the_posts(world.database)] == [persona.id]


async def test_more_new_personas_in_a_day_than_allowed_wait_for_a_person(
    world: World, make_replica: MakeReplica
) -> None:
    for number in range(5):
        insert_invite(world.database, role_name=f"role {number}")
    async with make_replica(policy=Policy(personas_per_day=3)) as replica:
        await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 3, "pending": 2}
    codes = world.database.fetch("select error_code from zenhire.personas where error_code is not null")
    assert [row["error_code"] for row in codes] == ["TOO_MANY_NEW_PERSONAS"] * 2


async def test_a_lost_reply_is_posted_again_and_what_it_made_is_found_later(world: World, replica: Replica) -> None:
    world.sandbox.console.set_faults(["lost_after@create_session:#1"])
    insert_invite(world.database)
    await replica.start.run_once()
    assert statuses(world.database) == {"starting": 1}
    world.advance(seconds=5)
    await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 1}
    world.advance(seconds=60)
    await replica.settle.run_once()
    lost, published = the_posts(world.database)
    assert (lost["state"], published["state"]) == ("orphan", "published")
    assert {lost["session_id"], published["session_id"]} == set(world.platform.truth().by_id())
    assert links_are_the_minted_ones(world)
    assert max(world.platform.truth().most_links_at_once().values()) == 1


async def test_a_vendor_that_commits_late_leaves_an_orphan_on_record(world: World, replica: Replica) -> None:
    """A day after its reply was lost. One early search proves nothing: they go on until the link would be dead."""
    world.sandbox.console.set_faults([f"late_commit@create_session:#1:seconds={86_400}"])
    insert_invite(world.database, metadata={"sandbox_plan": "never"})
    await replica.start.run_once()
    world.advance(seconds=5)
    await replica.start.run_once()
    searches = 0
    while the_posts(world.database)[0]["state"] == "lost" and world.now < START + timedelta(days=7):
        world.advance(hours=6)
        await replica.settle.run_once()
        searches = the_posts(world.database)[0]["search_count"]
    lost, published = the_posts(world.database)
    assert (lost["state"], published["state"]) == ("orphan", "published")
    assert {lost["session_id"], published["session_id"]} == set(world.platform.truth().by_id())
    assert searches > 1
    assert world.database.fetch("select * from zenhire.attention where code = 'POSTS_NEVER_SETTLED'") == []


@pytest.mark.parametrize("fault", ["internal_error", "truncated", "not_json", "empty", "other_shape", "bad_gateway"])
async def test_an_unclear_answer_counts_as_lost_and_is_posted_again(world: World, replica: Replica, fault: str) -> None:
    world.sandbox.console.set_faults([f"{fault}@create_session:#1:after"])
    insert_invite(world.database)
    await replica.start.run_once()
    world.advance(seconds=5)
    await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 1}
    assert [post["state"] for post in the_posts(world.database)] == ["lost", "published"]


async def test_a_post_of_a_dead_replica_is_taken_over_when_its_lease_is_over(
    world: World, make_replica: MakeReplica
) -> None:
    insert_invite(world.database, persona_id=a_persona(world))
    async with make_replica() as dead, make_replica() as alive:
        await dead.tools.claims.posts("default", 1)  # and dies before it sends
        await alive.start.run_once()
        assert statuses(world.database) == {"starting": 1}
        world.advance(seconds=31)
        await alive.start.run_once()
        world.advance(seconds=5)
        await alive.start.run_once()
    assert statuses(world.database) == {"link_ready": 1}
    assert [post["state"] for post in the_posts(world.database)] == ["lost", "published"]


async def test_a_late_holder_publishes_nothing_and_its_session_is_on_record(
    world: World, make_replica: MakeReplica
) -> None:
    insert_invite(world.database, persona_id=a_persona(world))
    async with make_replica() as slow, make_replica() as quick:
        batch = await slow.tools.claims.posts("default", 1)
        late = await slow.start.ask_and_decide(slow.desks["default"], Held(claim=batch.rows[0], batch=batch))
        world.advance(seconds=31)
        await quick.start.run_once()
        world.advance(seconds=5)
        await quick.start.run_once()
        before = the_invite(world.database)
        written = await slow.tools.writer.write(late)
        assert (written.applied, written.why_not) == (False, "late_session_recorded")
        assert the_invite(world.database) == before
        await quick.settle.run_once()
    assert [post["state"] for post in the_posts(world.database)] == ["orphan", "published"]
    assert links_are_the_minted_ones(world)


async def test_a_commit_whose_answer_was_lost_is_recognised_as_its_own(world: World, replica: Replica) -> None:
    insert_invite(world.database, persona_id=a_persona(world))
    batch = await replica.tools.claims.posts("default", 1)
    decision = await replica.start.ask_and_decide(replica.desks["default"], Held(claim=batch.rows[0], batch=batch))
    await replica.tools.writer.write(decision)
    again = await replica.tools.writer.write(decision)
    assert (again.applied, again.why_not) == (True, "own_commit_found")
    assert [post["state"] for post in the_posts(world.database)] == ["published"]


async def test_a_link_for_an_invite_cancelled_in_the_meantime_becomes_an_orphan(world: World, replica: Replica) -> None:
    invite_id = insert_invite(world.database, persona_id=a_persona(world))
    batch = await replica.tools.claims.posts("default", 1)
    decision = await replica.start.ask_and_decide(replica.desks["default"], Held(claim=batch.rows[0], batch=batch))
    world.database.execute("select zenhire.cancel_invite(%s, 'position filled')", (invite_id,))
    await replica.tools.writer.write(decision)
    await replica.start.run_once()
    world.advance(minutes=1)
    await replica.settle.run_once()
    assert the_invite(world.database)["status"] == "cancelled"
    assert the_invite(world.database)["candidate_link"] is None
    assert [post["state"] for post in the_posts(world.database)] == ["orphan"]


async def test_too_many_lost_posts_ask_a_person_who_may_try_again(world: World, make_replica: MakeReplica) -> None:
    world.sandbox.console.set_faults(["lost_before@create_session:#1,#2,#3"])
    invite_id = insert_invite(world.database, persona_id=a_persona(world))
    async with make_replica(policy=Policy(posts_per_link=3)) as replica:
        for _ in range(4):
            await replica.start.run_once()
            world.advance(minutes=1)
        assert statuses(world.database) == {"needs_review": 1}
        assert the_invite(world.database)["error_code"] == "TOO_MANY_LOST_POSTS"
        world.database.execute("select zenhire.retry_invite(%s, 'the vendor is back')", (invite_id,))
        await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 1}
    assert the_invite(world.database)["link_number"] == 1


async def test_a_persona_that_does_not_exist_refuses_its_invite_with_the_vendors_code(
    world: World, replica: Replica
) -> None:
    insert_invite(world.database, persona_id="00000000-0000-4000-8000-000000000000")
    await replica.start.run_once()
    invite = the_invite(world.database)
    assert (invite["status"], invite["error_code"]) == ("refused", "NOT_FOUND")
    assert [post["state"] for post in the_posts(world.database)] == ["not_made"]


@pytest.mark.parametrize(
    ("trouble", "code", "mend"),
    [
        ({"state": "revoked"}, "INVALID_API_KEY", {"state": "active"}),
        ({"permitted": False}, "MISSING_PERMISSION", {"permitted": True}),
    ],
)
async def test_a_key_that_does_not_work_stops_its_account_until_it_works_again(
    world: World, replica: Replica, trouble: dict[str, Any], code: str, mend: dict[str, Any]
) -> None:
    for _ in range(3):
        insert_invite(world.database, persona_id=a_persona(world))
    world.sandbox.console.set_key(world.sandbox.key, **trouble)
    await replica.start.run_once()
    assert statuses(world.database) == {"pending": 3}
    account = world.database.fetch_one("select stop_code, stop_scope from zenhire.account_state")
    assert account == {"stop_code": code, "stop_scope": "everything"}
    world.sandbox.console.set_key(world.sandbox.key, **mend)
    world.advance(seconds=6)
    await replica.start.run_once()
    await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 3}
    assert world.database.fetch_value("select stop_code from zenhire.account_state") is None


async def test_without_credits_no_link_is_made_until_there_are_some(world: World, replica: Replica) -> None:
    insert_invite(world.database, persona_id=a_persona(world))
    world.sandbox.console.top_up(world.sandbox.key, -100_000)
    await replica.start.run_once()
    account = world.database.fetch_one("select stop_code, stop_scope from zenhire.account_state")
    assert account == {"stop_code": "INSUFFICIENT_CREDITS", "stop_scope": "starts"}
    world.sandbox.console.top_up(world.sandbox.key, 1000)
    world.advance(seconds=6)
    await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 1}


async def test_probes_of_a_stopped_account_grow_apart_and_one_replica_sends_each(
    world: World, make_replica: MakeReplica
) -> None:
    insert_invite(world.database, persona_id=a_persona(world))
    world.sandbox.console.set_key(world.sandbox.key, state="revoked")
    async with make_replica() as one, make_replica() as two:
        for _ in range(60):
            world.advance(seconds=10)
            await asyncio.gather(one.start.run_once(), two.start.run_once())
    refused = sum(count for (_, outcome), count in world.platform.truth().answers.items() if outcome.startswith("401"))
    assert 11 <= refused <= 14  # after 5, 10, 20 and 40 s, then every minute
    assert statuses(world.database) == {"pending": 1}


async def test_a_vendor_that_fails_everybody_stops_the_account_and_burns_no_invite(
    world: World, replica: Replica
) -> None:
    persona = a_persona(world)
    for _ in range(40):
        insert_invite(world.database, persona_id=persona)
    world.sandbox.console.set_faults(["internal_error@create_session:1.0"])
    for _ in range(30):
        await replica.start.run_once()
        world.advance(minutes=10)
    assert statuses(world.database) == {"pending": 40}
    assert world.database.fetch_value("select stop_code from zenhire.account_state") == "VENDOR_FAILING"
    counted = "select count(*) from zenhire.interview_sessions where counted and state = 'lost'"
    assert world.database.fetch_value(counted) == 0
    world.sandbox.console.set_faults([])
    await replica.start.run_once()
    await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 40}


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_retry_after_holds_the_whole_account_in_either_form(
    world: World, make_replica: MakeReplica, form: str
) -> None:
    world.sandbox.console.change_profile({"limits.retry_after": form})
    world.sandbox.console.set_faults(["rate_limited@create_session:#1:seconds=30"])
    insert_invite(world.database, persona_id=a_persona(world))
    async with make_replica() as one, make_replica() as two:
        await one.start.run_once()
        asked = world.platform.truth().answers
        assert statuses(world.database) == {"pending": 1}
        two.tools.stopping.set()
        await two.start.run_once()
        assert world.platform.truth().answers == asked
        held = "select paused_until - zenhire.clock() as rest from zenhire.request_budget"
        assert timedelta(seconds=28) < world.database.fetch_value(held) <= timedelta(seconds=31)
        world.advance(seconds=31)
        await one.start.run_once()
    assert statuses(world.database) == {"link_ready": 1}


async def test_an_unreachable_vendor_costs_no_invite_anything(world: World, make_replica: MakeReplica) -> None:
    persona = a_persona(world)
    for _ in range(3):
        insert_invite(world.database, persona_id=persona)
    async with a_replica(
        world.database.url, "http://127.0.0.1:9/api/v1/interview", keys={"default": world.sandbox.key}
    ) as lonely:
        await asyncio.wait_for(tick_once(lonely, world.database), 10)
    assert statuses(world.database) == {"pending": 3}
    assert {post["state"] for post in the_posts(world.database)} == {"not_made"}
    world.advance(minutes=2)
    shown = world.database.fetch_one("select code, why from zenhire.attention where what = 'account'")
    assert shown["code"] == "VENDOR_WAITS"
    assert "no connection came about" in shown["why"]
    async with make_replica() as replica:
        await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 3}


async def test_an_invite_whose_time_to_stop_has_come_is_cancelled_and_says_so(world: World, replica: Replica) -> None:
    insert_invite(world.database, stop_after=world.now + timedelta(hours=1), start_after=world.now)
    world.sandbox.console.set_faults(["lost_before@create_session:#1"])
    await replica.start.run_once()
    assert statuses(world.database) == {"starting": 1}
    world.advance(hours=1)
    await replica.start.run_once()
    invite = the_invite(world.database)
    assert (invite["status"], invite["error_code"]) == ("cancelled", "STOP_AFTER_PASSED")
    assert ("create_session", "201") not in world.platform.truth().answers


async def test_an_invite_waits_for_its_time_and_the_more_urgent_go_first(world: World, replica: Replica) -> None:
    persona = a_persona(world)
    later = insert_invite(world.database, persona_id=persona, start_after=world.now + timedelta(hours=1))
    plain = insert_invite(world.database, persona_id=persona, start_after=world.now)
    urgent = insert_invite(world.database, persona_id=persona, start_after=world.now, priority=5)
    batch = await replica.tools.claims.posts("default", 10)
    assert [claim.invite_id for claim in batch.rows] == [urgent, plain]
    world.advance(hours=1)
    batch = await replica.tools.claims.posts("default", 10)
    assert [claim.invite_id for claim in batch.rows] == [later]


async def test_an_account_without_a_key_waits_visibly(world: World, replica: Replica) -> None:
    insert_invite(world.database, account="other", persona_id="persona-1")
    await replica.tick()
    assert statuses(world.database) == {"pending": 1}
    shown = world.database.fetch("select what, account, why from zenhire.attention where account = 'other'")
    assert [row["what"] for row in shown] == ["account"]


async def test_a_table_that_fed_another_address_is_not_pointed_at_this_one_silently(
    world: World, make_replica: MakeReplica
) -> None:
    insert_invite(world.database, persona_id=a_persona(world))
    async with make_replica() as replica:
        await replica.start.run_once()
    insert_invite(world.database, persona_id=a_persona(world))
    async with a_replica(
        world.database.url, "http://localhost:9/api/v1/interview", keys={"default": world.sandbox.key}
    ) as elsewhere:
        await elsewhere.start.run_once()
    assert statuses(world.database) == {"link_ready": 1, "pending": 1}
    assert world.database.fetch_value("select stop_code from zenhire.account_state") == "BASE_URL_CHANGED"
    world.database.execute("select zenhire.resume_account('default', 'moved on purpose')")
    async with make_replica() as replica:
        await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 2}


async def test_every_change_of_status_has_its_event(world: World, replica: Replica) -> None:
    world.sandbox.console.set_faults(["lost_before@create_session:#2"])
    for _ in range(3):
        insert_invite(world.database)
    for _ in range(3):
        await replica.tick()
        world.advance(minutes=1)
    assert "link_published" in kinds_of_events(world.database)
    missing = """
        select i.id from zenhire.candidate_invites i
        where not exists (select from zenhire.invite_events e
                          where e.invite_id = i.id and e.to_status = i.status)
    """
    assert world.database.fetch(missing) == []


async def test_a_persona_on_a_later_page_is_found_and_not_made_again(world: World, replica: Replica) -> None:
    world.sandbox.console.change_profile({"listing.personas_paged": True, "listing.page_size_max": 20})
    key = world.platform.keys[world.sandbox.key]
    wanted = world.platform.create_persona(key, {"role_name": "Surgeon", "language": "en"})
    for number in range(50):
        world.platform.create_persona(key, {"role_name": f"role {number}", "language": "en"})
    insert_invite(world.database, role_name="surgeon")
    await replica.start.run_once()
    assert [post["persona_id"] for post in the_posts(world.database)] == [wanted.id]


@pytest.mark.parametrize("profile", ["likely", "bare", "speech", "deepmatch", "old"])
async def test_what_a_lost_post_left_behind_is_found_however_the_list_is_paged(
    world: World, replica: Replica, profile: str
) -> None:
    world.platform.profile = built_in(profile)
    world.sandbox.console.set_faults(["lost_after@create_session:#5,#50"])
    persona = a_persona(world)
    for _ in range(60):
        insert_invite(world.database, persona_id=persona, metadata={"sandbox_plan": "never"})
    for _ in range(4):
        await replica.start.run_once()
        world.advance(seconds=30)
    await replica.settle.run_once()
    strays = [post for post in the_posts(world.database) if post["state"] != "published"]
    assert len(strays) == 2
    if profile == "bare":  # only the newest rows can be seen: what was not found is searched for again
        assert all(post["state"] == "orphan" or post["next_search_at"] > world.now for post in strays)
    else:
        assert [post["state"] for post in strays] == ["orphan", "orphan"]


async def test_an_account_that_must_wait_or_is_busy_never_holds_up_another(
    world: World, make_replica: MakeReplica
) -> None:
    world.platform.add_key(KeySpec(value="zh_api_other", client="other"))
    world.sandbox.console.set_faults(["rate_limited@create_session:#1:seconds=3600"])
    async with make_replica(keys={"default": world.sandbox.key, "other": "zh_api_other"}) as replica:
        insert_invite(world.database, persona_id=a_persona(world))
        await replica.start.run_once()
        assert statuses(world.database) == {"pending": 1}
        other = world.platform.create_persona(world.platform.keys["zh_api_other"], {"role_name": "N", "language": "en"})
        insert_invite(world.database, account="other", persona_id=other.id)
        await asyncio.wait_for(replica.start.run_once(), 10)
    assert statuses(world.database) == {"pending": 1, "link_ready": 1}


async def test_a_row_that_the_ats_has_locked_holds_up_no_other(world: World, replica: Replica) -> None:
    locked = insert_invite(world.database, persona_id=a_persona(world))
    batch = await replica.tools.claims.posts("default", 1)
    slow = await replica.start.ask_and_decide(replica.desks["default"], Held(claim=batch.rows[0], batch=batch))
    with psycopg.connect(world.database.url) as ats:
        ats.execute("update zenhire.candidate_invites set priority = 1 where id = %s", [locked])
        writing = asyncio.ensure_future(replica.tools.writer.write(slow))
        insert_invite(world.database, persona_id=a_persona(world))
        await asyncio.wait_for(replica.start.run_once(), 3)
        assert statuses(world.database) == {"starting": 1, "link_ready": 1}
    assert (await asyncio.wait_for(writing, 5)).applied
    assert statuses(world.database) == {"link_ready": 2}


async def test_sessions_without_links_are_not_made_for_ever(world: World, make_replica: MakeReplica) -> None:
    insert_invite(world.database, persona_id=a_persona(world))
    async with make_replica(policy=Policy(posts_per_link=3)) as replica:
        for number in range(3):
            batch = await replica.tools.claims.posts("default", 1)
            made = MintedWithoutLink(session_id=f"session-{number}")
            now, policy = batch.now(), replica.tools.policy
            await replica.tools.writer.write(decide_post(batch.rows[0], made, now=now, policy=policy, jitter=0.5))
            world.advance(minutes=1)
    assert (the_invite(world.database)["status"], the_invite(world.database)["error_code"]) == (
        "needs_review",
        "NO_LINK",
    )
    assert [post["state"] for post in the_posts(world.database)] == ["orphan"] * 3


async def test_a_persona_that_is_gone_at_the_vendor_is_made_again_for_the_next_invite(
    world: World, replica: Replica
) -> None:
    first = insert_invite(world.database, role_name="Nurse")
    await replica.start.run_once()
    world.sandbox.console.delete_persona(the_posts(world.database)[0]["persona_id"])
    second = insert_invite(world.database, role_name="Nurse")
    await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 1, "refused": 1}
    world.database.execute("select zenhire.retry_invite(%s, 'the persona is back')", (second,))
    await replica.start.run_once()
    assert statuses(world.database) == {"link_ready": 2}
    assert first != second


async def test_an_erased_candidate_does_not_come_back_with_what_a_search_finds(world: World, replica: Replica) -> None:
    world.sandbox.console.set_faults(["lost_after@create_session:#1"])
    insert_invite(world.database, persona_id=a_persona(world), candidate_ref="Jane", metadata={"who": "Jane"})
    await replica.start.run_once()
    world.database.execute("select zenhire.erase_candidate('default', 'Jane', 'asked for it')")
    for _ in range(3):
        world.advance(minutes=2)
        await replica.tick()
    (post,) = the_posts(world.database)
    assert (post["state"], post["vendor_object"]) == ("orphan", None)
    told = world.database.fetch("select reason, details from zenhire.invite_events where invite_id is not null")
    assert "Jane" not in str(told)


async def test_a_stop_that_looks_prove_too_wide_closes_only_the_starts(world: World, replica: Replica) -> None:
    insert_invite(world.database, persona_id=a_persona(world), metadata={"sandbox_plan": "never"})
    await replica.tick()
    world.database.execute(
        "update zenhire.account_state set stop_code = 'MISSING_PERMISSION', stop_scope = 'everything',"
        " stop_lane = 'start', stopped_at = zenhire.clock(), probe_at = zenhire.clock(), probe_seconds = 5"
    )
    world.advance(minutes=2)
    await replica.watch.run_once()
    account = world.database.fetch_one("select stop_code, stop_scope from zenhire.account_state")
    assert account == {"stop_code": "MISSING_PERMISSION", "stop_scope": "starts"}
