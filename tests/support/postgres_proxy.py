"""
A wire between a process and its Postgres that can be cut: at once, or exactly between a COMMIT and its answer.

It is an event loop in a thread of its own. The commit has really happened when its answer is thrown away: the server's
answer is what is waited for.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from tests.support.pg_wire import Asked, Message, Reader, is_idle, is_ready, rows_touched

Done = TypeVar("Done")

_CHUNK = 65_536
_START_SECONDS = 20
_PLAIN = "sslmode=disable&gssencmode=disable"  # what is encrypted cannot be read on the way


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A statement, by a part of its text and of its bound values; `after`: not before that one was seen."""

    text: str
    bound: str = ""
    after: "Aim | None" = None

    def fits(self, asked: Asked) -> bool:
        return self.text.encode() in asked.current.text and self.bound.encode() in asked.current.bound


class PostgresProxy:
    """Made by `postgres_proxy`. Its methods may be called from any thread."""

    def __init__(self, server_url: str) -> None:
        parts = urlsplit(server_url)
        self._server_url = parts
        self._server = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._aim: Aim | None = None
        self._port = 0
        self.aimed = threading.Event()  #: an aim was taken
        self.answer_lost = threading.Event()  #: the answer of the COMMIT that was aimed at is thrown away

    @property
    def url(self) -> str:
        """The server's address, by way of this proxy."""
        login, _, _ = self._server_url.netloc.rpartition("@")
        query = "&".join(part for part in (self._server_url.query, _PLAIN) if part)
        return urlunsplit(self._server_url._replace(netloc=f"{login}@127.0.0.1:{self._port}", query=query))

    def cut(self) -> int:
        """All connections break; new ones are let through. How many there were."""
        return self._call(self._cut())

    def lose_answer(self, aim: Aim) -> None:
        """The next COMMIT of a transaction in which such a statement touched a row happens, and nobody is told."""
        self._call(self._take_aim(aim))
        self.aimed.set()

    async def _cut(self) -> int:
        links = list(self._links)
        for link in links:
            link.cut()
        return len(links)

    async def _take_aim(self, aim: Aim) -> None:
        self._aim = aim

    def heard(self, asked: Asked) -> None:
        """A client asks something: it may be what the aim waits for."""
        if self._aim is not None and self._aim.after is not None and self._aim.after.fits(asked):
            self._aim = Aim(text=self._aim.text, bound=self._aim.bound)

    def is_aimed_at(self, asked: Asked) -> bool:
        return self._aim is not None and self._aim.after is None and self._aim.fits(asked)

    def hit(self) -> None:
        self._aim = None
        self.answer_lost.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            server_reader, server_writer = await asyncio.open_connection(*self._server)
            link = _Link(self, (writer, server_writer))
            self._links.add(link)
            try:
                await asyncio.wait(
                    [
                        asyncio.ensure_future(link.to_server(reader)),
                        asyncio.ensure_future(link.to_client(server_reader)),
                    ]
                )
            finally:
                self._links.discard(link)
        writer.transport.abort()

    def _call(self, work: Coroutine[Any, Any, Done]) -> Done:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_SECONDS)

    def run(self, ready: threading.Event) -> None:
        """Serve until the loop is stopped."""
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        await self._cut()
        others = asyncio.all_tasks() - {task for task in [asyncio.current_task()] if task}
        if others:
            await asyncio.wait(others, timeout=_START_SECONDS)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)


@dataclass(eq=False, slots=True)
class _Link:
    """One connection of the process, and the one to the server that stands for it."""

    proxy: PostgresProxy
    ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    asked: Asked = field(default_factory=Asked)
    hit: bool = False  #: the aimed-at statement has touched a row in the transaction that is open
    mute: bool = False  #: its COMMIT is on its way: what comes back reaches nobody

    def cut(self) -> None:
        for end in self.ends:
            end.transport.abort()

    async def to_server(self, source: asyncio.StreamReader) -> None:
        messages = Reader(has_startup=True)
        with suppress(OSError):
            while data := await source.read(_CHUNK):
                for message in messages.feed(data):
                    self.asked.hear(message)
                    self.proxy.heard(self.asked)
                    self.mute = self.mute or (self.hit and self.asked.is_commit)
                self.ends[1].write(data)
                await self.ends[1].drain()
        self.cut()

    async def to_client(self, source: asyncio.StreamReader) -> None:
        messages = Reader(has_startup=False)
        with suppress(OSError):
            while data := await source.read(_CHUNK):
                for message in messages.feed(data):
                    self._hear_answer(message)
                if not self.mute:
                    self.ends[0].write(data)
                    await self.ends[0].drain()
        self.cut()

    def _hear_answer(self, message: Message) -> None:
        if rows_touched(message) > 0 and self.proxy.is_aimed_at(self.asked):
            self.hit = True
        elif self.mute and is_ready(message):
            self.proxy.hit()
            self.cut()
        elif is_idle(message):
            self.hit = False  # it was rolled back


@contextmanager
def postgres_proxy(server_url: str) -> Iterator[PostgresProxy]:
    """A proxy to this server for as long as the block."""
    proxy = PostgresProxy(server_url)
    ready = threading.Event()
    thread = threading.Thread(target=proxy.run, args=(ready,), daemon=True)
    thread.start()
    try:
        if not ready.wait(_START_SECONDS):
            raise TimeoutError("the proxy did not start")
        yield proxy
    finally:
        proxy.stop()
        thread.join(_START_SECONDS)
