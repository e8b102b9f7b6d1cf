"""The ATS or an operator acts on an invite while a replica is between two beats of a step: the act wins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.steps.beats import Beat
from tests.integration.steps.conftest import MakeReplica, make_replica, world
from tests.support.control import call, invite
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, the_posts

pytestmark = pytest.mark.long

__all__ = ["make_replica", "world"]

Act = Callable[[Database, UUID], None]


def _function(name: str) -> Act:
    return lambda database, invite_id: void(call(database, name, invite_id, "in the middle of a step"))


def _column(column: str, value: str) -> Act:
    statement = f"update zenhire.candidate_invites set {column} = {value} where id = %s"
    return lambda database, invite_id: void(database.execute(statement, [invite_id]))


def _erase(database: Database, invite_id: UUID) -> None:
    call(database, "erase_candidate", "default", invite(database, invite_id)["candidate_ref"], "asked for it")


def void(_result: object) -> None:
    return None


ENDS: dict[str, Act] = {"cancel_invite": _function("cancel_invite"), "erase_candidate": _erase}
REFUSED: dict[str, Act] = {
    "retry_invite": _function("retry_invite"),
    "new_link": _function("new_link"),
    "delete": lambda database, invite_id: void(
        database.execute("delete from zenhire.candidate_invites where id = %s", [invite_id])
    ),
}
CHANGES: dict[str, Act] = {
    "priority": _column("priority", "7"),
    "max_links": _column("max_links", "3 - max_links"),
    "stop_after": _column("stop_after", "zenhire.clock() + interval '1 minute'"),
}
ACTS = ENDS | REFUSED | CHANGES
BEATS = [Beat.CLAIMED, Beat.ANSWERED]


@dataclass
class Hand:
    """Acts once, when the replica reaches this boundary."""

    database: Database
    step: str = ""
    beat: Beat | None = None
    act: Callable[[], None] = field(default=lambda: None)

    async def reached(self, step: str, beat: Beat) -> None:
        if (step, beat) == (self.step, self.beat):
            self.beat = None
            self.act()

    def prepare(self, step: str, beat: Beat, name: str, invite_id: UUID) -> None:
        def act() -> None:
            if name in REFUSED:
                with pytest.raises((psycopg.errors.ObjectNotInPrerequisiteState, psycopg.errors.RestrictViolation)):
                    ACTS[name](self.database, invite_id)
            else:
                ACTS[name](self.database, invite_id)

        self.step, self.beat, self.act = step, beat, act


def combinations() -> Iterator[tuple[str, Beat]]:
    return ((name, beat) for beat in BEATS for name in ACTS)


def a_persona(world: World) -> str:
    return world.platform.create_persona(
        world.platform.keys[world.sandbox.key], {"role_name": "Nurse", "language": "en"}
    ).id


def sessions_of(world: World, invite_id: UUID) -> list[str]:
    marks = ((one.id, str(one.metadata["zenhire_sync_invite"])) for one in world.platform.truth().sessions)
    return [session_id for session_id, mark in marks if mark.startswith(str(invite_id))]


def posts_of(database: Database, invite_id: UUID) -> list[dict[str, Any]]:
    return [post for post in the_posts(database) if post["invite_id"] == invite_id]


async def until_settled(world: World, replica: Replica) -> None:
    for _ in range(3):
        world.advance(minutes=2)
        await replica.tick()


async def test_an_act_while_a_link_is_asked_for(world: World, make_replica: MakeReplica) -> None:
    persona, hand = a_persona(world), Hand(world.database)
    async with make_replica(reached=hand.reached) as replica:
        for name, beat in combinations():
            invite_id = insert_invite(world.database, persona_id=persona, metadata={"sandbox_plan": "never"})
            hand.prepare("start", beat, name, invite_id)
            await replica.start.run_once()
            assert hand.beat is None, (name, beat)
            after = invite(world.database, invite_id)
            if name in ENDS:
                assert (after["status"], after["candidate_link"]) == ("cancelled", None), (name, beat)
            else:
                assert (after["status"], after["link_number"]) == ("link_ready", 1), (name, beat)
            assert len(sessions_of(world, invite_id)) == 1, (name, beat)
        before = world.database.fetch("select id, status from zenhire.candidate_invites order by id")
        await until_settled(world, replica)
    assert world.database.fetch("select id, status from zenhire.candidate_invites order by id") == before
    states = {post["session_id"]: post["state"] for post in the_posts(world.database)}
    truth = world.platform.truth()
    assert states.keys() == truth.by_id().keys()  # also what the late replica had in its hand
    assert sorted(states.values()) == ["orphan"] * 2 * len(ENDS) + ["published"] * 2 * (len(ACTS) - len(ENDS))


async def test_an_act_while_an_outcome_is_read(world: World, make_replica: MakeReplica) -> None:
    persona, hand = a_persona(world), Hand(world.database)
    async with make_replica(reached=hand.reached) as replica:
        for name, beat in combinations():
            plan = {"sandbox_plan": "completed opens_after=1 talks_for=60"}
            invite_id = insert_invite(world.database, persona_id=persona, metadata=plan)
            await replica.start.run_once()
            world.advance(minutes=5)
            hand.prepare("watch", beat, name, invite_id)
            await replica.watch.run_once()
            await replica.watch.run_once()  # what the act made void is looked at anew
            assert hand.beat is None, (name, beat)
            after = invite(world.database, invite_id)
            assert after["status"] == ("cancelled" if name in ENDS else "completed"), (name, beat)
            (post,) = posts_of(world.database, invite_id)
            if name == "cancel_invite":
                assert post["vendor_status"] == "completed", beat  # kept with the session
            if name == "erase_candidate":
                assert (post["vendor_object"], post["next_look_at"]) == (None, None), beat
            assert len(sessions_of(world, invite_id)) == 1, (name, beat)


async def test_an_act_while_a_dead_link_is_found(world: World, make_replica: MakeReplica) -> None:
    persona, hand = a_persona(world), Hand(world.database)
    async with make_replica(reached=hand.reached) as replica:
        for links in (1, 2):
            for name, beat in combinations():
                plan = {"sandbox_plan": "failed opens_after=1 talks_for=60|never"}
                invite_id = insert_invite(world.database, persona_id=persona, metadata=plan, max_links=links)
                await replica.start.run_once()
                world.advance(minutes=5)
                hand.prepare("watch", beat, name, invite_id)
                await replica.watch.run_once()
                await replica.watch.run_once()
                await replica.start.run_once()
                allowed = 3 - links if name == "max_links" else links
                expected = "cancelled" if name in ENDS else "failed" if allowed == 1 else "link_ready"
                assert invite(world.database, invite_id)["status"] == expected, (links, name, beat)
                made = 2 if expected == "link_ready" else 1
                assert len(sessions_of(world, invite_id)) == made, (links, name, beat)
    assert max(world.platform.truth().most_links_at_once("metadata.zenhire_sync_invite").values()) == 1


@pytest.mark.parametrize("beat", BEATS)
async def test_a_candidate_who_is_erased_while_the_transcript_comes_leaves_none(
    world: World, make_replica: MakeReplica, beat: Beat
) -> None:
    hand = Hand(world.database)
    async with make_replica(reached=hand.reached) as replica:
        plan = {"sandbox_plan": "completed opens_after=1 talks_for=60 artifacts_after=0"}
        invite_id = insert_invite(world.database, persona_id=a_persona(world), metadata=plan)
        await replica.start.run_once()
        world.advance(minutes=5)
        await replica.watch.run_once()
        world.advance(seconds=1)
        hand.prepare("collect", beat, "erase_candidate", invite_id)
        await replica.collect.run_once()
        await replica.collect.run_once()
    assert hand.beat is None
    assert world.database.fetch("select from zenhire.transcripts") == []
    assert invite(world.database, invite_id)["transcript_state"] == "unavailable"
