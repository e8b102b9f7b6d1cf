"""The pages in docs/: what they have one type is typed here, and everything they name exists."""

import re
from pathlib import Path

import psycopg

from sandbox.running import running_sandbox
from service.postgres.migrate import make_roles
from tests.acceptance.test_service import FAST, a_fast_vendor, service
from tests.support.database import Database
from tests.support.processes import run_to_end
from tests.support.report import ROOT
from tests.support.waiting import eventually

PAGES = sorted((ROOT / "docs").glob("*.md"))
#: Whose tests run the SQL of a page.
SQL_IS_RUN_BY = {
    "integrating": "test_examples",
    "operating": "test_operating",
    "quick-start": "test_documents",
    "security": "test_documents",
}

QUICK_START = (ROOT / "docs" / "quick-start.md").read_text(encoding="utf-8")
SQL = dict(re.findall(r"<!-- sql: (\w+) -->\n```sql\n(.*?);\n```", QUICK_START, re.DOTALL))
RUN = dict(re.findall(r"<!-- run: (\w+) -->\n```sh\n(.*?)```", QUICK_START, re.DOTALL))


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


# --- quick start -----------------------------------------------------------------------------------------------------


def run(name: str, env: dict[str, str]) -> list[str]:
    """What each of the block's commands says; all of them end well."""
    said = []
    for line in RUN[name].splitlines():
        program, *arguments = line.split()
        assert program == "zenhire-sync"
        ended = run_to_end(*arguments, env=env)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        said.append(ended.stdout)
    return said


def test_the_quick_start_leads_to_an_outcome(empty_database_url: str) -> None:
    assert set(RUN) == {"prepare", "service", "explain", "status"}
    assert set(SQL) == {"invite", "link", "outcome", "erase"}
    database = Database(empty_database_url)
    always_well = {"candidates.never": 0.0, "candidates.fail": 0.0, "candidates.time_out": 0.0}
    with running_sandbox(profile=a_fast_vendor(**always_well)) as sandbox:
        theirs = {
            "DATABASE_URL": empty_database_url,
            "ZENHIRE_API_KEY": sandbox.key,
            "ZENHIRE_BASE_URL": sandbox.base_url,
        }
        env = FAST | theirs
        migrated, examined = run("prepare", env)
        assert "zenhire" in migrated
        assert "FAILED" not in examined
        assert RUN["service"] == "zenhire-sync run\n"
        with service(empty_database_url, sandbox):
            database.execute(SQL["invite"])
            eventually(lambda: database.fetch_one(SQL["link"])["candidate_link"], within=20)
            (story,) = run("explain", env)
            assert "my-first-interview" in story
            eventually(lambda: database.fetch_one(SQL["outcome"])["transcript"], within=60)
            outcome = database.fetch_one(SQL["outcome"])
            assert outcome["status"] == "completed"
            assert None not in outcome.values()
            (shown,) = run("status", env)
            assert "All right" in shown
        assert "ZenHire" in database.fetch_value(SQL["erase"])
        assert database.fetch_value("select candidate_ref from zenhire.candidate_invites") == "erased"


# --- settings --------------------------------------------------------------------------------------------------------


def test_wrong_settings_are_told_as_the_page_shows() -> None:
    ((command, shown),) = re.findall(r"```sh\n(SYNC_.*?)\n```\n\n```\n(.*?)```", page("settings"), re.DOTALL)
    assignments = dict(part.split("=") for part in command.split() if "=" in part)
    ended = run_to_end("run", env=assignments)
    assert (ended.returncode, ended.stderr) == (2, shown)


def test_the_page_s_way_to_see_the_settings_in_force_is_one(database: Database) -> None:
    (statement,) = re.findall(r"`(select [^`]+)`", page("settings"))
    assert database.fetch(statement) == []


# --- all of them -----------------------------------------------------------------------------------------------------


def test_users_are_made_members_as_the_page_on_security_shows(database: Database) -> None:
    make_roles(database.url)
    ((grants),) = re.findall(r"```sql\n(.*?)```", page("security"), re.DOTALL)
    with psycopg.connect(database.url) as connection:
        connection.execute("create role my_ats_user; create role alice")
        connection.execute(grants.encode())
        for user, role in (("my_ats_user", "zenhire_ats"), ("alice", "zenhire_operator")):
            assert connection.execute("select pg_has_role(%s, %s, 'member')", [user, role]).fetchone() == (True,)
        connection.rollback()


def test_queries_within_the_text_run(database: Database) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (*PAGES, ROOT / "README.md") if path.stem != "schema"]
    queries = [query for text in texts for query in re.findall(r"`(select [^`]+)`", text)]
    assert len(queries) >= 4
    with psycopg.connect(database.url) as connection:
        for query in queries:
            assert connection.execute(query.encode()).description is not None


def test_sql_stands_only_where_a_test_runs_it() -> None:
    with_sql = {path.stem for path in PAGES if "```sql" in path.read_text(encoding="utf-8")}
    assert with_sql == set(SQL_IS_RUN_BY)
    for name, module in SQL_IS_RUN_BY.items():
        assert (
            f"{name}.md" in Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8") or module in __file__
        )
