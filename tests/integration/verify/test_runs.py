"""Runs of `verify`: their rows, runs that were cut short, and what the command says when it cannot work."""

import io
import json
import signal
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from sandbox.profile import Listing, Profile
from sandbox.running import running_sandbox
from service.core.model import Policy
from service.operate.progress import Progress
from service.operate.verify import Options, _beating, verify
from service.postgres.engine import create_engine
from service.postgres.verify_runs import Saved, TakenOver, VerifyRuns
from tests.integration.verify.conftest import Verify
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.processes import process, run_to_end
from tests.support.replica import a_replica, statuses
from tests.support.stages import invite_at
from tests.support.waiting import eventually

pytestmark = pytest.mark.long

SCOPE = "database, all accounts"
NOTHING = Saved(position={}, vendor={}, checked={}, counts={}, findings=None)
WITHIN = 120


@pytest_asyncio.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    made = create_engine(database.url, connections=2, application_name="test")
    yield made
    await made.dispose()


def runs_of(engine: AsyncEngine) -> VerifyRuns:
    return VerifyRuns(engine, runner=uuid4(), host="a-host")


class TestRows:
    async def test_a_run_leaves_its_row(self, database: Database, verify_database: Verify) -> None:
        invite_id = invite_at(database, "starting")
        database.execute("set session_replication_role = replica; delete from zenhire.interview_sessions")
        report = await verify_database()
        row = database.fetch_one("select *, session_user as me from zenhire.verify_runs")
        assert (row["id"], row["exit_code"], row["failure"]) == (report.run_id, 3, None)
        assert (row["started_by"], row["scope"]) == (row["me"], SCOPE)
        assert row["counts"] == {"drift": {"invite_without_session": 1}, "in_progress": {}, "note": {}}
        assert row["checked"] == {"invites": 1, "posts": 0}
        assert row["findings"][0]["invite_id"] == str(invite_id)
        assert row["finished_at"] >= row["started_at"]

    async def test_nothing_else_is_written(self, database: Database, verify_database: Verify) -> None:
        for status in ("starting", "link_ready", "completed", "cancelled"):
            invite_at(database, status)
        before = _everything(database)
        await verify_database()
        assert _everything(database) == before


def _everything(database: Database) -> list[Any]:
    return [
        database.fetch("select * from zenhire.candidate_invites order by id"),
        database.fetch("select * from zenhire.interview_sessions order by post_id"),
        database.fetch("select * from zenhire.invite_events order by id"),
        database.fetch("select * from zenhire.account_state"),
    ]


class TestCutShort:
    async def test_the_next_run_goes_on_where_it_was(self, database: Database, engine: AsyncEngine) -> None:
        ids = sorted(invite_at(database, "pending") for _ in range(6))
        begun = await runs_of(engine).begin(SCOPE)
        position = {"part": "invites", "after": str(ids[3])}
        await begun.save(
            Saved(position=position, vendor={}, checked={"invites": 4, "posts": 0}, counts={}, findings=[])
        )
        said = io.StringIO()
        report = await verify(Options(database_url=database.url, policy=Policy()), Progress(said))
        assert (report.run_id, report.resumed, report.state.checked["invites"]) == (begun.id, True, 6)
        assert "was cut short; going on where it was (--fresh begins anew)" in said.getvalue()
        with pytest.raises(TakenOver):
            await begun.save(NOTHING)

    async def test_what_was_found_before_is_read_again(
        self, database: Database, engine: AsyncEngine, verify_database: Verify
    ) -> None:
        gone: dict[str, Any] = {
            "kind": "look_never_comes",
            "level": "drift",
            "account": "default",
            "what": "It was so.",
        }
        gone |= dict.fromkeys(("post_id", "session_id", "mended_by", "statement"))
        gone["invite_id"] = str(invite_at(database, "pending"))
        begun = await runs_of(engine).begin(SCOPE)
        counts = {"drift": {"look_never_comes": 1}}
        await begun.save(Saved(position={}, vendor={}, checked={}, counts=counts, findings=[gone]))
        report = await verify_database()
        assert (report.run_id, report.exit_code, report.state.findings) == (begun.id, 0, [])

    async def test_fresh_and_another_scope_and_a_day_later_begin_anew(
        self, database: Database, engine: AsyncEngine, verify_database: Verify
    ) -> None:
        insert_invite(database, account="other")
        begun = await runs_of(engine).begin(SCOPE)
        assert (await verify_database(fresh=True)).run_id != begun.id
        assert (await verify_database(accounts=["other"])).run_id != begun.id
        database.execute("update zenhire.verify_runs set beaten_at = beaten_at - interval '61 minutes'")
        assert (await verify_database()).run_id != begun.id

    async def test_a_run_whose_process_lives_is_left_alone(self, database: Database, engine: AsyncEngine) -> None:
        begun = await runs_of(engine).begin(SCOPE)
        said = io.StringIO()
        async with _beating(begun):
            report = await verify(Options(database_url=database.url, policy=Policy()), Progress(said))
        assert (report.run_id != begun.id, report.resumed) == (True, False)
        assert "is at work; this one begins anew" in said.getvalue()
        await begun.save(NOTHING)

    async def test_a_killed_process_is_followed_by_one_that_walks_on(self, database: Database) -> None:
        profile = Profile(listing=Listing(page_size=2, page_size_max=2))
        with running_sandbox(profile=profile) as sandbox:
            for one in range(40):
                insert_invite(database, candidate_ref=f"candidate-{one}~never")
            async with a_replica(database.url, sandbox.base_url, keys={"default": sandbox.key}) as replica:
                await replica.tick()
            assert statuses(database) == {"link_ready": 40}
            env = {"DATABASE_URL": database.url, "ZENHIRE_API_KEY": sandbox.key, "ZENHIRE_BASE_URL": sandbox.base_url}
            with process("verify", "--json", env=env | {"SYNC_REQUESTS_PER_MINUTE": "240"}) as first:
                eventually(lambda: _pages(database) >= 3, within=WITHIN)
                first.signal(signal.SIGKILL)
                first.wait(within=WITHIN)
            pages = _pages(database)
            assert pages < 20
            done = run_to_end("verify", "--json", env=env | {"SYNC_REQUESTS_PER_MINUTE": "6000"}, within=WITHIN)
        report = json.loads(done.stdout)
        assert (done.returncode, report["resumed"], report["counts"]["drift"]) == (0, True, {}), done.stderr
        assert report["vendor"]["default"]["sessions"] >= 40
        assert "was cut short; going on where it was" in done.stderr
        asked = sandbox.platform.answers["list_sessions", "200"]
        assert asked <= report["vendor"]["default"]["requests"] + 1  # the killed one's last page, not yet kept


def _pages(database: Database) -> int:
    rows = database.fetch("select coalesce(max((position #>> '{tally,pages}')::int), 0) as n from zenhire.verify_runs")
    return int(rows[0]["n"])


class TestWhatCannotBeDone:
    @pytest.fixture
    def env(self, database: Database) -> dict[str, str]:
        return {
            "DATABASE_URL": database.url,
            "ZENHIRE_API_KEY": "zh_api_wrong",
            "ZENHIRE_BASE_URL": "http://127.0.0.1:1/api/v1/interview",
        }

    def test_no_key_is_wrong_settings(self, database: Database) -> None:
        done = run_to_end("verify", env={"DATABASE_URL": database.url}, within=WITHIN)
        assert (done.returncode, done.stdout) == (2, "")
        assert "ZENHIRE_API_KEY: is not set" in done.stderr

    def test_the_database_alone_needs_no_key(self, database: Database) -> None:
        done = run_to_end("verify", "--database-only", "--json", env={"DATABASE_URL": database.url}, within=WITHIN)
        report = json.loads(done.stdout)
        assert (done.returncode, done.stderr, report["exit_code"], report["clean"]) == (0, "", 0, True)

    def test_an_unknown_account_is_wrong_usage(self, env: dict[str, str]) -> None:
        done = run_to_end("verify", "--account", "defualt", env=env, within=WITHIN)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("zenhire-sync: there is no account defualt: it has neither a key nor an invite")

    def test_a_vendor_that_cannot_be_reached_is_a_failure(self, database: Database, env: dict[str, str]) -> None:
        database.execute("insert into zenhire.account_state (account) values ('default')")
        done = run_to_end("verify", env=env, within=WITHIN)
        assert done.returncode == 1
        assert "Not all could be checked: account default: ZenHire could not be reached" in " ".join(
            done.stdout.split()
        )

    def test_a_wrong_key_is_a_failure(self, database: Database, env: dict[str, str]) -> None:
        database.execute("insert into zenhire.account_state (account) values ('default')")
        with running_sandbox() as sandbox:
            done = run_to_end("verify", env=env | {"ZENHIRE_BASE_URL": sandbox.base_url}, within=WITHIN)
        assert done.returncode == 1
        assert "ZenHire refused" in done.stdout
        assert "(INVALID_API_KEY)" in done.stdout

    def test_sessions_at_another_address_are_not_looked_for_here(self, database: Database, env: dict[str, str]) -> None:
        database.execute(
            "insert into zenhire.account_state (account, base_url) values ('default', 'https://x.example')"
        )
        done = run_to_end("verify", env=env, within=WITHIN)
        assert done.returncode == 1
        assert "its sessions are at https://x.example, and ZENHIRE_BASE_URL is" in " ".join(done.stdout.split())

    def test_a_schema_that_is_missing_or_behind_has_a_code_of_its_own(
        self, env: dict[str, str], empty_database_url: str
    ) -> None:
        done = run_to_end("verify", env=env | {"DATABASE_URL": empty_database_url}, within=WITHIN)
        assert (done.returncode, done.stdout) == (4, "")
        assert "run `zenhire-sync migrate`" in done.stderr

    def test_a_database_that_cannot_be_reached_is_one_sentence(self, env: dict[str, str]) -> None:
        nowhere = "postgresql://u:hunter2@127.0.0.1:1/ats"
        done = run_to_end("verify", "--database-only", env=env | {"DATABASE_URL": nowhere}, within=WITHIN)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
        assert "no database at 127.0.0.1:1, database ats" in done.stderr
