"""Bodies for the fuzzing: valid ones of the contract, mutated in their structure; anything that is JSON; any bytes."""

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.unit.zenhire.examples import CREATED, KEY, LINK, PERSONA, SESSION, SESSION_ID

ERROR = {
    "error": {
        "code": "INVALID_INPUT",
        "message": "no",
        "details": {"fields": {"tags": ["too many"]}, "status": "active", "retry_after_seconds": 4},
        "retryAfterSeconds": 5,
    }
}
TRANSCRIPT = {"turns": [{"speaker": "interviewer", "text": "Hello", "at": 0.5}], "language": "en"}
PAGE = {"data": [SESSION, {**SESSION, "id": "session-2"}], "pagination": {"next_cursor": "abc", "total": 2}}
PERSONAS = {"data": [PERSONA], "has_more": False}
VALID = (CREATED, SESSION, PERSONA, ERROR, TRANSCRIPT, PAGE, PERSONAS, {"session": SESSION, "candidate_link": LINK})


@dataclass(frozen=True, slots=True)
class Raw:
    """What stands in the text as it is, JSON or not."""

    text: str


@dataclass(slots=True)
class Node:
    """An object as a list of pairs, so that keys may repeat."""

    pairs: list[tuple[str, Any]]


EVIL: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 5, 7, 2**31, 2**63, 10**30, -(10**30), 0.5, -0.0, 1e300, "", " ", "x" * 300, "7", "-1",
    "initiated", "active", "completed", "failed", "FAILED", "SESSION_TIMEOUT", SESSION_ID, "a/../b",
    "'; drop table x;--", "\x00", "\ud800", "\x1b[2J", "\u202e", LINK, "javascript:alert(1)", "http://x/ y", KEY,
    "2026-11-01", "2026-11-01T10:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:60Z", "2099-01-01T00:00:00+14:00",
    1_793_527_200, [], {}, [[]], {"id": SESSION_ID}, {"code": "X"}, [SESSION_ID], Raw("NaN"), Raw("-Infinity"),
    Raw("1e400"), Raw("1e-20000"), Raw("9" * 4_300), Raw("9" * 5_000), Raw("[" * 500 + "]" * 500), Raw("[" * 5_000),
    Raw(""), Raw("}"), Raw('"\\ud83d"'), Raw('"\\u0000"'), Raw('"\t"'),
)  # fmt: skip
NAMES = (
    "id", "session_id", "session", "data", "result", "status", "candidate_link", "expires_in", "duration_sec",
    "credit_charged", "feedback", "rating", "created_at", "started_at", "completed_at", "metadata", "zenhire_sync_post",
    "error", "code", "message", "details", "next_cursor", "has_more", "client_id", "token", "\x00", "",
)  # fmt: skip

anything = st.recursive(
    st.sampled_from([atom for atom in EVIL if not isinstance(atom, Raw)])
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)


def as_nodes(value: Any) -> Any:
    match value:
        case dict():
            return Node([(name, as_nodes(item)) for name, item in value.items()])
        case list() | tuple():
            return [as_nodes(item) for item in value]
        case _:
            return value


def written(value: Any) -> str:
    """JSON text, with whatever raw text and repeated keys it holds."""
    match value:
        case Raw():
            return value.text
        case Node():
            return "{" + ", ".join(f"{json.dumps(name)}: {written(item)}" for name, item in value.pairs) + "}"
        case list():
            return "[" + ", ".join(written(item) for item in value) + "]"
        case _:
            return json.dumps(value)


def objects_in(value: Any) -> list[Node]:
    match value:
        case Node():
            return [value, *(found for _, item in value.pairs for found in objects_in(item))]
        case list():
            return [found for item in value for found in objects_in(item)]
        case _:
            return []


def mutate(draw: st.DrawFn, root: Any) -> Any:
    """One change somewhere: a field dropped, doubled, retyped, nested, swapped with another, renamed."""
    homes = [node for node in objects_in(root) if node.pairs]
    if not homes:
        return root
    pairs = draw(st.sampled_from(homes)).pairs
    place = draw(st.integers(0, len(pairs) - 1))
    name, item = pairs[place]
    other = draw(st.sampled_from(EVIL))
    match draw(st.sampled_from(["drop", "double", "retype", "retype", "retype", "nest", "wrap", "swap", "rename"])):
        case "drop":
            del pairs[place]
        case "double":
            pairs.append((name, as_nodes(other)))
        case "retype":
            pairs[place] = (name, as_nodes(other))
        case "nest":
            pairs[place] = (name, Node([(draw(st.sampled_from(NAMES)), item)]))
        case "wrap":
            return Node([(draw(st.sampled_from(NAMES)), root)])
        case "swap":
            with_ = draw(st.integers(0, len(pairs) - 1))
            pairs[place], pairs[with_] = (name, pairs[with_][1]), (pairs[with_][0], item)
        case _:
            pairs[place] = (draw(st.sampled_from(NAMES)), item)
    return root


@st.composite
def mutated(draw: st.DrawFn, *bases: Any) -> bytes:
    """One of `bases` with up to four changes, as bytes; now and then cut off, or in another encoding."""
    root = as_nodes(draw(st.sampled_from(bases)))
    for _ in range(draw(st.integers(0, 4))):
        root = mutate(draw, root)
    text = written(root)
    encoding = draw(st.sampled_from(["utf-8"] * 8 + ["utf-8-sig", "utf-16"]))
    body = text.encode(encoding, "surrogatepass")
    return body[: draw(st.integers(0, len(body)))] if draw(st.integers(0, 9)) == 0 else body


def bodies(*bases: Any) -> st.SearchStrategy[bytes]:
    bases = bases or VALID
    return st.one_of(
        mutated(*bases),
        mutated(*bases),
        anything.map(lambda body: json.dumps(body).encode()),
        st.binary(max_size=60),
    )


headers = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "Content-Type", "Content-Encoding", "Location", "Set-Cookie"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
    | st.sampled_from(
        [
            *("application/json", "audio/wav", "gzip", "deflate", "5", "-5", "1e99", "http://[", "9" * 400),
            *("Sun, 01 Nov 2026 10:00:30 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359"),
        ]
    ),
)
statuses = st.one_of(
    st.sampled_from([200, 201]), st.sampled_from([400, 401, 402, 404, 409, 429, 503]), st.integers(200, 599)
)
