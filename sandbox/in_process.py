"""The gateway as an httpx transport: no sockets and, on a virtual clock, no waiting. For deterministic simulations."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from sandbox.gateway import Gateway
from sandbox.wire import Reply, Request

Wait = Callable[[float], Awaitable[None]]


class InProcessTransport(httpx.AsyncBaseTransport):
    """`wait` is called with seconds wherever real HTTP would take time; push a virtual clock there, or do nothing."""

    def __init__(self, gateway: Gateway, wait: Wait) -> None:
        self._gateway = gateway
        self._wait = wait

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reply = self._gateway.handle(
            Request(
                method=request.method,
                path=request.url.path,
                query=request.url.query.decode(),
                key=request.headers.get("x-api-key"),
                body=await request.aread(),
            ),
        )
        patience = request.extensions.get("timeout", {}).get("read")
        if patience is not None and reply.delay_seconds > patience:
            await self._wait(patience)
            self._gateway.undelivered(reply)
            raise httpx.ReadTimeout("no answer in time", request=request)
        if reply.delay_seconds:
            await self._wait(reply.delay_seconds)
        if reply.cut:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        headers = [*reply.all_headers(), ("date", self._gateway.date())]
        return httpx.Response(reply.status, headers=headers, content=self._body(reply))

    async def _body(self, reply: Reply) -> AsyncIterator[bytes]:
        for piece in reply.pieces():
            yield piece
            if reply.pause_seconds:
                await self._wait(reply.pause_seconds)
        self._gateway.delivered(reply)
