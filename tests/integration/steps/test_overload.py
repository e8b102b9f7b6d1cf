"""A replica that has more to do than its core gets done is late; it claims nothing that it cannot finish in time."""

import time
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from sandbox.clock import SystemClock
from sandbox.model import KeySpec
from sandbox.platform import Platform
from sandbox.profile import CandidateMix, Profile
from sandbox.running import RunningSandbox, running_sandbox
from service.steps.beats import Beat
from tests.support.database import Database
from tests.support.replica import Replica, a_replica, statuses
from tests.support.waiting import eventually_async

ACCOUNTS, INVITES_EACH = 48, 6
BURNT_AT_EACH_BEAT = 0.004  #: seconds of the core
LEASE = timedelta(seconds=60)  #: while it is measured how long as many posts take as there are places for
ROUNDS_IN_A_LEASE = 4  #: one is what is at work at once; the others are for what else the machine has to do

INVITES = """
insert into zenhire.candidate_invites (account, candidate_ref, consent_mode, role_name, language)
select 'account_' || n %% %(accounts)s, 'c-' || n, 'explicit', 'Nurse', 'en'
from generate_series(1, %(invites)s) n
"""


class SlowCore:
    """Uses up the core at each boundary, and counts the posts that are at work."""

    def __init__(self) -> None:
        self.at_work = 0
        self.most_at_work = 0

    async def reached(self, step: str, beat: Beat) -> None:
        until = time.perf_counter() + BURNT_AT_EACH_BEAT
        while time.perf_counter() < until:
            pass
        if step == "start":
            self.at_work += {Beat.CLAIMED: 1, Beat.WRITTEN: -1}.get(beat, 0)
            self.most_at_work = max(self.most_at_work, self.at_work)


def posts_and_events(database: Database) -> dict[str, Any]:
    return database.fetch_one(
        "select (select count(*) from zenhire.interview_sessions where state = 'published') as published,"
        " (select count(*) from zenhire.interview_sessions where state in ('lost', 'orphan')) as lost,"
        " (select count(*) from zenhire.invite_events where kind = 'late_session_recorded') as late"
    )


async def all_have_links(replica: Replica, database: Database) -> None:
    """Tick as the timer does, also while the accounts are at work: each tick takes over what stands past its lease."""

    async def after_a_tick() -> bool:
        await replica.start.tick()
        return set(statuses(database)) == {"link_ready"}

    await eventually_async(after_a_tick, within=60)
    await replica.start.drained()


class Office:
    """Some accounts with a slow core to work for them, and a replica at a time."""

    def __init__(self, database: Database) -> None:
        self.core = SlowCore()
        self.database = database
        self.keys = {f"account_{number}": f"zh_api_{number:032x}" for number in range(ACCOUNTS)}
        specs = tuple(KeySpec(value=key, client=account) for account, key in self.keys.items())
        self.platform = Platform(Profile(candidates=CandidateMix(come="when_sent")), SystemClock(), keys=specs)

    def replica(self, sandbox: RunningSandbox, lease: timedelta) -> AbstractAsyncContextManager[Replica]:
        return a_replica(
            self.database.url,
            sandbox.base_url,
            keys=self.keys,
            lease=lease,
            deadline=lease / 3,
            reached=self.core.reached,
        )

    async def seconds_for(self, replica: Replica, invites: int) -> float:
        began = time.perf_counter()
        self.database.execute(INVITES, {"accounts": ACCOUNTS, "invites": invites})
        await all_have_links(replica, self.database)
        return time.perf_counter() - began


async def test_every_answer_is_written_within_its_lease(database: Database) -> None:
    """The lease is as long as so many rounds of work last on this machine now; what is claimed is one round's work."""
    office = Office(database)
    with running_sandbox(office.platform) as sandbox:
        async with office.replica(sandbox, LEASE) as replica:
            places = replica.tools.concurrency_of_all
            await office.seconds_for(replica, ACCOUNTS)  # each has its persona after it
            a_round = await office.seconds_for(replica, places)
        async with office.replica(sandbox, timedelta(seconds=ROUNDS_IN_A_LEASE * a_round)) as replica:
            await office.seconds_for(replica, ACCOUNTS * INVITES_EACH)
            waited = replica.tools.waits.take_longest()
    made = ACCOUNTS + places + ACCOUNTS * INVITES_EACH
    assert posts_and_events(database) == {"published": made, "lost": 0, "late": 0}
    assert len(office.platform.truth().sessions) == made
    assert office.core.most_at_work <= places
    assert waited > a_round  # there was too much to do
