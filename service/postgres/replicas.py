"""A replica's own row: a fresh identity at each start, a heartbeat with its load, a goodbye."""

import json
import os
import socket
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.load import Load
from service.postgres.engine import execute

HELLO = text("""
insert into zenhire.replicas (id, host, pid, version, settings)
values (:id, :host, :pid, :version, cast(:settings as jsonb))
on conflict (id) do nothing
""")

TICK = text("""
update zenhire.replicas
set last_tick_at = zenhire.clock(), waited_seconds = :waited, core_used = :core,
    overloaded_since = case when :is_too_much then coalesce(overloaded_since, zenhire.clock()) end
where id = :id
""")

GOODBYE = text("update zenhire.replicas set gone_at = zenhire.clock() where id = :id")

#: A clean stop gives back what it claimed and did not finish, so that nobody waits for the lease.
RELEASE = text("""
update zenhire.interview_sessions
set lease_until = zenhire.clock()
where lease_holder = :id and lease_until > (select zenhire.clock())
""")

RELEASE_PERSONAS = text("""
update zenhire.personas
set lease_until = zenhire.clock()
where lease_holder = :id and lease_until > (select zenhire.clock())
""")

RELEASE_SWEEPS = text("""
update zenhire.leases set until = zenhire.clock() where holder = :id and until > (select zenhire.clock())
""")


class ReplicaRow:
    """The process itself, in `zenhire.replicas`."""

    def __init__(self, engine: AsyncEngine, *, replica: UUID, version: str, settings: Mapping[str, Any]) -> None:
        self._engine = engine
        self._replica = replica
        self._version = version
        self._settings = settings

    async def hello(self) -> None:
        await execute(
            self._engine,
            HELLO,
            {
                "id": self._replica,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "version": self._version,
                "settings": json.dumps(self._settings),
            },
        )

    async def tick(self, load: Load) -> None:
        given = {"id": self._replica, "waited": round(load.waited, 1), "core": round(load.core, 3)}
        await execute(self._engine, TICK, {**given, "is_too_much": load.is_too_much})

    async def goodbye(self) -> None:
        """Release what is still leased, and say that this replica is gone."""
        await execute(self._engine, RELEASE, {"id": self._replica})
        await execute(self._engine, RELEASE_PERSONAS, {"id": self._replica})
        await execute(self._engine, RELEASE_SWEEPS, {"id": self._replica})
        await execute(self._engine, GOODBYE, {"id": self._replica})
