"""A client's credits: one balance, charged for completed interviews only (contract §4)."""

import math
from collections import deque
from datetime import datetime, timedelta
from typing import Any

_TRANSACTIONS_SHOWN = 20


class Credits:
    """A balance that may fall below zero: minting holds nothing back, so many links can outrun it (contract §4)."""

    def __init__(self, balance: int) -> None:
        self.balance = balance
        self.used = 0
        self._recent: deque[dict[str, Any]] = deque(maxlen=_TRANSACTIONS_SHOWN)

    def charge(self, amount: int, session_id: str, at: str) -> None:
        self.balance -= amount
        self.used += amount
        self._recent.appendleft({"type": "charge", "amount": -amount, "session_id": session_id, "created_at": at})

    def top_up(self, amount: int, at: str) -> None:
        self.balance += amount
        self._recent.appendleft({"type": "top_up", "amount": amount, "session_id": None, "created_at": at})

    def document(self) -> dict[str, Any]:
        """Balance, aggregate usage, recent transactions: that much is documented, the names are not."""
        return {"balance": self.balance, "usage": {"interview": self.used}, "transactions": list(self._recent)}


def minutes_begun(talked: timedelta) -> int:
    return math.ceil(talked.total_seconds() / 60)


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
