"""What the service and people ask costs nothing for what is finished: every statement's plan with a million rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks.table_size import READS, fill
from tests.integration.steps.test_running import let_pass
from tests.support.invites import insert_invite
from tests.support.postgres import Server
from tests.support.replica import Replica, World, statuses

FINISHED = 1_000_000
GROWS = {"candidate_invites", "interview_sessions", "invite_events", "transcripts"}
#: What is open (5,000 rows) may be read several times over; the newest 10,000 finished ones and events are counted.
ROWS_MAX = 50_000
COMES = {"sandbox_plan": "completed opens_after=60 talks_for=120"}
FAILS = {"sandbox_plan": "failed opens_after=60 talks_for=120"}

Statements = dict[str, Any]


@contextmanager
def recorded() -> Iterator[Statements]:
    """Every statement that the service sends meanwhile, with what was given for it the last time."""
    statements: Statements = {}

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        statements[statement] = given

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def some_lives(world: World, replica: Replica) -> None:
    """From the invite to the outcome, with lost posts, refusals, second links and walks through the list."""
    world.sandbox.console.set_faults(["lost_after@create_session:0.3"])
    for number in range(12):
        plan = COMES if number % 3 else FAILS
        insert_invite(world.database, metadata=plan, max_links=2, role_name=f"Role {number % 2}", language="en")
    insert_invite(world.database, persona_id="nobody")
    await let_pass(world, replica, steps=60, seconds=10)
    world.sandbox.console.set_faults([])
    await let_pass(world, replica, steps=24, hours=8)
    assert statuses(world.database)["completed"] == 8


@pytest.mark.long
async def test_no_statement_walks_over_what_is_finished(
    world: World, replica: Replica, postgres_server: Server, migrated_template: str
) -> None:
    with recorded() as statements:
        await some_lives(world, replica)
    assert len(statements) > 50
    too_much = []
    with (
        postgres_server.database(template=migrated_template) as name,
        psycopg.connect(postgres_server.url_of(name), autocommit=True) as connection,
    ):
        fill(connection, FINISHED)
        connection.execute("set zenhire.writer = 'service'; reset session_replication_role")
        for statement, given in [*statements.items(), *((read, None) for read in READS.values())]:
            rows = rows_touched(connection, statement, given)
            if rows > ROWS_MAX:
                too_much.append(f"{rows:,} rows of what grows:\n{statement}")
    assert not too_much, "\n\n".join(too_much)


def rows_touched(connection: psycopg.Connection[Any], statement: str, given: Any) -> int:
    """Rows of tables that grow which the statement read, wanted or not; what it wrote is taken back."""
    with connection.transaction(force_rollback=True):
        row = connection.execute(f"explain (analyze, format json) {statement}".encode(), given).fetchone()
    assert row is not None
    return sum(touched_by(node) for node in nodes_of(row[0][0]["Plan"]))


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes_of(child)


def touched_by(node: dict[str, Any]) -> int:
    if node.get("Relation Name") not in GROWS:
        return 0
    passed_over = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return int(node["Actual Loops"] * (node["Actual Rows"] + sum(node.get(name, 0) for name in passed_over)))
