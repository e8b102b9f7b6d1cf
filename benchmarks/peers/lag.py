"""
How soon an outcome is known, and what it costs: all sides at once, each with a vendor and a database of its own.

At a few requests a second the machine bounds nobody, and the same noise meets all. The lag is the time from the
vendor's own end of a session to the write of its outcome, both on this machine's clock. Candidates come in random
order, and each side is waited for until it knows all that ended while they came.

A real interview takes minutes. Here it takes seconds, so that there are many; those that are shorter than the distance
between two lists are left out for all sides. The service finds such only by its walk through what has ended, in about
a minute.
"""

import random
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from statistics import quantiles
from typing import IO

import psycopg

from benchmarks.candidates import Candidates
from benchmarks.failed import BenchmarkFailed
from benchmarks.filled import fill
from benchmarks.invites import CONSENT, ROLE
from benchmarks.outcome_lag import Plan
from benchmarks.peers.sides import Side, Terms, fresh_database, running, still_there
from benchmarks.watched import LISTED, PER_MINUTE, WATCHED_BY_LIST
from sandbox.clock import SystemClock
from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.platform import Platform
from sandbox.profile import CandidateMix, Limits, Profile
from sandbox.running import running_sandbox

_START_SECONDS = 60
_PAUSE_SECONDS = 0.1
_PEER_ROWS = "copy peer.invites (candidate_ref, status, session_id, link) from stdin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lags:
    """One round of one side."""

    lags: Sequence[float]  #: seconds, of every outcome that counts and is known
    missing: int  #: not known after all open sessions could have been asked one and a half times
    requests: int  #: while candidates came
    outcomes: int  #: in the same time, the shortest interviews among them
    refused: int  #: of them with 429

    def percentile(self, number: int) -> float:
        if len(self.lags) < 2:
            raise BenchmarkFailed(f"{len(self.lags)} outcomes are too few to say anything: more minutes are needed")
        return quantiles(self.lags, n=100, method="inclusive")[number - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The parts of one side's round."""

    database: psycopg.Connection
    platform: Platform
    service: subprocess.Popen[bytes]


def measure(server: EmbeddedPostgres, sides: Sequence[Side], terms: Terms, plan: Plan, seed: int) -> dict[str, Lags]:
    with ThreadPoolExecutor(len(sides)) as pool:
        found = list(pool.map(partial(_one, server, terms, plan, seed), sides))
    return {side.name: lags for side, lags in zip(sides, found, strict=True)}


def _one(server: EmbeddedPostgres, terms: Terms, plan: Plan, seed: int, side: Side) -> Lags:
    limits = Limits(concurrency=plan.cap, requests_per_minute=terms.per_minute)
    platform = Platform(Profile(candidates=CandidateMix(come="when_sent"), limits=limits), SystemClock())
    url = fresh_database(server, side)
    with running_sandbox(platform) as sandbox, tempfile.TemporaryFile() as log:
        links = _filled(side, url, platform, sandbox.key, plan.open_sessions)
        random.Random(seed).shuffle(links)
        with psycopg.connect(url, autocommit=True) as database, running(side, url, sandbox, terms, log) as process:
            stage = Stage(database=database, platform=platform, service=process)
            _wait_until_it_watches(side, stage, log)
            before = platform.answers.copy()
            candidates = Candidates(
                platform=platform,
                sandbox=sandbox,
                links=links,
                cap=plan.cap,
                talk=plan.talk,
                still_there=partial(still_there, side, process, log),
            )
            candidates.come_for(plan.minutes)
            answers = platform.answers - before
            all_ended = _ended(platform, timedelta())
            ended = _ended(platform, timedelta(seconds=terms.interval))
            known = _wait_for(side, stage, ended, plan, log)
            return Lags(
                lags=[(known[name] - at).total_seconds() for name, at in ended.items() if name in known],
                missing=sum(name not in known for name in ended),
                requests=answers.total(),
                outcomes=len(all_ended),
                refused=sum(count for (_, outcome), count in answers.items() if outcome == "429"),
            )


def _filled(side: Side, url: str, platform: Platform, key: str, count: int) -> list[str]:
    """Sessions that are open at the vendor and in the side's tables; their links."""
    if side.module is None:
        links = list(fill(url, platform, key, count))
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(WATCHED_BY_LIST.encode())
            database.execute(b"vacuum analyze")
        return links
    found = platform.keys[key]
    persona = platform.create_persona(found, ROLE)
    links = []
    with psycopg.connect(url) as database, database.cursor().copy(_PEER_ROWS) as rows:
        for number in range(count):
            asked = {"consent_mode": CONSENT, "candidate_ref": f"candidate-{number}"}
            session = platform.create_session(found, persona.id, asked)
            links.append(session.link.url)
            rows.write_row((session.candidate_ref, "open", session.id, session.link.url))
    return links


def _wait_until_it_watches(side: Side, stage: Stage, log: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _watches(side, stage):
        still_there(side, stage.service, log)
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"{side.name} asked for no session within {_START_SECONDS} s")
        time.sleep(_PAUSE_SECONDS)


def _watches(side: Side, stage: Stage) -> bool:
    """The service has read its first list of what runs; a peer has asked for any session."""
    if side.module is None:
        row = stage.database.execute(LISTED.encode()).fetchone()
        return row is not None and bool(row[0])
    return any(name in {"get_session", "list_sessions"} for name, _ in tuple(stage.platform.answers))


def _ended(platform: Platform, shortest: timedelta) -> dict[str, datetime]:
    return {
        one.id: one.ended_at
        for one in platform.truth().sessions
        if one.started_at is not None and one.ended_at is not None and one.ended_at - one.started_at >= shortest
    }


def _wait_for(
    side: Side, stage: Stage, ended: Mapping[str, datetime], plan: Plan, log: IO[bytes]
) -> Mapping[str, datetime]:
    """When each outcome was written, once all are, or after long enough."""
    deadline = time.monotonic() + 30 + 1.5 * 60 * plan.open_sessions / PER_MINUTE
    while True:
        known: dict[str, datetime] = dict(stage.database.execute(side.outcomes.encode()).fetchall())
        if ended.keys() <= known.keys() or time.monotonic() > deadline:
            return known
        still_there(side, stage.service, log)
        time.sleep(_PAUSE_SECONDS)
