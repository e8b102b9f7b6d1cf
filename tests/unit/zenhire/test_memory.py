"""No answer, however large, takes more memory than its ceiling and a little, and the next good one is taken."""

import asyncio
import gzip
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from service.core.failures import Request
from tests.unit.zenhire.examples import SESSION, raw_server

ROOT = Path(__file__).parents[3]
MEGABYTE = 1 << 20
HUGE = 200 * MEGABYTE
PIECE = 64 * 1024
OVER_THE_CEILING = 64
GIVE_UP_AFTER = 300

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures with Linux's /proc"),
]


def again_and_again(head: bytes, unit: bytes, size: float = float("inf")) -> Callable[[], Iterator[bytes]]:
    """`head`, then `unit` over and over, to about `size` bytes."""

    def parts() -> Iterator[bytes]:
        yield head
        wave = unit * max(1, PIECE // len(unit))
        came = 0
        while came < size:
            yield wave
            came += len(wave)

    return parts


def once(*parts: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: iter(parts)


def head(status: int = 200, **headers: object) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


@cache
def bomb() -> bytes:
    return gzip.compress(b'{"id":"' + b"a" * HUGE, compresslevel=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    parts: Callable[[], Iterator[bytes]]
    answer: str
    request: Request = Request.LOOK
    ceiling: float = 4
    seconds: float = 30  #: until the deadline


ROW = json.dumps(SESSION).encode() + b","
CASES = {
    "error-of-200-MB": Case(
        parts=again_and_again(head(500, Content_Length=HUGE), b"x", HUGE), answer="ErrorAnswer", ceiling=0.25
    ),
    "error-without-length": Case(parts=again_and_again(head(404), b"<p>", HUGE), answer="ErrorAnswer", ceiling=0.25),
    "list-of-200-MB": Case(
        parts=again_and_again(head(Content_Length=HUGE) + b"[", ROW, HUGE), answer="Garbage", request=Request.LIST
    ),
    "list-without-length": Case(
        parts=again_and_again(head() + b"[", ROW, HUGE), answer="Garbage", request=Request.LIST
    ),
    "list-of-nothings": Case(
        parts=again_and_again(head() + b"[", b"{},", 3.5 * MEGABYTE), answer="Garbage", request=Request.LIST
    ),
    "one-wide-text": Case(
        parts=once(head(), b'{"id":"s","n":"' + "\U0001f600".encode(), b"a" * 4_000_000, b'"}'), answer="Garbage"
    ),
    "transcript-of-200-MB": Case(
        parts=again_and_again(head(Content_Length=HUGE), b"{", HUGE),
        answer="Garbage",
        request=Request.TRANSCRIPT,
        ceiling=8,
    ),
    "transcript-without-length": Case(
        parts=again_and_again(head(), b"[", HUGE), answer="Garbage", request=Request.TRANSCRIPT, ceiling=8
    ),
    "gzip-bomb": Case(parts=lambda: iter([head(Content_Encoding="gzip"), bomb()]), answer="Garbage"),
    "gzip-bomb-of-an-error": Case(
        parts=lambda: iter([head(500, Content_Encoding="gzip"), bomb()]), answer="ErrorAnswer"
    ),
    "gzip-that-goes-on": Case(
        parts=again_and_again(head(Content_Encoding="gzip") + gzip.compress(b"{}"), b"x"), answer="Garbage"
    ),
    "endless-headers": Case(parts=again_and_again(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"), answer="NoAnswer"),
    "an-endless-header": Case(parts=again_and_again(b"HTTP/1.1 200 OK\r\nA: ", b"b"), answer="NoAnswer"),
    "an-endless-chunk-extension": Case(
        parts=again_and_again(head(Transfer_Encoding="chunked") + b"5;", b"b"), answer="NoAnswer"
    ),
    "endless-trailers": Case(
        parts=again_and_again(head(Transfer_Encoding="chunked") + b"0\r\n", b"A: b\r\n"), answer="NoAnswer"
    ),
    "tiny-chunks": Case(
        parts=again_and_again(head(Transfer_Encoding="chunked"), b"1\r\n \r\n"), answer="NoAnswer Garbage", seconds=2
    ),
    "endless-continue": Case(
        parts=again_and_again(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), answer="NoAnswer", seconds=2
    ),
}


async def talk(request: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The first request of a case gets its answer and the end of the connection, later ones a good answer."""
    case = request.split(b"/")[1].decode()
    if case in _asked:
        body = json.dumps(SESSION).encode()
        writer.write(head(Content_Length=len(body)) + body)
        return
    _asked.add(case)
    for part in CASES[case].parts():
        writer.write(part)
        await writer.drain()
    writer.close()


_asked: set[str] = set()


async def _measured(address: str) -> AsyncIterator[dict[str, object]]:
    names = (f"{name}:{case.request.value}:{case.seconds}" for name, case in CASES.items())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.unit.zenhire.peak_memory", address, *names),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async for line in process.stdout:
        yield json.loads(line)
    assert await process.wait() == 0


async def test_no_answer_takes_more_memory_than_its_ceiling_and_a_little() -> None:
    _asked.clear()
    async with asyncio.timeout(GIVE_UP_AFTER), raw_server(talk) as server:
        found = {str(line["case"]): line async for line in _measured(server.address)}
    assert found.keys() == CASES.keys()
    for name, case in CASES.items():
        assert str(found[name]["answer"]) in case.answer.split(), name
        assert "Sighting" in str(found[name]["then"]), name
    too_much = {
        name: line["grown"]
        for name, line in found.items()
        if float(str(line["grown"])) > CASES[name].ceiling + OVER_THE_CEILING
    }
    assert not too_much
