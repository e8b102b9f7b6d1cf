"""Group commit and its guards: what a batch may write, and what becomes of an answer that breaks a rule."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from service.core.decisions import AccountNote, Decision
from service.core.model import PostClaim
from service.core.observations import Minted
from service.core.starting import decide_post
from service.postgres.accounts import Accounts
from service.postgres.apply import Apply
from service.postgres.claims import Batch
from service.postgres.engine import DatabaseLost, create_engine
from service.postgres.writer import Writer
from tests.integration.steps.conftest import MakeReplica, make_replica, replica, world
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, kinds_of_events, statuses, the_posts
from tests.support.waiting import eventually_async

__all__ = ["make_replica", "replica", "world"]


def a_link(session_id: str) -> Minted:
    return Minted(
        session_id=session_id,
        candidate_link=f"https://interview.zenhire.ai/#t={session_id}",
        expires_in=timedelta(days=7),
    )


def published(replica: Replica, batch: Batch[PostClaim], claim: PostClaim, session_id: str) -> Decision:
    return decide_post(claim, a_link(session_id), now=batch.now(), policy=replica.tools.policy, jitter=0.5)


async def three_posts(world: World, replica: Replica) -> Batch[PostClaim]:
    for _ in range(3):
        insert_invite(world.database, persona_id="persona-1")
    return await replica.tools.claims.posts("default", 3)


async def test_decisions_that_are_ready_together_share_a_transaction(world: World, replica: Replica) -> None:
    batch = await three_posts(world, replica)
    decisions = [published(replica, batch, claim, f"session-{number}") for number, claim in enumerate(batch.rows)]
    written = await asyncio.gather(*(replica.tools.writer.write(decision) for decision in decisions))
    assert all(one.applied for one in written)
    assert statuses(world.database) == {"link_ready": 3}
    events = "select count(distinct xmin::text) from zenhire.invite_events where kind = 'link_published'"
    assert world.database.fetch_value(events) <= 2  # the first may go alone


class Meeting:
    """Takes notes only once those of so many accounts are there."""

    def __init__(self, accounts: int) -> None:
        self._accounts = accounts
        self.came: set[str] = set()

    async def note(self, account: str, _notes: Sequence[AccountNote]) -> None:
        self.came.add(account)
        await eventually_async(lambda: len(self.came) == self._accounts, within=5)


async def test_what_is_noted_of_one_account_does_not_wait_for_another(world: World, replica: Replica) -> None:
    names = [f"account_{number}" for number in range(20)]
    for name in names:
        insert_invite(world.database, account=name, persona_id="persona-1")
    batches = [await replica.tools.claims.posts(name, 1) for name in names]
    engine = create_engine(world.database.url, connections=1, application_name="zenhire-sync test")
    meeting = Meeting(len(names))
    writer = Writer(Apply(engine, replica=replica.id), cast("Accounts", meeting), give_up=lambda: True)
    decisions = [
        published(replica, batch, batch.rows[0], f"session-{name}") for name, batch in zip(names, batches, strict=True)
    ]
    written = await asyncio.gather(*(writer.write(decision) for decision in decisions))
    await engine.dispose()
    assert meeting.came == set(names)
    assert all(one.applied for one in written)


async def test_one_answer_that_breaks_a_rule_is_set_aside_and_spoils_no_other(world: World, replica: Replica) -> None:
    batch = await three_posts(world, replica)
    same = [published(replica, batch, claim, "session-1") for claim in batch.rows[:2]]
    other = published(replica, batch, batch.rows[2], "session-2")
    written = await asyncio.gather(*(replica.tools.writer.write(decision) for decision in [*same, other]))
    assert sorted(one.applied for one in written) == [False, True, True]
    assert statuses(world.database) == {"link_ready": 2, "needs_review": 1}
    codes = world.database.fetch(
        "select error_code, error_message from zenhire.candidate_invites where status = 'needs_review'"
    )
    assert codes[0]["error_code"] == "UNSTORABLE_ANSWER"
    assert "interview_sessions_session_id" in codes[0]["error_message"]


async def test_a_stale_token_writes_nothing(world: World, replica: Replica) -> None:
    batch = await three_posts(world, replica)
    stale = replace(batch.rows[0], token=batch.rows[1].token)
    decision = published(replica, batch, stale, "session-1")
    before = the_posts(world.database)
    written = await replica.tools.writer.write(decision)
    assert not written.applied
    after = the_posts(world.database)
    assert [post["state"] for post in after] == [post["state"] for post in before] == ["posting"] * 3
    assert "link_published" not in kinds_of_events(world.database)


async def test_a_database_that_went_away_is_reported_once_nobody_waits_for_it(
    world: World, make_replica: MakeReplica
) -> None:
    async with make_replica() as replica:
        batch = await three_posts(world, replica)
        cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'zenhire-sync test'"
        world.database.execute(cut)
        decision = published(replica, batch, batch.rows[0], "session-1")
        with pytest.raises(DatabaseLost):
            await replica.tools.writer.write(decision)
        written = await replica.tools.writer.write(decision)
    assert written.applied
