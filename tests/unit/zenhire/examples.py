"""Bodies as the contract shows them, and clients that talk to a function or to a real server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from service.core.limits import Share
from service.zenhire.client import Ceilings, ZenhireClient
from service.zenhire.network import NetworkTransport
from service.zenhire.transport import SlotTransport

BASE_URL = "https://vendor.test/api/v1/interview"
KEY = "zh_api_0123456789"
SESSION_ID = "0f9e7c52-6f0e-4a33-9b0e-7a1f0c1d2e3f"
PERSONA_ID = "a1b2c3d4-0000-4000-8000-000000000001"
LINK = "https://interview.zenhire.ai/#t=secret-token"

CREATED = {"id": SESSION_ID, "candidate_link": LINK, "expires_in": 604_800}
SESSION = {
    "id": SESSION_ID,
    "client_id": "client-1",
    "persona_id": PERSONA_ID,
    "status": "completed",
    "consent_mode": "explicit",
    "created_at": "2026-11-01T10:00:00Z",
    "candidate_ref": "cand-1",
    "metadata": {"zenhire_sync_invite": "inv/1", "zenhire_sync_post": "post-1", "team": "blue"},
    "tags": None,
    "started_at": "2026-11-01T11:00:00.123456+01:00",
    "completed_at": "2026-11-01T10:30:00",
    "duration_sec": 1740,
    "credit_charged": 29,
    "source": "requests",
    "persona": {"role_name": "Cook", "language": "en"},
    "feedback": {"rating": 4, "low": False},
}
PERSONA = {
    "id": PERSONA_ID,
    "client_id": "client-1",
    "role_name": "Cook",
    "language": "en",
    "status": "active",
    "created_at": "2026-11-01T10:00:00Z",
}

Handler = Callable[[httpx.Request], httpx.Response]


class OpenBudget:
    """A budget that always has a slot."""

    def __init__(self) -> None:
        self.taken = 0

    async def acquire(self, _share: Share, send_before: float) -> bool:
        self.taken += 1
        return send_before > 0


def later(seconds: float = 60) -> float:
    """A time until which a request may be sent."""
    return asyncio.get_running_loop().time() + seconds


def in_a_second(seconds: float = 1.0) -> Ceilings:
    span = timedelta(seconds=seconds)
    return Ceilings(deadline=span, artifact_deadline=span, json_bytes=200_000, transcript_bytes=400_000)


@asynccontextmanager
async def client_of(handler: Handler, *, base_url: str = BASE_URL) -> AsyncIterator[ZenhireClient]:
    """A client whose every request is answered by this function."""
    transport = SlotTransport(httpx.MockTransport(handler), OpenBudget())
    async with ZenhireClient(
        base_url=base_url,
        api_key=SecretStr(KEY),
        transport=transport,
        ceilings=in_a_second(),
        wall_clock=lambda: 1_793_527_200.0,  # 2026-11-01T10:00:00Z
    ) as client:
        yield client


@asynccontextmanager
async def client_to(base_url: str, ceilings: Ceilings) -> AsyncIterator[ZenhireClient]:
    """A client over the real network."""
    transport = SlotTransport(NetworkTransport(), OpenBudget())
    async with ZenhireClient(
        base_url=base_url, api_key=SecretStr(KEY), transport=transport, ceilings=ceilings
    ) as client:
        yield client


def replying(payload: Any, status: int = 200, headers: dict[str, str] | None = None) -> Handler:
    return lambda _: httpx.Response(status, content=json.dumps(payload).encode(), headers=headers)


Talk = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """Speaks whatever its `talk` says, byte for byte."""

    address: str
    requests: list[bytes] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://{self.address}/api"


@asynccontextmanager
async def raw_server(talk: Talk) -> AsyncIterator[RawServer]:
    """Hands each request that came whole to `talk`; closes every connection at the end."""
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        try:
            while request := await _request(reader):
                running.requests.append(request)
                await talk(request, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    running = RawServer(address=f"{host}:{port}")
    try:
        yield running
    finally:
        server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    return head + await reader.readexactly(length)
