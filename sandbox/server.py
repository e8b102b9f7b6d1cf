"""Real HTTP around a platform: the vendor's paths, the control surface beside them, and connections that can be cut."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.gateway import Gateway
from sandbox.http_control import control_routes
from sandbox.http_vendor import TRANSPORT, VendorApp
from sandbox.platform import Platform


class Connection(H11Protocol):
    """Hands its transport to the application: no ASGI message says "hang up without an answer"."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Head and body are two writes: without this each answer would wait for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        app = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = with_transport


def create_app(platform: Platform) -> Starlette:
    vendor = VendorApp(Gateway(platform))
    return Starlette(routes=[Mount("/api", vendor), *control_routes(platform), Mount("/", vendor)])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises OSError when it cannot be had."""
    if not 0 <= port <= 65_535:
        raise OSError("a port is a number from 0 to 65535")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def base_url(sock: socket.socket) -> str:
    """What `ZENHIRE_BASE_URL` has to be for a client on this machine."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/api/v1/interview"


class Server(uvicorn.Server):
    """Ends when told, by `stop` or a signal, and then returns instead of raising the signal again."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(platform),
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                date_header=False,  # the vendor's clock may be skewed
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            ),
        )
        self.answering = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self, *_: Any) -> None:
        self.should_exit = True


def serve(platform: Platform, sock: socket.socket, *, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called once requests are answered."""
    server = Server(platform)

    async def until_told() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.stop)
        ready()
        await server.serve(sockets=[sock])

    asyncio.run(until_told())
