"""The peers' table: invites come in as rows, and links and outcomes go back into them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

CONNECTIONS = 8  #: as many as the service opens by default

SCHEMA = """
create schema peer;
create table peer.invites (
    id bigint generated always as identity primary key,
    candidate_ref text not null,
    status text not null default 'pending'
        check (status in ('pending', 'queued', 'open', 'completed', 'failed')),
    session_id text unique,
    link text,
    outcome jsonb,
    done_at timestamptz
);
create index on peer.invites (status, id) where status in ('pending', 'queued', 'open');
"""
_WAITING = "select id, candidate_ref from peer.invites where status = 'pending' order by id limit 1000"
QUEUE = """
update peer.invites set status = 'queued'
where id in (select id from peer.invites where status = 'pending' order by id limit 1000 for update skip locked)
returning id
"""
_UNSTARTED = "select id, candidate_ref from peer.invites where id = %s and session_id is null"
_OPEN = "select session_id from peer.invites where status = 'open' order by id"
_STARTED = """
update peer.invites set status = 'open', session_id = %(session_id)s, link = %(link)s
where id = %(id)s and session_id is null
"""
_FINISHED = """
update peer.invites set status = %(status)s, outcome = %(outcome)s, done_at = clock_timestamp()
where session_id = %(id)s and status = 'open'
"""


class Invite(NamedTuple):
    """One row that has no session yet."""

    id: int
    candidate_ref: str


class Invites:
    """Each method is one statement, committed by itself."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]]) -> None:
        self.pool = pool

    async def waiting(self) -> Sequence[Invite]:
        return [Invite(*row) for row in await self._rows(_WAITING)]

    async def unstarted(self, invite_id: int) -> Invite | None:
        """The invite, unless it has its session already: a queue may run a job twice."""
        rows = await self._rows(_UNSTARTED, (invite_id,))
        return Invite(*rows[0]) if rows else None

    async def open_sessions(self) -> Sequence[str]:
        return [session_id for (session_id,) in await self._rows(_OPEN)]

    async def started(self, invite: Invite, session_id: str, link: str) -> None:
        await self._write(_STARTED, {"id": invite.id, "session_id": session_id, "link": link})

    async def finished(self, session: Mapping[str, Any]) -> None:
        await self._write(
            _FINISHED, {"id": session["id"], "status": session["status"], "outcome": Jsonb(dict(session))}
        )

    async def _rows(self, statement: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(statement.encode(), given)).fetchall()

    async def _write(self, statement: str, given: Mapping[str, Any]) -> None:
        async with self.pool.connection() as connection:
            await connection.execute(statement.encode(), given)


@asynccontextmanager
async def opened(database: str) -> AsyncIterator[Invites]:
    async with AsyncConnectionPool(
        database, min_size=CONNECTIONS, max_size=CONNECTIONS, open=False, kwargs={"autocommit": True}
    ) as pool:
        yield Invites(pool)
