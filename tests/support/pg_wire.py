"""Just enough of PostgreSQL's wire protocol to know which statement a COMMIT ends, and what it touched."""

from collections.abc import Iterator
from dataclasses import dataclass, field

_HEADER = 5  #: one letter and the length of what follows, itself included
_STARTUP_HEADER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. The client's first one, which has no letter, is `startup`."""

    kind: bytes
    body: bytes


class Reader:
    """Cuts a stream into messages; keeps what is not whole yet."""

    def __init__(self, *, has_startup: bool) -> None:
        self._kept = bytearray()
        self._expects_startup = has_startup

    def feed(self, data: bytes) -> Iterator[Message]:
        self._kept += data
        while (message := self._next()) is not None:
            yield message

    def _next(self) -> Message | None:
        header = _STARTUP_HEADER if self._expects_startup else _HEADER
        if len(self._kept) < header:
            return None
        end = header + int.from_bytes(self._kept[header - 4 : header], "big") - 4
        if len(self._kept) < end:
            return None
        kind = b"startup" if self._expects_startup else bytes(self._kept[:1])
        body = bytes(self._kept[header:end])
        del self._kept[:end]
        self._expects_startup = False
        return Message(kind=kind, body=body)


@dataclass(slots=True)
class Statement:
    """What a connection is asked to run: its text, and the bound values as they lie in the message."""

    text: bytes = b""
    bound: bytes = b""


@dataclass(slots=True)
class Asked:
    """Follows what a client asks, also by the names of statements that it prepared earlier."""

    current: Statement = field(default_factory=Statement)
    _prepared: dict[bytes, bytes] = field(default_factory=dict)

    def hear(self, message: Message) -> None:
        match message.kind:
            case b"Q":
                self.current = Statement(text=message.body.rstrip(b"\0"))
            case b"P":
                name, text, _types = message.body.split(b"\0", 2)
                self._prepared[name] = text
            case b"B":
                _portal, name, values = message.body.split(b"\0", 2)
                self.current = Statement(text=self._prepared.get(name, b""), bound=values)
            case _:
                pass

    @property
    def is_commit(self) -> bool:
        return self.current.text.upper().startswith(b"COMMIT")


def rows_touched(message: Message) -> int:
    """Of the server's `CommandComplete`: how many rows; 0 for every other message."""
    words = message.body.rstrip(b"\0").split() if message.kind == b"C" else []
    return next((int(word) for word in reversed(words[1:]) if word.isdigit()), 0)


def is_ready(message: Message) -> bool:
    """The server has answered everything and waits."""
    return message.kind == b"Z"


def is_idle(message: Message) -> bool:
    """As `is_ready`, and no transaction is open."""
    return is_ready(message) and message.body == b"I"
