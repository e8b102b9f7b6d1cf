"""Where a cell is played: a database, the vendor's stand-in, candidates, and the replicas, all of them real."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.model import Status
from sandbox.profile import Profile
from sandbox.profiles import changed
from sandbox.running import RunningSandbox, running_sandbox
from service.postgres.migrate import upgrade
from service.steps.beats import Beat
from tests.crash.crossing import Crossing, a_crossing
from tests.support.ats import links_handed_over
from tests.support.database import Database, OftenRead
from tests.support.invites import insert_invite
from tests.support.postgres import Server
from tests.support.postgres_proxy import PostgresProxy, postgres_proxy
from tests.support.processes import Process, process
from tests.support.report import ROOT
from tests.support.waiting import eventually

PATIENCE = 60  #: seconds for anything; on an idle machine the slowest takes fifteen
LOOK_EVERY = 0.25  #: seconds between two looks at what the processes do

LEASE, TICK = 5.0, 0.5  #: seconds
SETTINGS = {
    "SYNC_UNSAFE_FAST": "true",
    "SYNC_START_INTERVAL_SECONDS": str(TICK),
    "SYNC_WATCH_INTERVAL_SECONDS": "0.5",
    "SYNC_SETTLE_SECONDS": "1",
    "SYNC_EXPIRY_GRACE_SECONDS": "2",
    "SYNC_LEASE_SECONDS": str(LEASE),
    "SYNC_HTTP_TIMEOUT_SECONDS": "2.4",
    "SYNC_REQUESTS_PER_MINUTE": "60000",
    "SYNC_DB_CONNECTIONS": "6",
}
#: A replica that is asked to stop gives its leases back, so nobody waits for them; and a post counts as lost only if
#: the vendor takes really long.
SETTINGS_FOR_A_STOP = {"SYNC_LEASE_SECONDS": "60", "SYNC_HTTP_TIMEOUT_SECONDS": "25"}

#: A candidate opens his link as soon as he has it, and is done in a moment; links live ten minutes. The list cannot be
#: asked for one status, so that each session is looked at.
VENDOR = changed(
    Profile(),
    {
        "speed": 1_000,
        "candidates.come": "when_sent",
        "limits.concurrency": 64,
        "candidates.feedback": 0,
        "listing.filters": "candidate_ref",
    },
)
PLAN = "completed opens_after=0 talks_for=60 artifacts_after=0"

_MIGRATING = threading.Lock()  # Alembic has one context for the whole process


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a fault may lay hands on."""

    database: Database
    sandbox: RunningSandbox
    proxy: PostgresProxy
    own_postgres: EmbeddedPostgres | None
    settings: dict[str, str]
    stack: ExitStack
    replicas: list[Process] = field(default_factory=list)  #: in the order in which they were started

    def invite(self, number: int) -> None:
        """One more candidate, of the same role and language as all others: they share claims, persona and commits."""
        insert_invite(self.database, candidate_ref=f"candidate-{number}", metadata={"sandbox_plan": PLAN})

    def start_replica(self) -> Process:
        """Another `zenhire-sync run`, with its own wire to the database."""
        return self._started(self.stack.enter_context(process("run", env=self.environment(self.database.url))))

    def start_doomed(self, step: str, crossing: Crossing) -> Process:
        """A replica that tells at the boundaries of `step`; its wire to the database can be cut."""
        program = (sys.executable, "-m", "tests.crash.doomed", step, str(crossing.port))
        env = self.environment(self.proxy.url)
        return self._started(self.stack.enter_context(process(env=env, cwd=ROOT, program=program)))

    def environment(self, database_url: str) -> dict[str, str]:
        """Of a replica, or of any other command that looks at this stage."""
        vendor = {"ZENHIRE_API_KEY": self.sandbox.key, "ZENHIRE_BASE_URL": self.sandbox.base_url}
        return self.settings | vendor | {"DATABASE_URL": database_url}

    def _started(self, replica: Process) -> Process:
        self.replicas.append(replica)
        return replica

    def candidates_are_done(self) -> bool:
        """Some interview is over at the vendor, so that the next look brings an outcome."""
        return any(session.status is Status.COMPLETED for session in self.sandbox.platform.truth().sessions)


@contextmanager
def a_stage(
    server: Server, template: str, *, own_postgres: bool = False, settings: dict[str, str] = SETTINGS
) -> Iterator[Stage]:
    """No invites, no replicas yet. `template` is a migrated database of `server`; `own_postgres` may be crashed."""
    with ExitStack() as stack:
        postgres = stack.enter_context(_a_migrated_postgres()) if own_postgres else None
        url = postgres.url() if postgres else server.url_of(stack.enter_context(server.database(template=template)))
        database = OftenRead(url)
        stack.callback(database.close)
        sandbox = stack.enter_context(running_sandbox(profile=VENDOR))
        stage = Stage(
            database=database,
            sandbox=sandbox,
            proxy=stack.enter_context(postgres_proxy(url)),
            own_postgres=postgres,
            settings=settings,
            stack=stack.enter_context(ExitStack()),
        )
        stack.enter_context(links_handed_over(database, sandbox.console))
        yield stage


@contextmanager
def _a_migrated_postgres() -> Iterator[EmbeddedPostgres]:
    # What was committed survives a crash of this server also when it is not `durable`: that is for power cuts.
    with EmbeddedPostgres(durable=False) as postgres:
        with _MIGRATING:
            upgrade(postgres.url())
        yield postgres


def leave_posts_behind(stage: Stage) -> None:
    """A replica dies with the vendor's answer in its hand."""
    with a_crossing(Beat.ANSWERED, ripe=lambda: True, patience=PATIENCE) as crossing:
        victim = stage.start_doomed("start", crossing)
        eventually(lambda: is_there(crossing, victim), within=PATIENCE)
        victim.kill()


def is_there(crossing: Crossing, replica: Process) -> bool:
    """Whether the replica stands at the boundary; fails at once if it ended before."""
    assert replica.is_running, f"it ended before it was at the boundary:\n{replica.text}"
    return crossing.is_reached


def identity(replica: Process) -> str:
    """The id that the replica gave itself, once it has come up."""
    return str(json.loads(replica.wait_for_line("service_started", within=PATIENCE))["replica"])


def leased(database: Database, holder: str | None = None) -> list[dict[str, Any]]:
    """Rows under a lease that still holds, of one replica or of any."""
    return database.fetch(
        """
        select lease_holder, lease_until from zenhire.interview_sessions
        where lease_until > zenhire.clock() and (lease_holder = %(holder)s::uuid or %(holder)s::uuid is null)
        union all
        select lease_holder, lease_until from zenhire.personas
        where lease_until > zenhire.clock() and (lease_holder = %(holder)s::uuid or %(holder)s::uuid is null)
        union all
        select holder, until from zenhire.leases
        where until > zenhire.clock() and (holder = %(holder)s::uuid or %(holder)s::uuid is null)
        """,
        {"holder": holder},
    )
