"""
The same job on pgqueuer: an entrypoint starts a session, another looks at it and enqueues the next look.

An invite and its job are one transaction, so no row is without a job. The next look is a new job, for `RetryRequested`
keeps the row, and rows are dequeued by id: it would always come before those that have waited longer. What a dead
worker had picked is picked again when its heartbeat is 30 s old. pgqueuer limits how many jobs run at once and not how
many begin in a minute, so the worker spaces the requests; several workers would have to share that by other means. A
job is run at least once: a post whose answer was lost is posted again, and what the first one made is nobody's.
"""

import asyncio
import json
import logging
from datetime import timedelta

import asyncpg
from pgqueuer import AsyncpgDriver, AsyncpgPoolDriver, DatabaseRetryEntrypointExecutor, Job, PgQueuer, Queries

from benchmarks.peers.invites import CONNECTIONS, QUEUE, Invites, opened
from benchmarks.peers.options import Options, read_options
from benchmarks.peers.vendor import FINAL, Vendor, connected

SCAN_SECONDS = 0.1  #: between two looks into the table
DEQUEUE_SECONDS = 1.0  #: between two looks for jobs, where no notification comes and none is known to be due


def add_entrypoints(queue: PgQueuer, vendor: Vendor, invites: Invites, interval: float) -> None:
    async def look_later(session_id: str, number: int) -> None:
        # A look that runs twice is followed by one: the number makes the key the same.
        await queue.qm.queries.enqueue(
            "look_session",
            payload(session_id, number),
            execute_after=timedelta(seconds=interval),
            dedupe_key=f"look-{session_id}-{number}",
            on_conflict="skip",
        )

    @queue.entrypoint("start_session", executor_factory=DatabaseRetryEntrypointExecutor)
    async def start_session(job: Job) -> None:
        invite = await invites.unstarted(json.loads(job.payload))
        if invite is None:
            return
        session_id, link = await vendor.start(invite.candidate_ref)
        await invites.started(invite, session_id, link)
        await look_later(session_id, 1)

    @queue.entrypoint("look_session", executor_factory=DatabaseRetryEntrypointExecutor)
    async def look_session(job: Job) -> None:
        session_id, number = json.loads(job.payload)
        session = await vendor.look(session_id)
        if session["status"] in FINAL:
            await invites.finished(session)
        else:
            await look_later(session_id, number + 1)


def payload(session_id: str, number: int) -> bytes:
    return json.dumps([session_id, number]).encode()


async def queue_invites(pool: asyncpg.Pool) -> None:
    """Whoever writes the rows could do this in the same transaction; here they come from somebody who does not."""
    while True:
        async with pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(QUEUE)
            if rows:
                found = [str(row["id"]).encode() for row in rows]
                queries = Queries(AsyncpgDriver(connection))
                await queries.enqueue(["start_session"] * len(found), found, [10] * len(found))
        await asyncio.sleep(SCAN_SECONDS)


async def adopt(queries: Queries, invites: Invites) -> None:
    """A first look for sessions that stand open already."""
    found = [payload(session_id, 0) for session_id in await invites.open_sessions()]
    await queries.enqueue(["look_session"] * len(found), found, [0] * len(found))


async def run(options: Options) -> None:
    async with (
        opened(options.database) as invites,
        connected(options) as vendor,
        asyncpg.create_pool(options.database, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool,
    ):
        driver = AsyncpgPoolDriver(pool)
        queries = Queries(driver)
        if not await queries.schema_is_installed():
            await queries.install()
        if options.adopt:
            await adopt(queries, invites)
        queue = PgQueuer(driver)
        add_entrypoints(queue, vendor, invites, options.interval)
        async with asyncio.TaskGroup() as group:
            group.create_task(queue_invites(pool))
            group.create_task(
                queue.run(
                    dequeue_timeout=timedelta(seconds=DEQUEUE_SECONDS),
                    batch_size=max(options.concurrency // 2, 1),  # the library wants room for two batches
                    max_concurrent_tasks=max(options.concurrency, 2),
                )
            )


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(run(read_options()))
