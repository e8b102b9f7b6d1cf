"""
Links per second: the service and the bare loop in turns, so that a noisy moment of the machine meets both.

httpx's connection pool looks at every connection for every request, so that a loop with 64 in flight is slow by
itself. Therefore a third side runs along: the loop with as few in flight as suit httpx best.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.failed import BenchmarkFailed
from benchmarks.stage import Cpu, Stage

_WITHIN_SECONDS = 300
_WARM_UP = 4  # a quarter of a round, unrecorded
NARROW = 8  #: requests in flight with which httpx is at its fastest


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """So many links in so much time, with what each part used for them; the client is the service or the loop."""

    links: int
    seconds: float
    cpu: Cpu

    @property
    def rate(self) -> float:
        return self.links / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Rounds side by side: the first of the service, the first of each bare loop, and so on."""

    service: list[Round] = field(default_factory=list)
    bare: list[Round] = field(default_factory=list)  #: with as many in flight as the service
    narrow: list[Round] = field(default_factory=list)  #: with `NARROW` in flight

    @property
    def ratio(self) -> float:
        """The service's rate as a share of the bare loop's, by their medians."""
        return ratio_of_medians(self.service, self.bare)

    @property
    def pair_ratios(self) -> list[float]:
        return [one.rate / other.rate for one, other in zip(self.service, self.bare, strict=True)]


def ratio_of_medians(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    return median(one.rate for one in ours) / median(one.rate for one in theirs)


def measure(stage: Stage, *, rounds: int, size: int, concurrency: int, say: Callable[[str], None]) -> Throughput:
    warm = max(1, size // _WARM_UP)
    service_round(stage, "warm-", warm)
    bare_round(stage, warm, concurrency)
    found = Throughput()
    for number in range(1, rounds + 1):
        found.service.append(service_round(stage, f"round-{number}-", size))
        found.bare.append(bare_round(stage, size, concurrency))
        found.narrow.append(bare_round(stage, size, NARROW))
        rates = [f"{one[-1].rate:.0f}" for one in (found.service, found.bare, found.narrow)]
        say(f"round {number} of {rounds}: service {rates[0]}/s, bare loop {rates[1]}/s, with {NARROW} {rates[2]}/s")
    return found


def service_round(stage: Stage, prefix: str, size: int) -> Round:
    """From the commit of the invites to the commit of the last link."""
    stage.insert(prefix, size)
    begun, before = time.perf_counter(), stage.cpu()
    stage.wait_for_links(within=_WITHIN_SECONDS)
    seconds, cpu = time.perf_counter() - begun, stage.cpu().since(before)
    links = stage.ask(
        f"select count(*) from zenhire.candidate_invites where candidate_ref like '{prefix}%' and status = 'link_ready'"
    )
    if links != size:
        raise BenchmarkFailed(f"{links} links for {size} invites; the service said:\n{stage.last_words()}")
    return Round(links=size, seconds=seconds, cpu=cpu)


def bare_round(stage: Stage, size: int, concurrency: int) -> Round:
    persona = stage.ask("select persona_id from zenhire.personas where state = 'ready'")
    command = [sys.executable, "-m", "benchmarks.bare_loop", "--url", stage.sandbox.base_url, "--key"]
    command += [stage.sandbox.key, "--persona", persona, "--count", str(size), "--concurrency", str(concurrency)]
    before = stage.cpu()
    done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_SECONDS, check=False)
    if done.returncode:
        raise BenchmarkFailed(f"the bare loop ended with {done.returncode}:\n{done.stderr[-2000:]}")
    said, used = json.loads(done.stdout), stage.cpu().since(before)
    if said["links"] != size:
        raise BenchmarkFailed(f"the bare loop was given {said['links']} links for {size} posts")
    cpu = Cpu(client=said["cpu_seconds"], sandbox=used.sandbox, postgres=None)
    return Round(links=size, seconds=said["seconds"], cpu=cpu)
