"""sweep: the vendor's list shows what no look can, and what follows is one look, one search, one row; never twice."""

from typing import Any

import psycopg
import pytest

from sandbox.model import Session
from service.steps.beats import Beat
from tests.integration.steps.conftest import MakeReplica
from tests.support.database import Row
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, kinds_of_events, statuses, the_invite, the_posts
from tests.support.waiting import eventually_async

FAILS = {"sandbox_plan": "failed opens_after=60 talks_for=600"}
COMES = "completed opens_after=600 talks_for=900"
NEVER = "never"


@pytest.fixture(autouse=True)
def _the_console_makes_new_sessions(world: World) -> None:
    world.sandbox.console.change_profile({"limits.reinvite": "new", "listing.playground_rows": True})


async def let_pass(world: World, replica: Replica, *, steps: int, **by: float) -> None:
    for _ in range(steps):
        world.advance(**by)
        await replica.tick()


async def start_all(world: World, replica: Replica) -> None:
    """A link for every invite: what a busy machine could not send in time is given back, and sent by the next tick."""

    async def started() -> bool:
        await replica.start.run_once()
        return "pending" not in statuses(world.database)

    await eventually_async(started, within=20)


async def sweep_whole(world: World, replica: Replica) -> int:
    """One whole walk, begun now; how many ticks it took."""
    world.database.execute("update zenhire.sweeps set next_at = zenhire.clock(), position = null")
    finished = "select finished_at from zenhire.sweeps where position is null and next_at > zenhire.clock()"
    for tick in range(1, 1000):
        await replica.sweep.run_once()
        world.advance(seconds=2)
        if world.database.fetch(finished):
            return tick
    raise AssertionError("the walk does not end")


async def a_failed_invite(world: World, replica: Replica, **over: Any) -> str:
    """An invite whose interview gave no result; its session's id."""
    insert_invite(world.database, **({"metadata": FAILS, "candidate_ref": "anna"} | over))
    await replica.tick()
    await let_pass(world, replica, steps=8, minutes=5)
    session_id: str = the_invite(world.database)["session_id"]
    assert statuses(world.database) == {"failed": 1}
    return session_id


def reinvite(world: World, session_id: str, plan: str = COMES) -> Session:
    session, _ = world.sandbox.console.reinvite(session_id, plan)
    assert session.id != session_id
    return session


def of_console(world: World) -> list[Row]:
    return world.database.fetch("select * from zenhire.interview_sessions where origin = 'console'")


def attention(world: World) -> dict[str, Row]:
    rows = world.database.fetch("select * from zenhire.attention where what <> 'replica'")  # its clock is ours
    return {row["code"]: row for row in rows}


async def test_a_session_that_the_console_made_is_followed_to_its_outcome(world: World, replica: Replica) -> None:
    again = reinvite(world, await a_failed_invite(world, replica))
    await sweep_whole(world, replica)
    await replica.tick()
    invite = the_invite(world.database)
    assert (invite["status"], invite["error_code"]) == ("link_ready", "CONSOLE_REINVITED")
    assert (invite["session_id"], invite["candidate_link"], invite["link_number"]) == (again.id, None, 1)
    assert [post["current"] for post in the_posts(world.database)] == [False, True]
    await let_pass(world, replica, steps=4, minutes=4)
    assert statuses(world.database) == {"in_progress": 1}
    await let_pass(world, replica, steps=5, minutes=5)
    invite = the_invite(world.database)
    assert (invite["status"], invite["duration_seconds"], invite["transcript_state"]) == ("completed", 900, "stored")
    assert invite["error_code"] is None
    assert kinds_of_events(world.database)[-5:] == [
        "console_session_recorded", "console_reinvited", "interview_started", "interview_completed",
        "transcript_stored",
    ]  # fmt: skip
    assert len(of_console(world)) == 1
    assert not attention(world)


async def test_it_is_found_within_an_hour_by_itself(world: World, replica: Replica) -> None:
    reinvite(world, await a_failed_invite(world, replica), NEVER)
    await let_pass(world, replica, steps=13, minutes=5)
    assert statuses(world.database) == {"link_ready": 1}


async def test_a_reinvite_that_nobody_uses_expires_with_its_link(world: World, replica: Replica) -> None:
    reinvite(world, await a_failed_invite(world, replica), NEVER)
    await sweep_whole(world, replica)
    await replica.tick()
    await let_pass(world, replica, steps=10, days=1)
    assert statuses(world.database) == {"expired": 1}
    assert len(world.platform.truth().sessions) == 2


async def test_an_expired_one_does_not_take_over_when_it_is_looked_at_once_more(world: World, replica: Replica) -> None:
    session_id = await a_failed_invite(world, replica)
    for _ in range(2):
        session_id = reinvite(world, session_id, NEVER).id
        await sweep_whole(world, replica)
        await let_pass(world, replica, steps=10, days=1)
    before = the_invite(world.database)
    assert (before["status"], before["session_id"]) == ("expired", session_id)
    world.database.execute("select zenhire.look_now(%s, 'is there anything new?')", (before["id"],))
    await let_pass(world, replica, steps=2, minutes=2)
    after = the_invite(world.database)
    assert (after["status"], after["session_id"]) == ("expired", session_id)


async def test_beside_another_link_it_stands_in_attention_while_it_lives_and_its_outcome_counts(
    world: World, replica: Replica
) -> None:
    second = {"sandbox_plan": "failed opens_after=60 talks_for=600|never"}
    insert_invite(world.database, candidate_ref="anna", max_links=2, metadata=second)
    await replica.tick()
    await let_pass(world, replica, steps=8, minutes=5)
    invite = the_invite(world.database)
    assert (invite["status"], invite["link_number"]) == ("link_ready", 2)
    first = the_posts(world.database)[0]["session_id"]
    again = reinvite(world, first)
    await sweep_whole(world, replica)
    await replica.tick()
    assert the_invite(world.database)["session_id"] == invite["session_id"]
    assert again.id in attention(world)["TWO_LIVE_LINKS"]["why"]
    await let_pass(world, replica, steps=8, minutes=5)
    invite = the_invite(world.database)
    assert (invite["status"], invite["session_id"]) == ("completed", again.id)
    assert "TWO_LIVE_LINKS" not in attention(world)


async def test_it_takes_over_once_the_link_beside_it_is_dead(world: World, replica: Replica) -> None:
    plan = {"sandbox_plan": "failed opens_after=7200 talks_for=600"}
    insert_invite(world.database, metadata=plan, candidate_ref="anna")
    await replica.tick()
    again = made_by_hand(world)
    await sweep_whole(world, replica)
    await replica.tick()
    assert "TWO_LIVE_LINKS" in attention(world)
    await let_pass(world, replica, steps=16, minutes=10)
    invite = the_invite(world.database)
    assert (invite["status"], invite["session_id"]) == ("link_ready", again.id)
    assert not attention(world)


async def test_no_further_link_is_made_while_it_works(world: World, replica: Replica) -> None:
    plan = {"sandbox_plan": "failed opens_after=7200 talks_for=600|never"}
    insert_invite(world.database, metadata=plan, candidate_ref="anna", max_links=2)
    await replica.tick()
    made_by_hand(world)
    await sweep_whole(world, replica)
    await let_pass(world, replica, steps=16, minutes=10)
    assert statuses(world.database) == {"pending": 1}
    assert len(world.platform.truth().sessions) == 2
    await let_pass(world, replica, steps=9, days=1)
    assert the_invite(world.database)["link_number"] == 2
    assert max(world.platform.truth().most_links_at_once().values()) <= 1


def made_by_hand(world: World) -> Session:
    """A second session, made in the console while the first one's link still works."""
    (client,) = world.platform.clients.values()
    with world.platform.lock:
        return world.platform.copy_session(client.sessions[0])


async def test_a_cancelled_invite_stays_cancelled_and_keeps_the_outcome_with_the_session(
    world: World, replica: Replica
) -> None:
    invite_id = insert_invite(world.database, metadata={"sandbox_plan": "never"}, candidate_ref="anna")
    await replica.tick()
    world.database.execute("select zenhire.cancel_invite(%s, 'withdrawn')", (invite_id,))
    world.advance(days=8)
    await replica.tick()
    again = reinvite(world, the_posts(world.database)[0]["session_id"])
    await sweep_whole(world, replica)
    await replica.tick()
    assert "CONSOLE_REINVITED" in attention(world)
    await let_pass(world, replica, steps=8, minutes=5)
    assert statuses(world.database) == {"cancelled": 1}
    (made,) = of_console(world)
    assert (made["session_id"], made["vendor_status"]) == (again.id, "completed")
    assert "outcome_after_cancellation" in kinds_of_events(world.database)
    assert "CONSOLE_REINVITED" not in attention(world)


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize(
    ("paging", "first_page"), [("offset", 1), ("page", 0), ("page", 1), ("cursor", 1), ("none", 1)]
)
async def test_each_way_of_paging_shows_it_or_cannot(
    world: World, replica: Replica, paging: str, first_page: int, order: str
) -> None:
    world.sandbox.console.change_profile(
        {
            "listing.paging": paging,
            "listing.first_page": first_page,
            "listing.order": order,
            "listing.page_size_max": 20,
        }
    )
    first = await a_failed_invite(world, replica)
    for _ in range(60):
        insert_invite(world.database, metadata={"sandbox_plan": NEVER})
    await start_all(world, replica)
    again = reinvite(world, first, NEVER)
    await sweep_whole(world, replica)
    await replica.watch.run_once()
    shown = paging != "none" or order == "newest"
    assert [post["session_id"] for post in of_console(world)] == ([again.id] if shown else [])
    assert statuses(world.database) == ({"link_ready": 61} if shown else {"failed": 1, "link_ready": 60})
    walk = world.database.fetch_one("select ended_because, pages, rows from zenhire.sweeps")
    assert walk["ended_because"] == ("cannot_page" if paging == "none" else "all_seen")


async def test_where_the_list_leaves_out_what_the_console_made_it_goes_unseen(world: World, replica: Replica) -> None:
    world.sandbox.console.change_profile({"listing.playground_rows": False})
    reinvite(world, await a_failed_invite(world, replica))
    await sweep_whole(world, replica)
    assert of_console(world) == []
    assert statuses(world.database) == {"failed": 1}


class Died(Exception):
    """A replica ends here, as a crash does."""


@pytest.mark.parametrize(
    "beat",
    [
        Beat.ANSWERED,
        *(pytest.param(beat, marks=pytest.mark.long) for beat in (Beat.RESERVED, Beat.CLAIMED, Beat.WRITTEN)),
    ],
)
async def test_another_replica_goes_on_from_the_position_of_one_that_died(
    world: World, make_replica: MakeReplica, beat: Beat
) -> None:
    world.sandbox.console.change_profile({"listing.page_size_max": 20, "listing.order": "oldest"})
    reached: list[Beat] = []

    async def die(step: str, at: Beat) -> None:
        reached.append(at)
        if step == "sweep" and reached.count(beat) == 3:
            raise Died

    async with make_replica() as two, make_replica(reached=die) as one:
        first = await a_failed_invite(world, two)
        for _ in range(70):
            insert_invite(world.database, metadata={"sandbox_plan": NEVER})
        await two.start.run_once()
        again = reinvite(world, first, NEVER)
        world.database.execute(
            "update zenhire.sweeps set next_at = zenhire.clock(); update zenhire.leases set until = zenhire.clock()"
        )
        for _ in range(3):
            await one.sweep.run_once()
            world.advance(seconds=2)
        written = reached.count(Beat.WRITTEN)
        assert world.database.fetch_value("select pages from zenhire.sweeps") == written
        assert await walk_on(world, two) == 0  # the lease is the dead one's still
        world.advance(seconds=30)
        assert await walk_on(world, two) == 5 - written  # four pages, and one that is empty
        await two.watch.run_once()
    assert [post["session_id"] for post in of_console(world)] == [again.id]
    assert world.database.fetch("select from zenhire.candidate_invites where error_code = 'CONSOLE_REINVITED'")
    assert world.database.fetch_value("select pages from zenhire.sweeps") == 4


async def walk_on(world: World, replica: Replica) -> int:
    """The rest of the walk that is under way, if it is ours; how many requests it took."""
    before = requests_for_lists(world)
    for _ in range(10):
        await replica.sweep.run_once()
        world.advance(seconds=0.1)
    return requests_for_lists(world) - before


def requests_for_lists(world: World) -> int:
    return sum(count for (endpoint, _), count in world.platform.truth().answers.items() if endpoint == "list_sessions")


async def test_a_page_is_read_in_the_time_of_ten_slots(world: World, make_replica: MakeReplica) -> None:
    world.sandbox.console.change_profile({"listing.page_size_max": 1})
    async with make_replica() as starter, make_replica(requests_per_minute=600) as replica:
        for _ in range(12):
            insert_invite(world.database, metadata={"sandbox_plan": NEVER})
        await starter.start.run_once()
        for _ in range(20):  # a slot's time is 0.101 s
            await replica.sweep.run_once()
            world.advance(seconds=0.2)
    assert requests_for_lists(world) == 4  # at 0, 1.2, 2.4 and 3.6 s


async def test_what_a_lost_post_left_behind_is_recorded_however_late(world: World, replica: Replica) -> None:
    world.sandbox.console.set_faults(["lost_after@create_session:#1"])
    insert_invite(world.database, metadata={"sandbox_plan": NEVER})
    await replica.start.run_once()
    (post,) = the_posts(world.database)
    assert post["state"] == "lost"
    world.database.execute(
        "update zenhire.interview_sessions set next_search_at = null, dead_at = zenhire.clock(),"
        " dead_because = 'not_found'"
    )
    await sweep_whole(world, replica)
    before = requests_for_lists(world)
    await replica.settle.run_once()
    assert requests_for_lists(world) == before  # the sweep has told all that a search could
    (post,) = the_posts(world.database)
    (session,) = world.platform.truth().sessions
    assert (post["state"], post["session_id"], post["dead_at"]) == ("orphan", session.id, None)


async def test_sessions_that_no_post_here_made_stand_in_attention_until_a_person_accepts_them(
    world: World, replica: Replica
) -> None:
    await a_failed_invite(world, replica)
    again = made_by_hand(world)
    again.metadata = {"zenhire_sync_post": "00000000-0000-0000-0000-00000000beef"}
    by_hand = made_by_hand(world)
    by_hand.metadata = None
    await sweep_whole(world, replica)
    shown = attention(world)
    assert set(shown) == {"UNKNOWN_POSTS", "LIKELY_REINVITE"}
    assert again.id in shown["UNKNOWN_POSTS"]["why"]
    assert by_hand.id in shown["LIKELY_REINVITE"]["why"]
    with psycopg.connect(world.database.url) as connection:
        for row in shown.values():
            connection.execute(row["statement"])
    await sweep_whole(world, replica)
    assert not attention(world)
    assert statuses(world.database) == {"failed": 1}


async def test_a_list_that_cannot_be_had_ends_the_walk_and_stops_nothing(world: World, replica: Replica) -> None:
    insert_invite(world.database, metadata={"sandbox_plan": NEVER})
    await replica.start.run_once()
    world.sandbox.console.set_faults(["internal_error@list_sessions:1.0"])
    for _ in range(25):
        world.advance(minutes=12)
        await replica.sweep.run_once()
        if world.database.fetch("select from zenhire.sweeps where ended_because = 'given_up'"):
            break
    else:
        raise AssertionError("the walk is not given up")
    assert world.database.fetch_value("select stop_code from zenhire.account_state") is None


async def test_an_urgent_walk_waits_for_a_locked_invite_as_long_as_any_other(world: World, replica: Replica) -> None:
    again = reinvite(world, await a_failed_invite(world, replica), "completed opens_after=0 talks_for=60")
    world.advance(minutes=5)
    world.database.execute(
        "update zenhire.sweeps set next_at = zenhire.clock() + interval '1 day', position = null;"
        " insert into zenhire.list_state (account, status_filter) values ('default', 'honoured');"
        " insert into zenhire.sweeps (account, walk, urgent, next_at)"
        " values ('default', 'completed', true, '-infinity'), ('default', 'failed', false, 'infinity')"
    )
    before = requests_for_lists(world)
    with psycopg.connect(world.database.url) as somebody:
        somebody.execute("select from zenhire.candidate_invites for update")
        await replica.sweep.run_once()
        assert requests_for_lists(world) == before + 1
        assert not of_console(world)
    world.advance(seconds=2)
    await replica.sweep.run_once()
    assert [post["session_id"] for post in of_console(world)] == [again.id]
