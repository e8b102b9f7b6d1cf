"""
The wire: httpcore's connections behind httpx's transport interface, with two things that httpx alone does not give.

One deadline holds for the whole request and answer: httpx's timeouts bound each single read, so that a server which
drips headers or body keeps a request for ever. It is enforced below httpx, because a request that is cancelled from
outside costs the pool a connection for good.

httpcore makes the connections, and a stack of idle ones takes the place of its pool, which looks at every connection
for every request (with 64 of them that is four fifths of a request's cost) and loses one to a cancelled request.
"""

import asyncio
import ssl
import urllib.request
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import Any

import httpcore
import httpx

#: Below the 5 s after which common servers close an idle connection: a post must not meet a closing one, because its
#: result would be unknown.
KEEPALIVE_SECONDS = 4.0

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

#: When the answer to the current task's request is due (the loop's time).
_due: ContextVar[float] = ContextVar("zenhire_answer_due")


def proxy_for(base_url: str) -> str | None:
    """The proxy that the environment's usual variables (`HTTPS_PROXY`, `NO_PROXY`, …) name for this address, if any."""
    url = httpx.URL(base_url)
    if url.host in _LOOPBACK or urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(url.scheme) or proxies.get("all")


@cache
def _trust() -> ssl.SSLContext:
    """Whom TLS trusts; read once for all accounts, because reading it takes longer than connecting."""
    return httpx.create_ssl_context()


class NetworkTransport(httpx.AsyncBaseTransport):
    """
    One attempt over the network. The request's extension `answer_within` (seconds) bounds connecting, sending and the
    whole answer together.

    Idle connections are kept on a stack, one request has one connection, and whoever takes it gives it back: httpcore's
    own pool looks at all connections for each request, and loses one to a request that is cancelled.
    """

    def __init__(self, *, proxy: str | None = None) -> None:
        self._connector = httpcore.AsyncConnectionPool(
            ssl_context=_trust(),
            proxy=None if proxy is None else _proxy(proxy),
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=_Backend(),
        )
        self._idle: list[httpcore.AsyncConnectionInterface] = []
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _due.set(asyncio.get_running_loop().time() + request.extensions["answer_within"])
        ask = _httpcore_request(request)
        connection = await self._take(ask.url.origin)
        try:
            with _httpx_exceptions():
                response = await connection.handle_async_request(ask)
                _check_that_it_answers(response)
        except BaseException:
            await connection.aclose()
            raise
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Stream(response.stream, partial(self._give_back, connection)),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
        """The connection that was used last, if it is still good: the others grow old and are closed."""
        while self._idle:
            connection = self._idle.pop()
            if connection.can_handle_request(origin) and not connection.has_expired():
                return connection
            await connection.aclose()
        return self._connector.create_connection(origin)

    async def _give_back(self, connection: httpcore.AsyncConnectionInterface) -> None:
        if connection.is_idle() and not self._closed:
            self._idle.append(connection)
            while self._idle and self._idle[0].has_expired():
                await self._idle.pop(0).aclose()
        else:
            await connection.aclose()


class _Stream(httpx.AsyncByteStream):
    """The answer's body, with httpcore's exceptions turned into httpx's."""

    def __init__(self, body: Iterable[bytes] | AsyncIterable[bytes], give_back: Callable[[], Awaitable[None]]) -> None:
        if not isinstance(body, AsyncIterable):
            raise TypeError("an async connection answers with an async stream")
        self._body = body
        self._give_back = give_back
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_exceptions():
            async for chunk in self._body:
                yield chunk

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        with _httpx_exceptions():
            try:
                # A generator or a connection's stream: httpcore's types do not say that both can be closed.
                await self._body.aclose()  # type: ignore[attr-defined]
            finally:
                await self._give_back()


# --- the deadline ----------------------------------------------------------------------------------------------------


def _capped(timeout: float | None) -> float:
    """The shorter of a step's timeout and what is left of the whole; not positive once that is over."""
    left = _due.get() - asyncio.get_running_loop().time()
    return left if timeout is None else min(timeout, left)


class _Backend(httpcore.AsyncNetworkBackend):
    """Connects as httpcore does, within what is left of the request's time."""

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 — httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        left = _capped(timeout)
        if left <= 0:
            raise httpcore.ConnectTimeout
        return _Connection(await self._inner.connect_tcp(host, port, left, local_address, socket_options))


class _Connection(httpcore.AsyncNetworkStream):
    """Reads and writes as httpcore does, within what is left of the time of the request that uses it now."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self.has_read_since_it_wrote = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        left = _capped(timeout)
        if left <= 0:
            raise httpcore.ReadTimeout
        self.has_read_since_it_wrote = True
        return await self._inner.read(max_bytes, left)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        left = _capped(timeout)
        if left <= 0:
            raise httpcore.WriteTimeout
        self.has_read_since_it_wrote = False
        await self._inner.write(buffer, left)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        left = _capped(timeout)
        if left <= 0:
            raise httpcore.ConnectTimeout
        return _Connection(await self._inner.start_tls(ssl_context, server_hostname, left))

    async def aclose(self) -> None:
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _check_that_it_answers(response: httpcore.Response) -> None:
    """
    An answer that lay there before its question was asked is somebody else's: a link in it would be, too.

    It came behind an earlier answer (a wrong Content-Length, a proxy that lost count), and httpcore keeps such bytes.
    """
    stream = response.extensions["network_stream"]
    if isinstance(stream, _Connection) and not stream.has_read_since_it_wrote:
        raise httpcore.RemoteProtocolError("an answer that came before its question")


# --- between httpx and httpcore --------------------------------------------------------------------------------------


def _httpcore_request(request: httpx.Request) -> httpcore.Request:
    if not isinstance(request.stream, httpx.AsyncByteStream):
        raise TypeError("an async client sends an async stream")
    return httpcore.Request(
        method=request.method,
        url=_httpcore_url(request.url),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _httpcore_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _proxy(url: str) -> httpcore.Proxy:
    proxy = httpx.Proxy(url)
    if proxy.url.scheme not in {"http", "https"}:
        raise ValueError("the proxy's address must begin with http:// or https://; SOCKS is not supported")
    return httpcore.Proxy(_httpcore_url(proxy.url), auth=proxy.raw_auth, ssl_context=proxy.ssl_context)


@contextmanager
def _httpx_exceptions() -> Iterator[None]:
    """httpcore's exceptions have the names of httpx's. Whatever else breaks down here is the network's, too."""
    try:
        yield
    except Exception as exc:
        kind = getattr(httpx, type(exc).__name__, httpx.TransportError)
        mapped = kind if issubclass(kind, httpx.TransportError) else httpx.TransportError
        raise mapped(str(exc)) from exc
