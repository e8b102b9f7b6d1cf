"""A request and a reply, free of sockets: real HTTP and an in-process transport carry the same ones."""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.model import Session

_DRIPS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What came in; `path` whole, such as `/api/v1/interview/sessions`."""

    method: str
    path: str
    query: str = ""
    key: str | None = None  #: None: no header that could hold one
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes out, and how badly."""

    status: int
    body: bytes | Iterable[bytes] = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None  #: of a body in pieces, where it is told beforehand
    delay_seconds: float = 0.0  #: before the first byte
    drip_seconds: float = 0.0  #: over which the body is spread
    cut: bool = False  #: no answer at all: the connection is closed after the delay
    told: Session | None = None  #: the session whose link this reply tells: lost, if the client has gone meanwhile

    def all_headers(self) -> list[tuple[str, str]]:
        length = len(self.body) if isinstance(self.body, bytes) else self.length
        told = [] if length is None else [("content-length", str(length))]
        return [("content-type", self.content_type), *self.headers, *told]

    def pieces(self) -> Iterable[bytes]:
        """The body as it is sent when it is slow or long."""
        body = self.body
        if not isinstance(body, bytes):
            return body
        step = max(1, -(-len(body) // _DRIPS))
        return (body[start : start + step] for start in range(0, len(body), step))

    @property
    def pause_seconds(self) -> float:
        """After each piece."""
        return self.drip_seconds / _DRIPS
