"""
The wire: httpcore's connection pool behind httpx's transport interface, with two things that httpx alone does not give.

One deadline holds for the whole request and answer: httpx's timeouts bound each single read, so that a server which
drips headers or body keeps a request for ever. It is enforced below httpx, because a request that is cancelled from
outside costs the pool a connection for good.

A pool that has lost its connections all the same is replaced.
"""

import asyncio
import ssl
import urllib.request
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

#: Below the 5 s after which common servers close an idle connection: a post must not meet a closing one, because its
#: result would be unknown.
KEEPALIVE_SECONDS = 4.0

#: So many requests in a row that found no free connection: the pool is taken for broken.
POOL_TIMEOUTS_MAX = 3

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


class NetworkTransport(httpx.AsyncBaseTransport):
    """
    One attempt over the network. `max_connections` must be more than the requests that are ever in flight at once.

    The request's extension `answer_within` (seconds) bounds connecting, sending and the whole answer together.
    """

    def __init__(self, *, max_connections: int, proxy: str | None = None) -> None:
        self._max_connections = max_connections
        self._proxy = None if proxy is None else _proxy(proxy)
        self._ssl_context = httpx.create_ssl_context()
        self._pool = self._new_pool()
        self._pool_timeouts = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _due.set(asyncio.get_running_loop().time() + request.extensions["answer_within"])
        pool = self._pool
        pool.in_flight += 1
        try:
            with _httpx_exceptions():
                response = await pool.connections.handle_async_request(_httpcore_request(request))
        except httpx.PoolTimeout:
            self._replace_if_broken(pool)
            await pool.leave()
            raise
        except BaseException:
            await pool.leave()
            raise
        self._pool_timeouts = 0
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Stream(response.stream, pool),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.connections.aclose()

    def _replace_if_broken(self, pool: "_Pool") -> None:
        if pool is not self._pool:
            return
        self._pool_timeouts += 1
        if self._pool_timeouts >= POOL_TIMEOUTS_MAX:
            pool.retired = True
            self._pool, self._pool_timeouts = self._new_pool(), 0

    def _new_pool(self) -> "_Pool":
        connections = httpcore.AsyncConnectionPool(
            ssl_context=self._ssl_context,
            proxy=self._proxy,
            max_connections=self._max_connections,
            max_keepalive_connections=self._max_connections,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=_Backend(),
        )
        return _Pool(connections=connections)


@dataclass(slots=True, eq=False)
class _Pool:
    """A pool and the requests that still use it: a retired one is closed behind the last of them."""

    connections: httpcore.AsyncConnectionPool
    in_flight: int = 0
    retired: bool = False

    async def leave(self) -> None:
        self.in_flight -= 1
        if self.retired and self.in_flight == 0:
            await self.connections.aclose()


class _Stream(httpx.AsyncByteStream):
    """The answer's body, with httpcore's exceptions turned into httpx's."""

    def __init__(self, body: Iterable[bytes] | AsyncIterable[bytes], pool: _Pool) -> None:
        if not isinstance(body, AsyncIterable):
            raise TypeError("an async pool answers with an async stream")
        self._body = body
        self._pool = pool
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_exceptions():
            async for chunk in self._body:
                yield chunk

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            with _httpx_exceptions():
                # A generator or a pool's stream: httpcore's types do not say that both can be closed.
                await self._body.aclose()  # type: ignore[attr-defined]
        finally:
            await self._pool.leave()


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

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        left = _capped(timeout)
        if left <= 0:
            raise httpcore.ReadTimeout
        return await self._inner.read(max_bytes, left)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        left = _capped(timeout)
        if left <= 0:
            raise httpcore.WriteTimeout
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
