"""What the vendor's list honours is found out by a few requests, written down with its evidence, and made use of."""

from typing import Any

import pytest

from sandbox.profiles import built_in
from tests.integration.steps.conftest import MakeReplica
from tests.support.database import Row
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, kinds_of_events, the_posts

NEVER = {"sandbox_plan": "never"}


def list_requests(world: World) -> int:
    return sum(count for (endpoint, _), count in world.platform.truth().answers.items() if endpoint == "list_sessions")


def list_state(world: World) -> Row:
    return world.database.fetch_one("select * from zenhire.list_state")


async def links(world: World, replica: Replica, count: int, *, prefix: str = "c") -> None:
    """So many links, each for a candidate of its own and made a second after the one before."""
    for number in range(count):
        insert_invite(world.database, metadata=NEVER, candidate_ref=f"{prefix}{number}")
        await replica.start.run_once()
        world.advance(seconds=1)


async def probe(world: World, replica: Replica) -> Row:
    world.database.execute("update zenhire.list_state set next_at = zenhire.clock(), next_probe_at = zenhire.clock()")
    await replica.running.run_once()
    return list_state(world)


@pytest.mark.parametrize(
    ("profile", "paging", "ref_parameter", "sort_order"),
    [
        ("likely", "offset", "candidate_ref", "newest_first"),
        ("speech", "page_from_1", "candidateRef", "newest_first"),
        ("deepmatch", "cursor", "candidate_ref", "oldest_first"),
        ("old", "offset", "candidate_ref", "newest_first"),
    ],
)
async def test_every_style_is_seen_for_what_it_is(
    world: World, make_replica: MakeReplica, profile: str, paging: str, ref_parameter: str, sort_order: str
) -> None:
    world.platform.profile = built_in(profile)
    world.sandbox.console.change_profile({"listing.page_size_max": 4, "listing.page_size": 4})
    async with make_replica() as replica:
        await links(world, replica, 6)
        before = list_requests(world)
        state = await probe(world, replica)
        assert list_requests(world) - before <= 11
    assert (state["paging"], state["ref_parameter"], state["sort_order"]) == (paging, ref_parameter, sort_order)
    assert (state["ref_filter"], state["page_rows"]) == ("honoured", 4)
    assert state["evidence"]["page"] == {"rows_asked": 100, "rows": 4, "next_rows": 2}


async def test_a_list_that_ignores_everything_is_seen_for_what_it_is(world: World, make_replica: MakeReplica) -> None:
    world.platform.profile = built_in("bare")
    async with make_replica() as replica:
        await links(world, replica, 21)
        state = await probe(world, replica)
    assert (state["paging"], state["ref_filter"], state["status_filter"]) == ("none", "ignored", "ignored")
    assert state["evidence"]["page"] == {"rows_asked": 100, "rows": 20, "next_rows": None}
    assert state["evidence"]["candidate"]["externalId"] == {"own": 1, "others": 19}


async def test_a_list_of_one_page_tells_the_way_to_the_next_by_an_empty_one(world: World, replica: Replica) -> None:
    await links(world, replica, 2)
    state = await probe(world, replica)
    assert (state["paging"], state["evidence"]["page"]["next_rows"]) == ("offset", 0)


async def test_of_one_candidate_alone_nothing_can_be_told_and_a_later_probe_does(
    world: World, replica: Replica
) -> None:
    await links(world, replica, 1)
    state = await probe(world, replica)
    assert (state["ref_filter"], state["sort_order"], state["evidence"]["candidate"]) == ("unknown", "unknown", {})
    await links(world, replica, 1, prefix="d")
    state = await probe(world, replica)
    assert (state["ref_filter"], state["sort_order"]) == ("honoured", "newest_first")
    assert state["evidence"]["candidate"] == {"candidate_ref": {"own": 1, "others": 0}}


async def test_parameters_that_are_errors_are_refused(world: World, replica: Replica) -> None:
    world.sandbox.console.change_profile({"listing.filters": "", "listing.unknown_parameters": "reject"})
    await links(world, replica, 2)
    state = await probe(world, replica)
    assert (state["status_filter"], state["ref_filter"], state["ref_parameter"]) == ("refused", "refused", None)
    assert state["evidence"]["candidate"] == dict.fromkeys(("candidate_ref", "candidateRef", "externalId"), "refused")


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
async def test_a_probe_that_breaks_off_leaves_what_was_known(world: World, replica: Replica, number: int) -> None:
    await links(world, replica, 2)
    known = await probe(world, replica)
    world.sandbox.console.set_faults([f"unavailable@list_sessions:#{number}"])
    world.advance(days=1)
    after = await probe(world, replica)
    what = ("status_filter", "paging", "ref_filter", "ref_parameter", "sort_order", "evidence", "probed_at")
    assert {name: after[name] for name in what} == {name: known[name] for name in what}


async def a_lost_post_below(world: World, replica: Replica, newer: int, fault: str = "lost_after") -> None:
    """The session of a lost post, and so many newer ones above it; four on a page."""
    world.sandbox.console.change_profile({"listing.page_size_max": 4, "listing.page_size": 4})
    await links(world, replica, 2, prefix="early")
    assert (await probe(world, replica))["ref_filter"] == "honoured"
    insert_invite(world.database, metadata=NEVER, candidate_ref="lost")
    world.sandbox.console.set_faults([f"{fault}@create_session:#1"])
    await replica.start.run_once()
    world.sandbox.console.set_faults([])
    world.advance(seconds=1)
    await links(world, replica, newer)
    world.advance(minutes=2)


def the_lost_one(world: World) -> dict[str, Any]:
    (post,) = (post for post in the_posts(world.database) if post["state"] in ("lost", "orphan"))
    return post


async def test_what_a_lost_post_left_behind_is_asked_for_by_its_candidate(world: World, replica: Replica) -> None:
    await a_lost_post_below(world, replica, newer=40)
    before = list_requests(world)
    await replica.settle.run_once()
    assert the_lost_one(world)["state"] == "orphan"
    assert (
        list_requests(world) - before == 2
    )  # one page of the walk, and one of the candidate; the walk alone takes eleven


async def test_a_search_by_candidate_that_finds_nothing_has_searched(world: World, replica: Replica) -> None:
    await a_lost_post_below(world, replica, newer=8, fault="lost_before")
    before = list_requests(world)
    await replica.settle.run_once()
    assert (the_lost_one(world)["state"], the_lost_one(world)["search_count"]) == ("lost", 1)
    assert list_requests(world) - before <= 3


async def test_a_list_that_shows_others_is_searched_page_by_page_and_probed_again(
    world: World, replica: Replica
) -> None:
    await a_lost_post_below(world, replica, newer=8)
    world.sandbox.console.change_profile({"listing.filters": "status"})
    await replica.settle.run_once()
    assert the_lost_one(world)["state"] == "orphan"
    state = list_state(world)
    assert (state["ref_filter"], state["ref_parameter"]) == ("ignored", None)
    assert state["next_probe_at"] <= world.now
    assert kinds_of_events(world.database).count("orphan_recorded") == 1


async def test_an_erased_candidate_is_not_asked_for_and_its_session_is_found_all_the_same(
    world: World, replica: Replica
) -> None:
    await a_lost_post_below(world, replica, newer=8)
    world.database.fetch("select zenhire.erase_candidate('default', 'lost', 'asked to be forgotten')")
    await replica.settle.run_once()
    assert the_lost_one(world)["state"] == "orphan"
    assert list_state(world)["ref_filter"] == "honoured"


async def test_a_walk_begins_with_the_way_that_is_known(world: World, make_replica: MakeReplica) -> None:
    world.platform.profile = built_in("speech")
    world.sandbox.console.change_profile({"listing.page_size_max": 4, "listing.page_size": 4})
    async with make_replica() as replica:
        await links(world, replica, 6)
        await probe(world, replica)
        before = list_requests(world)
        for _ in range(5):
            await replica.sweep.run_once()
            world.advance(seconds=1)
            if world.database.fetch("select from zenhire.sweeps where walk = 'all' and finished_at is not null"):
                break
    (walk,) = world.database.fetch("select * from zenhire.sweeps where walk = 'all'")
    assert (walk["rows"], walk["ended_because"]) == (6, "all_seen")
    assert list_requests(world) - before == 5  # two pages and an empty one; and those of what has completed, and failed
