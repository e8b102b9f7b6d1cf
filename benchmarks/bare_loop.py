"""
The yardstick, a process of its own: httpx posts sessions as fast as it can, and stores nothing.

Prints one JSON object: the links it was given, and the seconds and CPU seconds between the first post and the last
answer.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx

from benchmarks.invites import body


async def _worker(client: httpx.AsyncClient, path: str, bodies: Iterator[dict[str, Any]]) -> int:
    links = 0
    for one in bodies:
        answer = await client.post(path, json=one)
        links += bool(answer.raise_for_status().json()["candidate_link"])
    return links


async def _run(arguments: argparse.Namespace) -> dict[str, float]:
    limits = httpx.Limits(max_connections=arguments.concurrency, max_keepalive_connections=arguments.concurrency)
    headers = {"X-API-Key": arguments.key}
    async with httpx.AsyncClient(base_url=arguments.url, headers=headers, limits=limits, trust_env=False) as client:
        bodies = (body(f"bare-{number}") for number in range(arguments.count))
        path = f"personas/{arguments.persona}/sessions"
        begun, cpu = time.perf_counter(), _cpu()
        counts = await asyncio.gather(*(_worker(client, path, bodies) for _ in range(arguments.concurrency)))
        return {"links": sum(counts), "seconds": time.perf_counter() - begun, "cpu_seconds": _cpu() - cpu}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--url", "--key", "--persona"):
        parser.add_argument(name, required=True)
    for name in ("--count", "--concurrency"):
        parser.add_argument(name, type=int, required=True)
    json.dump(asyncio.run(_run(parser.parse_args())), sys.stdout)


if __name__ == "__main__":
    main()
