"""Reads single values out of the vendor's JSON: whatever comes, each reader gives a sound value or None."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from service.core.limits import has_too_many_values

JSON_DEPTH_MAX = 32
DOCUMENT_BYTES_MAX = 256 * 1024

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)  #: before the vendor existed
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

Json = dict[str, Any]
T = TypeVar("T")

#: Ids are opaque and go into URL paths (contract §1).
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REMOVED = "[removed]"
#: Keys whose values let somebody into an interview; compared without case, `_` and `-`.
_SECRET_KEYS = re.compile(r"(candidate|interview|session)?(link|url|uri|token)|.*(token|secret|apikey|password)")


class Unreadable(Exception):
    """The body is not what the contract says. The text tells in which way, and quotes nothing of it."""


def parse(body: bytes) -> Any:
    """The JSON of a body as it came; see `storable` for what Postgres takes."""
    if has_too_many_values(body):
        raise Unreadable(f"{len(body)} bytes of JSON with more values than any answer has")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Unreadable(f"{len(body)} bytes that are not JSON ({type(exc).__name__})") from None


def storable(value: Any, depth: int = JSON_DEPTH_MAX) -> Any:
    """The same value, such as jsonb can hold: no NUL, no lone surrogate, no NaN or Infinity, no abyss."""
    match value:
        case str():
            return _UNSTORABLE.sub("\ufffd", value)
        case float() if not math.isfinite(value):
            return None
        case dict() | list() if depth == 0:
            return None
        case dict():
            return {storable(key): storable(item, depth - 1) for key, item in value.items()}
        case list():
            return [storable(item, depth - 1) for item in value]
        case _:
            return value


def document_of(payload: Json) -> Json:
    """The vendor's object as it is kept: unknown fields too, secrets never, and not without bounds."""
    document: Json = _without_secrets(payload)
    if len(json.dumps(document)) <= DOCUMENT_BYTES_MAX:
        return document
    small = {key: value for key, value in document.items() if len(json.dumps(value)) <= 2048 and len(key) <= 64}
    return dict(list(small.items())[:64]) | {"zenhire_sync_shortened": True}


def _without_secrets(value: Any) -> Any:
    match value:
        case str() if "#t=" in value:
            return _REMOVED
        case dict():
            return {key: _REMOVED if _is_secret(key, item) else _without_secrets(item) for key, item in value.items()}
        case list():
            return [_without_secrets(item) for item in value]
        case _:
            return value


def _is_secret(key: str, value: Any) -> bool:
    plain = key.lower().replace("_", "").replace("-", "")
    return isinstance(value, str) and _SECRET_KEYS.fullmatch(plain) is not None


# --- single fields ---------------------------------------------------------------------------------------------------


def text(value: Any, length_max: int = 256) -> str | None:
    """Non-empty text. A number is taken for text that lost its quotes."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    return value[:length_max].strip() or None


def label(value: Any, length_max: int = 256) -> str | None:
    """Text of one printable line, for what is shown to people: no escape sequences for their terminal."""
    found = text(value, length_max)
    return found and "".join(char if char.isprintable() else "\ufffd" for char in found)


def identifier(value: Any) -> str | None:
    """An id; a number is taken for one that lost its quotes."""
    found = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return found if isinstance(found, str) and _ID.fullmatch(found) else None


def number(value: Any) -> float | None:
    """A finite number, also one in quotes. True is none."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # The comparison comes first: an integer may be too large for a float.
    return float(value) if -1e18 < value < 1e18 else None


def whole_number(value: Any, lowest: int, highest: int) -> int | None:
    """An integer in these bounds, also one written as 12.0 or "12"."""
    found = number(value)
    if found is None or not found.is_integer() or not lowest <= found <= highest:
        return None
    return int(found)


def rounded(value: Any, lowest: int, highest: int) -> int | None:
    """As `whole_number`, for what may come with a fraction."""
    found = number(value)
    return whole_number(None if found is None else round(found), lowest, highest)


def instant(value: Any) -> datetime | None:
    """A moment in UTC: ISO 8601 with or without an offset (then UTC), or seconds or milliseconds since 1970."""
    moment = _from_epoch(value) or _from_iso(value)
    return moment if moment is not None and EARLIEST <= moment < LATEST else None


def _from_epoch(value: Any) -> datetime | None:
    seconds = number(value)
    if seconds is None:
        return None
    while seconds > 1e11:  # milli-, micro- or nanoseconds
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None


def _from_iso(value: Any) -> datetime | None:
    if not isinstance(value, str) or not 10 <= len(value) <= 64:
        return None
    try:
        moment = datetime.fromisoformat(value.strip().removesuffix(" UTC").removesuffix(" GMT"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def first(payload: Mapping[str, Any], names: tuple[str, ...], read: Callable[[Any], T | None]) -> T | None:
    """The first of these fields that can be read."""
    return next((found for name in names if (found := read(payload.get(name))) is not None), None)


# --- wrappings -------------------------------------------------------------------------------------------------------


def unwrap(value: Any, kind: str, id_names: tuple[str, ...], depth: int = 3) -> Json | None:
    """
    The object itself, whether it comes bare or as `{"session": {…}}` or `{"data": {…}}`.

    What stands beside it in the wrapping (a link, a survey) is kept as if it stood inside.
    """
    if not isinstance(value, dict):
        return None
    for name in (kind, None, "data", "result"):
        if name is None:
            if first(value, id_names, identifier) is not None:
                return value
        elif depth > 0 and (inner := unwrap(value.get(name), kind, id_names, depth - 1)) is not None:
            return {key: item for key, item in value.items() if key != name} | inner
    return None


_LIST_NAMES = ("data", "items", "sessions", "personas", "results", "records", "rows")


def rows(value: Any, depth: int = 2) -> list[Any] | None:
    """The rows of a list answer: bare, or under one of the usual names. None: there is no list."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or depth == 0:
        return None
    for name in _LIST_NAMES:
        if (found := rows(value.get(name), depth - 1)) is not None:
            return found
    # Elsewhere in this API an empty list comes as null (contract §6.13).
    return [] if any(name in value and value[name] is None for name in _LIST_NAMES) else None


_CURSOR_NAMES = (
    "next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_token", "nextToken", "end_cursor",
    "endCursor", "next",
)  # fmt: skip
_CURSOR_HOMES = ("pagination", "meta", "page", "paging", "page_info", "pageInfo", "data")


def next_cursor(value: Any) -> str | None:
    """The mark of the next page, where the envelope shows one (contract §2.3: unknown whether it does)."""
    found = (first(home, _CURSOR_NAMES, _cursor) for home in _homes_of_marks(value))
    return next((cursor for cursor in found if cursor is not None), None)


def says_last(value: Any) -> bool:
    """Whether the envelope says that no page follows."""
    homes = list(_homes_of_marks(value))
    null_cursor = any(name in home and home[name] is None for home in homes for name in _CURSOR_NAMES)
    no_more = any(home.get(name) is False for home in homes for name in ("has_more", "hasMore", "has_next", "hasNext"))
    return null_cursor or no_more


def _homes_of_marks(value: Any) -> Iterator[Json]:
    """Where an envelope may say something about its page: beside the rows, or in an object of its own."""
    if isinstance(value, dict):
        yield value
        yield from (value[name] for name in _CURSOR_HOMES if isinstance(value.get(name), dict))


def _cursor(value: Any) -> str | None:
    """A cursor is text. A number or an address under these names belongs to another way of paging."""
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 2048:
        return None
    return None if value.startswith(("/", "?")) or "://" in value else value
