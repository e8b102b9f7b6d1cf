"""running: one list shows all interviews that run; requests follow from what begins and ends, not from what is open."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.profiles import built_in
from service.core import cadence
from service.steps.beats import Beat
from tests.integration.steps.conftest import Between, MakeReplica
from tests.support.database import Row
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, kinds_of_events, statuses, the_invite, the_posts

COMES = {"sandbox_plan": "completed opens_after=60 talks_for=120"}
NEVER = {"sandbox_plan": "never"}


async def let_pass(world: World, replica: Replica, *, steps: int, **by: float) -> None:
    """Let time pass in steps, with a list of what runs after each."""
    for _ in range(steps):
        world.advance(**by)
        await replica.list_and_tick()


async def a_list_that_is_honoured(world: World, replica: Replica, **over: Any) -> None:
    """One invite with its link, and a list that is known to honour the status."""
    insert_invite(world.database, **({"metadata": COMES} | over))
    await replica.tick()
    await let_pass(world, replica, steps=2, seconds=10)
    assert list_state(world)["status_filter"] == "honoured"


def list_state(world: World) -> Row:
    return world.database.fetch_one("select * from zenhire.list_state")


def seconds_to_the_end(world: World) -> float:
    """Of the interview that runs."""
    (session,) = world.platform.truth().sessions
    assert session.started_at is not None
    return (session.started_at + timedelta(seconds=120) - world.now).total_seconds()


async def test_the_list_tells_when_an_interview_begins_and_one_look_when_it_has_ended(
    world: World, replica: Replica
) -> None:
    await a_list_that_is_honoured(world, replica)
    looks_before = the_posts(world.database)[0]["look_count"]
    await let_pass(world, replica, steps=6, seconds=10)
    assert statuses(world.database) == {"in_progress": 1}
    post = the_posts(world.database)[0]
    assert (post["vendor_status"], post["look_count"]) == ("active", looks_before)
    await let_pass(world, replica, steps=21, seconds=10)
    invite = the_invite(world.database)
    (session,) = world.platform.truth().sessions
    assert (invite["status"], invite["interview_completed_at"]) == ("completed", session.ended_at)
    assert invite["interview_started_at"] == session.started_at
    assert the_posts(world.database)[0]["look_count"] == looks_before + 1
    events = kinds_of_events(world.database)
    assert events[-3:] == ["interview_started", "interview_completed", "transcript_stored"]


async def test_the_end_is_known_with_the_next_list(world: World, replica: Replica) -> None:
    await a_list_that_is_honoured(world, replica)
    await let_pass(world, replica, steps=6, seconds=10)
    assert statuses(world.database) == {"in_progress": 1}
    await let_pass(world, replica, steps=1, seconds=seconds_to_the_end(world) - 1)
    assert statuses(world.database) == {"in_progress": 1}
    await let_pass(world, replica, steps=1, seconds=10)
    assert statuses(world.database) == {"completed": 1}


async def test_candidates_who_probably_wait_at_the_door_stand_in_attention_until_there_is_room(
    world: World, replica: Replica
) -> None:
    stays = {"sandbox_plan": "completed opens_after=60 talks_for=900"}
    for _ in range(9):
        insert_invite(world.database, metadata=stays)
    await a_list_that_is_honoured(world, replica, metadata=stays)
    await let_pass(world, replica, steps=6, seconds=10)
    assert world.platform.counts()["waiting_at_the_door"] == 2
    assert statuses(world.database) == {"in_progress": 8, "link_ready": 2}
    door = "select why, invite_id, statement from zenhire.attention where code = 'DOOR'"
    assert world.database.fetch(door) == []
    await let_pass(world, replica, steps=31, seconds=10)
    row = world.database.fetch_one(door)
    assert "8 interviews have run at once since" in row["why"]
    await let_pass(world, replica, steps=10, seconds=60)
    assert statuses(world.database) == {"completed": 8, "in_progress": 2}
    assert world.database.fetch(door) == []
    assert list_state(world)["peak"] == 8


async def test_the_credits_are_asked_for_every_hour_and_set_against_the_links(world: World, replica: Replica) -> None:
    await a_list_that_is_honoured(world, replica)
    balance = world.platform.profile.credits.balance
    credits_now = "select credits_left, credits_promised from zenhire.capacity"
    assert world.database.fetch_one(credits_now) == {"credits_left": balance, "credits_promised": None}
    await let_pass(world, replica, steps=30, seconds=10)
    charged = the_invite(world.database)["credits_charged"]
    for _ in range(3):
        insert_invite(world.database, metadata=NEVER)
    await replica.tick()
    await let_pass(world, replica, steps=2, minutes=30)
    assert charged > 0
    assert world.database.fetch_one(credits_now) == {"credits_left": balance - charged, "credits_promised": 3 * charged}
    asked = [count for (name, _), count in world.platform.answers.items() if name == "credits"]
    assert sum(asked) == 2


@pytest.mark.parametrize("fault", ["internal_error", "lost_after", "not_json", "other_shape", "rate_limited"])
async def test_an_account_whose_credits_cannot_be_had_works_without_them(
    world: World, replica: Replica, fault: str
) -> None:
    world.sandbox.console.set_faults([f"{fault}@credits:1"])
    await a_list_that_is_honoured(world, replica)
    state = "select credits_left, credits_asked_at is not null as asked, stop_code from zenhire.account_state"
    assert world.database.fetch_one(state) == {"credits_left": None, "asked": True, "stop_code": None}
    slowed = world.database.fetch_value("select slowed_at is not null from zenhire.account_state")
    assert slowed == (fault == "rate_limited")


async def test_the_net_beneath_the_list_grows_wider_with_what_is_open(
    world: World, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_list_that_is_honoured(world, replica, metadata=NEVER)
    every = "select look_every from zenhire.capacity"
    assert world.database.fetch_value(every) == timedelta(hours=84)
    world.database.execute("""
        insert into zenhire.interview_sessions (account, invite_id, link_number, post_number, state, current,
            session_id, link_expires_at, vendor_status, next_look_at, next_look_reason)
        select account, id, 1, n, 'orphan', false, 's' || n, '2100-01-01', 'initiated', '2099-01-01', 'a test'
        from zenhire.candidate_invites, generate_series(2, 400) n""")
    per_minute = world.database.fetch_value("select zenhire.limit_of('default')")
    monkeypatch.setattr(cadence, "NET_OF_LOOKS", 1 / (20 * per_minute))
    await let_pass(world, replica, steps=2, hours=1)
    assert world.database.fetch_value(every) == timedelta(minutes=400 * 20)


@pytest.mark.long
async def test_a_link_made_while_the_list_is_relied_on_is_not_looked_at_for_days(
    world: World, replica: Replica
) -> None:
    await a_list_that_is_honoured(world, replica, metadata=NEVER)
    late = insert_invite(world.database, metadata=NEVER, candidate_ref="later")
    await replica.tick()
    await let_pass(world, replica, steps=6, hours=12)
    (post,) = [post for post in the_posts(world.database) if post["invite_id"] == late]
    assert (post["look_count"], post["next_look_reason"]) == (0, "the list of running interviews tells when it begins")
    await let_pass(world, replica, steps=9, hours=12)
    assert statuses(world.database) == {"expired": 2}
    (post,) = [post for post in the_posts(world.database) if post["invite_id"] == late]
    assert post["look_count"] <= 3


async def test_what_begins_and_ends_between_two_lists_is_found_on_the_list_of_what_has_ended(
    world: World, replica: Replica
) -> None:
    await a_list_that_is_honoured(world, replica)
    insert_invite(world.database, metadata={"sandbox_plan": "failed opens_after=90 talks_for=60"}, candidate_ref="b")
    await replica.tick()
    world.advance(hours=1)  # nobody was there: both have begun and ended
    await replica.list_and_tick()
    await let_pass(world, replica, steps=2, seconds=10)
    assert statuses(world.database) == {"completed": 1, "failed": 1}
    walks = world.database.fetch("select walk, ended_because, urgent from zenhire.sweeps order by walk")
    assert {walk["walk"] for walk in walks} == {"all", "completed", "failed"}
    assert not any(walk["urgent"] for walk in walks)


async def test_a_long_walk_through_the_whole_list_does_not_hold_up_the_one_through_what_has_ended(
    world: World, replica: Replica
) -> None:
    world.sandbox.console.change_profile({"listing.page_size_max": 1, "listing.page_size": 1})
    for _ in range(40):
        insert_invite(world.database, metadata=NEVER)
    await a_list_that_is_honoured(world, replica, metadata=NEVER)
    world.database.execute("update zenhire.sweeps set next_at = zenhire.clock() where walk = 'all'")
    insert_invite(world.database, metadata={"sandbox_plan": "completed opens_after=11 talks_for=5"})
    await replica.tick()
    await let_pass(world, replica, steps=14, seconds=10)
    walking = "select position is not null from zenhire.sweeps where walk = 'all'"
    assert world.database.fetch_value(walking) is True
    assert statuses(world.database) == {"link_ready": 41, "completed": 1}


@pytest.mark.long
@pytest.mark.parametrize(
    ("profile", "verdict"),
    [
        ("likely", "honoured"),
        ("speech", "honoured"),
        ("deepmatch", "honoured"),
        ("old", "honoured"),
        ("bare", "ignored"),
    ],
)
async def test_every_kind_of_list_is_seen_for_what_it_is_and_the_outcome_arrives(
    world: World, make_replica: MakeReplica, profile: str, verdict: str
) -> None:
    world.platform.profile = built_in(profile)
    async with make_replica() as replica:
        insert_invite(world.database, metadata=COMES)
        await replica.tick()
        await let_pass(world, replica, steps=22, seconds=10)
    assert list_state(world)["status_filter"] == verdict
    assert statuses(world.database) == {"completed": 1}


async def test_a_filter_that_is_an_error_is_refused_and_each_session_is_looked_at(
    world: World, replica: Replica
) -> None:
    world.sandbox.console.change_profile({"listing.filters": "candidate_ref", "listing.unknown_parameters": "reject"})
    insert_invite(world.database, metadata=COMES)
    await replica.tick()
    await let_pass(world, replica, steps=22, seconds=10)
    state = list_state(world)
    assert (state["status_filter"], state["evidence"]["status"]["active"]) == ("refused", "refused")
    assert statuses(world.database) == {"completed": 1}


@pytest.mark.long
async def test_many_running_interviews_fill_many_pages_and_none_is_taken_for_ended(
    world: World, replica: Replica
) -> None:
    world.sandbox.console.change_profile({"listing.page_size_max": 7, "limits.concurrency": 100})
    world.database.execute(
        "insert into zenhire.candidate_invites (candidate_ref, persona_id, consent_mode, metadata)"
        " select 'c' || n, %s, 'explicit', '{\"sandbox_plan\": \"completed opens_after=30 talks_for=3600\"}'"
        " from generate_series(1, 30) n",
        (the_persona(world),),
    )
    for _ in range(3):
        await replica.tick()
    await let_pass(world, replica, steps=20, seconds=10)
    assert statuses(world.database) == {"in_progress": 30}
    looks = world.database.fetch_one("select max(look_count) as most from zenhire.interview_sessions")["most"]
    assert list_state(world)["running"] == 30
    assert looks <= 2


def the_persona(world: World) -> str:
    key = next(iter(world.platform.keys.values()))
    return str(world.platform.create_persona(key, {"role_name": "Pilot", "language": "de"}).id)


@pytest.mark.long
async def test_a_list_that_hides_what_runs_is_not_believed_for_long(world: World, replica: Replica) -> None:
    long_talk = {"sandbox_plan": "completed opens_after=30 talks_for=600"}
    await a_list_that_is_honoured(world, replica, metadata=long_talk)
    insert_invite(world.database, metadata=long_talk, candidate_ref="b")
    await replica.tick()
    await let_pass(world, replica, steps=5, seconds=10)
    assert statuses(world.database) == {"in_progress": 2}
    world.sandbox.console.change_profile({"listing.page_size_max": 1, "listing.paging": "none", "listing.page_size": 1})
    for _ in range(12):
        world.advance(seconds=20)
        await replica.tick()
        # the clock stands while steps run, and what counts is a look before the list
        await let_pass(world, replica, steps=1, seconds=1)
    state = list_state(world)
    assert (state["status_filter"], state["relied_on"]) == ("distrusted", False)
    assert statuses(world.database) == {"in_progress": 2}
    assert "list_judged" in kinds_of_events(world.database)
    await let_pass(world, replica, steps=60, seconds=10)
    assert statuses(world.database) == {"completed": 2}


async def test_a_list_that_begins_to_show_anything_is_no_longer_relied_on(world: World, replica: Replica) -> None:
    await a_list_that_is_honoured(world, replica)
    assert the_posts(world.database)[0]["next_look_at"] is not None
    world.sandbox.console.change_profile({"listing.filters": "candidate_ref"})
    await let_pass(world, replica, steps=3, seconds=10)
    state = list_state(world)
    assert (state["status_filter"], state["relied_on"]) == ("ignored", False)
    waits = the_posts(world.database)[0]["next_look_at"] - world.now
    assert waits.total_seconds() <= 600
    await let_pass(world, replica, steps=14, minutes=1)
    assert statuses(world.database) == {"completed": 1}


async def test_links_made_between_the_verdict_and_the_first_list_are_remembered_as_relying_on_it(
    world: World, replica: Replica
) -> None:
    insert_invite(world.database, metadata=NEVER)
    await replica.tick()
    await replica.running.run_once()
    assert (list_state(world)["listed_at"], list_state(world)["relied_on"]) == (None, True)
    insert_invite(world.database, metadata=NEVER, candidate_ref="between")
    await replica.tick()
    world.sandbox.console.change_profile({"listing.filters": "candidate_ref"})
    await let_pass(world, replica, steps=3, seconds=10)
    assert (list_state(world)["status_filter"], list_state(world)["listed_at"]) == ("ignored", None)
    waits = [(post["next_look_at"] - world.now).total_seconds() for post in the_posts(world.database)]
    assert max(waits) <= 600


async def test_whoever_brings_looks_forward_holds_nobody_up(world: World, replica: Replica) -> None:
    await a_list_that_is_honoured(world, replica)
    world.sandbox.console.change_profile({"listing.filters": "candidate_ref"})
    await let_pass(world, replica, steps=3, seconds=10)
    assert not list_state(world)["relied_on"]
    assert (
        world.database.fetch("select from zenhire.leases where name like 'running:%' and until > zenhire.clock()") == []
    )


@pytest.mark.long
async def test_where_no_list_comes_what_runs_is_looked_at(world: World, replica: Replica) -> None:
    await a_list_that_is_honoured(world, replica)
    insert_invite(world.database, metadata=NEVER, candidate_ref="waits")
    await replica.tick()
    await let_pass(world, replica, steps=6, seconds=10)
    assert statuses(world.database) == {"in_progress": 1, "link_ready": 1}
    world.sandbox.console.change_profile({"faults.rules": "internal_error@list_sessions:1"})
    await let_pass(world, replica, steps=20, seconds=10)
    assert statuses(world.database) == {"completed": 1, "link_ready": 1}
    await let_pass(world, replica, steps=20, seconds=10)
    assert list_state(world)["status_filter"] == "distrusted"


@pytest.mark.long
async def test_an_outage_of_the_vendor_says_nothing_of_the_list(world: World, replica: Replica) -> None:
    await a_list_that_is_honoured(world, replica)
    world.sandbox.console.change_profile(
        {"faults.rules": "internal_error@list_sessions:1 internal_error@get_session:1"}
    )
    await let_pass(world, replica, steps=60, seconds=10)
    state = list_state(world)
    assert (state["status_filter"], state["relied_on"]) == ("honoured", True)
    world.sandbox.console.change_profile({"faults.rules": ""})
    await let_pass(world, replica, steps=100, seconds=10)
    assert statuses(world.database) == {"completed": 1}


async def test_only_one_replica_lists_and_one_that_was_overtaken_writes_nothing(
    world: World, make_replica: MakeReplica
) -> None:
    between = Between("running", Beat.ANSWERED)
    async with make_replica(reached=between.reached) as slow, make_replica() as fast:
        await a_list_that_is_honoured(world, fast)
        await let_pass(world, fast, steps=6, seconds=10)
        assert statuses(world.database) == {"in_progress": 1}
        between.meanwhile = _overtake(world, fast)
        world.advance(seconds=seconds_to_the_end(world))
        await slow.running.run_once()
        term = world.database.fetch_one("select term from zenhire.leases where name = 'running:default'")["term"]
        await let_pass(world, fast, steps=4, seconds=10)
    assert term > 1
    assert statuses(world.database) == {"completed": 1}
    assert kinds_of_events(world.database).count("interview_completed") == 1


def _overtake(world: World, other: Replica) -> Callable[[], Awaitable[None]]:
    async def overtake() -> None:
        world.advance(seconds=16)  # the lease of a list is over
        await other.running.run_once()
        await other.watch.run_once()

    return overtake
