"""The client over a real socket, against servers that behave badly."""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta

import httpx
import pytest

from service.core.failures import DidNotSend, Request, StopAccount, UnknownResult, classify
from service.core.observations import (
    ErrorAnswer,
    Garbage,
    Minted,
    NoAnswer,
    NotSent,
    Recorded,
    Sighting,
    Transcript,
)
from service.zenhire.client import Ceilings
from service.zenhire.network import NetworkTransport, proxy_for
from tests.support.waiting import dawdle, eventually_async
from tests.unit.zenhire.examples import KEY, SESSION, SESSION_ID, client_to, in_a_second, later, raw_server
from tests.unit.zenhire.test_client import CALLS, create_session, get_session, get_transcript, swallow, wav

Writer = asyncio.StreamWriter
Reader = asyncio.StreamReader
SHORT = in_a_second(0.3)
BODY = json.dumps(SESSION).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def whole(body: bytes = BODY) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def saying(*parts: bytes, then_close: bool = False) -> Callable[[bytes, Reader, Writer], Awaitable[None]]:
    async def talk(_: bytes, __: Reader, writer: Writer) -> None:
        for part in parts:
            writer.write(part)
        await writer.drain()
        if then_close:
            writer.close()

    return talk


def dripping(head: bytes, drop: bytes) -> Callable[[bytes, Reader, Writer], Awaitable[None]]:
    async def talk(_: bytes, __: Reader, writer: Writer) -> None:
        writer.write(head)
        while True:
            writer.write(drop)
            await writer.drain()
            await dawdle(0.01)

    return talk


def gushing(head: bytes, wave: bytes) -> Callable[[bytes, Reader, Writer], Awaitable[None]]:
    async def talk(_: bytes, __: Reader, writer: Writer) -> None:
        writer.write(head)
        while True:
            writer.write(wave)
            await writer.drain()

    return talk


async def test_a_whole_answer_is_read_and_its_connection_used_again() -> None:
    async with raw_server(saying(whole())) as server, client_to(server.base_url, SHORT) as client:
        for _ in range(3):
            assert isinstance(await get_session(client), Sighting)
    assert len(server.requests) == 3
    assert f"x-api-key: {KEY}".encode() in server.requests[0].replace(b"X-API-Key", b"x-api-key")


async def test_a_vendor_that_nobody_listens_for_was_not_asked() -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with client_to(f"http://127.0.0.1:{port}", SHORT) as client:
            failure = await create_session(client)
    assert isinstance(failure, NotSent)
    assert "refused" in failure.detail or "Connect call failed" in failure.detail
    assert isinstance(classify(Request.START, failure), DidNotSend)


async def test_a_server_that_speaks_no_tls_was_not_asked() -> None:
    async with (
        raw_server(saying(b"SSH-2.0-what?\r\n")) as server,
        client_to(server.base_url.replace("http:", "https:"), SHORT) as client,
    ):
        assert isinstance(await create_session(client), NotSent)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"HTTP/1.1 200 OK\r\nContent-Le"],
        [HEAD + b"Content-Length: 1000\r\n\r\n{"],
        [HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"id"\r\n'],
        [b"SSH-2.0-what?\r\n\r\n"],
        [b"HTTP/1.1 99999 OK\r\n\r\n"],
        [HEAD + b"Content-Length: x\r\n\r\n"],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"],
        [b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\n{"],
        [b"HTTP/1.1 302 Found\r\nLocation: http://[::bad/\r\nContent-Length: 0\r\n\r\n"],
    ],
)
async def test_a_connection_that_breaks_after_the_request_leaves_the_result_unknown(
    parts: list[bytes],
) -> None:
    async with raw_server(saying(*parts, then_close=True)) as server, client_to(server.base_url, SHORT) as client:
        failure = await create_session(client)
    assert isinstance(failure, NoAnswer)
    assert isinstance(classify(Request.START, failure), UnknownResult)
    assert len(server.requests) == 1


async def test_a_connection_that_closes_before_the_request_was_read_leaves_the_result_unknown() -> None:
    async def hang_up(_: Reader, writer: Writer) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server, client_to(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", SHORT) as client:
        assert isinstance(await create_session(client), NoAnswer)


@pytest.mark.parametrize(
    "talk",
    [
        saying(),
        saying(HEAD),
        saying(HEAD + b"Content-Length: 10\r\n\r\n{"),
        dripping(HEAD, b"X-More: of this\r\n"),
        dripping(HEAD + b"\r\n", b" "),
        dripping(HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        dripping(b"HTTP/1.1 500 Oops\r\n\r\n", b" "),
    ],
)
async def test_silence_and_endless_dripping_end_with_the_deadline(
    talk: Callable[[bytes, Reader, Writer], Awaitable[None]],
) -> None:
    async with raw_server(talk) as server, client_to(server.base_url, SHORT) as client:
        before = later(0)
        assert isinstance(await get_session(client), NoAnswer)
        assert later(0) - before < 1.5


async def test_an_endless_gush_ends_with_the_ceiling() -> None:
    gush = gushing(HEAD + b"\r\n", b" " * 10_000)
    async with raw_server(gush) as server, client_to(server.base_url, in_a_second(20)) as client:
        assert isinstance(await get_session(client), Garbage)


async def test_after_every_broken_answer_the_client_still_works() -> None:
    answers = iter([[], [HEAD + b"Content-Length: 9\r\n\r\n{"], [HEAD, b"\r\n", b" " * 300_000], [whole()]])

    async def talk(_: bytes, __: Reader, writer: Writer) -> None:
        for part in next(answers):
            writer.write(part)
        await writer.drain()
        writer.close()

    async with raw_server(talk) as server, client_to(server.base_url, SHORT) as client:
        kinds = [type(await get_session(client)) for _ in range(4)]
    assert kinds == [NoAnswer, NoAnswer, Garbage, Sighting]


async def test_a_redirect_takes_the_key_nowhere() -> None:
    async with raw_server(saying(whole())) as elsewhere:
        found = b"HTTP/1.1 307 Go\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % elsewhere.base_url.encode()
        async with raw_server(saying(found)) as server, client_to(server.base_url, SHORT) as client:
            for request, call in CALLS.items():
                failure = await call(client)
                assert failure == ErrorAnswer(http_status=307)
                assert isinstance(classify(request, failure), StopAccount)
    assert elsewhere.requests == []


async def test_a_cut_off_recording_is_noticed_without_a_content_length() -> None:
    body = wav(200_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nConnection: close\r\n\r\n"
    broken = saying(head + body[:-5000], then_close=True)
    async with raw_server(broken) as server, client_to(server.base_url, SHORT) as client:
        failure = await client.get_recording(SESSION_ID, swallow, send_before=later())
    assert isinstance(failure, NoAnswer)
    assert "5000" in failure.detail
    sound = saying(head + body, then_close=True)
    async with raw_server(sound) as server, client_to(server.base_url, SHORT) as client:
        recorded = await client.get_recording(SESSION_ID, swallow, send_before=later())
    assert isinstance(recorded, Recorded)
    assert recorded.byte_count == len(body)


async def test_artifacts_have_a_deadline_of_their_own_as_long_as_they_keep_coming() -> None:
    async def talk(_: bytes, __: Reader, writer: Writer) -> None:
        writer.write(HEAD + b"Content-Length: 12\r\n\r\n[")
        for _drop in range(10):
            writer.write(b" ")
            await writer.drain()
            await dawdle(0.05)
        writer.write(b"]")

    patient = Ceilings(deadline=timedelta(seconds=0.2), artifact_deadline=timedelta(seconds=10))
    async with raw_server(talk) as server, client_to(server.base_url, patient) as client:
        assert isinstance(await get_transcript(client), Transcript)
        assert isinstance(await get_session(client), NoAnswer)


async def test_a_request_that_is_cancelled_costs_no_connection_and_disturbs_no_other() -> None:
    release = asyncio.Event()

    async def talk(request: bytes, _: Reader, writer: Writer) -> None:
        if b"/transcript" in request:
            await release.wait()
        writer.write(whole())

    ceilings = Ceilings(deadline=timedelta(seconds=20))
    async with raw_server(talk) as server, client_to(server.base_url, ceilings) as client:
        slow = [asyncio.create_task(get_transcript(client)) for _ in range(5)]
        await eventually_async(lambda: len(server.requests) == 5, within=5)
        for task in slow[:4]:
            task.cancel()
        assert isinstance(await get_session(client), Sighting)
        release.set()
        assert isinstance(await slow[4], Transcript)
        assert all(isinstance(answer, Sighting) for answer in [await get_session(client) for _ in range(10)])


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    async with raw_server(saying(whole(), then_close=True)) as server, client_to(server.base_url, SHORT) as client:
        answers = [await get_session(client) for _ in range(5)]
    assert all(isinstance(answer, Sighting) for answer in answers)


async def test_an_answer_that_came_before_its_question_is_nobodys() -> None:
    def minted(number: int) -> bytes:
        return whole(json.dumps({"id": f"session-{number}", "candidate_link": "http://x/#t=1"}).encode())

    answers = iter([minted(1) + minted(666), minted(2), minted(3)])

    async def talk(_: bytes, __: Reader, writer: Writer) -> None:
        writer.write(next(answers))

    async with raw_server(talk) as server, client_to(server.base_url, SHORT) as client:
        first, second, third = [await create_session(client) for _ in range(3)]
    assert isinstance(first, Minted)
    assert isinstance(second, NoAnswer)
    assert isinstance(third, Minted)
    assert (first.session_id, third.session_id) == ("session-1", "session-3")


async def test_what_httpx_logs_at_warning_and_above_holds_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    nonsense = saying(b"nonsense\r\n\r\n", then_close=True)
    async with raw_server(nonsense) as server, client_to(server.base_url, SHORT) as client:
        await create_session(client)
    assert caplog.records == []


# --- proxies ---------------------------------------------------------------------------------------------------------

_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.usefixtures("proxies")
def test_without_the_environments_word_there_is_no_proxy() -> None:
    assert proxy_for("https://vendor.test/api") is None


def test_the_environments_proxy_is_taken_but_never_for_loopback(proxies: pytest.MonkeyPatch) -> None:
    proxies.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    proxies.setenv("HTTP_PROXY", "http://proxy.test:3128")
    proxies.setenv("NO_PROXY", "spared.test")
    assert proxy_for("https://vendor.test/api") == "http://proxy.test:3128"
    assert proxy_for("https://spared.test/api") is None
    assert proxy_for("http://127.0.0.1:8080/api") is None
    assert proxy_for("http://localhost:8080/api") is None


async def test_a_proxy_that_makes_no_tunnel_means_not_sent() -> None:
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    async with raw_server(saying(refusal)) as proxy:
        transport = NetworkTransport(proxy=f"http://user:secret@{proxy.address}")
        request = httpx.Request(
            "GET", "https://vendor.test/x", extensions={"answer_within": 1.0, "timeout": {"pool": 1.0}}
        )
        with pytest.raises(httpx.ProxyError):
            await transport.handle_async_request(request)
        await transport.aclose()
    assert proxy.requests[0].startswith(b"CONNECT vendor.test:443 ")
    assert b"Proxy-Authorization: Basic" in proxy.requests[0]


def test_a_socks_proxy_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="SOCKS is not supported"):
        NetworkTransport(proxy="socks5://127.0.0.1:1080")
