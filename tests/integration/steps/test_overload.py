"""A replica that has more to do than its core gets done is late; it claims nothing that it cannot finish in time."""

import time
from datetime import timedelta
from typing import Any

from sandbox.clock import SystemClock
from sandbox.model import KeySpec
from sandbox.platform import Platform
from sandbox.profile import CandidateMix, Profile
from sandbox.running import running_sandbox
from service.steps.beats import Beat
from tests.support.database import Database
from tests.support.replica import Replica, a_replica, statuses
from tests.support.waiting import eventually_async

ACCOUNTS, INVITES_EACH = 24, 20
BURNT_AT_EACH_BEAT = 0.006  #: seconds of the core
LEASE, DEADLINE = timedelta(seconds=5), timedelta(seconds=1.5)

INVITES = """
insert into zenhire.candidate_invites (account, candidate_ref, consent_mode, role_name, language)
select 'account_' || n %% %(accounts)s, 'c-' || n, 'explicit', 'Nurse', 'en'
from generate_series(1, %(accounts)s * %(each)s) n
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


async def test_every_answer_is_written_within_its_lease(database: Database) -> None:
    keys = {f"account_{number}": f"zh_api_{number:032x}" for number in range(ACCOUNTS)}
    specs = tuple(KeySpec(value=key, client=account) for account, key in keys.items())
    core = SlowCore()
    platform = Platform(Profile(candidates=CandidateMix(come="when_sent")), SystemClock(), keys=specs)
    with running_sandbox(platform) as sandbox:
        async with a_replica(
            database.url, sandbox.base_url, keys=keys, lease=LEASE, deadline=DEADLINE, reached=core.reached
        ) as replica:
            database.execute(INVITES, {"accounts": ACCOUNTS, "each": INVITES_EACH})
            await all_have_links(replica, database)
            assert core.most_at_work <= replica.tools.concurrency_of_all
            assert replica.tools.waits.take_longest() > 1  # there was too much to do
    made = ACCOUNTS * INVITES_EACH
    assert posts_and_events(database) == {"published": made, "lost": 0, "late": 0}
    assert len(platform.truth().sessions) == made
