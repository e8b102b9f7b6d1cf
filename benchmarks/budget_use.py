"""
How much of the request limit is used while invites wait: `python -m benchmarks.budget_use --replicas 3 --minutes 3`.

Real replicas share 500 requests a minute of a sandbox that answers 429 to the 501st in any sliding minute. The
sandbox's own count tells what came through; the first ten seconds, in which the replicas start, are left out.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack

import psycopg

from benchmarks.failed import BenchmarkFailed
from benchmarks.stage import service_process
from benchmarks.watched import PER_MINUTE, watching
from sandbox.clock import SystemClock
from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.platform import Platform
from sandbox.profile import CandidateMix, Limits, Profile
from sandbox.running import running_sandbox
from service.core.limits import BUDGET_SHARE
from service.postgres.migrate import upgrade

TARGET = 0.97
SETTLED_AFTER_SECONDS = 10
INVITES = """
insert into zenhire.candidate_invites (candidate_ref, role_name, language, consent_mode)
select 'candidate-' || n, 'Nurse', 'en', 'explicit' from generate_series(1, 20000) n
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.budget_use", description=__doc__)
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=3.0)
    given = parser.parse_args()
    try:
        counts = measure(given.replicas, given.minutes)
    except BenchmarkFailed as problem:
        sys.stderr.write(f"benchmark: {problem}\n")
        return 1
    settled = counts[SETTLED_AFTER_SECONDS:]
    sent = settled[-1][0] - settled[0][0]
    print(f"replicas {given.replicas}, {len(settled) - 1} seconds, {PER_MINUTE} requests a minute")
    print(f"requests sent                 {sent:>8,}")
    print(f"of what the budget gives      {used(counts):>8.1%}   target: at least {TARGET:.0%}")
    print(f"most in any 60 seconds        {_most_in_a_minute(settled):>8,}   of {PER_MINUTE}")
    print(f"answers of 429                {counts[-1][1]:>8,}")
    return 0


def measure(replicas: int, minutes: float) -> list[tuple[int, int]]:
    """Second by second: requests answered so far, and how many of them with 429."""
    profile = Profile(
        candidates=CandidateMix(come="when_sent"),
        limits=Limits(requests_per_minute=PER_MINUTE),
    )
    platform = Platform(profile, SystemClock())
    with ExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres())
        sandbox = stack.enter_context(running_sandbox(platform))
        upgrade(postgres.url())
        with psycopg.connect(postgres.url()) as database:
            database.execute(INVITES)
        log = stack.enter_context(tempfile.TemporaryFile())
        processes = [
            stack.enter_context(service_process(watching(postgres.url(), sandbox), log)) for _ in range(replicas)
        ]
        counts = []
        began = time.monotonic()
        for second in range(round(minutes * 60) + SETTLED_AFTER_SECONDS):
            time.sleep(max(began + second - time.monotonic(), 0))
            if any(process.poll() is not None for process in processes):
                raise BenchmarkFailed("a replica ended")
            answers = dict(platform.answers)
            refused = sum(count for (_, outcome), count in answers.items() if outcome == "429")
            counts.append((sum(answers.values()), refused))
        return counts


def used(counts: Sequence[tuple[int, int]]) -> float:
    """The share of what the budget gives."""
    settled = counts[SETTLED_AFTER_SECONDS:]
    allowed = PER_MINUTE * BUDGET_SHARE * (len(settled) - 1) / 60
    return (settled[-1][0] - settled[0][0]) / allowed


def _most_in_a_minute(counts: Sequence[tuple[int, int]]) -> int:
    return max(later[0] - sooner[0] for sooner, later in zip(counts, counts[60:] or counts[-1:], strict=False))


if __name__ == "__main__":
    sys.exit(main())
