"""Stands between the client and the wire: no request leaves without a slot of the account's budget, or too late."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

import httpx

from service.core.limits import Share
from service.zenhire.meter import Meter


class SlotSource(Protocol):
    """The account's request budget."""

    async def acquire(self, share: Share, send_before: float) -> bool:
        """Wait for a slot and use it up; False if none opens before `send_before` (the loop's time), or on a stop."""


@dataclass(slots=True)
class SentMark:
    """Tells the caller when its request was handed to the wire (the loop's time); None: it was not."""

    at: float | None = None


class TooLate(httpx.ConnectError):
    """Nothing was sent: an answer could come after the caller's lease has passed."""


class SlotTransport(httpx.AsyncBaseTransport):
    """
    Every request of one account goes through here, so that none can forget the budget.

    The request's extensions `share`, `send_before` (the loop's time) and `sent` (a `SentMark`) come from the client.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, slots: SlotSource, meter: Meter | None = None) -> None:
        self._inner = inner
        self._slots = slots
        self._meter = meter or Meter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        send_before: float = request.extensions["send_before"]
        share: Share = request.extensions["share"]
        mark: SentMark | None = request.extensions.get("sent")
        # A slot is not spent on what is late already.
        if asyncio.get_running_loop().time() > send_before or not await self._slots.acquire(share, send_before):
            raise TooLate("the account's budget had no slot in time")
        now = asyncio.get_running_loop().time()
        if now > send_before:
            raise TooLate("its time had passed when its slot came")
        if mark is not None:
            mark.at = now
        self._meter.sent(share)
        try:
            response = await self._inner.handle_async_request(request)
        except httpx.TransportError:
            self._meter.unanswered(share)
            raise
        self._meter.answered(share, response)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()
