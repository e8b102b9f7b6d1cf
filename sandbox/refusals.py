"""The vendor's way of saying no: an HTTP status, a code, a message, details (contract §5)."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.money import stamp
from sandbox.profile import Errors


class Refusal(Exception):
    """Raised by the model, turned into an envelope by the gateway."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.retry_after = retry_after
        self.by_middleware = status == 401 or code in {"MISSING_PERMISSION", "IP_NOT_ALLOWED"}


def not_found(errors: Errors, what: str) -> Refusal:
    return Refusal(404, errors.not_found_code, f"{what} not found")


def envelope(refusal: Refusal, errors: Errors, *, now: datetime, request_id: str) -> dict[str, Any]:
    """The error object in the profile's variant (contract §6.7)."""
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message, "timestamp": stamp(now)}
    details = dict(refusal.details or {})
    wait = None if refusal.retry_after is None else whole_seconds(refusal.retry_after)
    if errors.envelope == "universal":
        # DOC: only once a route handler ran, so rejections by the key check lack it.
        if not refusal.by_middleware and refusal.code != "ARTIFACT_NOT_READY":
            error["requestId"] = request_id
        if wait is not None:
            error["retryAfterSeconds"] = wait
    if errors.envelope == "deepmatch" and wait is not None:
        details["retry_after_seconds"] = wait
    if details:
        error["details"] = details
    return {"error": error}


def whole_seconds(wait: timedelta) -> int:
    """Rounded up: who comes back that late is never too early."""
    return max(1, -int(-wait.total_seconds() // 1))
