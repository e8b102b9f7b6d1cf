"""What a run found: a table for people, and the same as plain values for JSON."""

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.latency import Latency
from benchmarks.throughput import NARROW, Round, Throughput, ratio_of_medians

RATIO_MIN = 0.75
P50_MAX_SECONDS = 0.050


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run on one machine."""

    machine: str
    concurrency: int
    throughput: Throughput
    latency: Latency
    verified: int  #: links that were compared with the sandbox's record
    judged: bool  #: whether the run was large enough to say that a target was met or missed

    @property
    def ratio_met(self) -> bool:
        return self.throughput.ratio >= RATIO_MIN

    @property
    def p50_met(self) -> bool:
        return self.latency.p50 <= P50_MAX_SECONDS


def machine(postgres: str) -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL {postgres}, {platform.system()}"


def lines(report: Report) -> Iterator[str]:
    """At most 80 columns."""
    throughput, latency = report.throughput, report.latency
    size = throughput.service[0].links
    yield f"Machine: {report.machine}"
    yield ""
    yield f"Links: {len(throughput.service)} round(s) of {size} on each side, in turns"
    yield ""
    yield f"{'':<22}{'links per second':>24}{'CPU ms per link':>27}"
    yield f"{'':<22}{'median':>8}{'lowest':>8}{'highest':>8}{'client':>9}{'sandbox':>9}{'Postgres':>9}"
    yield _row(f"service, {report.concurrency} in flight", throughput.service)
    yield _row(f"bare loop, {report.concurrency}", throughput.bare)
    yield _row(f"bare loop, {NARROW}", throughput.narrow)
    yield ""
    target = f"target: at least {RATIO_MIN}: {_verdict(report, met=report.ratio_met)}"
    yield f"service : bare loop, {report.concurrency:<3}{throughput.ratio:6.2f}   {target}"
    yield f"  round by round{' ' * 8}{' '.join(f'{ratio:6.2f}' for ratio in throughput.pair_ratios)}"
    yield f"service : bare loop, {NARROW:<3}{ratio_of_medians(throughput.service, throughput.narrow):6.2f}   no target"
    yield ""
    yield f"INSERT to committed link, idle service: {len(latency.links)} single inserts, in ms"
    yield f"less the vendor's answer time (p50 {latency.answer * 1e3:.1f})"
    yield ""
    target = f"target: at most {P50_MAX_SECONDS * 1e3:.0f}: {_verdict(report, met=report.p50_met)}"
    yield f"p50  {latency.p50 * 1e3:7.1f}   {target}"
    yield f"p99  {latency.p99 * 1e3:7.1f}"
    yield ""
    yield f"Work checked: {report.verified} links are those that the sandbox minted, one post for each."


def plain(report: Report) -> dict[str, Any]:
    throughput, latency = report.throughput, report.latency
    return {
        "machine": report.machine,
        "concurrency": report.concurrency,
        "links_per_second": {
            "service": [_plain_round(one) for one in throughput.service],
            "bare_loop": [_plain_round(one) for one in throughput.bare],
            "bare_loop_narrow": [_plain_round(one) for one in throughput.narrow],
            "narrow": NARROW,
            "ratio_of_medians": throughput.ratio,
            "ratio_by_pair": throughput.pair_ratios,
            "target": RATIO_MIN,
            "met": report.ratio_met if report.judged else None,
        },
        "insert_to_link_seconds": {
            "p50": latency.p50,
            "p99": latency.p99,
            "vendor_answer_p50": latency.answer,
            "inserts": len(latency.links),
            "target_p50": P50_MAX_SECONDS,
            "met": report.p50_met if report.judged else None,
        },
        "links_verified": report.verified,
    }


def _row(name: str, rounds: Sequence[Round]) -> str:
    rates = [one.rate for one in rounds]
    parts = (("client", 9), ("sandbox", 9), ("postgres", 9))
    used = "".join(f"{_per_link(rounds, part):>{width}}" for part, width in parts)
    return f"{name:<22}{median(rates):>8.0f}{min(rates):>8.0f}{max(rates):>8.0f}{used}"


def _per_link(rounds: Sequence[Round], part: str) -> str:
    seconds: list[tuple[int, float | None]] = [(one.links, getattr(one.cpu, part)) for one in rounds]
    known = [used * 1e3 / links for links, used in seconds if used is not None]
    return f"{median(known):.2f}" if known else "-"


def _plain_round(one: Round) -> dict[str, Any]:
    return {
        "links": one.links,
        "seconds": one.seconds,
        "links_per_second": one.rate,
        "cpu_seconds": {"client": one.cpu.client, "sandbox": one.cpu.sandbox, "postgres": one.cpu.postgres},
    }


def _verdict(report: Report, *, met: bool) -> str:
    if not report.judged:
        return "too short a run to say"
    return "met" if met else "MISSED"
