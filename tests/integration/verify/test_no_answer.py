"""A run that ended because the vendor did not answer: the next one goes on where it was, while that is worth it."""

import pytest

from service.operate.verify_report import Report
from tests.integration.verify.conftest import Verify
from tests.support.database import Row
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World

pytestmark = pytest.mark.long

SESSIONS = 10
AWAY = "rate_limited@list_sessions:#{page}:seconds=300"  #: asks for longer than `verify` waits


@pytest.fixture(autouse=True)
async def _links(world: World, replica: Replica) -> None:
    world.sandbox.console.change_profile({"listing.page_size": 2, "listing.page_size_max": 2})
    for number in range(SESSIONS):
        insert_invite(world.database, candidate_ref=f"candidate-{number}~never")
    await replica.tick()
    world.advance(seconds=5)


async def cut_off(world: World, verify_all: Verify, *, page: int = 4) -> Report:
    """A run whose page of this number is not answered; afterwards the vendor answers again."""
    world.sandbox.console.set_faults([AWAY.format(page=page)])
    report = await verify_all()
    assert (report.exit_code, report.state.vendor["default"]["reach"]) == (1, "failed")
    assert "ZenHire asks to wait" in str(report.failure)
    world.sandbox.console.set_faults([])
    world.advance(minutes=6)
    return report


def runs(world: World) -> list[Row]:
    return world.database.fetch("select * from zenhire.verify_runs order by started_at")


async def test_the_next_run_goes_on_where_it_was(world: World, verify_all: Verify) -> None:
    first = await cut_off(world, verify_all)
    asked = world.platform.answers["list_sessions", "200"]
    report = await verify_all()
    assert (report.run_id, report.resumed, report.exit_code, report.failure) == (first.run_id, True, 0, None)
    vendor = report.state.vendor["default"]
    # what was on the pages before is not asked for again, page by page or one by one
    again = world.platform.answers["list_sessions", "200"] - asked
    assert (vendor["reach"], vendor["sessions"], vendor["pages"], vendor["looks"]) == ("whole", SESSIONS, 3 + again, 0)
    assert report.state.checked["invites"] == SESSIONS
    (row,) = runs(world)
    assert (row["exit_code"], row["failure"], "unanswered" in row["position"]) == (0, None, False)
    assert world.database.fetch("select from zenhire.verify_sightings") == []


async def test_as_often_as_it_takes_also_where_no_page_came(world: World, verify_all: Verify) -> None:
    first = await cut_off(world, verify_all, page=1)
    for _ in range(3):
        assert (await cut_off(world, verify_all, page=2)).run_id == first.run_id
    report = await verify_all()
    assert (report.run_id, report.exit_code, report.state.vendor["default"]["sessions"]) == (first.run_id, 0, SESSIONS)


async def test_what_it_found_before_is_told_once(world: World, verify_all: Verify) -> None:
    world.database.execute(
        "set session_replication_role = replica;"
        " update zenhire.interview_sessions set session_id = 'gone' where post_id ="
        " (select s.post_id from zenhire.interview_sessions s order by s.session_id limit 1);"
        " update zenhire.candidate_invites i set session_id = 'gone' where session_id not in"
        " (select session_id from zenhire.interview_sessions)"
    )
    await cut_off(world, verify_all)
    report = await verify_all()
    kinds = sorted(finding.kind.value for finding in report.state.findings)
    assert (report.resumed, report.exit_code, kinds) == (True, 3, ["session_gone", "twice_made"])


async def test_fresh_begins_anew_and_the_one_before_is_not_taken_up_afterwards(
    world: World, verify_all: Verify
) -> None:
    first = await cut_off(world, verify_all)
    fresh = await verify_all(fresh=True)
    assert (fresh.run_id != first.run_id, fresh.exit_code) == (True, 0)
    later = await verify_all()
    assert later.run_id not in {first.run_id, fresh.run_id}


@pytest.mark.parametrize(
    "column", ["beaten_at = beaten_at - interval '1 hour'", "started_at = started_at - interval '6 hours'"]
)
async def test_one_that_is_too_old_is_left_alone_and_leaves_nothing_behind(
    world: World, verify_all: Verify, column: str
) -> None:
    first = await cut_off(world, verify_all)
    world.database.execute(f"update zenhire.verify_runs set {column}")
    report = await verify_all()
    assert (report.run_id != first.run_id, report.resumed, report.exit_code) == (True, False, 0)


async def test_what_it_has_seen_outlasts_a_run_of_another_scope(world: World, verify_all: Verify) -> None:
    first = await cut_off(world, verify_all)
    assert (await verify_all(accounts=["default"])).run_id != first.run_id
    report = await verify_all()
    assert (report.run_id, report.state.vendor["default"]["looks"]) == (first.run_id, 0)
    assert world.database.fetch("select from zenhire.verify_sightings") == []


async def test_a_refusal_is_an_answer(world: World, verify_all: Verify) -> None:
    world.sandbox.console.set_key(world.sandbox.key, permitted=False)
    first = await verify_all()
    assert (first.exit_code, "ZenHire refused" in str(first.failure)) == (1, True)
    world.sandbox.console.set_key(world.sandbox.key, permitted=True)
    assert (await verify_all()).run_id != first.run_id
