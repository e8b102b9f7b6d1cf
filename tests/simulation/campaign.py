"""Many seeds in parallel processes, each with a database of its own on one server."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from multiprocessing import get_context
from typing import Self

from tests.simulation.journal import Journal, Short
from tests.support.migrated import migrated_server
from tests.support.postgres import Server

PROGRESS_SECONDS = 2.0


@dataclass(slots=True, kw_only=True)
class Totals:
    """What all seeds of a campaign came to."""

    seeds: int = 0
    failed: dict[int, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    passed: timedelta = timedelta()
    took: float = 0.0

    def add(self, run: Short) -> None:
        self.seeds += 1
        self.counts += run.counts
        self.passed += run.passed
        self.took += run.took
        if run.findings:
            self.failed[run.seed] = run.findings


def play_all(seeds: Sequence[int], jobs: int, journal: Journal) -> Totals:
    """
    Play those of `seeds` that are not in the journal yet, with a line that tells how far it is.

    A seed that breaks down counts as failed. An interrupt (Ctrl-C) ends it after the seeds that are being played: what
    was played until then counts, and is not played again.
    """
    totals, wanted = Totals(), set(seeds)
    for run in journal.read():
        if run.seed in wanted:
            wanted.remove(run.seed)
            totals.add(run)
    if totals.seeds:
        sys.stderr.write(f"{totals.seeds} of them were played before by this very code; see {journal.path}\n")
    if wanted:
        _play_the_others(sorted(wanted), jobs, journal, totals)
    return totals


def _play_the_others(seeds: Sequence[int], jobs: int, journal: Journal, totals: Totals) -> None:
    with migrated_server() as (server, template), _Progress(totals.seeds) as progress:
        pool = ProcessPoolExecutor(
            jobs, mp_context=get_context("spawn"), initializer=_prepare, initargs=(server.url, template)
        )
        with pool, suppress(KeyboardInterrupt):
            for run in _played(pool, iter(seeds), jobs):
                journal.add(run)
                totals.add(run)
                if run.findings:
                    progress.tell(f"seed {run.seed} failed: {run.findings[0]}")
                progress.show(totals)


def _played(pool: ProcessPoolExecutor, seeds: Iterator[int], jobs: int) -> Iterator[Short]:
    waiting: set[Future[Short]] = {pool.submit(_play, seed) for seed in islice(seeds, 2 * jobs)}
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        waiting |= {pool.submit(_play, seed) for seed in islice(seeds, len(done))}
        for future in done:
            yield future.result()


def _prepare(server_url: str, template: str) -> None:
    from tests.simulation import worker  # noqa: PLC0415 - in the worker's process alone

    worker.prepare(Server(url=server_url), template)


def _play(seed: int) -> Short:
    from tests.simulation import worker  # noqa: PLC0415 - in the worker's process alone

    return worker.play(seed)


class _Progress:
    """One line on a terminal; a line now and then elsewhere."""

    def __init__(self, seeds_before: int) -> None:
        self._seeds_before = seeds_before
        self._began = time.monotonic()
        self._shown = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        sys.stderr.write("\n")

    def tell(self, what: str) -> None:
        sys.stderr.write(f"\n{what}\n")
        sys.stderr.flush()

    def show(self, totals: Totals) -> None:
        now, terminal = time.monotonic(), sys.stderr.isatty()
        if now - self._shown < (PROGRESS_SECONDS if terminal else 15 * PROGRESS_SECONDS):
            return
        self._shown = now
        rate = (totals.seeds - self._seeds_before) / max(now - self._began, 1e-9)
        text = f"{totals.seeds} seeds, {totals.counts['beats']} beats, {len(totals.failed)} failed, {rate:.1f} seeds/s"
        sys.stderr.write(f"\r{text}   " if terminal else f"{text}\n")
        sys.stderr.flush()
