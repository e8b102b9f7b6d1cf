"""Rules about the schema as a whole."""

import re
from itertools import product
from pathlib import Path

import pytest

from service.core.model import INVITE_MOVES, InviteStatus
from service.postgres.migrate import migrations_directory
from tests.support.database import Database

UNCOMMENTED = """
select 'table, view or index ' || c.oid::regclass as name from pg_class c
where relnamespace = 'zenhire'::regnamespace and relkind in ('r', 'v', 'i')
  and obj_description(c.oid, 'pg_class') is null
union all
select 'column ' || c.oid::regclass || '.' || attname from pg_attribute a join pg_class c on c.oid = a.attrelid
where relnamespace = 'zenhire'::regnamespace and relkind in ('r', 'v') and attnum > 0 and not attisdropped
  and col_description(c.oid, attnum) is null
union all
select 'function ' || oid::regprocedure from pg_proc
where pronamespace = 'zenhire'::regnamespace and obj_description(oid, 'pg_proc') is null
union all
select 'trigger ' || tgrelid::regclass || '.' || tgname from pg_trigger t join pg_class c on c.oid = tgrelid
where relnamespace = 'zenhire'::regnamespace and not tgisinternal and obj_description(t.oid, 'pg_trigger') is null
"""

OTHER_CLOCKS = re.compile(
    r"\b(now\s*\(|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|current_(date|time|timestamp)\b"
    r"|localtime)",
    re.IGNORECASE,
)


def test_every_table_column_view_index_function_and_trigger_has_its_comment(database: Database) -> None:
    assert [row["name"] for row in database.fetch(UNCOMMENTED)] == []


def test_the_databases_moves_are_the_programs(database: Database) -> None:
    pairs = list(product(InviteStatus, InviteStatus))
    allowed = database.fetch(
        "select before, after from unnest(%s::text[], %s::text[]) as pair (before, after) "
        "where zenhire.may_move(before, after)",
        [[before for before, _ in pairs], [after for _, after in pairs]],
    )
    assert {(row["before"], row["after"]) for row in allowed} == {
        (before, after) for before, reached in INVITE_MOVES.items() for after in reached
    }


def test_the_table_knows_the_programs_statuses(database: Database) -> None:
    rule = database.fetch_value("select pg_get_constraintdef(oid) from pg_constraint where conname = 'status_is_known'")
    assert set(re.findall(r"'(\w+)'", rule)) == set(InviteStatus)


def test_the_clock_is_the_only_source_of_time() -> None:
    found = [
        f"{path.name}:{number}: {line.strip()}"
        for path in sorted(migrations_directory().glob("sql/**/*.sql"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if OTHER_CLOCKS.search(line.partition("--")[0])
    ]
    assert len(found) == 1, found
    assert "create function zenhire.clock()" in found[0]


def test_every_function_but_the_clock_pins_its_search_path(database: Database) -> None:
    unpinned = database.fetch(
        "select proname from pg_proc where pronamespace = 'zenhire'::regnamespace "
        # a body in standard SQL was resolved when the function was made
        "and prosqlbody is null and not coalesce(proconfig::text, '') like '%search_path=pg_catalog%'"
    )
    assert [row["proname"] for row in unpinned] == ["clock"]


def test_rules_have_names_that_tell_them(database: Database) -> None:
    names = [
        row["conname"]
        for row in database.fetch(
            "select conname from pg_constraint where connamespace = 'zenhire'::regnamespace and contype = 'c'"
        )
    ]
    assert len(names) > 70
    assert [name for name in names if name.endswith("_check") or len(name) > 62] == []


DUE = {
    "candidate_invites_unseen": """
        select id from zenhire.candidate_invites where version > seen_version order by updated_at limit 10
    """,
    "candidate_invites_to_start": """
        select id from zenhire.candidate_invites
        where account = 'a' and status = 'pending' and start_after <= (select zenhire.clock())
        order by priority desc, start_after, id limit 10
    """,
    "interview_sessions_to_look": """
        select post_id from zenhire.interview_sessions
        where account = 'a' and next_look_at <= (select zenhire.clock()) order by next_look_at limit 10
    """,
    "interview_sessions_abandoned": """
        select post_id from zenhire.interview_sessions
        where state = 'posting' and lease_until <= (select zenhire.clock()) order by lease_until limit 10
    """,
}


@pytest.mark.parametrize("index", DUE)
def test_what_is_due_is_found_by_its_index(database: Database, index: str) -> None:
    plan = database.fetch(f"explain {DUE[index]}")
    assert any(index in row["QUERY PLAN"] for row in plan), plan


def test_sql_files_are_short_enough_to_be_read() -> None:
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines())
        for path in Path(migrations_directory()).glob("sql/**/*.sql")
    }
    assert {name: length for name, length in lengths.items() if length > 400} == {}
