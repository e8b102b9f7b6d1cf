"""What a bad answer means."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.failures import (
    DidNotSend,
    Meaning,
    Missing,
    NotReady,
    Refused,
    Request,
    StopAccount,
    UnknownResult,
    WaitAccount,
    WaitRow,
    classify,
    safe_text,
)
from service.core.model import Lane, StopScope
from service.core.observations import ErrorAnswer, Garbage, NoAnswer, NotSent

HOUR = timedelta(hours=1)
ARTIFACTS = (Request.TRANSCRIPT, Request.RECORDING)
READS = tuple(request for request in Request if request not in {Request.START, Request.PERSONA_CREATE})


def answer(status: int, code: str | None = None, **fields: object) -> ErrorAnswer:
    return ErrorAnswer(http_status=status, code=code, **fields)  # type: ignore[arg-type]


durations = st.none() | st.timedeltas()
answers = st.builds(
    ErrorAnswer,
    http_status=st.integers(100, 599),
    code=st.none() | st.sampled_from(["ARTIFACT_NOT_READY", "RATE_LIMITED", "POLL_RATE_LIMITED"]) | st.text(),
    message=st.none() | st.text(),
    retry_after=durations,
    vendor_status=st.none() | st.text(),
)
failures = st.one_of(
    answers,
    st.builds(NotSent, detail=st.text()),
    st.builds(NoAnswer, detail=st.text()),
    st.builds(Garbage, http_status=st.integers(200, 299), detail=st.text()),
)


@given(request=st.sampled_from(Request), failure=failures)
def test_every_failure_of_every_request_has_a_meaning_within_its_bounds(
    request: Request, failure: NotSent | NoAnswer | Garbage | ErrorAnswer
) -> None:
    meaning = classify(request, failure)
    assert isinstance(meaning, get_args(Meaning))
    if isinstance(meaning, WaitAccount | WaitRow) and meaning.delay is not None:
        assert timedelta(0) <= meaning.delay <= HOUR
    code = getattr(meaning, "code", "NONE")
    assert 1 <= len(code) <= 64
    assert set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
    for text in (getattr(meaning, "detail", ""), getattr(meaning, "message", "")):
        assert len(text) <= 500
        assert "\x00" not in text
        text.encode()


@pytest.mark.parametrize("request_", list(Request))
@pytest.mark.parametrize("code", [None, "SOME_CODE"])
def test_every_status_from_100_to_599_has_a_meaning(request_: Request, code: str | None) -> None:
    for status in range(100, 600):
        assert isinstance(classify(request_, answer(status, code)), get_args(Meaning))


def test_every_request_has_its_lane() -> None:
    assert {request.lane for request in Request} == set(Lane)
    assert Request.RECORDING.lane is Lane.ARTIFACT


def test_what_never_left_does_not_count() -> None:
    assert classify(Request.START, NotSent(detail="refused")) == DidNotSend(detail="refused")


@pytest.mark.parametrize(
    "failure", [NoAnswer(detail="broke"), Garbage(http_status=201, detail="no id"), answer(500), answer(502, "X")]
)
def test_a_lost_reply_garbage_and_5xx_leave_the_result_unknown(failure: NoAnswer | Garbage | ErrorAnswer) -> None:
    assert isinstance(classify(Request.START, failure), UnknownResult)


@pytest.mark.parametrize("code", [None, "TIMEOUT"])
def test_408_leaves_the_result_unknown_with_and_without_the_envelope(code: str | None) -> None:
    assert isinstance(classify(Request.START, answer(408, code)), UnknownResult)


@pytest.mark.parametrize("status", [100, 101, 199, 200, 204, 299])
def test_a_strange_status_leaves_the_result_unknown(status: int) -> None:
    assert isinstance(classify(Request.START, answer(status, "OK")), UnknownResult)


@pytest.mark.parametrize("request_", list(Request))
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 413, 418, 422, 499])
def test_a_4xx_without_the_envelope_is_the_accounts_trouble(request_: Request, status: int) -> None:
    meaning = classify(request_, answer(status))
    assert isinstance(meaning, StopAccount)
    assert (meaning.scope, meaning.code) == (StopScope.EVERYTHING, "NO_VENDOR_ENVELOPE")
    assert str(status) in meaning.message
    assert "is ZENHIRE_BASE_URL right, or a proxy in between?" in meaning.message


@pytest.mark.parametrize("request_", list(Request))
@pytest.mark.parametrize("status", [300, 301, 302, 304, 307, 308])
def test_a_redirect_is_the_accounts_trouble(request_: Request, status: int) -> None:
    meaning = classify(request_, answer(status))
    assert isinstance(meaning, StopAccount)
    assert (meaning.scope, meaning.code) == (StopScope.EVERYTHING, "REDIRECTED")


def test_a_400_of_the_vendors_refuses_this_one_with_the_vendors_words() -> None:
    failure = answer(400, "INVALID_INPUT", message="consent_mode: unknown")
    assert classify(Request.START, failure) == Refused(code="INVALID_INPUT", message="consent_mode: unknown")


def test_a_refusal_without_words_still_says_something() -> None:
    assert classify(Request.START, answer(422, "NO")) == Refused(code="NO", message="the vendor answered 422 NO")


@pytest.mark.parametrize("request_", [Request.LOOK, *ARTIFACTS])
def test_404_on_a_session_of_ours_is_missing(request_: Request) -> None:
    assert classify(request_, answer(404, "NOT_FOUND")) == Missing(code="NOT_FOUND")


@pytest.mark.parametrize("request_", [Request.START, Request.PERSONA_GET, Request.LIST])
def test_404_elsewhere_refuses_this_one(request_: Request) -> None:
    assert isinstance(classify(request_, answer(404, "NOT_FOUND")), Refused)


@pytest.mark.parametrize("request_", list(Request))
@pytest.mark.parametrize("status", [401, 403])
def test_401_and_403_stop_everything(request_: Request, status: int) -> None:
    meaning = classify(request_, answer(status, "INVALID_API_KEY", message="Unknown key"))
    assert meaning == StopAccount(
        scope=StopScope.EVERYTHING,
        code="INVALID_API_KEY",
        message=f"the vendor answered {status} INVALID_API_KEY: Unknown key",
    )


def test_402_stops_starts_and_lets_looks_go_on() -> None:
    meaning = classify(Request.START, answer(402, "INSUFFICIENT_CREDITS"))
    assert isinstance(meaning, StopAccount)
    assert meaning.scope is StopScope.STARTS
    assert meaning.code == "INSUFFICIENT_CREDITS"


@pytest.mark.parametrize("request_", READS)
def test_402_on_a_read_stops_everything(request_: Request) -> None:
    meaning = classify(request_, answer(402, "INSUFFICIENT_CREDITS"))
    assert isinstance(meaning, StopAccount)
    assert meaning.scope is StopScope.EVERYTHING


@pytest.mark.parametrize("request_", list(Request))
def test_429_makes_the_account_wait_and_nothing_was_done(request_: Request) -> None:
    meaning = classify(request_, answer(429, "RATE_LIMIT_EXCEEDED", retry_after=timedelta(seconds=7)))
    assert meaning == WaitAccount(
        delay=timedelta(seconds=7), code="RATE_LIMIT_EXCEEDED", may_have_acted=False, too_fast=True
    )


def test_429_without_an_envelope_makes_the_account_wait_too() -> None:
    assert classify(Request.START, answer(429)) == WaitAccount(
        delay=None, code="HTTP_429", may_have_acted=False, too_fast=True
    )


@pytest.mark.parametrize("code", ["POLL_RATE_LIMITED", "RATE_LIMITED"])
@pytest.mark.parametrize("request_", [Request.LOOK, *ARTIFACTS])
def test_a_429_that_names_polling_delays_its_row_only(request_: Request, code: str) -> None:
    assert classify(request_, answer(429, code)) == WaitRow(delay=None, code=code)


def test_a_429_that_may_name_polling_makes_the_account_wait_where_nothing_is_polled() -> None:
    assert isinstance(classify(Request.START, answer(429, "RATE_LIMITED")), WaitAccount)
    assert isinstance(classify(Request.START, answer(429, "POLL_RATE_LIMITED")), WaitAccount)
    assert isinstance(classify(Request.LIST, answer(429, "RATE_LIMITED")), WaitAccount)


@pytest.mark.parametrize(
    ("told", "obeyed"),
    [
        (timedelta(days=30), HOUR),
        (timedelta(seconds=-5), timedelta(0)),
        (timedelta(0), timedelta(0)),
        (None, None),
    ],
)
def test_retry_after_is_capped_at_an_hour_and_never_negative(told: timedelta | None, obeyed: timedelta | None) -> None:
    meaning = classify(Request.LOOK, answer(429, "RATE_LIMIT_EXCEEDED", retry_after=told))
    assert isinstance(meaning, WaitAccount)
    assert meaning.delay == obeyed


@pytest.mark.parametrize("request_", [Request.START, Request.PERSONA_CREATE])
def test_a_proxys_503_leaves_open_whether_something_was_made_and_the_vendors_does_not(request_: Request) -> None:
    assert classify(request_, answer(503)) == WaitAccount(delay=None, code="HTTP_503", may_have_acted=True)
    assert classify(request_, answer(503, "WARMING")) == WaitAccount(delay=None, code="WARMING", may_have_acted=False)


def test_a_503_of_a_read_makes_the_account_wait_and_an_artifacts_only_its_row() -> None:
    assert classify(Request.LOOK, answer(503)) == WaitAccount(delay=None, code="HTTP_503", may_have_acted=False)
    for request in ARTIFACTS:
        assert classify(request, answer(503, "WARMING")) == WaitRow(delay=None, code="WARMING")


@pytest.mark.parametrize("request_", ARTIFACTS)
def test_not_ready_is_no_failure_at_any_status(request_: Request) -> None:
    for status in range(100, 600):
        failure = answer(status, "ARTIFACT_NOT_READY", vendor_status="active")
        assert classify(request_, failure) == NotReady(vendor_status="active")


def test_not_ready_says_nothing_of_other_requests() -> None:
    assert isinstance(classify(Request.LOOK, answer(409, "ARTIFACT_NOT_READY")), Refused)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("invalid_input", "INVALID_INPUT"),
        (" X ", "X"),
        ("no session!", "HTTP_418"),
        ("Ü", "HTTP_418"),
    ],
)
def test_a_code_is_shown_in_one_form_or_replaced_by_the_status(code: str, shown: str) -> None:
    meaning = classify(Request.START, answer(418, code))
    assert isinstance(meaning, Refused)
    assert meaning.code == shown


def test_messages_carry_no_key_no_link_and_no_control_characters() -> None:
    said = (
        "key zh_api_0123456789abcdef and zh_speech_live_abcdefgh for\x00 https://interview.zenhire.ai/#t=secret\x1b[31m\n"
        "and bare #t=secret2, zh_CN stays"
    )
    text = safe_text(said)
    assert text == "key [key] and [key] for [link] [31m and bare [link] zh_CN stays"


def test_long_messages_are_cut() -> None:
    assert len(safe_text("word " * 1000)) == 500


def test_a_key_in_place_of_a_code_is_no_code() -> None:
    answer = ErrorAnswer(http_status=500, code="zh_api_0123456789", message="zh_api_0123456789")
    meaning = classify(Request.START, answer)
    assert isinstance(meaning, UnknownResult)
    assert meaning.code == "HTTP_500"
    assert "0123456789" not in meaning.detail
