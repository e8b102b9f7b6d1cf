"""Error answers in every variant of the envelope, and every exception of httpx."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.core.observations import NoAnswer, NotSent
from service.zenhire.errors import HTTPX_EXCEPTIONS, HTTPX_ROOTS, artifact_not_ready, error_answer, failure_of

NOW = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)


def read(payload: Any, status: int = 400, **headers: str) -> Any:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return error_answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, NOW)


def test_the_universal_envelope_is_read() -> None:
    answer = read(
        {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "Slow down", "requestId": "r", "retryAfterSeconds": 9}},
        429,
    )
    assert (answer.code, answer.message, answer.retry_after) == (
        "RATE_LIMIT_EXCEEDED",
        "Slow down",
        timedelta(seconds=9),
    )
    assert answer.has_envelope


def test_the_wait_may_stand_in_the_details() -> None:
    answer = read({"error": {"code": "RATE_LIMITED", "details": {"retry_after_seconds": 4}}}, 429)
    assert answer.retry_after == timedelta(seconds=4)


def test_the_header_counts_before_the_envelope_even_when_it_says_zero() -> None:
    assert read({"error": {"code": "X", "retryAfterSeconds": 9}}, 429, retry_after="0").retry_after == timedelta(0)


@pytest.mark.parametrize(
    "payload",
    [b"", b"<html>502</html>", {"error": "text"}, {"error": {"message": "x"}}, {"error": {"code": 5}}, {"error": None},
     {"error": {"code": ""}}, {"code": "X"}, [], None, "x", {"detail": "Not Found"}, b"\xff"],
)  # fmt: skip
def test_only_an_object_with_a_code_is_the_vendors_envelope(payload: Any) -> None:
    assert not read(payload).has_envelope


def test_the_fields_that_were_not_liked_are_named() -> None:
    error = {"code": "INVALID_INPUT", "message": "Bad input", "details": {"fields": {"tags": ["too many", "twice"]}}}
    assert read({"error": error}).message == "Bad input; tags: too many, twice"


def test_messages_lose_links_keys_and_nul() -> None:
    said = "bad\x00 https://interview.zenhire.ai/#t=x of zh_api_0123456789"
    assert read({"error": {"code": "X", "message": said}}).message == "bad\ufffd [link] of [key]"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("7.5", 7.5), ("-3", 0), (" 12 ", 12), ("Sun, 01 Nov 2026 10:00:30 GMT", 30),
     ("Sun, 01 Nov 2026 09:00:00 GMT", 0), ("Sunday, 01-Nov-26 10:00:30 GMT", 30)],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_and_as_a_date(header: str, seconds: float) -> None:
    assert read({}, 429, retry_after=header).retry_after == timedelta(seconds=seconds)


def test_a_retry_after_date_counts_from_the_servers_own_clock() -> None:
    answer = read({}, 429, retry_after="Sun, 01 Nov 2026 12:00:30 GMT", date="Sun, 01 Nov 2026 12:00:00 GMT")
    assert answer.retry_after == timedelta(seconds=30)


@pytest.mark.parametrize("header", ["", "soon", "NaN", "1e9", "Sun, 99 Nov 2026 10:00:30 GMT", "\x00", "9" * 400])
def test_an_unreadable_retry_after_is_none(header: str) -> None:
    assert read({}, 429, retry_after=header).retry_after is None


def test_an_artifact_that_is_not_ready_tells_its_sessions_status() -> None:
    payload = {"error": {"code": "artifact_not_ready", "details": {"status": "active"}}}
    answer = artifact_not_ready(202, json.dumps(payload).encode())
    assert answer is not None
    assert (answer.http_status, answer.vendor_status) == (202, "active")
    assert read(payload, 409).vendor_status == "active"


@pytest.mark.parametrize("payload", [{}, [], {"error": {"code": "X"}}, {"error": "ARTIFACT_NOT_READY"}, None])
def test_other_json_does_not_say_not_ready(payload: Any) -> None:
    assert artifact_not_ready(200, json.dumps(payload).encode()) is None


def exceptions_of_httpx() -> list[type[Exception]]:
    names = (getattr(httpx, name) for name in httpx.__all__)
    return [kind for kind in names if isinstance(kind, type) and issubclass(kind, Exception)]


def test_every_exception_of_httpx_stands_in_the_table() -> None:
    assert set(exceptions_of_httpx()) == set(HTTPX_EXCEPTIONS)
    assert all(issubclass(kind, HTTPX_ROOTS) for kind in HTTPX_EXCEPTIONS)


def test_the_special_stands_before_the_general() -> None:
    kinds = list(HTTPX_EXCEPTIONS)
    for place, kind in enumerate(kinds):
        assert not any(issubclass(later, kind) for later in kinds[place + 1 :]), kind


def _raised(kind: type[Exception]) -> Exception:
    exc = kind.__new__(kind)
    Exception.__init__(exc, "https://user:pw@host/#t=1")
    return exc


def test_only_what_fails_while_connecting_was_provably_not_sent() -> None:
    not_sent = {kind for kind in exceptions_of_httpx() if isinstance(failure_of(_raised(kind)), NotSent)}
    assert not_sent == {
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.InvalidURL,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
    }


def test_no_detail_quotes_an_address() -> None:
    for kind in exceptions_of_httpx():
        failure = failure_of(_raised(kind))
        assert isinstance(failure, NotSent | NoAnswer)
        assert "://" not in failure.detail
