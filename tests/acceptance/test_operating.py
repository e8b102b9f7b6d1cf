"""docs/operating.md: an entry for each code that `attention` can show, and statements that run."""

import re

import psycopg
import pytest

from service.postgres.migrate import make_roles
from tests.support.attention import codes_of_attention
from tests.support.database import Database
from tests.support.report import ROOT
from tests.support.stages import invite_at

OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
STATEMENTS = dict(re.findall(r"<!-- sql: (\w+) -->\n```sql\n(.*?)```", OPERATING, re.DOTALL))


def test_each_code_of_attention_has_its_entry() -> None:
    codes = codes_of_attention()
    assert len(codes) > 12
    told = set(re.findall(r"^### ([A-Z_]+)$", OPERATING, re.MULTILINE)) | set(re.findall(r"`([A-Z_]+)`", OPERATING))
    assert {code for code in codes if not code.startswith("SYNC_")} <= told


def test_each_example_of_sql_is_marked_and_tried() -> None:
    assert OPERATING.count("```sql") == len(STATEMENTS)


@pytest.mark.parametrize("name", STATEMENTS)
def test_an_operator_can_run(database: Database, name: str) -> None:
    make_roles(database.url)
    database.execute("insert into zenhire.account_state (account) values ('default')")
    invite_at(database, "needs_review")
    with psycopg.connect(database.url) as connection:
        connection.execute("set session authorization zenhire_operator")
        for statement in STATEMENTS[name].strip().rstrip(";").split(";\n"):
            assert connection.execute(statement.encode()).description is not None
        connection.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "select zenhire.explain_invite(invite_id) from zenhire.candidate_interviews where candidate_ref = 'C-17'",
        "select says, who from zenhire.timeline where candidate_ref = 'C-18' order by at, event_id",
        "select request_key, label, sentence from zenhire.candidate_interviews order by request_key",
        "select code, why, statement from zenhire.attention",
    ],
)
def test_the_session_shows_what_an_operator_can_ask(database: Database, statement: str) -> None:
    assert statement in OPERATING
    make_roles(database.url)
    for number in (17, 18):
        invite_at(database, "link_ready", candidate_ref=f"C-{number}")
    invite_at(database, "needs_review")
    with psycopg.connect(database.url) as connection:
        connection.execute("set session authorization zenhire_operator")
        assert connection.execute(statement.encode()).fetchall() != []
