"""
`python -m benchmarks.peers`: the service beside other ways to do the same job, in one run against one kind of vendor.

Links per second without a limit, in turns; outcome lags at the vendor's default limit, all sides at once; and what
stands after a kill -9 in the middle of starting, all sides at once. Each figure is the median of the rounds.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import psycopg

from benchmarks.failed import BenchmarkFailed
from benchmarks.outcome_lag import Plan
from benchmarks.peers import crash, lag, links, report
from benchmarks.peers.sides import NOT_THERE, PYTHON, SIDES, Terms, say
from benchmarks.report import machine
from benchmarks.watched import PER_MINUTE
from sandbox.embedded_postgres import EmbeddedPostgres

INTERVAL_SECONDS = 10  #: the service's default, and the distance between two looks or loads of a peer
NEVER_SECONDS = 3600  #: where links are measured, looks are put off
SETTLE_SECONDS = 10  #: the service's default is 60, which would make a round longer and nothing else

Round = TypeVar("Round")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    rounds: int
    links: int
    open: int
    cap: int
    minutes: float
    talk: float
    starts: int
    concurrency: int


WHOLE = Sizes(rounds=3, links=500, open=400, cap=8, minutes=1.0, talk=24.0, starts=200, concurrency=16)
QUICK = Sizes(rounds=1, links=20, open=100, cap=8, minutes=0.4, talk=14.0, starts=60, concurrency=8)
_MEANINGS = {
    "rounds": "rounds of each part",
    "links": "links in a round",
    "open": "open sessions in a round of lags",
    "cap": "interviews at once",
    "minutes": "minutes in which candidates come",
    "talk": "seconds that an interview takes on average",
    "starts": "invites in whose middle the kill comes",
    "concurrency": "requests in flight",
}


def main() -> int:
    arguments = _parser().parse_args()
    if not arguments.python.exists():
        sys.stderr.write(NOT_THERE.format(arguments.python))
        return 2
    sizes = _sizes(arguments)
    try:
        found = measure(sizes, arguments.python)
    except BenchmarkFailed as problem:
        sys.stderr.write(f"benchmark: {problem}\n")
        return 1
    print("\n".join(report.lines(found, _about(sizes))))
    if arguments.json:
        arguments.json.write_text(json.dumps(report.plain(found), indent=2) + "\n", encoding="utf-8")
    return 0


def measure(sizes: Sizes, python: Path) -> report.Found:
    """Every side, in every part that it can do."""
    starters = [side for side in SIDES if side.starts]
    fast = Terms(python=python, concurrency=sizes.concurrency, per_minute=0, interval=NEVER_SECONDS)
    slow = replace(fast, per_minute=PER_MINUTE, interval=INTERVAL_SECONDS, adopt=True)
    plan = Plan(open_sessions=sizes.open, cap=sizes.cap, minutes=sizes.minutes, talk=sizes.talk, outage=None)
    lags, crashes = [], []
    with EmbeddedPostgres() as server:
        rates = links.measure(server, starters, fast, rounds=sizes.rounds, size=sizes.links)
        for number in range(1, sizes.rounds + 1):
            say(f"outcome lags, round {number} of {sizes.rounds} ...")
            lags.append(lag.measure(server, SIDES, slow, plan, seed=number))
            say(f"kill -9 and restart, round {number} of {sizes.rounds} ...")
            crashes.append(
                crash.measure(server, starters, replace(fast, settle=SETTLE_SECONDS), sizes.starts, seed=number)
            )
        with psycopg.connect(server.url()) as database:
            version = database.info.parameter_status("server_version") or "?"
    return report.Found(
        machine=machine(version.split()[0]), links=rates, lags=_by_side(lags), crashes=_by_side(crashes)
    )


def _by_side(rounds: Sequence[Mapping[str, Round]]) -> Mapping[str, Sequence[Round]]:
    found: defaultdict[str, list[Round]] = defaultdict(list)
    for one in rounds:
        for name, measured in one.items():
            found[name].append(measured)
    return found


def _about(sizes: Sizes) -> str:
    return (
        f"Medians of {sizes.rounds}; {sizes.concurrency} in flight. {sizes.links} links. {sizes.open} open, "
        f"cap {sizes.cap}, {PER_MINUTE}/min,\n{sizes.minutes:g} min, talks of {sizes.talk:g} s. "
        f"kill -9 in {sizes.starts} starts."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that everything works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there, too")
    parser.add_argument("--python", type=Path, default=PYTHON, metavar="FILE", help="of the venv with the peers")
    for name, meaning in _MEANINGS.items():
        kind = type(getattr(WHOLE, name))
        told = f"{meaning} (default: {getattr(WHOLE, name):g})"
        parser.add_argument(f"--{name}", type=kind, metavar="N", help=told)
    return parser


def _sizes(arguments: argparse.Namespace) -> Sizes:
    base = QUICK if arguments.quick else WHOLE
    given = {name: getattr(arguments, name) for name in _MEANINGS}
    return replace(base, **{name: number for name, number in given.items() if number is not None})


if __name__ == "__main__":
    sys.exit(main())
