"""
How many bytes of WAL an invite costs from `pending` to `completed`, and which tables they are for.

Candidates of the sandbox come and talk within a minute, all at once; the list of running interviews sees each of them.
The ATS's own INSERT is left out. A page that is changed for the first time after a checkpoint is logged whole: so the
run begins with a checkpoint, in a database with other open sessions (in an empty one nearly every page is new). These
full pages are told apart, where Postgres has `pg_walinspect` (from version 15, a contrib module) to tell them.
"""

import math
from dataclasses import dataclass

import psycopg

from benchmarks.invites import insert
from benchmarks.watched import Watched, watched
from sandbox.profile import CandidateMix, CreditRules, Limits, Profile

_WITHIN_SECONDS = 600

_CANDIDATES = CandidateMix(
    never=0, fail=0, time_out=0, opens_after_seconds=8, talks_for_seconds=30, artifacts_after_seconds=5
)
_LSN = "select pg_current_wal_lsn()::text"
_BYTES = "select pg_wal_lsn_diff('{end}', '{begin}')::bigint"
_CAN_INSPECT = """
select exists (select from pg_available_extensions where name = 'pg_walinspect')
   and current_setting('server_version_num')::integer >= 150000
"""
_COUNT = "select count(*) from zenhire.candidate_invites where status = 'completed'"
_STORED = _COUNT + " and transcript_state = 'stored'"

#: A record is for the relation of its first block; an index or a TOAST table counts as a part of its table.
_WHERE = """
select coalesce(t.relname || case c.relkind when 'i' then ', indexes' when 't' then ', TOAST' else '' end,
                'transactions and the rest'),
       sum(r.record_length - r.fpi_length)::bigint, sum(r.fpi_length)::bigint
from pg_get_wal_records_info('{begin}', '{end}') r
left join pg_class c on c.relfilenode = cast(substring(r.block_ref from 'rel [0-9]+/[0-9]+/([0-9]+)') as oid)
left join pg_index x on x.indexrelid = c.oid
left join pg_class heap on heap.reltoastrelid = coalesce(x.indrelid, c.oid)
left join pg_class t on t.oid = coalesce(heap.oid, x.indrelid, c.oid)
group by 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wal:
    """Bytes of WAL for each invite."""

    total: float
    full_pages: float  #: of these; not a number where that cannot be told
    parts: dict[str, float]  #: without full pages, by table


def measure(invites: int, *, beside: int, transcripts: bool) -> Wal:
    """`beside`: open sessions whose candidates never come."""
    profile = Profile(
        candidates=_CANDIDATES, limits=Limits(concurrency=invites), credits=CreditRules(balance=10 * invites + 100)
    )
    settings = {"SYNC_TRANSCRIPTS": str(transcripts).lower(), "SYNC_REQUESTS_PER_MINUTE": "100000"}
    with watched(beside, profile, **settings) as stage:
        stage.rows("checkpoint")
        with psycopg.connect(stage.postgres.url(), autocommit=True) as database:
            insert(database, "wal-", invites)
        begin = stage.ask(_LSN)
        done = _STORED if transcripts else _COUNT
        stage.wait_until(lambda: bool(stage.ask(done) == invites), within=_WITHIN_SECONDS, what="all outcomes")
        return _found(stage, begin, stage.ask(_LSN), invites)


def _found(stage: Watched, begin: str, end: str, invites: int) -> Wal:
    total = stage.ask(_BYTES.format(begin=begin, end=end)) / invites
    if not stage.ask(_CAN_INSPECT):
        return Wal(total=total, full_pages=math.nan, parts={})
    stage.rows("create extension pg_walinspect")
    where = stage.rows(_WHERE.format(begin=begin, end=end))
    return Wal(
        total=total,
        full_pages=sum(int(full) for _, _, full in where) / invites,
        parts={name: int(rest) / invites for name, rest, _ in where},
    )
