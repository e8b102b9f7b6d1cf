"""
Every figure with its target, and the same job done by others: `python -m benchmarks.whole`, which `make bench` calls.

Each part runs in a process of its own, one after the other, on a machine that should have nothing else to do. With
`--quick` the sizes are small, which shows that everything works and says nothing of the targets.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import psycopg

from benchmarks import parts
from benchmarks.failed import BenchmarkFailed
from benchmarks.figures import Figure
from benchmarks.parts import QUICK, WHOLE, Sizes
from benchmarks.peers.sides import NOT_THERE, PYTHON
from benchmarks.report import machine
from sandbox.clock import SystemClock
from sandbox.embedded_postgres import EmbeddedPostgres
from tests.support.report import ROOT, replace_section

PAGE = ROOT / "docs" / "performance.md"

#: The sides beside the service, with the heads of their columns on a terminal and on the page.
SIDES = {
    "naive": ("loop", "plain loop"),
    "procrastinate": ("proc.", "procrastinate"),
    "pgqueuer": ("pgq.", "pgqueuer"),
    "dlt": ("dlt", "dlt"),
}

PARTS: dict[str, Callable[[Sizes], list[Figure]]] = {
    "links": parts.links,
    "latency": parts.links_with_latency,
    "budget": parts.budget,
    "claims": parts.claims,
    "resources": parts.resources,
    "lags": parts.lags,
    "outages": parts.outages,
    "peers": parts.peers,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    machine: str
    day: str
    minutes: float
    figures: Sequence[Figure]
    judged: bool

    def on_a_terminal(self) -> Iterator[str]:
        """At most 80 columns."""
        yield f"Machine: {self.machine}; {self.minutes:.0f} minutes"
        yield ""
        heads = "".join(f"{head:>6}" for head, _ in SIDES.values())
        yield f"{'':<30}{'target':>8}{'service':>8} {'':<6}{heads}".rstrip()
        for one in self.figures:
            others = "".join(f"{one.of(side):>6}" for side in SIDES)
            verdict = one.verdict if self.judged else ""
            yield f"{one.what:<30}{one.target:>8}{one.text:>8} {verdict:<6}{others}".rstrip()

    def on_the_page(self) -> Iterator[str]:
        heads = " | ".join(head for _, head in SIDES.values())
        yield f"{self.day}, {self.machine}, {self.minutes:.0f} minutes:"
        yield ""
        yield f"| figure | target | zenhire-sync | | {heads} |"
        yield f"|---|--:|--:|---|{'--:|' * len(SIDES)}"
        for one in self.figures:
            others = " | ".join(one.of(side) for side in SIDES)
            yield f"| {one.what} | {one.target} | {one.text} | {one.verdict} | {others} |"


def main() -> int:
    given = _arguments()
    if not PYTHON.exists() and "peers" in given.only:
        sys.stderr.write(NOT_THERE.format(PYTHON))
        return 2
    began = time.monotonic()
    try:
        figures = [figure for name in given.only for figure in _run(name, QUICK if given.quick else WHOLE)]
    except BenchmarkFailed as problem:
        sys.stderr.write(f"benchmark: {problem}\n")
        return 1
    table = Table(
        machine=_machine(),
        day=f"{SystemClock()():%Y-%m-%d}",
        minutes=(time.monotonic() - began) / 60,
        figures=figures,
        judged=not given.quick,
    )
    print("\n".join(table.on_a_terminal()))
    if given.write:
        replace_section(PAGE, "bench", "\n".join(table.on_the_page()))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that everything works")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="some parts (default: all)")
    parser.add_argument("--write", action="store_true", help=f"put the table into docs/{PAGE.name}")
    return parser.parse_args()


def _run(name: str, sizes: Sizes) -> list[Figure]:
    """In a process of its own: a part with a million sessions leaves nothing behind."""
    sys.stderr.write(f"{name} ...\n")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(PARTS[name], sizes).result()


def _machine() -> str:
    with EmbeddedPostgres(durable=False) as postgres, psycopg.connect(postgres.url()) as database:
        return machine((database.info.parameter_status("server_version") or "?").split()[0])


if __name__ == "__main__":
    sys.exit(main())
