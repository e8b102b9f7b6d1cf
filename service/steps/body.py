"""The body that every step has: reserve slots, claim, ask with no transaction open, decide, write."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Generic, TypeVar

from service.core.decisions import Decision
from service.core.model import Claim, Lane
from service.postgres.budget import Grant
from service.postgres.claims import Batch
from service.postgres.engine import DatabaseLost
from service.steps.beats import Beat
from service.steps.desk import Desk, Tools
from service.steps.pump import Catch, pump
from service.steps.side_by_side import AccountStep

C = TypeVar("C", bound=Claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Generic[C]):
    """A claimed row, and the batch whose lease it is under."""

    claim: C
    batch: Batch[C]


class Step(AccountStep, Generic[C]):
    """One kind of work. A subclass says what is due, how it is claimed, and what to ask and decide."""

    lane: ClassVar[Lane]

    @abstractmethod
    async def claim(self, desk: Desk, grant: Grant) -> Batch[C]:
        """Lease up to `grant.slots` rows."""

    @abstractmethod
    async def ask_and_decide(self, desk: Desk, held: Held[C]) -> Decision:
        """Ask the vendor and decide; no transaction is open."""

    async def work_for(self, desk: Desk) -> None:
        await pump(
            partial(self._reserve_and_claim, desk),
            partial(self._work, desk),
            width=self._tools.concurrency,
            places=self._places,
            stopping=self._tools.stopping,
        )

    async def _reserve_and_claim(self, desk: Desk, free: int) -> Catch[Held[C]]:
        grant = await desk.budget.reserve(self.lane, free)
        if grant.slots == 0:
            return Catch(retry_in=grant.retry_in, wanted=free)
        await self._tools.reached(self.name, Beat.RESERVED)
        batch = await self.claim(desk, grant)
        desk.budget.give_back(self.lane, grant.slots - len(batch.rows))
        return Catch(rows=[Held(claim=claim, batch=batch) for claim in batch.rows], wanted=grant.slots)

    async def _work(self, desk: Desk, held: Held[C]) -> None:
        log = self._tools.log.bind(step=self.name, account=desk.account, invite_id=str(held.claim.invite_id))
        try:
            await self._tools.reached(self.name, Beat.CLAIMED)
            decision = await self.ask_and_decide(desk, held)
            await self._tools.reached(self.name, Beat.ANSWERED)
            await self.write(held.claim, decision)
            await self._tools.reached(self.name, Beat.WRITTEN)
        except DatabaseLost:
            log.warning("result_unwritten")  # its lease runs out, and the row is taken up again
        except Exception:
            log.exception("row_failed")

    async def write(self, claim: C, decision: Decision) -> None:
        await write_and_tell(self._tools, self.name, claim, decision)


async def write_and_tell(tools: Tools, step: str, claim: Claim, decision: Decision) -> None:
    """Write a decision, and log it where it changes more than a due time."""
    written = await tools.writer.write(decision)
    event = decision.change.event
    if event is None and written.applied:
        return
    tools.log.info(
        "decided",
        step=step,
        account=claim.account,
        invite_id=str(claim.invite_id),
        post_id=str(claim.post_id),
        decision=event.kind if event else None,
        applied=written.applied,
        why_not=written.why_not,
    )
