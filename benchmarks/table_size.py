"""
What the size of the tables costs: `python -m benchmarks.table_size 1000 1000000`.

Each size is a number of finished invites in a database of its own, beside 3,000 open ones, of whose sessions 2,000 are
due, and 2,000 that wait for a link. Claims of 100 and what people read are timed on each; medians.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from statistics import median
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks.failed import BenchmarkFailed
from sandbox.embedded_postgres import EmbeddedPostgres
from service.postgres.claims import Batch, Claims
from service.postgres.engine import create_engine
from service.postgres.migrate import upgrade

ROUNDS = 9
OPEN = 3000
DUE = 2000

FILL = f"""
set session_replication_role = replica;
set synchronous_commit = off;
insert into zenhire.account_state (account) values ('default');
insert into zenhire.request_budget (account) values ('default');
insert into zenhire.replicas (id, host, pid, version, settings) values (gen_random_uuid(), 'h', 1, '0', '{{}}');
insert into zenhire.candidate_invites (candidate_ref, request_key, persona_id, consent_mode, status, version,
    seen_version, session_id, candidate_link, link_expires_at, link_number, interview_completed_at, status_changed_at,
    updated_at, created_at)
select 'candidate-' || n, 'request-' || n, 'persona', 'explicit',
    case when n <= {OPEN} then 'link_ready' else 'completed' end, 4, 4, 'session-' || n, 'https://x/#t=' || n,
    t.at + interval '7 days', 1, t.at, t.at + interval '5 seconds', t.at, t.at
from generate_series(1, {OPEN} + FINISHED) n
cross join lateral (select zenhire.clock() - n * interval '1 minute' as at) t;
insert into zenhire.interview_sessions (account, invite_id, link_number, post_number, state, session_id,
    link_expires_at, vendor_status, status_seen_at, posted_at, answered_at, look_count, first_look_at, last_look_at,
    next_look_at, next_look_reason)
select 'default', i.id, 1, 1, 'published', i.session_id, i.link_expires_at,
    case i.status when 'completed' then 'completed' else 'initiated' end, i.updated_at, i.created_at, i.created_at, 3,
    i.created_at, i.updated_at,
    case when i.status = 'link_ready' then zenhire.clock() + interval '1 day' end,
    case when i.status = 'link_ready' then 'the link is new' end
from zenhire.candidate_invites i;
update zenhire.interview_sessions set next_look_at = zenhire.clock() where post_id in (
    select post_id from zenhire.interview_sessions where next_look_at is not null limit {DUE});
insert into zenhire.invite_events (account, invite_id, kind, from_status, to_status, version, at)
select 'default', i.id, m.kind, m.before, m.after, m.version, i.created_at from zenhire.candidate_invites i
cross join (values ('start_claimed', 'pending', 'starting', 1), ('link_published', 'starting', 'link_ready', 2))
    as m (kind, before, after, version);
insert into zenhire.candidate_invites (candidate_ref, persona_id, consent_mode, status, status_changed_at, updated_at)
select 'waiting-' || n, 'persona', 'explicit', 'pending', zenhire.clock(), zenhire.clock()
from generate_series(1, {DUE}) n;
"""

READS = {
    "attention": "select * from zenhire.attention",
    "service_status": "select * from zenhire.service_status",
    "backlog": "select * from zenhire.backlog",
    "outcome_lag": "select * from zenhire.outcome_lag",
    "candidate_interviews, one candidate": (
        "select * from zenhire.candidate_interviews where account = 'default' and candidate_ref = 'candidate-500'"
    ),
    "candidate_interviews, 1,000 open ones": (
        "select * from zenhire.candidate_interviews where status = 'link_ready' limit 1000"
    ),
    "request_usage": "select * from zenhire.request_usage",
    "capacity": "select * from zenhire.capacity",
    "results, one request": "select * from zenhire.results where account = 'default' and request_key = 'request-500'",
    "timeline, one invite": (
        "select * from zenhire.timeline where invite_id = "
        "(select id from zenhire.candidate_invites where account = 'default' and request_key = 'request-500')"
    ),
    "explain_invite": (
        "select zenhire.explain_invite(id) from zenhire.candidate_invites "
        "where account = 'default' and request_key = 'request-500'"
    ),
    "find_invites": "select * from zenhire.find_invites('candidate-500')",
    "invites, one request": "select * from zenhire.invites where account = 'default' and request_key = 'request-500'",
    "invite_counts": "select * from zenhire.invite_counts",
    "waits": "select * from zenhire.waits",
    "session_counts": "select * from zenhire.session_counts",
    "accounts": "select * from zenhire.accounts",
    "what the ATS has not seen, 100": (
        "select id from zenhire.candidate_invites where version > seen_version order by updated_at limit 100"
    ),
}


def main(sizes: Sequence[int]) -> None:
    found = {size: measure(size) for size in sizes}
    heads = "".join(f"{size:>12,}" for size in sizes)
    print(f"\n{f'milliseconds, median of {ROUNDS}':<38}{heads}{'ratio':>9}")
    for name in found[sizes[0]]:
        times = [found[size][name] for size in sizes]
        print(f"{name:<38}" + "".join(f"{each:>12.1f}" for each in times) + f"{times[-1] / times[0]:>9.2f}")


def fill(connection: psycopg.Connection[Any], finished: int) -> None:
    """So many finished invites with their sessions and events, and the open ones; each statement by itself."""
    for statement in FILL.strip().split(";\n"):
        connection.execute(statement.replace("FINISHED", str(finished)).encode())
    connection.execute("vacuum analyze")


def measure(finished: int) -> dict[str, float]:
    """Milliseconds of each claim and read, with so many finished invites."""
    with EmbeddedPostgres(durable=False) as postgres:
        upgrade(postgres.url())
        began = time.monotonic()
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            fill(connection, finished)
            sys.stderr.write(f"{finished:,} finished invites made in {time.monotonic() - began:.0f} s\n")
            (size,) = connection.execute("select pg_database_size(current_database())").fetchone() or (0,)
            sys.stderr.write(f"the database has {size / 2**20:,.0f} MiB\n")
            reads = {name: _median(connection, read) for name, read in READS.items()}
        return asyncio.run(_claims(postgres.url())) | reads


def _median(connection: psycopg.Connection[Any], read: str) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        connection.execute(read.encode()).fetchall()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


async def _claims(url: str) -> dict[str, float]:
    engine = create_engine(url, connections=2, application_name="zenhire-sync benchmark")
    claims = Claims(engine, holder=uuid4(), lease=timedelta(minutes=10))
    try:
        return {
            "claim of 100 posts": await _median_claim(lambda: claims.posts("default", 100)),
            "claim of 100 looks": await _median_claim(lambda: claims.looks("default", 100)),
        }
    finally:
        await engine.dispose()


async def _median_claim(claim: Callable[[], Awaitable[Batch[Any]]]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        batch = await claim()
        times.append((time.perf_counter() - began) * 1000)
        if len(batch.rows) != 100:
            raise BenchmarkFailed(f"a claim brought {len(batch.rows)} rows, not 100")
    return median(times)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [1000, 1_000_000])
