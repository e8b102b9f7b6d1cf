"""docs/schema.md says what the database says, and docs/states.md what the service and the database allow."""

import re

import pytest

from service.core.model import INVITE_MOVES, InviteStatus, PostState
from tests.pages import SCHEMA, functions, tables
from tests.support.database import Database
from tests.support.report import ROOT

STATES = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
LEGAL = {(str(before), str(after)) for before, targets in INVITE_MOVES.items() for after in targets}


def section(text: str, name: str) -> str:
    return text.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0].strip()


@pytest.mark.parametrize("name", ["tables", "views", "functions"])
def test_the_schema_page_is_written_from_the_comments(database: Database, name: str) -> None:
    kinds = {"tables": "r", "views": "v"}
    said = tables(database, kinds[name]) if name in kinds else functions(database)
    assert section(SCHEMA.read_text(encoding="utf-8"), name) == said.strip()


def test_the_diagram_is_the_table_of_moves() -> None:
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", STATES, re.DOTALL)
    drawn = re.findall(r"^    (\w+) --> (\w+)", diagram, re.MULTILINE)
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == LEGAL
    assert f"[*] --> {InviteStatus.PENDING}" in diagram


def test_every_move_is_explained_once_and_no_other() -> None:
    explained = re.findall(r"^\| `(\w+)` \| `(\w+)` \| .+ \|$", STATES, re.MULTILINE)
    assert sorted(explained) == sorted(LEGAL)


def test_every_state_of_a_post_is_explained() -> None:
    posts = STATES.partition("## Posts")[2]
    assert re.findall(r"^\| `(\w+)` \|", posts, re.MULTILINE) == [
        state.value
        for state in (PostState.POSTING, PostState.PUBLISHED, PostState.LOST, PostState.ORPHAN, PostState.NOT_MADE)
    ]
    assert len(PostState) == 5
