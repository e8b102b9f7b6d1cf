"""What the README and ARCHITECTURE.md say, held against the product: examples run, names exist, pictures agree."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from service.core.model import InviteStatus
from tests.support.database import Database
from tests.support.processes import run_to_end
from tests.support.stages import add_post, move, publish

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md"))}
PICTURE = (ROOT / "docs" / "demo.svg").read_text(encoding="utf-8")

SQL = dict(re.findall(r"<!-- sql: (\w+) -->\n```sql\n(.*?)```", README, re.DOTALL))
HERE, _, LATER = README.partition("## Not in this version")
LATER = LATER.partition("\n## ")[0]

NAMES_IN_THE_SCHEMA = """
    select relname as name from pg_class where relnamespace = 'zenhire'::regnamespace
    union select proname from pg_proc where pronamespace = 'zenhire'::regnamespace
"""


def run_sql(database: Database, sql: str) -> list[dict[str, Any]]:
    """As psql does: statement by statement; the rows of all of them."""
    rows: list[dict[str, Any]] = []
    with psycopg.connect(database.url, autocommit=True, row_factory=dict_row) as connection:
        cursor = connection.execute(sql.encode())
        while True:
            rows += cursor.fetchall() if cursor.description else []
            if not cursor.nextset():
                return rows


def inserted(database: Database) -> UUID:
    """The id of the invite that the README's example inserts."""
    run_sql(database, SQL["insert"])
    invite_id: UUID = database.fetch_value("select id from zenhire.candidate_invites")
    return invite_id


def with_link(database: Database) -> UUID:
    invite_id = inserted(database)
    move(database, invite_id, "starting")
    add_post(database, invite_id)
    move(database, invite_id, "link_ready")
    publish(database, invite_id)
    return invite_id


def test_every_example_of_sql_is_tried_here() -> None:
    assert README.count("```sql") == len(SQL)
    tried = set(re.findall(r'SQL\["(\w+)"\]', Path(__file__).read_text(encoding="utf-8")))
    assert set(SQL) == tried


def test_the_insert_may_be_repeated(database: Database) -> None:
    run_sql(database, SQL["insert"])
    run_sql(database, SQL["insert"])
    assert database.fetch_value("select count(*) from zenhire.candidate_invites") == 1


def test_links_are_read_and_marked_as_sent(database: Database) -> None:
    invite_id = with_link(database)
    (row,) = run_sql(database, SQL["links"])
    assert (row["id"], row["request_key"]) == (invite_id, "application-4711")
    assert row["candidate_link"].startswith("https://")
    run_sql(database, SQL["sent"])
    assert database.fetch_value("select link_sent_at from zenhire.candidate_invites") is not None


def test_changes_are_consumed_once(database: Database) -> None:
    invite_id = with_link(database)
    (row,) = run_sql(database, SQL["changes"])
    assert (row["id"], row["status"]) == (invite_id, "link_ready")
    assert run_sql(database, SQL["changes"]) == []
    move(database, invite_id, "in_progress")
    (row,) = run_sql(database, SQL["changes"])
    assert row["status"] == "in_progress"


def test_changes_come_again_after_a_rollback(database: Database) -> None:
    with_link(database)
    for _ in range(2):
        assert len(run_sql(database, SQL["changes"].replace("commit;", "rollback;"))) == 1


def test_a_change_between_reading_and_marking_stays_unseen(database: Database) -> None:
    invite_id = with_link(database)
    read = database.fetch_value("select version from zenhire.candidate_invites")
    move(database, invite_id, "in_progress")
    database.execute("update zenhire.candidate_invites set seen_version = %s", [read])
    (row,) = run_sql(database, SQL["changes"])
    assert row["status"] == "in_progress"


def test_a_listener_is_woken_by_a_change(database: Database) -> None:
    invite_id = with_link(database)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(SQL["listen"].encode())
        move(database, invite_id, "in_progress")
        (heard,) = connection.notifies(timeout=10, stop_after=1)
    assert str(invite_id) in heard.payload
    assert set(re.findall(r'"(\w+)" ?:', heard.payload)) == set(re.findall(r'"(\w+)":', SQL["listen"]))


def test_outcomes_are_read(database: Database) -> None:
    invite_id = with_link(database)
    assert run_sql(database, SQL["outcomes"]) == []
    now = database.fetch_value("select zenhire.clock()")
    move(database, invite_id, "completed", interview_completed_at=now, candidate_survey_rating=4)
    (row,) = run_sql(database, SQL["outcomes"])
    assert (row["request_key"], row["status"], row["candidate_survey_rating"]) == ("application-4711", "completed", 4)


def test_an_invite_is_cancelled_with_an_answer(database: Database) -> None:
    with_link(database)
    ((answer,),) = (row.values() for row in run_sql(database, SQL["cancel"]))
    assert "cannot revoke its link" in answer
    assert "cost credits" in answer
    assert database.fetch_value("select status from zenhire.candidate_invites") == "cancelled"


def test_what_needs_a_person_is_shown(database: Database) -> None:
    inserted(database)
    codes = {row["code"] for row in run_sql(database, SQL["attention"])}
    assert "NO_KEY" in codes


def test_a_recruiter_is_told_where_an_interview_is(database: Database) -> None:
    with_link(database)
    (row,) = run_sql(database, SQL["whereabouts"])
    assert row["label"] == "link ready, interview not started"
    assert all(row.values())


def test_figures_and_the_story_of_an_invite_are_shown(database: Database) -> None:
    with_link(database)
    database.execute("insert into zenhire.account_state (account) values ('default') on conflict do nothing")
    rows = run_sql(database, SQL["figures"])
    (story,) = (row["explain_invite"] for row in rows if "explain_invite" in row)
    assert "link_ready" in story
    assert {"service", "account", "schema"} <= {row["what"] for row in rows if "what" in row}
    assert [row["links_out"] for row in rows if "links_out" in row] == [1]
    assert len([row for row in rows if "example" in row]) > 20


def test_the_history_of_an_invite_is_shown(database: Database) -> None:
    with_link(database)
    assert [row["to_status"] for row in run_sql(database, SQL["history"])] == ["starting", "link_ready"]


def test_an_account_is_paused_and_resumed(database: Database) -> None:
    inserted(database)
    paused, resumed = run_sql(database, SQL["acts"])
    assert "is paused" in paused["pause_account"]
    assert "starts links again" in resumed["resume_account"]


def test_the_example_of_a_file_is_loaded(database: Database, tmp_path: Path) -> None:
    (content,) = re.findall(r"```csv\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "candidates.csv"
    file.write_text(content, encoding="utf-8")
    said = run_to_end("invite", str(file), env={"DATABASE_URL": database.url})
    assert said.returncode == 0, said.stderr
    assert database.fetch_value("select metadata ->> 'source' from zenhire.candidate_invites") == "careers page"


def test_every_status_is_explained_in_its_order() -> None:
    table = README.partition("### Statuses")[2].partition("\n### ")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == [status.value for status in InviteStatus]


def test_what_is_named_in_the_schema_is_there_and_what_is_said_to_come_is_not(database: Database) -> None:
    there = {row["name"] for row in database.fetch(NAMES_IN_THE_SCHEMA)}
    named = set(re.findall(r"\bzenhire\.(\w+)", HERE)) - {"ai"}
    assert named <= there
    assert not set(re.findall(r"`(\w+)`", LATER)) - {"recording_state", "none", "migrate"} & there


@pytest.mark.parametrize("document", [HERE, ARCHITECTURE, *PAGES.values()], ids=["README", "ARCHITECTURE", *PAGES])
def test_every_command_and_option_that_is_named_exists(document: str) -> None:
    commands = set(re.findall(r"^    (\w+)", help_of(), re.MULTILINE))
    for command, options in re.findall(r"(?m)\bzenhire-sync ([a-z]+)((?: -[\w-]+| [\w./-]+)*)", code_of(document)):
        assert command in commands
        said = help_of(command)
        assert not [option for option in re.findall(r"--[a-z-]+", options) if option not in said]


@pytest.mark.parametrize("document", [README, ARCHITECTURE, *PAGES.values()], ids=["README", "ARCHITECTURE", *PAGES])
def test_every_make_target_that_is_named_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", code_of(document))) <= targets


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))),
    ],
)
def test_every_link_to_a_file_or_heading_resolves(name: str) -> None:
    page = ROOT / name
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        assert not path or (page.parent / path).is_file(), f"{name}: {target}"
        there = (page.parent / path).read_text(encoding="utf-8") if path else text
        assert not anchor or anchor in anchors_of(there), f"{name}: {target}"


def test_the_picture_shows_the_demo_and_asks_no_other_host_for_anything() -> None:
    assert "cand-20" in PICTURE
    assert "@font-face" not in PICTURE
    assert not re.findall(r"(?:href|src)\s*=\s*[\"'](?!#)|url\(\s*[\"']?(?!#)|@import|<script", PICTURE)


def test_the_layers_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert " → ".join(layers).replace("service.", "") in ARCHITECTURE


def test_every_file_and_name_in_the_architecture_exists() -> None:
    sources = [path for top in ("service", "sandbox", "migrations") for path in (ROOT / top).rglob("*.*")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources if path.suffix in {".py", ".sql"})
    for name in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", ARCHITECTURE):
        if "/" in name or name.endswith(".py"):
            assert any((ROOT / top / name.split()[-1]).exists() for top in ("", "service")), name
        elif re.fullmatch(r"[\w.]+", name):
            assert re.search(rf"\b{re.escape(name.rpartition('.')[2])}\b", code), name


@cache
def help_of(*command: str) -> str:
    return run_to_end(*command, "--help", env={}).stdout


def code_of(document: str) -> str:
    """Blocks and spans of code: prose may say "make" without meaning the program."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", document, re.DOTALL) + re.findall(r"`([^`\n]+)`", document))


def anchors_of(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
