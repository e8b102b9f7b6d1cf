"""
The same job on procrastinate: a task starts a session, another looks at it and defers its own next run.

An invite and its job are one transaction, so no row is without a job. The next look is a new job, for a retry keeps the
row, and jobs are fetched by id: it would always come before those that have waited longer. A worker that died is found
by its heartbeat, and its jobs are retried, as the manual has it. procrastinate has no limit of requests, so the worker
spaces them; several workers would have to share that by other means. A job is run at least once: a post whose answer
was lost is posted again, and what the first one made is nobody's.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass

import httpx
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import Task

from benchmarks.peers.invites import CONNECTIONS, QUEUE, Invites, opened
from benchmarks.peers.options import Options, read_options
from benchmarks.peers.vendor import FINAL, Vendor, connected

QUEUE_NAME = "interviews"
SCAN_SECONDS = 0.1  #: between two looks into the table
FETCH_SECONDS = 1.0  #: between two looks for jobs whose time has come
STALLED_CRON = "* * * * * */15"  #: every 15 s; a worker is taken for dead 30 s after its last heartbeat
RETRY = RetryStrategy(max_attempts=10, wait=2, linear_wait=2, retry_exceptions=[httpx.HTTPError])


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    start: Task
    look: Task


def make_app(options: Options) -> App:
    """Connections enough for the worker, beside those of the table."""
    return App(connector=PsycopgConnector(conninfo=options.database, min_size=2, max_size=CONNECTIONS))


def add_tasks(app: App, vendor: Vendor, invites: Invites, interval: float) -> Tasks:
    async def look_later(session_id: str, number: int) -> None:
        # A look that runs twice is followed by one: the number makes the lock the same.
        deferrer = look_session.configure(
            queueing_lock=f"look-{session_id}-{number}", schedule_in={"seconds": round(interval)}
        )
        with contextlib.suppress(AlreadyEnqueued):
            await deferrer.defer_async(session_id=session_id, number=number)

    @app.task(name="start_session", queue=QUEUE_NAME, retry=RETRY, priority=10)
    async def start_session(invite_id: int) -> None:
        invite = await invites.unstarted(invite_id)
        if invite is None:
            return
        session_id, link = await vendor.start(invite.candidate_ref)
        await invites.started(invite, session_id, link)
        await look_later(session_id, 1)

    @app.task(name="look_session", queue=QUEUE_NAME, retry=RETRY)
    async def look_session(session_id: str, number: int) -> None:
        session = await vendor.look(session_id)
        if session["status"] in FINAL:
            await invites.finished(session)
        else:
            await look_later(session_id, number + 1)

    @app.periodic(cron=STALLED_CRON)
    @app.task(name="retry_stalled", queue=QUEUE_NAME, queueing_lock="retry_stalled", priority=20, pass_context=True)
    async def retry_stalled(context: JobContext, timestamp: int) -> None:
        del timestamp
        for job in await context.app.job_manager.get_stalled_jobs():
            await context.app.job_manager.retry_job(job)

    return Tasks(start=start_session, look=look_session)


async def queue_invites(tasks: Tasks, invites: Invites) -> None:
    """Whoever writes the rows could do this in the same transaction; here they come from somebody who does not."""
    while True:
        async with invites.pool.connection() as connection, connection.transaction():
            rows = await (await connection.execute(QUEUE)).fetchall()
            if rows:
                deferrer = tasks.start.configure(connection=connection)
                await deferrer.batch_defer_async(*({"invite_id": invite_id} for (invite_id,) in rows))
        await asyncio.sleep(SCAN_SECONDS)


async def run(options: Options) -> None:
    app = make_app(options)
    async with opened(options.database) as invites, connected(options) as vendor, app.open_async():
        tasks = add_tasks(app, vendor, invites, options.interval)
        if options.adopt:
            sessions = await invites.open_sessions()
            await tasks.look.batch_defer_async(*({"session_id": one, "number": 0} for one in sessions))
        async with asyncio.TaskGroup() as group:
            group.create_task(queue_invites(tasks, invites))
            group.create_task(
                app.run_worker_async(
                    queues=[QUEUE_NAME],
                    concurrency=options.concurrency,
                    fetch_job_polling_interval=FETCH_SECONDS,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                )
            )


async def prepare(options: Options) -> None:
    """The library's own tables, where they are missing."""
    app = make_app(options)
    async with app.open_async():
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()


async def main(options: Options) -> None:
    await prepare(options)
    await run(options)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main(read_options()))
