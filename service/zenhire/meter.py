"""What went over the wire, counted until somebody writes it down; and what the vendor's clock shows."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from service.core.limits import Share, Used

TOO_FAST = 429
HALF_A_SECOND = timedelta(seconds=0.5)  # a Date header is cut off to the second


@dataclass(slots=True)
class Meter:
    """One account's requests, as this replica sends them."""

    _sent: Counter[Share] = field(default_factory=Counter)
    _too_fast: Counter[Share] = field(default_factory=Counter)
    _unanswered: Counter[Share] = field(default_factory=Counter)
    _dated: tuple[datetime, float] | None = None

    def sent(self, share: Share) -> None:
        self._sent[share] += 1

    def unanswered(self, share: Share) -> None:
        self._unanswered[share] += 1

    def answered(self, share: Share, response: httpx.Response) -> None:
        self._too_fast[share] += response.status_code == TOO_FAST
        if (date := _date_of(response)) is not None:
            self._dated = (date + HALF_A_SECOND, asyncio.get_running_loop().time())

    def take(self) -> list[Used]:
        """What was counted since the last call."""
        used = [
            Used(
                share=share,
                sent=self._sent[share],
                too_fast=self._too_fast[share],
                unanswered=self._unanswered[share],
            )
            for share in Share
            if self._sent[share] or self._too_fast[share] or self._unanswered[share]
        ]
        for counts in (self._sent, self._too_fast, self._unanswered):
            counts.clear()
        return used

    def put_back(self, used: list[Used]) -> None:
        """What could not be written down counts the next time."""
        for one in used:
            self._sent[one.share] += one.sent
            self._too_fast[one.share] += one.too_fast
            self._unanswered[one.share] += one.unanswered

    def vendor_time(self) -> datetime | None:
        """What the vendor's clock shows now, by the newest answer since the last call; None: there was none."""
        if self._dated is None:
            return None
        (date, at), self._dated = self._dated, None
        return date + timedelta(seconds=asyncio.get_running_loop().time() - at)


def _date_of(response: httpx.Response) -> datetime | None:
    try:
        date = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo is not None else None
