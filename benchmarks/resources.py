"""
What a replica needs: `python -m benchmarks.resources --open 1000 1000000`.

Memory after some minutes of watching so many open sessions, each number in a database of its own; queries and CPU of a
replica that has nothing to do; and bytes of WAL for each invite from `pending` to `completed`. Postgres has its default
durability, and the settings are the defaults but for the limit of 500 requests a minute.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks import idle, wal
from benchmarks.failed import BenchmarkFailed
from benchmarks.figures import met
from benchmarks.idle import Idle
from benchmarks.memory import memory_now, most_memory
from benchmarks.wal import Wal
from benchmarks.watched import PER_MINUTE, watched
from sandbox.profile import CandidateMix, Limits, Profile

MEBIBYTES_MAX = 120.0
GROWTH_MAX = 0.1
QUERIES_MAX = 3.0
CPU_MAX = 0.01
LEAST_SHOWN = 0.01  #: of the WAL that is no full page

PROFILE = Profile(candidates=CandidateMix(come="when_sent"), limits=Limits(requests_per_minute=PER_MINUTE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Of a replica with so many open sessions, in MiB."""

    open_sessions: int
    now: float
    most: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resources", description=__doc__)
    add = parser.add_argument
    add("--open", type=int, nargs="+", default=[1000, 1_000_000], metavar="N", help="open sessions")
    add("--minutes", type=float, default=3.0, help="how long they are watched before memory is read")
    add("--idle", type=float, default=60.0, metavar="SECONDS", help="how long an idle replica is measured")
    add("--invites", type=int, default=1000, metavar="N", help="whose WAL is measured")
    add("--beside", type=int, default=20_000, metavar="N", help="open sessions beside these")
    add("--statements", action="store_true", help="tell which queries an idle replica sends")
    given = parser.parse_args()
    try:
        memories, idles = watch(given.open, given.minutes, given.idle)
        wals = {on: wal.measure(given.invites, beside=given.beside, transcripts=on) for on in (False, True)}
    except BenchmarkFailed as problem:
        sys.stderr.write(f"benchmark: {problem}\n")
        return 1
    print("\n".join([*_memory(memories), "", *_idle(idles), "", *_wal(wals)]))
    if given.statements:
        print("\n".join(_statements(idles)))
    return 0


def watch(sizes: Sequence[int], minutes: float, seconds: float) -> tuple[list[Memory], dict[str, Idle]]:
    """Idle is what has nothing open, and what has the fewest sessions: with many the vendor's whole list is walked."""
    memories, idles = [], {}
    with watched(0, PROFILE) as stage:
        idles["nothing open"] = idle.measure(stage, seconds)
    for size in sizes:
        with watched(size, PROFILE) as stage:
            time.sleep(minutes * 60)
            pid = stage.replica_pid()
            memories.append(Memory(open_sessions=size, now=memory_now(pid), most=most_memory(pid)))
            if size == min(sizes):
                idles[f"{size:,} open, nobody comes"] = idle.measure(stage, seconds)
    return memories, idles


# --- what is printed: at most 80 columns -----------------------------------------------------------------------------


def _memory(memories: Sequence[Memory]) -> Iterator[str]:
    yield f"{'memory of a replica, MiB':<36}{'RSS':>8}{'at most':>9}"
    for one in memories:
        yield f"{f'{one.open_sessions:,} open sessions':<36}{one.now:>8.1f}{one.most:>9}"
    most, growth = max(one.most for one in memories), memories[-1].now / memories[0].now - 1
    yield f"at most         target: {MEBIBYTES_MAX:g} MiB: {met(most, MEBIBYTES_MAX)}"
    if len(memories) > 1:
        yield f"growth {growth:>7.1%}  target: at most {GROWTH_MAX:.0%}: {met(growth, GROWTH_MAX)}"


def _idle(idles: dict[str, Idle]) -> Iterator[str]:
    yield f"{'idle replica, one account':<36}{'queries/s':>10}{'commits/s':>11}{'CPU':>8}"
    for name, one in idles.items():
        yield f"{name:<36}{one.queries:>10.2f}{one.transactions:>11.2f}{one.cpu:>8.2%}"
    queries, cpu = (max(figure) for figure in zip(*((one.queries, one.cpu) for one in idles.values()), strict=True))
    yield f"queries         target: at most {QUERIES_MAX:g} a second: {met(queries, QUERIES_MAX)}"
    yield f"CPU             target: at most {CPU_MAX:.0%} of a core: {met(cpu, CPU_MAX)}"


def _wal(wals: dict[bool, Wal]) -> Iterator[str]:
    yield f"{'WAL, bytes for each invite':<36}{'no transcripts':>16}{'transcripts':>13}"
    off, on = wals[False], wals[True]
    yield _bytes("all", off.total, on.total)
    yield _bytes("  full pages after a checkpoint", off.full_pages, on.full_pages)
    yield _bytes("  the rest", off.total - off.full_pages, on.total - on.full_pages)
    large = [name for name, figure in on.parts.items() if figure >= LEAST_SHOWN * sum(on.parts.values())]
    for name in sorted(large, key=lambda name: -on.parts[name]):
        yield _bytes(f"    {name}", off.parts.get(name, 0.0), on.parts[name])
    small = (sum(figure for name, figure in one.parts.items() if name not in large) for one in (off, on))
    yield _bytes("    what is smaller", *small)


def _bytes(name: str, off: float, on: float) -> str:
    off_text, on_text = ("-" if math.isnan(figure) else f"{figure:,.0f}" for figure in (off, on))
    return f"{name:<36}{off_text:>16}{on_text:>13}"


def _statements(idles: dict[str, Idle]) -> Iterator[str]:
    for name, one in idles.items():
        yield f"\nqueries a minute, {name}"
        yield from (f"{rate:>6.1f}  {said[:72]}" for said, rate in one.most())


if __name__ == "__main__":
    sys.exit(main())
