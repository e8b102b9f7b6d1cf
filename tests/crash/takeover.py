"""How long a dead replica's work lies there: from kill -9 to the commit with which another has taken it over."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from service.steps.beats import Beat
from tests.crash.crossing import Crossing, a_crossing
from tests.crash.stage import LOOK_EVERY, PATIENCE, Stage, identity, is_there
from tests.support.database import Row
from tests.support.processes import Process
from tests.support.waiting import eventually

#: Each replica has two requests in flight at most, and invites come in faster than one replica can ask: so both work.
BUSY = {"SYNC_CONCURRENCY": "2"}
ANSWER_TAKES, INVITE_EVERY = 0.5, 0.1  #: seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """What became of the posts that a killed replica held."""

    posts: int
    seconds: float  #: from before the kill until the last of them was accounted for, by the database's clock
    after_the_lease: float  #: seconds from the end of a post's lease until it was accounted for, of the slowest
    too_early: int  #: posts that were touched while the dead replica's lease still held
    replicas: set[str]  #: who did it


def kill_one_of_two(stage: Stage) -> TakeOver:
    """Both are at work on what comes in; one dies between its intent and its request. Needs the settings `BUSY`."""
    stage.sandbox.console.change_profile({"faults.latency_seconds": ANSWER_TAKES})
    survivor = stage.start_replica()
    with a_crossing(Beat.CLAIMED, ripe=lambda: True, patience=PATIENCE) as crossing:
        doomed = stage.start_doomed("start", crossing)
        for replica in (survivor, doomed):
            replica.wait_for_line("service_started", within=PATIENCE)
        _invite_until_there(stage, crossing, doomed)
        return kill_and_wait(stage, doomed)


def _invite_until_there(stage: Stage, crossing: Crossing, doomed: Process) -> None:
    """Who takes which invite is chance."""
    numbers = count()

    def is_there_now() -> bool:
        stage.invite(next(numbers))
        return is_there(crossing, doomed)

    eventually(is_there_now, within=PATIENCE, every=INVITE_EVERY)


def kill_and_wait(stage: Stage, doomed: Process) -> TakeOver:
    """Kill it where it stands, and wait until all that it held was taken over."""
    killed_at = stage.database.fetch_value("select zenhire.clock()")
    doomed.kill()
    held = stage.database.fetch(
        "select post_id, lease_until from zenhire.interview_sessions where lease_holder = %s and state = 'posting'",
        [identity(doomed)],
    )
    assert held, "it held nothing"
    given = {"posts": [post["post_id"] for post in held]}
    eventually(lambda: len(_accounts(stage, given)) == len(held), within=PATIENCE, every=LOOK_EVERY)
    until = {post["post_id"]: post["lease_until"] for post in held}
    accounts = _accounts(stage, given)
    after = [(account["at"] - until[account["post_id"]]).total_seconds() for account in accounts]
    return TakeOver(
        posts=len(held),
        seconds=(max(account["at"] for account in accounts) - killed_at).total_seconds(),
        after_the_lease=max(after),
        too_early=sum(seconds < 0 for seconds in after),
        replicas={str(account["replica"]) for account in accounts},
    )


def _accounts(stage: Stage, given: Mapping[str, object]) -> list[Row]:
    return stage.database.fetch(
        "select at, post_id, replica from zenhire.invite_events where kind = 'post_lost' and post_id = any(%(posts)s)",
        given,
    )
