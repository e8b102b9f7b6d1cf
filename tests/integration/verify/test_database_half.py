"""`verify --database-only`: each kind of fault is brought about for real, and named; a world that is well is clean."""

from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
import pytest

from service.core.findings import Finding, Kind, Level
from service.core.model import InviteStatus, Policy
from tests.integration.verify.conftest import MakeReplica, Verify
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.replica import Replica, World, statuses
from tests.support.stages import add_post, invite_at, move


def break_rows(database: Database, statements: LiteralString) -> None:
    """Past every trigger, as a restored dump or a determined person writes."""
    database.execute(f"set session_replication_role = replica; {statements}")


async def outcome(world: World, replica: Replica) -> None:
    """One invite, brought to its outcome and transcript."""
    insert_invite(world.database, candidate_ref="anna~completed opens_after=1 talks_for=1 artifacts_after=1")
    await replica.tick()
    for _ in range(2):
        world.advance(minutes=2)
        await replica.tick()
    invite = world.database.fetch_one("select status, transcript_state from zenhire.candidate_invites")
    assert invite == {"status": "completed", "transcript_state": "stored"}


async def a_link(world: World, replica: Replica, **over: Any) -> None:
    insert_invite(world.database, **{"candidate_ref": "anna~never"} | over)
    await replica.tick()
    assert statuses(world.database) == {"link_ready": 1}


async def a_lost_post(world: World, replica: Replica) -> None:
    world.sandbox.console.set_faults(["lost_after@create_session:#1"])
    insert_invite(world.database, candidate_ref="anna~never")
    await replica.tick()
    assert statuses(world.database) == {"starting": 1}


async def the_finding(verify_database: Verify, kind: Kind, **options: Any) -> Finding:
    report = await verify_database(**options)
    assert [finding.kind for finding in report.state.findings] == [kind], report.state.findings
    assert report.exit_code == (3 if report.state.findings[0].level == Level.DRIFT else 0)
    return report.state.findings[0]


class TestAWorldThatIsWell:
    async def test_an_empty_database_is_clean(self, verify_database: Verify) -> None:
        report = await verify_database()
        assert (report.exit_code, report.state.checked.total()) == (0, 0)

    async def test_an_invite_whose_history_was_forgotten_is_clean_and_stays_so(
        self, world: World, replica: Replica, verify_database: Verify
    ) -> None:
        await outcome(world, replica)
        world.advance(days=31)
        for _ in range(3):
            await replica.tick()
        forgotten = world.database.fetch_value("select zenhire.forget_invites(interval '30 days', 10)")
        assert forgotten == 1
        await replica.tick()
        report = await verify_database()
        assert (report.exit_code, report.state.findings) == (0, [])

    async def test_invites_in_every_status_are_clean_at_any_time(
        self, world: World, make_replica: MakeReplica, verify_database: Verify
    ) -> None:
        policy = Policy(posts_per_link=3)
        seen: set[str] = set()
        async with make_replica(policy=policy) as replica:
            await one_that_needs_a_person(world, replica)
            for fate in FATES * 2:
                insert_invite(world.database, **fate)
            world.database.execute(
                "select zenhire.cancel_invite(id, 'a test') from zenhire.candidate_invites"
                " where candidate_ref like 'e%' limit 1"
            )
            for step in range(16):
                world.sandbox.console.set_faults(["lost_after@create_session:#1,#3,#6"] if step < 3 else [])
                await replica.tick()
                report = await verify_database(policy=policy)
                assert report.exit_code == 0, (step, report.state.findings)
                seen |= statuses(world.database).keys()
                world.advance(**({"seconds": 20} if step < 6 else {"days": 1}))
        assert seen == set(InviteStatus)
        report = await verify_database(policy=policy)
        assert report.state.checked["invites"] == len(FATES) * 2 + 1


FATES: list[dict[str, Any]] = [
    {"candidate_ref": "a~completed opens_after=30 talks_for=120 artifacts_after=1", "max_links": 2},
    {"candidate_ref": "b~completed opens_after=90000 talks_for=900"},
    {"candidate_ref": "c~failed opens_after=10 talks_for=60"},
    {"candidate_ref": "d~failed talks_for=60|completed", "max_links": 2},
    {"candidate_ref": "e~never"},
    {"candidate_ref": "f~never|timed_out", "max_links": 2},
    {"candidate_ref": "g", "start_after": datetime(2027, 1, 1, tzinfo=UTC)},
    {"candidate_ref": "h", "persona_id": "8c1f8f0e-0000-4000-8000-000000000000"},
    {"candidate_ref": "i~fails_unopened opens_after=60"},
]


async def one_that_needs_a_person(world: World, replica: Replica) -> None:
    world.sandbox.console.set_faults(["lost_after@create_session:1.0"])
    insert_invite(world.database, candidate_ref="nobody~never")
    for _ in range(4):
        await replica.tick()
        world.advance(minutes=6)
    assert statuses(world.database) == {"needs_review": 1}


class TestInvites:
    async def test_a_link_without_its_post(self, world: World, replica: Replica, verify_database: Verify) -> None:
        await a_link(world, replica)
        break_rows(
            world.database,
            "update zenhire.interview_sessions set state = 'lost', session_id = null, "
            "next_look_at = null, next_search_at = zenhire.clock()",
        )
        found = await the_finding(verify_database, Kind.INVITE_WITHOUT_SESSION)
        run_statement(world, found)
        assert (await verify_database()).exit_code == 0

    async def test_a_starting_invite_without_a_post(self, world: World, verify_database: Verify) -> None:
        invite_at(world.database, "starting")
        break_rows(world.database, "delete from zenhire.interview_sessions")
        await the_finding(verify_database, Kind.INVITE_WITHOUT_SESSION)

    async def test_two_live_links(self, world: World, replica: Replica, verify_database: Verify) -> None:
        await a_link(world, replica)
        break_rows(
            world.database,
            """
            insert into zenhire.interview_sessions (account, invite_id, link_number, post_number, state, current,
                session_id, link_expires_at, vendor_status, next_look_at, next_look_reason)
            select account, invite_id, 2, 1, 'published', false, 'another', link_expires_at, 'initiated',
                next_look_at, 'a test' from zenhire.interview_sessions
            """,
        )
        found = await the_finding(verify_database, Kind.TWO_LIVE_LINKS)
        assert "another" in found.what

    async def test_the_link_of_an_older_session(self, world: World, replica: Replica, verify_database: Verify) -> None:
        await a_link(world, replica)
        break_rows(
            world.database,
            """
            update zenhire.interview_sessions set current = false, dead_at = zenhire.clock(), dead_because = 'failed',
                next_look_at = null;
            insert into zenhire.interview_sessions (account, invite_id, link_number, post_number, state, session_id,
                link_expires_at, vendor_status, next_look_at, next_look_reason)
            select account, invite_id, 2, 1, 'published', 'another', link_expires_at, 'initiated', zenhire.clock(),
                'a test' from zenhire.interview_sessions
            """,
        )
        report = await verify_database()
        assert {finding.kind for finding in report.state.findings} == {Kind.ANOTHER_LINK_SHOWN, Kind.END_NOT_TAKEN}

    async def test_an_outcome_that_the_invite_never_got(
        self, world: World, replica: Replica, verify_database: Verify
    ) -> None:
        await outcome(world, replica)
        break_rows(
            world.database,
            """
            update zenhire.candidate_invites set status = 'link_ready', transcript_state = 'none';
            delete from zenhire.invite_events where to_status = 'completed'
            """,
        )
        found = await the_finding(verify_database, Kind.END_NOT_TAKEN)
        await mends(world, replica, verify_database, found)
        assert statuses(world.database) == {"completed": 1}


class TestHistory:
    @pytest.mark.parametrize(
        ("damage", "kind"),
        [
            ("delete from zenhire.invite_events where to_status = 'link_ready'", Kind.EVENT_MISSING),
            ("delete from zenhire.invite_events where to_status = 'starting'", Kind.HISTORY_BROKEN),
            ("delete from zenhire.invite_events", Kind.EVENT_MISSING),
            ("update zenhire.invite_events set version = 1 where to_status = 'link_ready'", Kind.HISTORY_BROKEN),
            ("update zenhire.candidate_invites set version = 1", Kind.HISTORY_BROKEN),
            (
                """
                update zenhire.invite_events set to_status = 'failed' where to_status = 'starting';
                update zenhire.invite_events set from_status = 'failed' where to_status = 'link_ready'
                """,
                Kind.HISTORY_BROKEN,
            ),
        ],
    )
    async def test_what_the_history_does_not_explain(
        self, world: World, replica: Replica, verify_database: Verify, damage: LiteralString, kind: Kind
    ) -> None:
        await a_link(world, replica)
        break_rows(world.database, damage)
        found = await the_finding(verify_database, kind)
        run_statement(world, found)
        report = await verify_database()
        assert report.exit_code == 0, report.state.findings
        world.advance(days=8)
        await replica.tick()
        report = await verify_database()
        assert (report.exit_code, statuses(world.database)) == (0, {"expired": 1}), report.state.findings


class TestOutcomes:
    async def test_a_transcript_that_is_gone(self, world: World, replica: Replica, verify_database: Verify) -> None:
        await outcome(world, replica)
        break_rows(world.database, "delete from zenhire.transcripts")
        await mends(world, replica, verify_database, await the_finding(verify_database, Kind.TRANSCRIPT_MISSING))

    async def test_a_transcript_that_nobody_asks_for(
        self, world: World, replica: Replica, verify_database: Verify
    ) -> None:
        await outcome(world, replica)
        break_rows(
            world.database,
            "update zenhire.candidate_invites set transcript_state = 'waiting'; delete from zenhire.transcripts",
        )
        await mends(world, replica, verify_database, await the_finding(verify_database, Kind.TRANSCRIPT_NEVER_COMES))

    async def test_a_transcript_that_is_waited_for_too_long(
        self, world: World, replica: Replica, verify_database: Verify
    ) -> None:
        await outcome(world, replica)
        break_rows(
            world.database,
            """
            update zenhire.candidate_invites set transcript_state = 'waiting'; delete from zenhire.transcripts;
            update zenhire.interview_sessions set next_collect_at = zenhire.clock() + interval '10 days'
            """,
        )
        assert (await verify_database()).exit_code == 0
        world.advance(days=4)
        await the_finding(verify_database, Kind.TRANSCRIPT_OVERDUE)

    async def test_an_outcome_whose_transcript_nobody_wanted(
        self, world: World, replica: Replica, verify_database: Verify
    ) -> None:
        await outcome(world, replica)
        break_rows(
            world.database,
            "update zenhire.candidate_invites set transcript_state = 'none'; delete from zenhire.transcripts",
        )
        found = await the_finding(verify_database, Kind.TRANSCRIPT_NOT_WANTED)
        assert found.level == Level.NOTE
        report = await verify_database(policy=Policy(transcripts=False))
        assert report.state.total == 0

    async def test_a_recording_that_is_gone(self, world: World, replica: Replica, verify_database: Verify) -> None:
        await outcome(world, replica)
        break_rows(world.database, "update zenhire.candidate_invites set recording_state = 'stored'")
        await the_finding(verify_database, Kind.RECORDING_MISSING)

    async def test_a_document_that_was_changed(self, world: World, replica: Replica, verify_database: Verify) -> None:
        await outcome(world, replica)
        break_rows(world.database, "update zenhire.transcripts set document = '{}'")
        await mends(world, replica, verify_database, await the_finding(verify_database, Kind.BYTES_DIFFER))

    async def test_bytes_that_were_changed(self, world: World, replica: Replica, verify_database: Verify) -> None:
        console = world.sandbox.console
        console.change_profile({"shapes.transcript_text": "nul"})
        await outcome(world, replica)
        kept = world.database.fetch_one("select body is not null as has_body from zenhire.transcripts")
        assert kept == {"has_body": True}
        assert (await verify_database()).exit_code == 0
        break_rows(world.database, "update zenhire.transcripts set body = 'x'")
        await mends(world, replica, verify_database, await the_finding(verify_database, Kind.BYTES_DIFFER))

    async def test_a_document_without_a_hash_of_its_own(
        self, world: World, replica: Replica, verify_database: Verify
    ) -> None:
        await outcome(world, replica)
        break_rows(world.database, "update zenhire.transcripts set document_sha256 = null")
        assert (await the_finding(verify_database, Kind.BYTES_UNPROVEN)).level == Level.NOTE


class TestWorkThatNobodyDoes:
    async def test_a_post_of_a_dead_replica(self, world: World, verify_database: Verify) -> None:
        invite_id = insert_invite(world.database)
        move(world.database, invite_id, "starting")
        add_post(world.database, invite_id, lease_until=world.now)
        found = await the_finding(verify_database, Kind.POST_ABANDONED)
        assert (found.level, found.mended_by) == (Level.IN_PROGRESS, "start")
        world.advance(minutes=6)
        assert (await the_finding(verify_database, Kind.POST_ABANDONED)).level == Level.DRIFT

    async def test_a_repost_that_never_comes(self, world: World, replica: Replica, verify_database: Verify) -> None:
        await a_lost_post(world, replica)
        break_rows(world.database, "update zenhire.interview_sessions set repost_at = null")
        await mends(world, replica, verify_database, await the_finding(verify_database, Kind.REPOST_NEVER_COMES))
        assert statuses(world.database) == {"link_ready": 1}

    async def test_a_repost_that_is_late(self, world: World, replica: Replica, verify_database: Verify) -> None:
        await a_lost_post(world, replica)
        break_rows(
            world.database, "update zenhire.interview_sessions set next_search_at = zenhire.clock() + interval '1 day'"
        )
        assert (await verify_database()).state.total == 0
        world.advance(hours=2)
        assert (await the_finding(verify_database, Kind.REPOST_OVERDUE)).level == Level.DRIFT
        world.database.execute("select zenhire.pause_account('default', 'a test')")
        assert (await the_finding(verify_database, Kind.REPOST_OVERDUE)).level == Level.IN_PROGRESS

    async def test_a_search_that_never_comes(self, world: World, replica: Replica, verify_database: Verify) -> None:
        await a_lost_post(world, replica)
        break_rows(world.database, "update zenhire.interview_sessions set next_search_at = null")
        await mends(world, replica, verify_database, await the_finding(verify_database, Kind.SEARCH_NEVER_COMES))

    async def test_a_search_that_is_late(self, world: World, replica: Replica, verify_database: Verify) -> None:
        await a_lost_post(world, replica)
        break_rows(
            world.database, "update zenhire.interview_sessions set repost_at = zenhire.clock() + interval '1 day'"
        )
        world.advance(hours=2)
        await the_finding(verify_database, Kind.SEARCH_OVERDUE)

    async def test_a_session_at_which_nobody_looks(
        self, world: World, replica: Replica, verify_database: Verify
    ) -> None:
        await a_link(world, replica)
        break_rows(world.database, "update zenhire.interview_sessions set next_look_at = null")
        await mends(world, replica, verify_database, await the_finding(verify_database, Kind.LOOK_NEVER_COMES))

    async def test_a_final_invite_whose_session_is_open_here_and_dead_by_the_calendar(
        self, world: World, replica: Replica, verify_database: Verify
    ) -> None:
        await a_link(world, replica)
        world.database.execute("select zenhire.cancel_invite(id, 'a test') from zenhire.candidate_invites")
        break_rows(world.database, "update zenhire.interview_sessions set next_look_at = null")
        world.advance(days=8)
        found = await the_finding(verify_database, Kind.LOOK_NEVER_COMES)
        assert "is past its time, the invite is cancelled" in found.what
        await mends(world, replica, verify_database, found)

    async def test_a_look_that_is_late(self, world: World, replica: Replica, verify_database: Verify) -> None:
        await a_link(world, replica)
        world.advance(minutes=59)
        assert (await verify_database()).state.total == 0
        world.advance(minutes=5)
        await the_finding(verify_database, Kind.LOOK_OVERDUE)

    async def test_nobody_looks_at_an_erased_candidates_session(
        self, world: World, replica: Replica, verify_database: Verify
    ) -> None:
        await outcome(world, replica)
        insert_invite(world.database, candidate_ref="berta~never")
        await replica.tick()
        for name in ("anna~completed opens_after=1 talks_for=1 artifacts_after=1", "berta~never"):
            world.database.execute("select zenhire.erase_candidate('default', %s, 'a test')", [name])
        world.advance(days=9)
        report = await verify_database()
        assert (report.exit_code, report.state.total) == (0, 0), report.state.findings


def run_statement(world: World, found: Finding) -> None:
    assert found.statement is not None
    with psycopg.connect(world.database.url) as connection:
        connection.execute(found.statement.encode())


async def mends(world: World, replica: Replica, verify_database: Verify, found: Finding) -> None:
    """The finding's own statement, and the step that it names, put everything right."""
    assert found.level == Level.DRIFT
    run_statement(world, found)
    for _ in range(3):
        await replica.tick()
        world.advance(seconds=15)
    report = await verify_database()
    assert (report.exit_code, report.state.total) == (0, 0), report.state.findings
