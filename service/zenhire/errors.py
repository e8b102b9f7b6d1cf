"""Turns what goes wrong into failures: error answers in every variant of the envelope, and httpx's exceptions."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from service.core.failures import ARTIFACT_NOT_READY, safe_text
from service.core.observations import ErrorAnswer, NoAnswer, NotSent
from service.zenhire.payloads import Json, Unreadable, first, number, parse, storable, text
from service.zenhire.transport import TooLate

# --- error answers ---------------------------------------------------------------------------------------------------

ENVELOPE_BYTES_MAX = 256 * 1024  #: what is larger is no error of the vendor's

#: Far beyond any wait that is obeyed; only keeps the arithmetic in its bounds.
_WAIT_SECONDS_MAX = 10 * 365 * 86_400
_WAIT_NAMES = ("retryAfterSeconds", "retry_after_seconds", "retryAfter", "retry_after")


def error_answer(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> ErrorAnswer:
    """An answer that is no success. `now` serves only a Retry-After date that came without the server's own Date."""
    error = _envelope(body)
    details = _inner(error, "details")
    waits = (retry_after(headers, now), _wait_in(error), _wait_in(details))
    return ErrorAnswer(
        http_status=status,
        code=text(error.get("code"), 128),
        message=_message(error, details),
        retry_after=next((wait for wait in waits if wait is not None), None),
        vendor_status=text(details.get("status"), 64),
    )


def artifact_not_ready(status: int, body: bytes) -> ErrorAnswer | None:
    """The same code may come with a success status, 202 say: it is not known with which (contract §2.5)."""
    if len(body) > ENVELOPE_BYTES_MAX:
        return None
    error = _envelope(body)
    if str(error.get("code")).strip().upper() != ARTIFACT_NOT_READY:
        return None
    vendor_status = text(_inner(error, "details").get("status"), 64)
    return ErrorAnswer(http_status=status, code=ARTIFACT_NOT_READY, vendor_status=vendor_status)


def _envelope(body: bytes) -> Json:
    """The vendor's error object. Only one with a code is the vendor's: `{"error": "text"}` is anybody's."""
    try:
        error = _inner(storable(parse(body)), "error")
    except Unreadable:
        return {}
    return error if isinstance(error.get("code"), str) and text(error["code"]) else {}


def _inner(value: Any, name: str) -> Json:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _message(error: Json, details: Json) -> str | None:
    """The vendor's sentence, and with it which fields it did not like (contract §5.1, INVALID_INPUT)."""
    said = text(error.get("message"), 2000)
    fields = _inner(details, "fields")
    faults = [f"{name}: {_fault(fault)}" for name, fault in list(fields.items())[:10]]
    return safe_text("; ".join([*([said] if said else []), *faults])) or None


def _fault(fault: Any) -> str:
    return ", ".join(text(one) or "?" for one in fault[:3]) if isinstance(fault, list) else text(fault) or "?"


def _wait_in(error: Json) -> timedelta | None:
    seconds = first(error, _WAIT_NAMES, number)
    return None if seconds is None else _wait(seconds)


def _wait(seconds: float) -> timedelta:
    return timedelta(seconds=min(max(seconds, 0.0), _WAIT_SECONDS_MAX))


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The header in either form, seconds or date; a date counts from the server's own clock where that is told."""
    value = headers.get("retry-after", "").strip()
    seconds = number(value)
    if seconds is not None:
        return _wait(seconds)
    until = _http_date(value)
    if until is None:
        return None
    return _wait((until - (_http_date(headers.get("date", "")) or now)).total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


# --- httpx's exceptions ----------------------------------------------------------------------------------------------

#: Every exception of httpx, the special before the general. Only what fails while connecting provably sent nothing;
#: a write that failed may have been read to its end.
HTTPX_EXCEPTIONS: Mapping[type[Exception], tuple[type[NotSent | NoAnswer], str]] = {
    httpx.PoolTimeout: (NotSent, "no connection became free in time"),
    httpx.ConnectTimeout: (NotSent, "no connection came about in time"),
    httpx.ConnectError: (NotSent, "no connection came about"),
    httpx.ProxyError: (NotSent, "the proxy made no connection"),
    httpx.UnsupportedProtocol: (NotSent, "the address is neither http nor https"),
    httpx.InvalidURL: (NotSent, "the address cannot be read"),
    httpx.ReadTimeout: (NoAnswer, "no whole answer came in time"),
    httpx.WriteTimeout: (NoAnswer, "the request was not taken in time"),
    httpx.TimeoutException: (NoAnswer, "no whole answer came in time"),
    httpx.ReadError: (NoAnswer, "the connection broke before the whole answer was read"),
    httpx.WriteError: (NoAnswer, "the connection broke while the request was written"),
    httpx.CloseError: (NoAnswer, "the connection could not be closed"),
    httpx.NetworkError: (NoAnswer, "the connection broke"),
    httpx.RemoteProtocolError: (NoAnswer, "the connection was closed early, or the answer was no HTTP"),
    httpx.LocalProtocolError: (NoAnswer, "the request was no valid HTTP"),
    httpx.ProtocolError: (NoAnswer, "the exchange was no valid HTTP"),
    httpx.TransportError: (NoAnswer, "the exchange failed"),
    httpx.DecodingError: (NoAnswer, "the answer could not be decompressed"),
    httpx.TooManyRedirects: (NoAnswer, "the answer was a redirect"),
    httpx.RequestError: (NoAnswer, "the exchange failed"),
    httpx.HTTPStatusError: (NoAnswer, "the exchange failed"),
    httpx.HTTPError: (NoAnswer, "the exchange failed"),
    httpx.CookieConflict: (NoAnswer, "the answer's cookies could not be read"),
    httpx.StreamConsumed: (NoAnswer, "the answer was read twice"),
    httpx.StreamClosed: (NoAnswer, "the answer was closed before it was read"),
    httpx.ResponseNotRead: (NoAnswer, "the answer was not read"),
    httpx.RequestNotRead: (NoAnswer, "the request was not read"),
    httpx.StreamError: (NoAnswer, "the answer could not be read"),
}

#: What to catch: the roots of the table.
HTTPX_ROOTS = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)


def failure_of(exc: Exception) -> NotSent | NoAnswer:
    """Whether the request provably was not sent, or may have been."""
    if isinstance(exc, TooLate):
        return NotSent(detail=str(exc), held_back=True)
    for kind, (failure, sentence) in HTTPX_EXCEPTIONS.items():
        if isinstance(exc, kind):
            return failure(detail=f"{sentence}{_cause(exc)}")
    return NoAnswer(detail="the exchange failed")


def _cause(exc: Exception) -> str:
    """Why no connection came about, in the system's words. Of other errors the text may quote the request."""
    if not isinstance(exc, httpx.ConnectError):
        return ""
    root: BaseException = exc
    for _ in range(10):
        deeper = root.__cause__ or root.__context__
        if deeper is None or not str(deeper):
            break
        root = deeper
        if isinstance(root, BaseExceptionGroup):
            root = root.exceptions[0]
    return f": {safe_text(str(root))}" if str(root) else ""
