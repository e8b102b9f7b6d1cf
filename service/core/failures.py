"""
Decides what a bad answer means, in one pure function that every step asks (contract §5).

The meanings are divided by what the caller does next:

    DidNotSend      it never reached the vendor        nothing counts
    UnknownResult   it may or may not have been done   a post counts as possibly made
    Refused         the vendor refused this one        not again without a change
    WaitAccount     the whole account waits            nobody sends until then
    WaitRow         this row alone waits
    StopAccount     the key, the client or the address is wrong; probes ask again
    NotReady        there is no such artifact yet      patience, no failure
    Missing         the vendor does not know a session of ours
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import assert_never

from service.core.limits import RETRY_AFTER_MAX
from service.core.model import Lane, StopScope
from service.core.observations import ErrorAnswer, Failure, Garbage, NoAnswer, NotSent

ARTIFACT_NOT_READY = "ARTIFACT_NOT_READY"
NO_VENDOR_ENVELOPE = "NO_VENDOR_ENVELOPE"
REDIRECTED = "REDIRECTED"

MESSAGE_LENGTH_MAX = 500


class Request(StrEnum):
    """Which request failed. The same answer means different things to different requests."""

    START = "start"
    LOOK = "look"
    LIST = "list"
    TRANSCRIPT = "transcript"
    RECORDING = "recording"
    PERSONA_LIST = "persona_list"
    PERSONA_CREATE = "persona_create"
    PERSONA_GET = "persona_get"

    @property
    def lane(self) -> Lane:
        return _LANES[self]


_LANES: dict[Request, Lane] = {
    Request.START: Lane.START,
    Request.LOOK: Lane.LOOK,
    Request.LIST: Lane.LIST,
    Request.TRANSCRIPT: Lane.ARTIFACT,
    Request.RECORDING: Lane.ARTIFACT,
    Request.PERSONA_LIST: Lane.PERSONA,
    Request.PERSONA_CREATE: Lane.PERSONA,
    Request.PERSONA_GET: Lane.PERSONA,
}

_ARTIFACTS = frozenset({Request.TRANSCRIPT, Request.RECORDING})
_OF_ONE_SESSION = frozenset({Request.LOOK, Request.TRANSCRIPT, Request.RECORDING})
_CREATES = frozenset({Request.START, Request.PERSONA_CREATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class DidNotSend:
    """It provably never reached the vendor: nothing counts."""

    detail: str
    held_back: bool = False  #: by ourselves


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownResult:
    """It may or may not have been done: a lost reply, a 5xx, garbage, a 408."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The vendor itself refused this one invite, persona or row, with a code of its own."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitAccount:
    """No request of the account for `delay`; None: as long as the caller's own back-off says."""

    delay: timedelta | None
    code: str
    may_have_acted: bool  #: a proxy's 503 may come after the vendor did the work
    too_fast: bool = False  #: more was asked than the vendor allows


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRow:
    """Not this row for `delay`; the account goes on."""

    delay: timedelta | None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAccount:
    """The account cannot work until something outside changes."""

    scope: StopScope
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady:
    """The artifact does not exist yet; `vendor_status` is what the answer said of its session."""

    vendor_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The vendor does not know a session of ours."""

    code: str


Meaning = DidNotSend | UnknownResult | Refused | WaitAccount | WaitRow | StopAccount | NotReady | Missing


def classify(request: Request, failure: Failure) -> Meaning:
    """What a bad answer to this request means. Total: every failure has exactly one meaning."""
    match failure:
        case NotSent():
            return DidNotSend(detail=safe_text(failure.detail), held_back=failure.held_back)
        case NoAnswer():
            return UnknownResult(code="NO_ANSWER", detail=safe_text(failure.detail))
        case Garbage():
            return UnknownResult(code="UNREADABLE_ANSWER", detail=safe_text(failure.detail))
        case ErrorAnswer():
            return _classify_answer(request, failure)
    assert_never(failure)


def _classify_answer(request: Request, answer: ErrorAnswer) -> Meaning:
    # Its HTTP status is unknown (contract §2.5), so the code alone decides.
    if request in _ARTIFACTS and _code(answer) == ARTIFACT_NOT_READY:
        return NotReady(vendor_status=answer.vendor_status)
    match answer.http_status:
        case 429:
            return _classify_limit(request, answer)
        case 503:
            return _classify_unavailable(request, answer)
        case 408:  # somebody gave up waiting: for our request, or for the vendor's work
            return UnknownResult(code=_code(answer), detail=_sentence(answer))
        case status if 300 <= status < 400:
            message = f"{_sentence(answer)} (a redirect); redirects are never followed: set ZENHIRE_BASE_URL to the API"
            return StopAccount(scope=StopScope.EVERYTHING, code=REDIRECTED, message=message)
        case status if 400 <= status < 500:
            return _classify_refusal(request, answer)
        case _:
            return UnknownResult(code=_code(answer), detail=_sentence(answer))


def _classify_limit(request: Request, answer: ErrorAnswer) -> Meaning:
    """A 429: of the key, or of asking too often for one thing (contract §5.1, §6.9)."""
    code, delay = _code(answer), _delay(answer)
    names_polling = code == "POLL_RATE_LIMITED" and request not in _CREATES
    # CV DeepMatch's name for its poll limiter is too general to mean polling on a request for more than one session.
    names_polling |= code == "RATE_LIMITED" and request in _OF_ONE_SESSION
    if names_polling:
        return WaitRow(delay=delay, code=code)
    return WaitAccount(delay=delay, code=code, may_have_acted=False, too_fast=True)


def _classify_unavailable(request: Request, answer: ErrorAnswer) -> Meaning:
    """A 503. The vendor's own says "not now"; a proxy's only that no answer came back through it."""
    code, delay = _code(answer), _delay(answer)
    if request in _ARTIFACTS:  # the storage behind one artifact (contract §2.5)
        return WaitRow(delay=delay, code=code)
    may_have_acted = request in _CREATES and not answer.has_envelope
    return WaitAccount(delay=delay, code=code, may_have_acted=may_have_acted)


def _classify_refusal(request: Request, answer: ErrorAnswer) -> Meaning:
    """A 4xx other than 408 and 429."""
    code = _code(answer)
    if not answer.has_envelope:
        message = (
            f"the server at ZENHIRE_BASE_URL answered {answer.http_status} without the vendor's error envelope; "
            "is ZENHIRE_BASE_URL right, or a proxy in between?"
        )
        return StopAccount(scope=StopScope.EVERYTHING, code=NO_VENDOR_ENVELOPE, message=message)
    match answer.http_status:
        case 401 | 403:
            return StopAccount(scope=StopScope.EVERYTHING, code=code, message=_sentence(answer))
        case 402:
            # Without credits no session can be made, and a persona would serve for nothing. The contract knows no 402
            # for reads (§5.2): if they get one, there is nothing left that the account could do.
            scope = StopScope.STARTS if request in _CREATES else StopScope.EVERYTHING
            return StopAccount(scope=scope, code=code, message=_sentence(answer))
        case 404 if request in _OF_ONE_SESSION:
            return Missing(code=code)
        case _:
            return Refused(code=code, message=safe_text(answer.message or "") or _sentence(answer))


def _delay(answer: ErrorAnswer) -> timedelta | None:
    if answer.retry_after is None:
        return None
    return min(max(answer.retry_after, timedelta(0)), RETRY_AFTER_MAX)


_CODE = re.compile(r"(?!ZH_)[A-Z0-9_]{1,64}")  # what begins so is an API key, in capitals


def safe_code(code: str | None) -> str | None:
    """A code as it may stand in a column, a log line or a label; None if it cannot."""
    upper = (code or "").strip().upper()
    return upper if _CODE.fullmatch(upper) else None


def _code(answer: ErrorAnswer) -> str:
    return safe_code(answer.code) or f"HTTP_{answer.http_status}"


def _sentence(answer: ErrorAnswer) -> str:
    code = safe_code(answer.code)
    said = f"the vendor answered {answer.http_status}" + (f" {code}" if code else "")
    return safe_text(f"{said}: {answer.message}" if answer.message else said)


_SECRETS = (
    # Any address: a candidate link is one, and a recruiter needs none.
    (re.compile(r"\b[a-z][a-z0-9+.\-]*://\S+", re.IGNORECASE), "[link]"),
    (re.compile(r"#t=\S+", re.IGNORECASE), "[link]"),
    # API keys; eight characters, so that a language such as zh_CN stays readable (contract §1).
    (re.compile(r"zh_[A-Za-z0-9_\-]{8,}"), "[key]"),
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


def safe_text(text: str) -> str:
    """One line of somebody else's text without keys, links and control characters, at most 500 characters."""
    line = " ".join(_UNPRINTABLE.sub(" ", text[: MESSAGE_LENGTH_MAX * 8]).split())
    for pattern, instead in _SECRETS:
        line = pattern.sub(instead, line)
    return line if len(line) <= MESSAGE_LENGTH_MAX else line[: MESSAGE_LENGTH_MAX - 1] + "…"
