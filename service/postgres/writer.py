"""
Group commit: decisions that are ready at the same moment share a transaction.

When nothing is being written a decision is written at once; while one transaction runs, what arrives waits for the
next one. What the answers of a batch say of their accounts follows in transactions of their own, those of different
accounts side by side: one after the other, a batch of fifty accounts would hold up the next one for as long as they all
need.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from uuid import UUID

from service.core.changes import Change
from service.core.decisions import AccountNote, Decision
from service.core.set_aside import set_aside
from service.postgres.accounts import Accounts
from service.postgres.apply import Apply, RuleBroken
from service.postgres.engine import DatabaseLost

T = TypeVar("T")

BATCH_MAX = 200
RETRY_SECONDS = 0.5
BUSY_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of a submitted decision."""

    applied: bool
    why_not: str | None = None  #: an event name for the log


@dataclass(slots=True, kw_only=True)
class _Waiting:
    decision: Decision
    done: asyncio.Future[Written]


class Writer:
    """Writes the decisions of one replica. `give_up` tells when a database that stays away is no longer waited for."""

    def __init__(self, apply: Apply, accounts: Accounts, *, give_up: Callable[[], bool]) -> None:
        self._apply = apply
        self._accounts = accounts
        self._give_up = give_up
        self._queue: deque[_Waiting] = deque()
        self._flusher: asyncio.Task[None] | None = None

    async def write(self, decision: Decision) -> Written:
        """
        Write one decision, or find out why it does not count.

        Raises `DatabaseLost` once `give_up` says so; until then a lost database is waited for: the answer in hand may
        be a session that nobody else knows of.
        """
        waiting = _Waiting(decision=decision, done=asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._wake()
        return await waiting.done

    def _wake(self) -> None:
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        while self._queue:
            batch = self._next_batch()
            try:
                await self._write_patiently(batch)
            except Exception as error:  # noqa: BLE001 - handed to each waiter, who logs it
                for waiting in batch:
                    if not waiting.done.done():
                        waiting.done.set_exception(error)

    def _next_batch(self) -> list[_Waiting]:
        """At most one decision for each invite: two writes to one row in one statement would lose one of them."""
        batch: dict[UUID | None, _Waiting] = {}
        later: list[_Waiting] = []
        while self._queue and len(batch) < BATCH_MAX:
            waiting = self._queue.popleft()
            invite_id = waiting.decision.change.claim.invite_id
            if invite_id in batch:
                later.append(waiting)
            else:
                batch[invite_id] = waiting
        self._queue.extendleft(reversed(later))
        return list(batch.values())

    async def _write_patiently(self, batch: Sequence[_Waiting]) -> None:
        while True:
            try:
                await self._write_once([waiting for waiting in batch if not waiting.done.done()])
            except DatabaseLost:
                if self._give_up():
                    raise
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _write_once(self, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        try:
            outcome = await self._apply.write([waiting.decision.change for waiting in batch])
        except RuleBroken as broken:
            await self._write_one_by_one(batch, broken)
            return
        busy = [waiting for waiting in batch if waiting.decision.change.claim.post_id in outcome.busy]
        if busy:
            self._put_back(busy)
        batch = [waiting for waiting in batch if waiting not in busy]
        results = await _all_of(self._result(waiting.decision.change, outcome.written) for waiting in batch)
        try:
            await self._note(batch)
        finally:  # the changes are written, whatever became of the notes; the next answer brings them again
            for waiting, result in zip(batch, results, strict=True):
                if not waiting.done.done():
                    waiting.done.set_result(result)

    def _put_back(self, busy: Sequence[_Waiting]) -> None:
        """Somebody has these invites locked: they are tried again soon, and nobody else waits for them."""

        def again() -> None:  # a retry after a lost database may have written some of them meanwhile
            self._queue.extend(waiting for waiting in busy if not waiting.done.done())
            self._wake()

        asyncio.get_running_loop().call_later(BUSY_SECONDS, again)

    async def _result(self, change: Change, written: frozenset[UUID]) -> Written:
        if change.claim.post_id in written:
            return Written(applied=True)
        why_not = await self._apply.after_refusal(change)
        return Written(applied=why_not == "own_commit_found", why_not=why_not)

    async def _write_one_by_one(self, batch: Sequence[_Waiting], broken: RuleBroken) -> None:
        """One change breaks a rule of the database: the others are written without it, it is set aside."""
        if len(batch) > 1:
            for waiting in batch:
                await self._write_alone(waiting)
            return
        (waiting,) = batch
        change = waiting.decision.change
        now = await self._accounts.now()
        await self._apply.write([set_aside(change.claim, rule=broken.rule, now=now)])
        waiting.done.set_result(Written(applied=False, why_not="answer_set_aside"))

    async def _write_alone(self, waiting: _Waiting) -> None:
        try:
            await self._write_once([waiting])
        except DatabaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - handed to its waiter, who logs it
            waiting.done.set_exception(error)

    async def _note(self, batch: Sequence[_Waiting]) -> None:
        by_account: dict[str, list[AccountNote]] = defaultdict(list)
        for waiting in batch:
            by_account[waiting.decision.change.claim.account].extend(waiting.decision.notes)
        await _all_of(self._accounts.note(account, _without_repeats(notes)) for account, notes in by_account.items())


async def _all_of(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all, in their order, once the last one has ended; then the first failure, if there is any."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[T]", results)


def _without_repeats(notes: Sequence[AccountNote]) -> list[AccountNote]:
    """Equal notes in a row say nothing more than the first of them."""
    return [note for number, note in enumerate(notes) if number == 0 or note != notes[number - 1]]
