"""What surrounds the service in a soak: Postgres, the vendor's stand-in, and an ATS that never rests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import psycopg

from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.profile import Profile
from sandbox.profiles import changed
from sandbox.running import RunningSandbox, running_sandbox
from service.postgres.migrate import upgrade
from tests.support.ats import Ats
from tests.support.database import Database

#: Fast, so that a second link and an expired one belong to a soak of minutes; and with time enough between a claim and
#: the end of its lease for a machine that has a lot to do.
SETTINGS = {
    "SYNC_UNSAFE_FAST": "true",
    "SYNC_START_INTERVAL_SECONDS": "0.5",
    "SYNC_WATCH_INTERVAL_SECONDS": "1",
    "SYNC_SETTLE_SECONDS": "2",
    "SYNC_EXPIRY_GRACE_SECONDS": "2",
    "SYNC_LEASE_SECONDS": "15",
    "SYNC_HTTP_TIMEOUT_SECONDS": "5",
    "SYNC_REQUESTS_PER_MINUTE": "60000",
    "SYNC_START_POSTS": "100",
}
DB_CONNECTIONS = 8

VENDOR = {"speed": 20_000, "limits.concurrency": 64, "candidates.come": "when_sent"}
STORM = ["rate_limited:0.15:seconds=1", "rate_limited_bare:0.1", "any:0.35:seconds=1"]

#: What candidates do, and how many links they may have.
PLANS = (
    ("completed rating=4", 1),
    ("completed", 1),
    ("completed text=nul", 1),
    ("failed", 1),
    ("timed_out", 1),
    ("fails_unopened", 1),
    ("never", 1),
    ("never|completed", 2),
    ("failed|completed rating=2", 2),
    ("timed_out|never", 2),
)
ROLES = ("Cook", "Nurse", "Welder")

INSERT = """
insert into zenhire.candidate_invites
    (request_key, candidate_ref, role_name, language, consent_mode, metadata, max_links)
values (%(key)s, %(key)s, %(role)s, 'en', 'explicit', jsonb_build_object('sandbox_plan', %(plan)s::text), %(links)s)
on conflict (account, request_key) do nothing
"""

Seen = TypeVar("Seen")


@dataclass(slots=True, kw_only=True)
class World:
    postgres: EmbeddedPostgres
    sandbox: RunningSandbox
    database: Database
    ats: Ats
    inserted: int = 0

    @property
    def environment(self) -> dict[str, str]:
        return SETTINGS | {
            "DATABASE_URL": self.database.url,
            "ZENHIRE_API_KEY": self.sandbox.key,
            "ZENHIRE_BASE_URL": self.sandbox.base_url,
            "SYNC_DB_CONNECTIONS": str(DB_CONNECTIONS),
        }

    def insert_up_to(self, count: int) -> None:
        """Invites until there are `count`. One whose INSERT broke off is inserted again: its key makes it one."""
        while self.inserted < count:
            plan, links = PLANS[self.inserted % len(PLANS)]
            role = ROLES[self.inserted % len(ROLES)]
            key = f"request-{self.inserted}"
            self.database.execute(INSERT, {"key": key, "role": role, "plan": plan, "links": links})
            self.inserted += 1

    def hand_over_links(self) -> None:
        self.ats.hand_over_links()


def unless_the_database_is_away(act: Callable[[], Seen]) -> Seen | None:
    """What `act` brings; None while Postgres is down or comes up."""
    with suppress(psycopg.OperationalError):
        return act()
    return None


@contextmanager
def a_world() -> Iterator[World]:
    profile = changed(Profile(), VENDOR)
    with EmbeddedPostgres(durable=True) as postgres, running_sandbox(profile=profile) as sandbox:
        database = Database(postgres.url())
        upgrade(database.url)
        yield World(postgres=postgres, sandbox=sandbox, database=database, ats=Ats(database, sandbox.console))
