"""Answers that do harm, over a real socket: each has its meaning, nothing unsound gets through, the next one counts."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.core.failures import Request, StopAccount, WaitAccount, classify
from service.core.limits import RETRY_AFTER_MAX
from service.core.observations import ErrorAnswer, Failure, Garbage, NoAnswer, Sighting
from service.zenhire.payloads import EARLIEST, LATEST
from service.zenhire.translate import INTEGER_MAX, INTERVIEW_SECONDS_MAX
from tests.unit.zenhire.examples import KEY, SESSION, SESSION_ID, client_to, in_a_second, raw_server
from tests.unit.zenhire.test_client import CALLS, get_session

PATIENT = in_a_second(20)  # only what is silent meets it
BODY = json.dumps(SESSION).encode()


def answer(body: bytes = BODY, status: str = "200 OK", *lines: str) -> bytes:
    given = [f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}"]
    return "\r\n".join(given).encode() + b"\r\n\r\n" + body


async def then_a_good_one(said: bytes, request: Request = Request.LOOK) -> object:
    """What the client makes of `said`; a good answer on the next connection must be taken after it."""
    answers = iter([said])

    async def talk(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(next(answers, answer()))
        await writer.drain()
        writer.close()

    async with raw_server(talk) as server, client_to(server.base_url, PATIENT) as client:
        found = await CALLS[request](client)
        assert isinstance(await get_session(client), Sighting)
    return found


# --- what stands in the JSON -----------------------------------------------------------------------------------------


def changed(**fields: Any) -> bytes:
    return json.dumps(SESSION | fields).encode()


def with_raw(name: str, raw: bytes) -> bytes:
    """The session with one field as these bytes, whatever they are."""
    return b'{"id": "%s", "status": "completed", "%s": %s}' % (SESSION_ID.encode(), name.encode(), raw)


def assert_is_sound(seen: Sighting) -> None:
    """Whatever the columns' rules ask for."""
    assert seen.session_id == SESSION_ID
    assert seen.duration_seconds is None or 0 <= seen.duration_seconds <= INTERVIEW_SECONDS_MAX
    assert seen.credits_charged is None or 0 <= seen.credits_charged <= INTEGER_MAX
    assert seen.survey_rating in {None, 1, 2, 3, 4, 5}
    for moment in (seen.created_at, seen.started_at, seen.completed_at):
        assert moment is None or EARLIEST <= moment < LATEST
    for word in (seen.status, seen.client_id, seen.source):
        assert word is None or (word.isprintable() and len(word) <= 256)
    written = json.dumps(seen.document, ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in written
    written.encode()


@pytest.mark.parametrize(
    "body",
    [
        with_raw("x", b"[" * 100_000 + b"]" * 100_000),
        with_raw("x", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        with_raw("duration_sec", b"9" * 10_000),
        with_raw("x", b'"\xff\xfe"'),
        with_raw("id", b'"' + b"a" * 10_000_000 + b'"'),
        BODY.decode().encode("utf-16")[:-1],
        BODY[:-1],
        BODY + BODY,
    ],
    ids=["deep list", "deep object", "10,000 digits", "no UTF-8", "10 MB id", "cut UTF-16",
         "cut", "twice"],
)  # fmt: skip
async def test_what_cannot_be_read_is_garbage(body: bytes) -> None:
    assert isinstance(await then_a_good_one(answer(body)), Garbage)


@pytest.mark.parametrize(
    "session_id",
    ["x'; drop schema zenhire cascade; --", "../../personas", "a/b", "a?b=c", "a#b", "a%2fb", "a\r\nX-Evil: 1", "a\x00",
     "a" * 129, "\u0430bc", "", " ", None, True, -1, 1.5, [SESSION_ID], {"id": SESSION_ID}],
)  # fmt: skip
async def test_an_id_that_is_none_is_never_taken(session_id: Any) -> None:
    assert isinstance(await then_a_good_one(answer(changed(id=session_id))), Garbage)


@pytest.mark.parametrize(
    "body",
    [
        with_raw("status", b'"failed", "status": "active"'),
        with_raw("duration_sec", b"NaN"),
        with_raw("duration_sec", b"-Infinity"),
        with_raw("duration_sec", b"1e400"),
        with_raw("credit_charged", b"9" * 4_000),
        with_raw("x", b'"\\ud800"'),
        with_raw("x", b'"\xed\xa0\x80"'),
        with_raw("\\u0000", b'"\\u0000"'),
        changed(duration_sec=-5, credit_charged=-1, feedback={"rating": -3}),
        changed(duration_sec=10**12, credit_charged=2**63, feedback={"rating": 10**30}),
        changed(duration_sec="1; drop table x", credit_charged=[], feedback="five"),
        changed(status="act\x1b]0;owned\x07ive", client_id="a\nb", source="\u202egnp"),
        changed(candidate_ref="x" * 100_000, metadata={"zenhire_sync_post": "' or 1=1 --"}, tags={"a": 1}),
        changed(status="x" * 100_000),
    ],
)
async def test_nothing_unsound_gets_through_with_the_rest(body: bytes) -> None:
    seen = await then_a_good_one(answer(body))
    assert isinstance(seen, Sighting)
    assert_is_sound(seen)


NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2026-11-01T12:00:00", NOON),
        ("2026-11-01T12:00:00-00:00", NOON),
        ("2026-11-01T23:59:59+11:59:59", NOON),
        ("0000-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("10000-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:60Z", None),
        ("2026-06-30T23:59:60Z", None),
        ("1969-12-31T23:59:59Z", None),
        ("2999-01-01T00:00:00Z", None),
        ("2026-13-45T99:99:99Z", None),
        ("2026-11-01T12:00:00+99:99", None),
        ("2026-11-01T12:00:00Z; drop table x", None),
        (-62_135_596_800, None),
        (1e18, None),
        ([2026, 11, 1], None),
    ],
)
async def test_a_moment_is_sound_or_none(said: Any, read: datetime | None) -> None:
    seen = await then_a_good_one(answer(changed(created_at=said, started_at=said, completed_at=said)))
    assert isinstance(seen, Sighting)
    assert (seen.created_at, seen.started_at, seen.completed_at) == (read, read, read)


# --- how the answer is sent ------------------------------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
        b"HTTP/2.0 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer(),
        CHUNKED + b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\nX-Trailer: x\r\n\r\n",
        answer(BODY, "200 OK", "Content-Encoding: identity"),
        answer() + answer(b"{}"),
        answer() + b"what is this?",
    ],
)
async def test_what_is_odd_and_whole_is_taken(said: bytes) -> None:
    assert isinstance(await then_a_good_one(said), Sighting)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY[:-9],
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9000\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n" + BODY,
        CHUNKED + b"-5\r\n" + BODY,
        CHUNKED + b"ffffffffffffffffffff\r\n" + BODY,
        CHUNKED + BODY,
        CHUNKED + b"5\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, what\r\n\r\n" + BODY,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nX\x00Y: z\r\n\r\n" + BODY,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n" * 1000,
        b"\x00" * 1000,
    ],
)
async def test_what_is_no_whole_answer_leaves_the_result_unknown(said: bytes) -> None:
    for request in (Request.LOOK, Request.START):
        found = await then_a_good_one(said, request)
        assert isinstance(found, NoAnswer | Garbage | ErrorAnswer)
        assert type(classify(request, found)).__name__ == "UnknownResult"


@pytest.mark.parametrize("status", ["300 X", "301 X", "303 X", "304 Not Modified", "307 X", "399 X"])
@pytest.mark.parametrize("location", ["", "Location: ", "Location: /api/elsewhere", "Location: //[", "Location: \xff"])
async def test_a_redirect_is_asked_for_once_wherever_it_leads(status: str, location: str) -> None:
    lines = [location] if location else []
    said = f"HTTP/1.1 {status}\r\n" + "".join(f"{line}\r\n" for line in lines) + "Content-Length: 0\r\n\r\n"

    async def talk(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said.encode("latin-1"))

    async with raw_server(talk) as server, client_to(server.base_url, PATIENT) as client:
        found = await CALLS[Request.START](client)
    assert isinstance(found, ErrorAnswer)
    assert isinstance(classify(Request.START, found), StopAccount)
    assert len(server.requests) == 1


async def test_the_key_goes_to_no_other_address_whatever_the_answers_say() -> None:
    async def nobody(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer())

    async with raw_server(nobody) as elsewhere:
        lines = (
            f"Location: {elsewhere.base_url}",
            f"Refresh: 0; url={elsewhere.base_url}",
            f"Link: <{elsewhere.base_url}>",
        )
        body = changed(next=elsewhere.base_url, transcript_url=elsewhere.base_url)
        for status in ("200 OK", "201 Created", "301 Moved", "302 Found", "307 Go", "401 X", "407 X", "421 X", "503 X"):
            for request in Request:
                await then_a_good_one(answer(body, status, *lines, "Set-Cookie: a=b", 'Alt-Svc: h2=":1"'), request)
        assert elsewhere.requests == []


# --- Retry-After -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        ("Retry-After: -99999999999999999999",),
        ("Retry-After: 1e99",),
        ("Retry-After: NaN",),
        ("Retry-After: Infinity",),
        ("Retry-After: 0x10",),
        ("Retry-After: 99999999999999999",),
        ("Retry-After: Thu, 01 Jan 1970 00:00:00 GMT",),
        ("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",),
        ("Retry-After: Fri, 31 Dec 9999 23:59:59 -2359",),
        ("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", "Date: Thu, 01 Jan 0001 00:00:00 GMT"),
        ("Retry-After: Sun, 06 Nov 1994 08:49:37 +99999999",),
        ("Retry-After: 5", "Retry-After: 7200"),
        ("Retry-After: ",),
        ("Retry-After: " + "9" * 5_000,),
    ],
)
@pytest.mark.parametrize("status", ["429 X", "503 X"])
async def test_a_nonsensical_wait_is_none_or_within_an_hour(status: str, lines: tuple[str, ...]) -> None:
    error = json.dumps({"error": {"code": "RATE_LIMITED", "message": f"{KEY} #t=secret", "details": []}}).encode()
    found = await then_a_good_one(answer(error, status, *lines), Request.LIST)
    assert isinstance(found, Failure)
    meaning = classify(Request.LIST, found)
    assert isinstance(meaning, WaitAccount)
    assert meaning.delay is None or timedelta(0) <= meaning.delay <= RETRY_AFTER_MAX
    assert KEY not in repr(found)
    assert "secret" not in repr(found)
