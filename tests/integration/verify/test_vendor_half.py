"""`verify` against the vendor's list: what stands there and not here, and here and not there."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from service.core.findings import Finding, Kind, Level
from tests.integration.verify.conftest import Verify
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, statuses


async def links(world: World, replica: Replica, number: int) -> None:
    for one in range(number):
        insert_invite(world.database, candidate_ref=f"candidate-{one}~never")
    await replica.tick()
    assert statuses(world.database) == {"link_ready": number}
    world.advance(seconds=5)


def reach(report: Any) -> str:
    return str(report.state.vendor["default"]["reach"])


def only(report: Any, kind: Kind) -> Finding:
    assert [finding.kind for finding in report.state.findings] == [kind], report.state.findings
    finding: Finding = report.state.findings[0]
    return finding


class TestAWorldThatIsWell:
    async def test_before_any_replica_nothing_is_asked(self, verify_all: Verify) -> None:
        report = await verify_all()
        assert (report.exit_code, reach(report)) == (0, "nothing_known")

    @pytest.mark.parametrize("profile", [{}, {"listing.paging": "cursor"}, {"listing.paging": "page"}])
    async def test_every_session_of_the_list_is_compared(
        self, world: World, replica: Replica, verify_all: Verify, profile: dict[str, Any]
    ) -> None:
        world.sandbox.console.change_profile(profile | {"listing.page_size_max": 10})
        await links(world, replica, 25)
        report = await verify_all()
        assert (report.exit_code, report.state.total, reach(report)) == (0, 0, "whole"), report.state
        assert report.state.vendor["default"]["sessions"] >= 25
        assert world.database.fetch("select * from zenhire.verify_sightings") == []

    async def test_a_list_without_pages_leaves_a_part_unproven(
        self, world: World, replica: Replica, verify_all: Verify
    ) -> None:
        world.sandbox.console.change_profile({"listing.paging": "none"})
        await links(world, replica, 25)
        report = await verify_all()
        assert (report.exit_code, reach(report)) == (0, "in_part")
        assert {finding.kind for finding in report.state.findings} == {Kind.LIST_UNPROVEN, Kind.NOT_LISTED}
        assert {finding.level for finding in report.state.findings} == {Level.NOTE}
        assert report.state.vendor["default"]["looks"] == 5


def never_swept(world: World) -> None:
    """The `sweep` step is due, and no replica does it."""
    world.database.execute(
        "insert into zenhire.sweeps (account, next_at) values ('default', zenhire.clock())"
        " on conflict (account, walk) do update set position = null, next_at = excluded.next_at,"
        " started_at = excluded.started_at"
    )


class TestThereAndNotHere:
    async def test_an_end_that_the_next_look_will_see(self, world: World, replica: Replica, verify_all: Verify) -> None:
        insert_invite(world.database, candidate_ref="anna~completed opens_after=1 talks_for=1")
        await replica.tick()
        world.advance(seconds=30)
        finding = only(await verify_all(), Kind.FINAL_THERE)
        assert (finding.level, finding.mended_by) == (Level.IN_PROGRESS, "watch")
        assert "shows the session as completed, and here it is initiated. The step watch takes it" in finding.what
        await replica.tick()
        assert (await verify_all()).state.total == 0

    async def test_an_end_that_nobody_looks_at_in_time(
        self, world: World, replica: Replica, verify_all: Verify
    ) -> None:
        insert_invite(world.database, candidate_ref="anna~completed opens_after=1 talks_for=1")
        await replica.tick()
        world.advance(hours=3)
        report = await verify_all()
        assert report.exit_code == 3
        assert {finding.kind for finding in report.state.findings} == {Kind.FINAL_THERE, Kind.LOOK_OVERDUE}
        assert {finding.level for finding in report.state.findings} == {Level.DRIFT}
        assert report.state.vendor["default"]["looks"] == 1

    async def test_the_session_of_a_lost_post(self, world: World, replica: Replica, verify_all: Verify) -> None:
        world.sandbox.console.set_faults(["lost_after@create_session:#1"])
        insert_invite(world.database, candidate_ref="anna~never")
        await replica.tick()
        finding = only(await verify_all(), Kind.LOST_POST_FOUND)
        assert (finding.level, finding.mended_by) == (Level.IN_PROGRESS, "settle")
        world.database.execute(
            "update zenhire.interview_sessions set next_search_at = null, dead_at = zenhire.clock(),"
            " dead_because = 'not_found' where state = 'lost'"
        )
        finding = only(await verify_all(), Kind.LOST_POST_FOUND)
        assert (finding.level, finding.mended_by) == (Level.IN_PROGRESS, "sweep")
        never_swept(world)
        world.advance(hours=2)
        report = await verify_all()
        (finding,) = (finding for finding in report.state.findings if finding.kind == Kind.LOST_POST_FOUND)
        assert (finding.level, finding.mended_by) == (Level.DRIFT, "sweep")
        assert finding.statement is not None
        assert "set next_search_at = zenhire.clock()" in finding.statement

    async def test_a_session_of_another_database(self, world: World, replica: Replica, verify_all: Verify) -> None:
        await links(world, replica, 2)
        marks = {"zenhire_sync_invite": f"{uuid4()}/1", "zenhire_sync_post": str(uuid4())}
        session_id = a_session(world, metadata=marks)
        assert only(await verify_all(), Kind.UNKNOWN_POST).level == Level.IN_PROGRESS
        world.database.execute(
            "insert into zenhire.unclaimed_sessions (account, session_id, finding, vendor_status)"
            " values ('default', %s, 'unknown_post', 'initiated')",
            [session_id],
        )
        finding = only(await verify_all(), Kind.UNKNOWN_POST)
        assert (finding.level, finding.session_id) == (Level.DRIFT, session_id)
        assert finding.statement is not None
        with psycopg.connect(world.database.url) as connection:
            connection.execute(finding.statement.encode())
        report = await verify_all()
        assert (report.exit_code, only(report, Kind.UNKNOWN_POST).level) == (0, Level.NOTE)

    async def test_sessions_of_others_are_counted_and_no_finding(
        self, world: World, replica: Replica, verify_all: Verify
    ) -> None:
        await links(world, replica, 2)
        a_session(world, metadata={"theirs": "1"})
        report = await verify_all()
        assert (report.exit_code, report.state.total) == (0, 0)
        assert report.state.vendor["default"]["not_ours"] == 1

    async def test_a_session_that_the_console_made_beside_another(
        self, world: World, replica: Replica, verify_all: Verify
    ) -> None:
        world.sandbox.console.change_profile({"limits.reinvite": "new", "listing.playground_rows": True})
        insert_invite(world.database, candidate_ref="anna~failed opens_after=1 talks_for=1|never")
        await replica.tick()
        world.advance(minutes=2)
        await replica.watch.run_once()
        assert statuses(world.database) == {"failed": 1}
        world.advance(seconds=1)
        (session,) = world.platform.truth().sessions
        world.sandbox.console.reinvite(session.id)
        finding = only(await verify_all(), Kind.CONSOLE_REINVITE)
        assert (finding.level, finding.mended_by) == (Level.IN_PROGRESS, "sweep")
        never_swept(world)
        world.advance(hours=2)
        report = await verify_all()
        assert Kind.CONSOLE_REINVITE in {one.kind for one in report.state.findings if one.level == Level.DRIFT}


class TestHereAndNotThere:
    async def test_a_session_that_the_vendor_does_not_know(
        self, world: World, replica: Replica, verify_all: Verify
    ) -> None:
        await links(world, replica, 2)
        world.database.execute(
            "update zenhire.interview_sessions set session_id = 'gone' where post_id ="
            " (select post_id from zenhire.interview_sessions limit 1);"
            " set session_replication_role = replica;"
            " update zenhire.candidate_invites i set session_id = 'gone' where session_id not in"
            " (select session_id from zenhire.interview_sessions)"
        )
        report = await verify_all()
        findings = {finding.kind: finding for finding in report.state.findings}
        assert findings.keys() == {Kind.SESSION_GONE, Kind.TWICE_MADE}
        assert findings[Kind.SESSION_GONE].session_id == "gone"
        assert findings[Kind.SESSION_GONE].statement is not None
        assert report.exit_code == 3

    async def test_the_key_of_another_client(self, world: World, replica: Replica, verify_all: Verify) -> None:
        await links(world, replica, 2)
        world.database.execute("update zenhire.account_state set client_id = 'another-client'")
        report = await verify_all()
        assert (report.exit_code, reach(report)) == (1, "failed")
        assert "and the sessions here to another-client" in str(report.failure)


class TestTrouble:
    async def test_a_vendor_that_stumbles_is_asked_again(
        self, world: World, replica: Replica, verify_all: Verify
    ) -> None:
        await links(world, replica, 2)
        world.sandbox.console.set_faults(["internal_error@list_sessions:#1"])
        report = await verify_all()
        assert (report.exit_code, reach(report), report.state.vendor["default"]["requests"]) == (0, "whole", 3)

    async def test_a_vendor_that_wants_a_long_wait_is_not_waited_for(
        self, world: World, replica: Replica, verify_all: Verify
    ) -> None:
        await links(world, replica, 2)
        world.database.execute(
            "update zenhire.request_budget set paused_until = zenhire.clock() + interval '10 minutes'"
        )
        report = await verify_all()
        assert (report.exit_code, reach(report)) == (1, "failed")
        assert "no request slot within 30 s" in str(report.failure)

    async def test_a_stopped_account_is_not_asked(self, world: World, replica: Replica, verify_all: Verify) -> None:
        await links(world, replica, 2)
        world.sandbox.console.set_key(world.sandbox.key, state="revoked")
        world.advance(minutes=5)
        await replica.tick()
        report = await verify_all()
        assert report.exit_code == 1
        assert "the account is stopped" in str(report.failure)

    async def test_an_account_without_a_key_cannot_be_asked(self, world: World, verify_all: Verify) -> None:
        insert_invite(world.database, account="other")
        report = await verify_all(accounts=["other"])
        assert (report.exit_code, report.failure) == (1, "account other: there is no key for it")


def a_session(world: World, *, metadata: dict[str, str]) -> str:
    """One that somebody else made with this key."""
    key = world.platform.keys[world.sandbox.key]
    persona = next(iter(key.client.personas.values()))
    asked = {"consent_mode": "explicit", "candidate_ref": "theirs~never", "metadata": metadata}
    return world.platform.create_session(key, persona.id, asked).id
