"""Whatever the vendor answers, nothing leaves the seam but an observation or a failure that has a meaning."""

import asyncio
import json
from typing import Any, get_args

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.failures import Meaning, Request, classify
from service.core.observations import (
    ErrorAnswer,
    Failure,
    Garbage,
    Minted,
    MintedWithoutLink,
    NoAnswer,
    NotSent,
    PersonaPage,
    PersonaSeen,
    Recorded,
    Sighting,
    SightingPage,
    Transcript,
)
from tests.unit.zenhire.examples import CREATED, PERSONA, SESSION, client_of
from tests.unit.zenhire.test_client import CALLS

OBSERVATIONS: dict[Request, tuple[type, ...]] = {
    Request.START: (Minted, MintedWithoutLink),
    Request.LOOK: (Sighting,),
    Request.LIST: (SightingPage,),
    Request.PERSONA_CREATE: (PersonaSeen,),
    Request.PERSONA_LIST: (PersonaPage,),
    Request.PERSONA_GET: (PersonaSeen,),
    Request.TRANSCRIPT: (Transcript,),
    Request.RECORDING: (Recorded,),
}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
ERROR = {
    "error": {"code": "INVALID_INPUT", "message": "m", "details": {"fields": {"a": ["b"]}}, "retryAfterSeconds": 5}
}


@st.composite
def nearly_right(draw: st.DrawFn) -> Any:
    """A body of the contract with a few of its fields replaced by anything, possibly wrapped."""
    body: dict[str, Any] = dict(draw(st.sampled_from([CREATED, SESSION, PERSONA, ERROR])))
    for name in draw(st.lists(st.sampled_from(sorted(body)), max_size=3)):
        body[name] = draw(anything)
    wrapping = draw(st.sampled_from(["", "", "data", "session", "list"]))
    if wrapping == "list":
        return {"data": [body, draw(anything)], "next_cursor": draw(anything)}
    return {wrapping: body} if wrapping else body


bodies = st.one_of(
    nearly_right().map(lambda body: json.dumps(body).encode()),
    anything.map(lambda body: json.dumps(body).encode()),
    st.binary(max_size=60),
)
headers = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "Content-Type", "Content-Encoding", "Location", "Set-Cookie"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
    | st.sampled_from(["application/json", "audio/wav", "gzip", "5", "http://[", "Sun, 01 Nov 2026 10:00:30 GMT"]),
)
statuses = st.one_of(st.sampled_from([200, 201]), st.integers(200, 599))


@settings(max_examples=150, deadline=None)
@given(request=st.sampled_from(Request), status=statuses, body=bodies, head=headers)
def test_every_answer_becomes_an_observation_or_a_failure_with_a_meaning(
    request: Request, status: int, body: bytes, head: dict[str, str]
) -> None:
    async def ask() -> Any:
        async with client_of(lambda _: httpx.Response(status, stream=httpx.ByteStream(body), headers=head)) as client:
            return await CALLS[request](client)

    _check(request, asyncio.run(ask()))


def _check(request: Request, answer: Any) -> None:
    if isinstance(answer, NotSent | NoAnswer | Garbage | ErrorAnswer):
        failure: Failure = answer
        assert isinstance(classify(request, failure), get_args(Meaning))
        return
    assert isinstance(answer, OBSERVATIONS[request])
    for sighting in _sightings_in(answer):
        written = json.dumps(sighting.document, allow_nan=False, ensure_ascii=False).encode()
        assert b"\\u0000" not in written
        assert b"#t=" not in written
        (sighting.status + (sighting.candidate_ref or "") + (sighting.post_mark or "")).encode()


def _sightings_in(answer: Any) -> list[Sighting]:
    if isinstance(answer, SightingPage):
        return list(answer.sightings)
    return [answer] if isinstance(answer, Sighting) else []
