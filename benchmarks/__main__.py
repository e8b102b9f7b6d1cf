"""`python -m benchmarks`: prints the figures of this machine; exit 0 when it ran and the work was right, else 1."""

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import latency, report, throughput
from benchmarks.failed import BenchmarkFailed
from benchmarks.stage import stage
from benchmarks.verify import verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    rounds: int
    links: int
    inserts: int
    concurrency: int


_WHOLE = Sizes(rounds=5, links=1000, inserts=200, concurrency=64)
_QUICK = Sizes(rounds=1, links=50, inserts=5, concurrency=16)


def main() -> int:
    arguments = _parser().parse_args()
    sizes = _sizes(arguments)
    try:
        found = _measured(sizes, judged=not arguments.quick)
    except BenchmarkFailed as problem:
        sys.stderr.write(f"benchmark: {problem}\n")
        return 1
    print("\n".join(report.lines(found)))
    if arguments.json:
        arguments.json.write_text(json.dumps(report.plain(found), indent=2) + "\n", encoding="utf-8")
    return 0


def _measured(sizes: Sizes, *, judged: bool) -> report.Report:
    _say("starting Postgres, the sandbox and the service ...")
    with stage(concurrency=sizes.concurrency) as parts:
        rates = throughput.measure(
            parts, rounds=sizes.rounds, size=sizes.links, concurrency=sizes.concurrency, say=_say
        )
        _say(f"{sizes.inserts} single inserts ...")
        times = latency.measure(parts, inserts=sizes.inserts)
        _say("comparing every link with the sandbox's record ...\n")
        return report.Report(
            machine=report.machine(parts.ask("show server_version").split()[0]),
            concurrency=sizes.concurrency,
            throughput=rates,
            latency=times,
            verified=verify(parts),
            judged=judged,
        )


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Links per second beside a bare httpx loop, and the time from INSERT to link, on real parts.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="small numbers, to see that everything works; judges nothing"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    told = {
        "rounds": "rounds of each side (default: {})",
        "links": "links in a round (default: {})",
        "inserts": "single inserts for the latency (default: {})",
        "concurrency": "requests in flight (default: {})",
    }
    for name, meaning in told.items():
        parser.add_argument(f"--{name}", type=_count, metavar="N", help=meaning.format(getattr(_WHOLE, name)))
    return parser


def _sizes(arguments: argparse.Namespace) -> Sizes:
    base = _QUICK if arguments.quick else _WHOLE
    given = {name: getattr(arguments, name) for name in ("rounds", "links", "inserts", "concurrency")}
    return replace(base, **{name: number for name, number in given.items() if number is not None})


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
