"""
What stands after `kill -9` in the middle of many starts and a restart at once: all sides at the same time.

The vendor takes a moment for each answer, so that posts are on their way when the process dies: their sessions are
made, and nobody hears of them. Answers take differently long, and the kill comes at some moment after a third of the
links is there: a side that works in batches would else always be killed at the same point of one.

No side can bring a lost link back, and all post again. What differs is what is left: an invite that nobody starts
again, a session that stands in no row.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.failed import BenchmarkFailed
from benchmarks.peers.links import Parts, at_work, seconds_for
from benchmarks.peers.sides import Side, Terms, insert, running, still_there
from sandbox.embedded_postgres import EmbeddedPostgres

LATENCY_SECONDS = 0.15
JITTER_SECONDS = 0.1  #: on average, on top
VENDOR = (f"faults.latency_seconds={LATENCY_SECONDS}", f"faults.latency_jitter_seconds={JITTER_SECONDS}")
KILL_WITHIN_SECONDS = 0.5
LINKS_WITHIN_SECONDS = 120
SETTLED_WITHIN_SECONDS = 60
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One round of one side."""

    without_link: int  #: invites
    twice: int  #: candidates with two sessions at the vendor that could still be held
    unknown: int  #: such sessions that stand in no row of the side's database
    seconds: float  #: from the restart to the last link


def measure(server: EmbeddedPostgres, sides: Sequence[Side], terms: Terms, starts: int, seed: int) -> dict[str, Left]:
    dice = random.Random(seed)
    moments = [dice.uniform(0, KILL_WITHIN_SECONDS) for _ in sides]
    with ThreadPoolExecutor(len(sides)) as pool:
        found = list(pool.map(partial(_one, server, terms, starts), sides, moments))
    return {side.name: left for side, left in zip(sides, found, strict=True)}


def _one(server: EmbeddedPostgres, terms: Terms, starts: int, side: Side, moment: float) -> Left:
    slowly = [word for setting in VENDOR for word in ("--set", setting)]
    with at_work(server, side, terms, slowly) as parts:
        seconds_for(parts, "first-", 1)
        insert(side, parts.database, "start-", starts)
        while parts.missing() > starts * 2 // 3:
            still_there(side, parts.process, parts.log)
            time.sleep(_PAUSE_SECONDS)
        time.sleep(moment)
        parts.process.kill()
        parts.process.wait()
        if not parts.missing():
            raise BenchmarkFailed(f"{side.name} had made all links when it was killed: more starts are needed")
        begun = time.monotonic()
        with running(side, parts.url, parts.sandbox, terms, parts.log) as second:
            return _left(replace(parts, process=second), begun)


def _left(parts: Parts, begun: float) -> Left:
    """Once every invite has its link, or after long enough."""
    _wait(parts, lambda: not parts.missing(), LINKS_WITHIN_SECONDS)
    seconds = time.monotonic() - begun
    if parts.side.module is None:  # nobody else looks for what a lost post left
        _wait(parts, lambda: not _strangers(parts), SETTLED_WITHIN_SECONDS)
    live = Counter(candidate for candidate, _ in _live(parts))
    twice = sum(count > 1 for count in live.values())
    return Left(without_link=parts.missing(), twice=twice, unknown=len(_strangers(parts)), seconds=seconds)


def _wait(parts: Parts, condition: Callable[[], bool], within: float) -> None:
    """Until it holds, or long enough: what is left then is what is told."""
    deadline = time.monotonic() + within
    while not condition() and time.monotonic() < deadline:
        still_there(parts.side, parts.process, parts.log)
        time.sleep(_PAUSE_SECONDS)


def _live(parts: Parts) -> list[tuple[str, str]]:
    """By the sandbox's record: candidate and id of each session that has not ended and whose link works."""
    return [
        (one["candidate_ref"], one["id"])
        for one in parts.sandbox.control.sessions()
        if one["status"] in {"initiated", "active"} and one["links"][-1]["died_at"] is None
    ]


def _strangers(parts: Parts) -> set[str]:
    known = {session_id for (session_id,) in parts.database.execute(parts.side.known.encode()).fetchall()}
    return {session_id for _, session_id in _live(parts)} - known
