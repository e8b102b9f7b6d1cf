"""The vendor's API as the peers use it: one client, requests spaced so that the limit holds, every error raised."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from benchmarks.invites import ROLE, body
from benchmarks.peers.options import Options

SHARE = 0.99  #: of the limit, as the service has it: requests that are spaced evenly still arrive unevenly
FINAL = frozenset({"completed", "failed"})
PAUSE_SECONDS = 1.0  #: after a 429 that does not say for how long


class Pace:
    """
    Each request has its turn; one process alone uses the key, so its own clock is enough.

    The next turn is counted from when the last one came: a process that was held up must not make up for it at once.
    """

    def __init__(self, per_minute: int) -> None:
        self._spacing = 60 / (per_minute * SHARE) if per_minute else 0.0
        self._free_at = 0.0
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        if not self._spacing:
            return
        async with self._queue:
            await asyncio.sleep(max(self._free_at - time.monotonic(), 0))
            self._free_at = max(self._free_at, time.monotonic() + self._spacing)  # a pause may have begun meanwhile

    def pause(self, seconds: float) -> None:
        self._free_at = max(self._free_at, time.monotonic() + seconds)


class Vendor:
    """One attempt for each call. What to do after a failure is the caller's affair."""

    def __init__(self, http: httpx.AsyncClient, pace: Pace) -> None:
        self._http = http
        self._pace = pace
        self._persona = ""

    async def find_persona(self) -> None:
        """The one that is there for the role, or a new one."""
        found = (await self._ask("GET", "personas"))["data"]
        fits = [one for one in found if all(one[name] == wanted for name, wanted in ROLE.items())]
        self._persona = (fits[0] if fits else await self._ask("POST", "personas", ROLE))["id"]

    async def start(self, candidate_ref: str) -> tuple[str, str]:
        """Id and link of a new session. The link is told here and never again."""
        told = await self._ask("POST", f"personas/{self._persona}/sessions", body(candidate_ref))
        return told["id"], told["candidate_link"]

    async def look(self, session_id: str) -> dict[str, Any]:
        return await self._ask("GET", f"sessions/{session_id}")

    async def _ask(self, method: str, path: str, document: Any = None) -> dict[str, Any]:
        await self._pace.turn()
        answer = await self._http.request(method, path, json=document)
        if answer.status_code == 429:
            told = answer.headers.get("retry-after", "")
            self._pace.pause(float(told) if told.isdecimal() else PAUSE_SECONDS)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


@asynccontextmanager
async def connected(options: Options) -> AsyncIterator[Vendor]:
    limits = httpx.Limits(max_connections=options.concurrency, max_keepalive_connections=options.concurrency)
    async with httpx.AsyncClient(
        base_url=options.url, headers={"X-API-Key": options.key}, limits=limits, timeout=10, trust_env=False
    ) as http:
        vendor = Vendor(http, Pace(options.per_minute))
        await vendor.find_persona()
        yield vendor
