"""Reads the body of an answer as a stream, within a ceiling that also holds for what was compressed."""

import zlib
from collections.abc import AsyncIterator, Iterator
from io import BytesIO

import httpx

from service.zenhire.payloads import Unreadable

PIECE_BYTES = 64 * 1024


async def pieces(response: httpx.Response, bytes_max: int) -> AsyncIterator[bytes]:
    """The body in pieces, decompressed; `Unreadable` as soon as it is more than `bytes_max`."""
    unpack = _unpacker(response.headers.get("content-encoding", ""))
    stream = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("an async client reads an async stream")
    count = 0
    async for chunk in stream:
        for piece in unpack.feed(chunk) if unpack else (chunk,):
            count += len(piece)
            if count > bytes_max:
                raise Unreadable(f"more than {bytes_max} bytes")
            yield piece
    if unpack and not unpack.finished:
        raise Unreadable("a compressed body that breaks off")


async def whole(response: httpx.Response, bytes_max: int) -> bytes:
    """The whole body; in one buffer, since a body that comes byte by byte would take far more as a list of pieces."""
    body = BytesIO()
    async for piece in pieces(response, bytes_max):
        body.write(piece)
    return body.getvalue()


def _unpacker(encoding: str) -> "_Unpacker | None":
    """The client asks for no compression, but a proxy in between may compress all the same."""
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return _Unpacker()
        case _:
            raise Unreadable("a body in a compression that was not asked for")


class _Unpacker:
    """Decompresses in small pieces: a few kilobytes may stand for gigabytes."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by the header

    @property
    def finished(self) -> bool:
        return self._zlib.eof

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """`Unreadable` also for what follows the end: zlib would keep it, for as long as it comes."""
        while True:
            try:
                piece = self._zlib.decompress(chunk, PIECE_BYTES)
            except zlib.error:
                raise Unreadable("a body that cannot be decompressed") from None
            if self._zlib.unused_data:
                raise Unreadable("a compressed body that goes on after its end")
            yield piece
            chunk = self._zlib.unconsumed_tail
            # A full piece may have more behind it even where all input is used up.
            if not chunk and len(piece) < PIECE_BYTES:
                return
