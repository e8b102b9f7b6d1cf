"""How `verify` asks the vendor: one request at a time, at half of the account's rate, a few times where one fails."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar, assert_never

from service.core.decisions import MustWait
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
)
from service.core.limits import Share, slot_interval
from service.core.model import Lane
from service.core.observations import Failure
from service.postgres.accounts import Accounts
from service.steps.desk import Desk

T = TypeVar("T")

TRIES = 6
WAIT_FIRST = 1.0
WAIT_MAX = 60.0  #: the vendor may ask for more; then this is not the time for a long walk
SLOT_WITHIN = 30.0

#: A slot of verify's, then one for the service.
SHARE = 2


class CannotAsk(Exception):
    """The vendor could not be asked, or gave no answer; says why in a sentence."""


class NoAnswer(CannotAsk):
    """It may answer later: a run goes on then where it is."""


@dataclass(slots=True)
class Asker:
    """One account's questions."""

    desk: Desk
    accounts: Accounts
    requests_per_minute: int
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    requests: int = 0
    _next_at: float = field(default=0.0)

    async def ask(self, request: Request, send: Callable[[float], Awaitable[T | Failure]]) -> T | Missing:
        """The answer, or that the vendor does not know what was asked for; raises CannotAsk."""
        wait = WAIT_FIRST
        for last in (False,) * (TRIES - 1) + (True,):
            await self._slot()
            self.requests += 1
            answer = await send(asyncio.get_running_loop().time() + SLOT_WITHIN)
            if not isinstance(answer, Failure):
                return answer
            meaning = classify(request, answer)
            if isinstance(meaning, Missing):
                return meaning
            delay = await self._delay(meaning, wait)
            if last or delay is None:
                raise in_words(meaning)
            await self.sleep(delay)
            wait *= 2
        raise AssertionError("the last try returns or raises")

    async def _slot(self) -> None:
        """Reserve a slot; the transport uses it up."""
        loop = asyncio.get_running_loop()
        if self._next_at > loop.time():
            await self.sleep(self._next_at - loop.time())
        self._next_at = loop.time() + SHARE * slot_interval(self.requests_per_minute).total_seconds()
        give_up_at = loop.time() + SLOT_WITHIN
        while not (grant := await self.desk.budget.reserve(Lane.LIST, 1, share=Share.NETS)).slots:
            if grant.retry_in is None:
                raise CannotAsk("the account is stopped; `zenhire-sync status` says why")
            if loop.time() + grant.retry_in > give_up_at:
                raise NoAnswer(f"no request slot within {SLOT_WITHIN:g} s: the account waits, or its budget is used up")
            await self.sleep(grant.retry_in)

    async def _delay(self, meaning: Meaning, wait: float) -> float | None:
        """Seconds until the next try; None: another try would be of no use."""
        match meaning:
            case StopAccount() | Refused() | Missing() | NotReady():
                return None
            case WaitAccount():
                # Replicas share the key, so they obey as well.
                note = MustWait(delay=meaning.delay, reason=meaning.code, too_fast=meaning.too_fast)
                await self.accounts.note(self.desk.account, [note])
                return _within(meaning.delay, wait)
            case WaitRow():
                return _within(meaning.delay, wait)
            case DidNotSend() | UnknownResult():
                return wait
            case _:
                assert_never(meaning)


def _within(delay: timedelta | None, wait: float) -> float | None:
    seconds = wait if delay is None else max(delay.total_seconds(), wait)
    return seconds if seconds <= WAIT_MAX else None


def in_words(meaning: Meaning) -> CannotAsk:
    """A bad answer to a question that ZenHire answers everybody, as a sentence."""
    match meaning:
        case StopAccount() | Refused():
            return CannotAsk(f"ZenHire refused: {meaning.message} ({meaning.code})")
        case UnknownResult() | DidNotSend():
            return NoAnswer(f"ZenHire could not be reached: {meaning.detail}")
        case WaitAccount() | WaitRow():
            return NoAnswer(f"ZenHire asks to wait ({meaning.code})")
        case Missing() | NotReady():
            return CannotAsk("ZenHire does not know its own list")
        case _:
            assert_never(meaning)
