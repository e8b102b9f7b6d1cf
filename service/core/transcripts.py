r"""
A transcript as Postgres can hold it.

The vendor's document is opaque JSON (contract §2.5). jsonb refuses `\u0000` and lone surrogates: those are replaced in
`document`, and the vendor's bytes are kept beside it. What is no JSON at all is asked for again a few times, and then
kept as it is: nothing is lost.
"""

import hashlib
import json
import math
from typing import Any, NoReturn

from service.core.changes import StoredTranscript
from service.core.observations import Garbage

TRIES_FOR_JSON = 5
DEPTH_MAX = 200


def storable(body: bytes, *, tries: int) -> StoredTranscript | Garbage:
    """`tries`: how often in a row it was asked for in vain before this time."""
    try:
        text = body.decode("utf-8-sig")
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        if tries < TRIES_FOR_JSON:
            return Garbage(http_status=200, detail="the transcript is not JSON")
        return _stored(body, document=None)
    if _depth_exceeds(document, DEPTH_MAX) or _has_infinity(document):
        return _stored(body, document=None)
    clean = _clean(document)
    if clean == document:
        return _stored(body, document=text)
    return _stored(body, document=json.dumps(clean, ensure_ascii=False), faithful=False)


def _stored(body: bytes, *, document: str | None, faithful: bool = True) -> StoredTranscript:
    return StoredTranscript(
        document=document,
        body=None if faithful and document is not None else body,
        byte_count=len(body),
        sha256=hashlib.sha256(body).digest(),
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _has_infinity(document: Any) -> bool:
    """A number like 1e999 is JSON, but neither a float nor a number that Postgres would take."""
    layer = [document]
    while layer:
        if any(isinstance(value, float) and math.isinf(value) for value in layer):
            return True
        layer = [item for value in layer for item in _children(value)]
    return False


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
    return text.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


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
