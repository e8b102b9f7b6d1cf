"""The vendor's paths over ASGI: requests go to the gateway, replies back as slowly and as badly as they say."""

import asyncio
from collections.abc import Iterable

from starlette.types import Receive, Scope, Send

from sandbox.gateway import Gateway
from sandbox.wire import Reply, Request

#: Where `server.Connection` leaves the connection's transport, for replies that are no reply.
TRANSPORT = "sandbox.transport"


class VendorApp:
    """Plain ASGI: a benchmark against the sandbox should measure the client, not middleware."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        reply = self._gateway.handle(
            Request(
                method=scope["method"],
                path=scope["path"],
                query=scope["query_string"].decode("latin-1"),
                key=_key(scope["headers"]),
                body=body,
            ),
        )
        if reply.delay_seconds:
            await asyncio.sleep(reply.delay_seconds)
        transport = scope[TRANSPORT]
        if reply.cut:
            transport.abort()
            await _gone(receive)
        elif transport.is_closing():
            self._gateway.undelivered(reply)
        else:
            await self._send(reply, transport, send)

    async def _send(self, reply: Reply, transport: asyncio.Transport, send: Send) -> None:
        whole = reply.body if isinstance(reply.body, bytes) else None
        headers = [(name.encode(), value.encode()) for name, value in reply.all_headers()]
        headers.append((b"date", self._gateway.date().encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if whole is not None and not reply.drip_seconds:
            await send({"type": "http.response.body", "body": whole})
            self._gateway.delivered(reply)
            return
        for piece in reply.pieces():
            if transport.is_closing():
                self._gateway.undelivered(reply)
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(reply.pause_seconds)
        await send({"type": "http.response.body", "body": b""})
        self._gateway.delivered(reply)


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """X-API-Key; an Authorization header is said to be accepted too, its scheme is not (contract §1): Bearer here."""
    held: dict[bytes, bytes] = dict(headers)
    if b"x-api-key" in held:
        return held[b"x-api-key"].decode("latin-1")
    if b"authorization" in held:
        return held[b"authorization"].decode("latin-1").removeprefix("Bearer ")
    return None
