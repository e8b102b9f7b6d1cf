"""collect: completed sessions → their transcripts. "Not ready" is patience, not failure."""

from collections.abc import Sequence

from service.core.collecting import decide_collect
from service.core.decisions import Decision
from service.core.model import CollectClaim, Lane
from service.core.observations import Transcript
from service.core.transcripts import storable
from service.postgres.budget import Grant
from service.postgres.claims import Batch
from service.steps.body import Held, Step
from service.steps.desk import Desk


class CollectStep(Step[CollectClaim]):
    name = "collect"
    lane = Lane.ARTIFACT

    async def due(self, accounts: Sequence[str]) -> Sequence[str]:
        return await self._tools.claims.due_transcripts(accounts)

    async def claim(self, desk: Desk, grant: Grant) -> Batch[CollectClaim]:
        return await self._tools.claims.transcripts(desk.account, grant.slots)

    async def ask_and_decide(self, desk: Desk, held: Held[CollectClaim]) -> Decision:
        answer = await desk.client.get_transcript(
            held.claim.session_id, send_before=held.batch.send_before(self._tools.deadline)
        )
        seen = storable(answer.body, tries=held.claim.failures) if isinstance(answer, Transcript) else answer
        return decide_collect(
            held.claim, seen, now=held.batch.now(), policy=self._tools.policy, jitter=self._tools.jitter()
        )
