"""How a fault changes a reply."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

from sandbox.faults import FaultKind, FaultRule
from sandbox.refusals import Refusal
from sandbox.wire import Reply


def _first_half(reply: Reply) -> bytes:
    whole = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
    return whole[: len(whole) // 2]


_CUT = frozenset({FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER, FaultKind.LATE_COMMIT})
_PROXY_PAGES = {
    FaultKind.BAD_GATEWAY: (502, "Bad Gateway"),
    FaultKind.UNAVAILABLE: (503, "Service Temporarily Unavailable"),
    FaultKind.GATEWAY_TIMEOUT: (504, "Gateway Time-out"),
}
_WRONG_BODIES: dict[FaultKind, Callable[[Reply], bytes | Iterable[bytes]]] = {
    FaultKind.TRUNCATED: _first_half,
    FaultKind.NOT_JSON: lambda _: b"upstream connect error or disconnect/reset before headers. reset reason: overflow",
    FaultKind.EMPTY: lambda _: b"",
    FaultKind.OTHER_SHAPE: lambda _: b'{"ok":true,"result":[]}',
    FaultKind.ENDLESS: lambda _: itertools.repeat(b" " * 65_536),
}
_DELIVERED = frozenset({FaultKind.SLOW_BODY, FaultKind.DELAY})


def refusal_for(rule: FaultRule) -> Refusal | None:
    """The vendor's own error that this fault amounts to, if it speaks in the vendor's envelope."""
    match rule.kind:
        case FaultKind.RATE_LIMITED:
            wait = timedelta(seconds=rule.seconds)
            return Refusal(429, "RATE_LIMIT_EXCEEDED", "Too many requests", retry_after=wait)
        case FaultKind.RATE_LIMITED_BARE:
            return Refusal(429, "RATE_LIMIT_EXCEEDED", "Too many requests")
        case FaultKind.INTERNAL_ERROR:
            return Refusal(500, "INTERNAL_ERROR", "Something went wrong")
        case _:
            return None


def loses_the_link(rule: FaultRule) -> bool:
    """Whether a client can no longer learn from the reply what it was to learn."""
    return rule.kind not in _DELIVERED


def broken(rule: FaultRule, reply: Reply) -> Reply:
    """The reply as this fault leaves it. `reply` is what would have been answered."""
    if rule.kind in _CUT:
        return Reply(status=0, cut=True)
    if rule.kind in _PROXY_PAGES:
        return _page(*_PROXY_PAGES[rule.kind])
    if rule.kind in _WRONG_BODIES:
        return replace(reply, body=_WRONG_BODIES[rule.kind](reply), length=None)
    match rule.kind:
        case FaultKind.WRONG_TYPE:
            return _page(reply.status, "Please sign in")
        case FaultKind.SLOW_BODY:
            return replace(reply, drip_seconds=rule.seconds)
        case FaultKind.DELAY:
            return replace(reply, delay_seconds=reply.delay_seconds + rule.seconds)
        case _:  # the vendor's own refusals are replies already
            return reply


def _page(status: int, title: str) -> Reply:
    page = f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n"
    return Reply(status=status, body=page.encode(), content_type="text/html")
