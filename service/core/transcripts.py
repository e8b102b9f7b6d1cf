r"""
A transcript as Postgres can hold it.

The vendor's document is opaque JSON (contract §2.5). jsonb refuses `\u0000` and lone surrogates, and keeps one of two
equal keys: where `document` does not say all that came, the vendor's bytes are kept beside it; where there can be none,
they are kept alone. What is no JSON at all is asked for again a few times before. Nothing is lost.
"""

import hashlib
import json
import math
import re
from typing import Any, NoReturn

from service.core.changes import StoredTranscript
from service.core.limits import has_too_many_values
from service.core.observations import Garbage

TRIES_FOR_JSON = 5
DEPTH_MAX = 200

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

#: Digits behind the point that Postgres still takes (16383), less what an exponent may add to those that are written.
_NUMBER_LENGTH_MAX = 10_000
_TOO_SMALL = re.compile(r"[eE]-0*[0-9]{4,}")


def storable(body: bytes, *, tries: int) -> StoredTranscript | Garbage:
    """`tries`: how often in a row it was asked for in vain before this time."""
    if has_too_many_values(body):
        return _stored(body, document=None)
    reading = _Reading()
    try:
        text = body.decode("utf-8-sig")
        document = reading.document(text)
    except (ValueError, RecursionError):
        if tries < TRIES_FOR_JSON:
            return Garbage(http_status=200, detail="the transcript is not JSON")
        return _stored(body, document=None)
    if reading.number_does_not_fit or _depth_exceeds(document, DEPTH_MAX):
        return _stored(body, document=None)
    clean = _clean(document)
    if clean == document:
        return _stored(body, document=text, faithful=not reading.key_is_repeated)
    return _stored(body, document=json.dumps(clean, ensure_ascii=False), faithful=False)


def _stored(body: bytes, *, document: str | None, faithful: bool = True) -> StoredTranscript:
    return StoredTranscript(
        document=document,
        body=None if faithful and document is not None else body,
        byte_count=len(body),
        sha256=hashlib.sha256(body).digest(),
    )


class _Reading:
    """Parses one document, and remembers what of it jsonb would not keep."""

    def __init__(self) -> None:
        self.number_does_not_fit = False  #: 1e999 or 1e-99999: JSON, but neither a float nor a number of Postgres'
        self.key_is_repeated = False

    def document(self, text: str) -> Any:
        return json.loads(
            text, parse_constant=_refuse_constant, parse_float=self._number, object_pairs_hook=self._object
        )

    def _number(self, literal: str) -> float:
        number = float(literal)
        fits = math.isfinite(number) and len(literal) <= _NUMBER_LENGTH_MAX and _TOO_SMALL.search(literal) is None
        self.number_does_not_fit |= not fits
        return number

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        self.key_is_repeated |= len(found) < len(pairs)
        return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _clean(value: Any) -> Any:
    match value:
        case str():
            return clean_text(value)
        case list():
            return [_clean(item) for item in value]
        case dict():
            return {clean_text(key): _clean(item) for key, item in value.items()}
        case _:
            return value


def clean_text(text: str) -> str:
    """Replace what a Postgres text cannot hold by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def _depth_exceeds(document: Any, limit: int) -> bool:
    layer = [document]
    for _ in range(limit):
        layer = [item for value in layer for item in _children(value)]
        if not layer:
            return False
    return True


def _children(value: Any) -> list[Any]:
    match value:
        case list():
            return value
        case dict():
            return list(value.values())
        case _:
            return []
