"""The ATS or an operator acts before a step has claimed anything, after it has written, or while it searches."""

from itertools import product
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.core.model import Policy
from service.steps.beats import Beat
from service.steps.start import TAKE_OVER
from tests.integration.steps.conftest import MakeReplica, make_replica, world
from tests.integration.steps.test_acts_between_beats import (
    ACTS,
    ENDS,
    Hand,
    a_persona,
    posts_of,
    sessions_of,
)
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, the_posts

pytestmark = pytest.mark.long

__all__ = ["make_replica", "world"]

EDGES = [Beat.RESERVED, Beat.WRITTEN]
SEARCH_BEATS = [Beat.RESERVED, Beat.CLAIMED, Beat.ANSWERED, Beat.WRITTEN]
PERSONA_BEATS = [Beat.RESERVED, Beat.CLAIMED, Beat.LISTED, Beat.INTENDED, Beat.ANSWERED, Beat.WRITTEN]


def prepare(hand: Hand, step: str, beat: Beat, name: str, invite_id: UUID) -> None:
    """A delete may be refused or not, as the invite stands: here it is no error either way."""
    if name != "delete":
        hand.prepare(step, beat, name, invite_id)
        return

    def act() -> None:
        try:
            ACTS[name](hand.database, invite_id)
        except (psycopg.errors.ObjectNotInPrerequisiteState, psycopg.errors.RestrictViolation):
            return

    hand.step, hand.beat, hand.act = step, beat, act


def found(world: World, invite_id: UUID) -> dict[str, Any] | None:
    rows = world.database.fetch("select * from zenhire.candidate_invites where id = %s", [invite_id])
    return dict(rows[0]) if rows else None


async def test_an_act_before_or_after_a_link_is_made(world: World, make_replica: MakeReplica) -> None:
    persona, hand = a_persona(world), Hand(world.database)
    async with make_replica(reached=hand.reached) as replica:
        for name, beat in product(ACTS, EDGES):
            invite_id = insert_invite(world.database, persona_id=persona, metadata={"sandbox_plan": "never"})
            prepare(hand, "start", beat, name, invite_id)
            await replica.start.run_once()
            assert hand.beat is None, (name, beat)
            after = found(world, invite_id)
            sessions = len(sessions_of(world, invite_id))
            if name == "delete" and beat is Beat.RESERVED:
                assert (after, sessions) == (None, 0)
            elif name in ENDS:
                assert (status(after), sessions) == ("cancelled", 0 if beat is Beat.RESERVED else 1), (name, beat)
            else:
                assert (status(after), sessions) == ("link_ready", 1), (name, beat)
        before = len(the_posts(world.database))
        await until_quiet(world, replica)
    assert len(the_posts(world.database)) == before
    assert known_sessions(world) == world.platform.truth().by_id().keys()


async def test_an_act_before_or_after_an_outcome_is_read(world: World, make_replica: MakeReplica) -> None:
    persona, hand = a_persona(world), Hand(world.database)
    async with make_replica(reached=hand.reached) as replica:
        for name, beat in product(ACTS, EDGES):
            plan = {"sandbox_plan": "completed opens_after=1 talks_for=60"}
            invite_id = insert_invite(world.database, persona_id=persona, metadata=plan)
            await replica.start.run_once()
            world.advance(minutes=5)
            prepare(hand, "watch", beat, name, invite_id)
            await replica.watch.run_once()
            await replica.watch.run_once()
            assert hand.beat is None, (name, beat)
            ended_before = name in ENDS and beat is Beat.RESERVED
            wanted = "cancelled" if ended_before else "completed"  # completed absorbs what comes after it
            assert status(found(world, invite_id)) == wanted, (name, beat)
            assert len(sessions_of(world, invite_id)) == 1, (name, beat)


async def test_an_act_while_a_lost_post_is_searched_for_hides_nothing_it_left_behind(
    world: World, make_replica: MakeReplica
) -> None:
    persona, hand, invites = a_persona(world), Hand(world.database), dict[tuple[str, Beat], UUID]()
    async with make_replica(reached=hand.reached) as replica:
        for beat, name in product(SEARCH_BEATS, ACTS):
            await replica.start.run_once()  # those before get their links now
            invite_id = insert_invite(world.database, persona_id=persona, metadata={"sandbox_plan": "never"})
            world.sandbox.console.set_faults(["lost_after@create_session:#1"])
            await replica.start.run_once()
            world.sandbox.console.set_faults([])
            assert status(found(world, invite_id)) == "starting", (name, beat)
            world.advance(minutes=2)
            prepare(hand, "settle", beat, name, invite_id)
            await replica.settle.run_once()
            assert hand.beat is None, (name, beat)
            invites[name, beat] = invite_id
        await until_quiet(world, replica)
    for (name, beat), invite_id in invites.items():
        ended = status(found(world, invite_id))
        if name == "stop_after":  # whichever came first, the next post or that time
            assert ended in ("cancelled", "link_ready"), beat
        else:
            assert ended == ("cancelled" if name in ENDS else "link_ready"), (name, beat)
        states = sorted(post["state"] for post in posts_of(world.database, invite_id))
        assert states == (["orphan"] if ended == "cancelled" else ["orphan", "published"]), (name, beat)
    assert known_sessions(world) == world.platform.truth().by_id().keys()


async def test_an_act_while_a_dead_replicas_post_is_taken_over(world: World, make_replica: MakeReplica) -> None:
    persona, invites = a_persona(world), dict[tuple[str, Beat], UUID]()
    for name, beat in product(ACTS, [Beat.CLAIMED, Beat.WRITTEN]):
        invite_id = insert_invite(world.database, persona_id=persona, metadata={"sandbox_plan": "never"})
        async with make_replica() as doomed:
            assert len((await doomed.tools.claims.posts("default", 1)).rows) == 1  # and is never heard of again
        world.advance(minutes=1)
        hand = Hand(world.database)
        async with make_replica(reached=hand.reached) as replica:
            prepare(hand, TAKE_OVER, beat, name, invite_id)
            await replica.start.run_once()
            assert hand.beat is None, (name, beat)
        invites[name, beat] = invite_id
    async with make_replica() as replica:
        await until_quiet(world, replica)
    for (name, beat), invite_id in invites.items():
        wanted = "cancelled" if name in ENDS or name == "stop_after" else "link_ready"
        assert status(found(world, invite_id)) == wanted, (name, beat)
        assert len(sessions_of(world, invite_id)) == (1 if wanted == "link_ready" else 0), (name, beat)
    assert known_sessions(world) == world.platform.truth().by_id().keys()


async def test_an_act_while_the_persona_is_found_or_created(world: World, make_replica: MakeReplica) -> None:
    hand, wishes = Hand(world.database), 0
    async with make_replica(reached=hand.reached, policy=Policy(personas_per_day=1000)) as replica:
        for name, beat in product([*ENDS, "delete", "stop_after"], PERSONA_BEATS):
            wishes += 1
            invite_id = insert_invite(
                world.database, persona_id=None, role_name=f"Welder {wishes}", language="en",
                metadata={"sandbox_plan": "never"},
            )  # fmt: skip
            prepare(hand, "personas", beat, name, invite_id)
            await replica.start.run_once()
            assert hand.beat is None, (name, beat)
            await replica.tick()
            await replica.tick()
            after = found(world, invite_id)
            if name == "delete":
                assert after is None, beat
            else:
                assert status(after) == ("cancelled" if name in ENDS else "link_ready"), (name, beat)
            gone = name in ENDS or name == "delete"
            assert len(sessions_of(world, invite_id)) == (0 if gone else 1), (name, beat)
    names = [one.role_name for one in world.platform.keys[world.sandbox.key].client.personas.values()]
    assert len(names) == len(set(names))


def status(row: dict[str, Any] | None) -> str:
    assert row is not None
    return str(row["status"])


def known_sessions(world: World) -> set[str]:
    return {post["session_id"] for post in the_posts(world.database) if post["session_id"] is not None}


async def until_quiet(world: World, replica: Replica) -> None:
    for _ in range(4):
        world.advance(minutes=3)
        await replica.tick()
