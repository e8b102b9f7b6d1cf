"""The eight endpoints against a function that answers: what is sent, and what each answer becomes."""

import json
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from service.core.failures import NotReady, Request, StopAccount, classify
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
from service.zenhire.client import ZenhireClient
from service.zenhire.transport import SentMark, SlotTransport
from tests.unit.zenhire.examples import (
    BASE_URL,
    CREATED,
    KEY,
    PERSONA,
    PERSONA_ID,
    SESSION,
    SESSION_ID,
    OpenBudget,
    client_of,
    in_a_second,
    later,
    replying,
)

Call = Callable[[ZenhireClient], Awaitable[object]]


async def swallow(_: bytes) -> None:
    """A recording's place that keeps nothing."""


async def create_session(client: ZenhireClient) -> Minted | MintedWithoutLink | Failure:
    return await client.create_session(
        persona_id=PERSONA_ID,
        candidate_ref="cand-1",
        consent_mode="explicit",
        metadata={"team": "blue", "number": 5},
        tags=("a", "b"),
        send_before=later(),
    )


async def get_session(client: ZenhireClient) -> Sighting | Failure:
    return await client.get_session(SESSION_ID, send_before=later())


async def list_sessions(client: ZenhireClient) -> SightingPage | Failure:
    return await client.list_sessions({"limit": "100"}, send_before=later())


async def create_persona(client: ZenhireClient) -> PersonaSeen | Failure:
    return await client.create_persona("Cook", "en", send_before=later())


async def list_personas(client: ZenhireClient) -> PersonaPage | Failure:
    return await client.list_personas({}, send_before=later())


async def get_persona(client: ZenhireClient) -> PersonaSeen | Failure:
    return await client.get_persona(PERSONA_ID, send_before=later())


async def get_transcript(client: ZenhireClient) -> Transcript | Failure:
    return await client.get_transcript(SESSION_ID, send_before=later())


async def get_recording(client: ZenhireClient) -> Recorded | Failure:
    return await client.get_recording(SESSION_ID, swallow, send_before=later())


CALLS: dict[Request, Call] = {
    Request.START: create_session,
    Request.LOOK: get_session,
    Request.LIST: list_sessions,
    Request.PERSONA_CREATE: create_persona,
    Request.PERSONA_LIST: list_personas,
    Request.PERSONA_GET: get_persona,
    Request.TRANSCRIPT: get_transcript,
    Request.RECORDING: get_recording,
}
BODY_CALLS = [request for request in Request if request is not Request.RECORDING]
JSON_CALLS = [request for request in BODY_CALLS if request is not Request.TRANSCRIPT]


@pytest.mark.parametrize(
    ("request_", "line", "reply", "kind"),
    [
        (Request.START, f"POST /personas/{PERSONA_ID}/sessions", CREATED, Minted),
        (Request.LOOK, f"GET /sessions/{SESSION_ID}", SESSION, Sighting),
        (Request.LIST, "GET /sessions?limit=100", {"data": [SESSION]}, SightingPage),
        (Request.PERSONA_CREATE, "POST /personas", PERSONA, PersonaSeen),
        (Request.PERSONA_LIST, "GET /personas", {"data": [PERSONA]}, PersonaPage),
        (Request.PERSONA_GET, f"GET /personas/{PERSONA_ID}", PERSONA, PersonaSeen),
        (Request.TRANSCRIPT, f"GET /sessions/{SESSION_ID}/transcript", {"turns": []}, Transcript),
    ],
)
async def test_each_endpoint_is_asked_at_its_address_with_the_key(
    request_: Request, line: str, reply: Any, kind: type
) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=reply)

    async with client_of(answer) as client:
        assert isinstance(await CALLS[request_](client), kind)
    (request,) = seen
    assert f"{request.method} {str(request.url).removeprefix(BASE_URL)}" == line
    assert request.headers["X-API-Key"] == KEY
    assert request.headers["User-Agent"].startswith("zenhire-sync/")
    assert "Cookie" not in request.headers


async def test_a_post_carries_exactly_the_contracts_fields() -> None:
    bodies: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(201, json=CREATED if "sessions" in request.url.path else PERSONA)

    async with client_of(answer) as client:
        await create_session(client)
        await create_persona(client)
    assert bodies == [
        {
            "consent_mode": "explicit",
            "candidate_ref": "cand-1",
            "metadata": {"team": "blue", "number": 5},
            "tags": ["a", "b"],
        },
        {"role_name": "Cook", "language": "en"},
    ]


@pytest.mark.parametrize("request_", JSON_CALLS)
@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"{", b"null", b"[" * 50_000, b"\xff\xfe"])
async def test_a_success_without_sense_is_garbage(request_: Request, body: bytes) -> None:
    async with client_of(lambda _: httpx.Response(200, content=body)) as client:
        assert isinstance(await CALLS[request_](client), Garbage)


@pytest.mark.parametrize("body", [b'{"turns": []}', b"[]", b"", b"<html>", b"null", b'"\\u0000"', b"\xff"])
async def test_a_transcript_is_handed_on_byte_for_byte(body: bytes) -> None:
    async with client_of(lambda _: httpx.Response(200, content=body)) as client:
        assert await get_transcript(client) == Transcript(body=body)


@pytest.mark.parametrize("request_", BODY_CALLS)
async def test_a_body_beyond_its_ceiling_is_garbage(request_: Request) -> None:
    async with client_of(lambda _: httpx.Response(200, content=b" " * 500_000 + b"{}")) as client:
        answer = await CALLS[request_](client)
    assert isinstance(answer, Garbage)
    assert "more than" in answer.detail


@pytest.mark.parametrize("request_", list(Request))
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_told_and_never_followed(request_: Request, status: int) -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(status, headers={"Location": "https://elsewhere.test/steal"})

    async with client_of(answer) as client:
        failure = await CALLS[request_](client)
    assert isinstance(failure, ErrorAnswer)
    assert isinstance(classify(request_, failure), StopAccount)
    assert len(asked) == 1


@pytest.mark.parametrize("request_", list(Request))
async def test_an_error_page_of_any_size_is_an_answer_without_envelope(request_: Request) -> None:
    async with client_of(lambda _: httpx.Response(404, content=b"<html>" * 100_000)) as client:
        assert await CALLS[request_](client) == ErrorAnswer(http_status=404)


async def test_another_session_than_the_one_asked_for_is_garbage() -> None:
    async with client_of(replying(SESSION | {"id": "other"})) as client:
        assert isinstance(await get_session(client), Garbage)
    async with client_of(replying(PERSONA | {"id": "other"})) as client:
        assert isinstance(await get_persona(client), Garbage)


@pytest.mark.parametrize("status", [200, 202, 400, 401, 404, 409, 425, 429, 500, 503])
@pytest.mark.parametrize("request_", [Request.TRANSCRIPT, Request.RECORDING])
async def test_not_ready_is_understood_at_any_status(request_: Request, status: int) -> None:
    reply = {"error": {"code": "ARTIFACT_NOT_READY", "message": "x", "details": {"status": "active"}}}
    async with client_of(replying(reply, status, {"Content-Type": "application/json"})) as client:
        failure = await CALLS[request_](client)
    assert isinstance(failure, ErrorAnswer)
    assert classify(request_, failure) == NotReady(vendor_status="active")


async def test_a_key_that_is_echoed_back_is_not_passed_on() -> None:
    key = "strange-key-without-prefix"
    error = {"error": {"code": "INVALID_API_KEY", "message": f"no such key: {key}"}}
    transport = SlotTransport(httpx.MockTransport(replying(error, 401)), OpenBudget())
    async with ZenhireClient(
        base_url=BASE_URL, api_key=SecretStr(key), transport=transport, ceilings=in_a_second()
    ) as client:
        failure = await get_session(client)
        assert isinstance(failure, ErrorAnswer)
        assert failure.message == "no such key: [key]"
        assert key not in repr(client)


@pytest.mark.parametrize("key", ["", "with blank", "new\nline", "ümlaut", "nul\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="API key") as refusal:
        ZenhireClient(
            base_url=BASE_URL,
            api_key=SecretStr(key),
            transport=httpx.MockTransport(replying({})),
            ceilings=in_a_second(),
        )
    assert not key or key not in str(refusal.value)


@pytest.mark.parametrize("bad", ["", "..", "a/b", "a?b", "a b", "x" * 129])
async def test_an_id_that_would_change_the_path_is_never_sent(bad: str) -> None:
    async with client_of(replying(SESSION)) as client:
        with pytest.raises(ValueError, match="an id for the vendor"):
            await client.get_session(bad, send_before=later())


async def test_cookies_are_not_kept() -> None:
    cookies: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        cookies.append(request.headers.get("Cookie"))
        return httpx.Response(200, json=SESSION, headers={"Set-Cookie": "a=b; Path=/"})

    async with client_of(answer) as client:
        await get_session(client)
        await get_session(client)
    assert cookies == [None, None]


async def test_a_mark_tells_when_the_request_was_handed_over() -> None:
    mark, late = SentMark(), SentMark()
    async with client_of(replying(SESSION)) as client:
        before = later(0)
        await client.get_session(SESSION_ID, send_before=later(), sent=mark)
        assert isinstance(await client.get_session(SESSION_ID, send_before=later(-1), sent=late), NotSent)
    assert mark.at is not None
    assert before <= mark.at <= before + 5
    assert late.at is None


async def test_every_exception_of_the_transport_becomes_a_failure() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("broke", request=request)

    async with client_of(answer) as client:
        assert isinstance(await create_session(client), NoAnswer)


async def test_what_was_compressed_unasked_is_read_and_a_bomb_is_not() -> None:
    def packed(payload: bytes) -> httpx.Response:
        squeezed = zlib.compressobj(wbits=31)
        body = squeezed.compress(payload) + squeezed.flush()
        return httpx.Response(200, stream=Chunks([body]), headers={"Content-Encoding": "gzip"})

    async with client_of(lambda _: packed(json.dumps(SESSION).encode())) as client:
        assert isinstance(await get_session(client), Sighting)
    async with client_of(lambda _: packed(b" " * 50_000_000)) as client:
        failure = await get_session(client)
        assert isinstance(failure, Garbage)
        assert "more than" in failure.detail


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", b"no gzip"), ("gzip", b"\x1f\x8b\x08"), ("br", b"x"), ("gzip, gzip", b"x")]
)
async def test_a_compression_that_cannot_be_undone_is_garbage(encoding: str, body: bytes) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Chunks([body]), headers={"Content-Encoding": encoding})

    async with client_of(answer) as client:
        assert isinstance(await get_session(client), Garbage)


async def test_nothing_is_kept_of_what_follows_the_end_of_a_compressed_body() -> None:
    squeezed = zlib.compress(json.dumps(SESSION).encode())
    came = 0

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal came
            yield squeezed
            while True:
                came += 1
                yield b"x" * 1000

    async with client_of(
        lambda _: httpx.Response(200, stream=Endless(), headers={"Content-Encoding": "deflate"})
    ) as client:
        failure = await get_session(client)
    assert isinstance(failure, Garbage)
    assert "after its end" in failure.detail
    assert came == 1


# --- recordings ------------------------------------------------------------------------------------------------------


class Chunks(httpx.AsyncByteStream):
    """A body that comes in these pieces."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def wav(size: int, promised: int | None = None) -> bytes:
    body = b"WAVEfmt " + b"\x00" * size
    return b"RIFF" + struct.pack("<I", len(body) if promised is None else promised) + body


async def recording_of(body: bytes, content_type: str = "audio/wav", status: int = 200) -> Recorded | Failure:
    chunks = [body[start : start + 7] for start in range(0, len(body), 7)]
    headers = {"Content-Type": content_type} if content_type else {}
    async with client_of(lambda _: httpx.Response(status, stream=Chunks(chunks), headers=headers)) as client:
        return await get_recording(client)


async def test_a_recording_is_streamed_counted_and_hashed() -> None:
    written: list[bytes] = []

    async def keep(piece: bytes) -> None:
        written.append(piece)

    body = wav(200)
    async with client_of(
        lambda _: httpx.Response(200, stream=Chunks([body[:50], body[50:]]), headers={"Content-Type": "audio/wav"})
    ) as client:
        recorded = await client.get_recording(SESSION_ID, keep, send_before=later())
    assert isinstance(recorded, Recorded)
    assert (recorded.byte_count, recorded.content_type) == (len(body), "audio/wav")
    assert b"".join(written) == body


@pytest.mark.parametrize("promised", [5000, 300])
async def test_a_wav_that_promises_more_than_came_is_no_answer(promised: int) -> None:
    assert isinstance(await recording_of(wav(200, promised)), NoAnswer)


@pytest.mark.parametrize("body", [wav(9, 0xFFFFFFFF), wav(9, 0x7FFFFFFF), wav(9, 0), wav(9, 18), b"ID3 an mp3", b"R"])
async def test_a_recording_that_promises_nothing_is_taken_as_it_is(body: bytes) -> None:
    assert isinstance(await recording_of(body, "application/octet-stream"), Recorded)
    assert isinstance(await recording_of(body, ""), Recorded)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "audio/wav", 200),
        (b"<html>", "text/html", 200),
        (b"{}", "application/json", 200),
        (b"nope", "application/json", 200),
        (wav(9), "audio/wav", 206),
        (b"", "", 204),
    ],
)
async def test_what_is_no_recording_is_garbage(body: bytes, content_type: str, status: int) -> None:
    assert isinstance(await recording_of(body, content_type, status), Garbage)


async def test_a_place_that_cannot_be_written_to_is_the_callers_trouble() -> None:
    async def full(_: bytes) -> None:
        raise OSError("disk full")

    async with client_of(lambda _: httpx.Response(200, stream=Chunks([wav(9)]))) as client:
        with pytest.raises(OSError, match="disk full"):
            await client.get_recording(SESSION_ID, full, send_before=later())
