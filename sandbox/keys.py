"""Which key may do what: every documented way of being turned away at the door (contract §1, §5.1, §6.4)."""

from datetime import datetime

from sandbox.model import Key
from sandbox.platform import Platform
from sandbox.refusals import Refusal
from sandbox.wire import Request

CREDITS_PATH = "/api/v1/credits"


def admitted(platform: Platform, request: Request, now: datetime) -> Key:
    """The key of this request, or a Refusal."""
    key = _known(platform, request)
    if not key.client.active:
        status = platform.profile.errors.inactive_client_status
        raise Refusal(status, "CLIENT_INACTIVE", "The client is not active")
    if key.state == "ip_refused":
        raise Refusal(403, "IP_NOT_ALLOWED", "This address is not on the key's list")
    if not key.permitted and request.path != CREDITS_PATH:
        raise Refusal(403, "MISSING_PERMISSION", "The client lacks the permission: interview")
    limit = platform.profile.limits.requests_per_minute
    wait = key.arrivals.wait_needed(now, limit) if limit else None
    if wait is not None:
        raise Refusal(429, "RATE_LIMIT_EXCEEDED", f"More than {limit} requests in a minute", retry_after=wait)
    return key


def _known(platform: Platform, request: Request) -> Key:
    key = None if request.key is None else platform.keys.get(request.key)
    if key is not None and key.state in {"active", "ip_refused"}:
        return key
    code, message = _why(request, key)
    match platform.profile.errors.unauthorized:
        case "documented":
            raise Refusal(401, code, message)
        case "unauthenticated":
            raise Refusal(401, "UNAUTHENTICATED" if request.method == "GET" else code, message)
        case "permission":
            raise Refusal(403, "MISSING_PERMISSION", message)


def _why(request: Request, key: Key | None) -> tuple[str, str]:
    if request.key is None:
        return "MISSING_API_KEY", "Neither X-API-Key nor Authorization is present"
    if key is not None and key.state == "expired":
        return "API_KEY_EXPIRED", "The API key has expired"
    return "INVALID_API_KEY", "The API key is unknown or inactive"
