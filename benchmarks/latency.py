"""
From INSERT to committed link, on a service that has nothing else to do.

The clock is the ATS's: from sending the INSERT to hearing the database say `link_ready`, which it says on COMMIT. The
vendor's own answer time is taken off; it is measured in between, over a plain connection without any library's cost.
"""

import http.client
import json
import random
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from math import ceil
from statistics import median
from urllib.parse import urlsplit

import psycopg

from benchmarks.failed import BenchmarkFailed
from benchmarks.invites import body
from benchmarks.stage import Stage

_LINK_WITHIN_SECONDS = 30
_PAUSE_SECONDS = (0.05, 0.15)  # spread, so as not to keep step with any timer of the service


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Seconds from INSERT to committed link, and seconds that the vendor took to answer a post meanwhile."""

    links: list[float]
    answers: list[float]

    @property
    def answer(self) -> float:
        return median(self.answers)

    @property
    def p50(self) -> float:
        """Less the vendor's answer time, as `p99` is."""
        return median(self.links) - self.answer

    @property
    def p99(self) -> float:
        worst = sorted(self.links)
        return worst[min(len(worst) - 1, ceil(len(worst) * 0.99) - 1)] - self.answer


def measure(stage: Stage, *, inserts: int) -> Latency:
    found = Latency(links=[], answers=[])
    with psycopg.connect(stage.database_url, autocommit=True) as ears, closing(_Vendor(stage)) as vendor:
        ears.execute("listen zenhire_changes")
        heard = _changes(ears)
        for number in range(inserts):
            time.sleep(random.uniform(*_PAUSE_SECONDS))
            found.answers.append(vendor.post(f"plain-{number}"))
            time.sleep(random.uniform(*_PAUSE_SECONDS))
            begun = time.perf_counter()
            stage.insert(f"single-{number}-", 1)
            while next(heard) != "link_ready":
                pass
            found.links.append(time.perf_counter() - begun)
    return found


def _changes(ears: psycopg.Connection[object]) -> Iterator[str]:
    """The statuses that the database tells of; ends in `BenchmarkFailed` when it stays silent."""
    while True:
        told = list(ears.notifies(timeout=_LINK_WITHIN_SECONDS, stop_after=1))
        if not told:
            raise BenchmarkFailed(f"no link within {_LINK_WITHIN_SECONDS} s of an INSERT")
        for one in told:
            yield json.loads(one.payload)["status"]


class _Vendor:
    """Posts as the service does, one at a time over one connection."""

    def __init__(self, stage: Stage) -> None:
        address = urlsplit(stage.sandbox.base_url)
        persona = stage.ask("select persona_id from zenhire.personas where state = 'ready'")
        self._path = f"{address.path}/personas/{persona}/sessions"
        self._headers = {"X-API-Key": stage.sandbox.key, "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection(address.netloc, timeout=_LINK_WITHIN_SECONDS)

    def post(self, candidate_ref: str) -> float:
        sent = json.dumps(body(candidate_ref))
        begun = time.perf_counter()
        self._connection.request("POST", self._path, sent, self._headers)
        answer = self._connection.getresponse()
        said = answer.read()
        taken = time.perf_counter() - begun
        if answer.status != 201:
            raise BenchmarkFailed(f"the sandbox answered {answer.status}: {said[:500]!r}")
        return taken

    def close(self) -> None:
        self._connection.close()
