"""docs/examples/consume_changes.mjs does what docs/integrating.md says, with the rights of the ATS's role."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from tests.acceptance.consuming import (
    check_a_late_commit_is_not_missed_and_not_seen_half,
    check_every_change_is_handled_once,
)
from tests.support.database import Database
from tests.support.processes import Process, environment, process
from tests.support.report import ROOT
from tests.support.stages import invite_at, move
from tests.support.waiting import eventually

pytestmark = pytest.mark.node

EXAMPLES = ROOT / "docs" / "examples"

#: Until nothing is new; a handler that fails where it is told to.
ALL_CHANGES = """
import pg from 'pg';
import { handleChanges } from './consume_changes.mjs';
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const handle = (invite) => {
  if (process.env.FAILS) throw new Error('no mail server');
  console.log(JSON.stringify(invite));
};
try {
  while (await handleChanges(client, handle)) { /* go on */ }
} finally {
  await client.end();
}
"""


@pytest.fixture(autouse=True, scope="module")
def installed() -> None:
    assert shutil.which("node"), "Node 18 or newer is needed; `make node-test` says so too"
    assert (EXAMPLES / "node_modules" / "pg").is_dir(), "not installed: make node-test"


def ended(url: str, **over: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "--input-type=module", "--eval", ALL_CHANGES],
        cwd=EXAMPLES,
        env=environment({"DATABASE_URL": url, **over}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def all_changes(url: str) -> list[tuple[UUID, str]]:
    result = ended(url)
    assert result.returncode == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return [(UUID(row["id"]), row["status"]) for row in rows]


def test_every_change_is_handled_once(database: Database, url: str) -> None:
    check_every_change_is_handled_once(database, url, all_changes)


def test_a_transaction_that_commits_late_is_not_missed_and_not_seen_half(database: Database, url: str) -> None:
    check_a_late_commit_is_not_missed_and_not_seen_half(database, url, all_changes)


def test_what_could_not_be_handled_comes_again(database: Database, url: str) -> None:
    invite_id = invite_at(database, "link_ready")
    failed = ended(url, FAILS="1")
    assert failed.returncode == 1
    assert "no mail server" in failed.stderr
    assert all_changes(url) == [(invite_id, "link_ready")]


def test_consumers_share_the_work(database: Database, url: str) -> None:
    ids = {invite_at(database, "link_ready") for _ in range(20)}
    with ThreadPoolExecutor(3) as pool:
        seen = [invite_id for each in pool.map(all_changes, [url] * 3) for invite_id, _ in each]
    assert sorted(seen) == sorted(ids)


@pytest.fixture
def consumer(url: str) -> Iterator[Process]:
    with process("consume_changes.mjs", env={"DATABASE_URL": url}, cwd=EXAMPLES, program=("node",)) as running:
        yield running


def test_a_consumer_is_woken_by_a_change_and_ends_when_it_is_asked_to(database: Database, consumer: Process) -> None:
    invite_id = invite_at(database, "link_ready")
    eventually(lambda: '"link_ready"' in consumer.text, within=20)
    move(database, invite_id, "in_progress")
    eventually(lambda: '"in_progress"' in consumer.text, within=8)  # sooner than the next look by itself
    assert consumer.terminate(within=10) == 0
