"""watch: open sessions → one look each, when the cadence says so → the outcome."""

from collections.abc import Sequence

from service.core.decisions import Decision
from service.core.model import Lane, LookClaim
from service.core.watching import LookTime, decide_look
from service.postgres.budget import Grant
from service.postgres.claims import Batch
from service.steps.body import Held, Step
from service.steps.desk import Desk


class WatchStep(Step[LookClaim]):
    name = "watch"
    lane = Lane.LOOK

    async def due(self, accounts: Sequence[str]) -> Sequence[str]:
        return await self._tools.claims.due_looks(accounts)

    async def claim(self, desk: Desk, grant: Grant) -> Batch[LookClaim]:
        return await self._tools.claims.looks(desk.account, grant.slots)

    async def ask_and_decide(self, desk: Desk, held: Held[LookClaim]) -> Decision:
        sent_at = held.batch.now()  # no later than the request: observations are ordered by it
        answer = await desk.client.get_session(
            held.claim.session_id, send_before=held.batch.send_before(self._tools.deadline)
        )
        time = LookTime(sent_at=sent_at, now=held.batch.now())
        return decide_look(held.claim, answer, time=time, policy=self._tools.policy, jitter=self._tools.jitter())
