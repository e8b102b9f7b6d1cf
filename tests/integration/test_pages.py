"""docs/schema.md and docs/states.md say what the database says; `make docs` writes them."""

import re

import pytest

from service.core.model import InviteStatus, PostState
from tests.pages import SCHEMA, STATES, diagram, functions, moves, tables
from tests.support.database import Database


def section(text: str, name: str) -> str:
    return text.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0].strip()


@pytest.mark.parametrize("name", ["tables", "views", "functions"])
def test_the_schema_page_is_written_from_the_comments(database: Database, name: str) -> None:
    kinds = {"tables": "r", "views": "v"}
    said = tables(database, kinds[name]) if name in kinds else functions(database)
    assert section(SCHEMA.read_text(encoding="utf-8"), name) == said.strip()


def test_the_diagram_is_what_the_database_allows(database: Database) -> None:
    assert section(STATES.read_text(encoding="utf-8"), "moves") == diagram(moves(database))


def test_every_move_is_explained_once_and_no_other(database: Database) -> None:
    explained = re.findall(r"^\| `(\w+)` \| `(\w+)` \| .+ \|$", STATES.read_text(encoding="utf-8"), re.MULTILINE)
    allowed = [(one.value, other.value) for one, others in moves(database).items() for other in others]
    assert sorted(explained) == sorted(allowed)
    assert {one for one, _ in allowed} == {status.value for status in InviteStatus} - {"completed"}


def test_every_state_of_a_post_is_explained() -> None:
    posts = STATES.read_text(encoding="utf-8").partition("## Posts")[2]
    assert re.findall(r"^\| `(\w+)` \|", posts, re.MULTILINE) == [
        state.value
        for state in (PostState.POSTING, PostState.PUBLISHED, PostState.LOST, PostState.ORPHAN, PostState.NOT_MADE)
    ]
    assert len(PostState) == 5
