"""start: pending invites → one post each → a link. The intent is committed before the vendor is asked."""

import asyncio
from collections.abc import Sequence

from service.core.decisions import Decision
from service.core.marks import INVITE_MARK, POST_MARK, invite_mark
from service.core.model import Lane, PostClaim
from service.core.observations import ErrorAnswer, NoAnswer
from service.core.starting import decide_post, refuse_for_persona
from service.postgres.budget import Grant
from service.postgres.claims import Batch, DueStarts
from service.steps.beats import Beat
from service.steps.body import Held, Step
from service.steps.desk import Desk, Tools
from service.steps.personas import PersonaStep

HOUSEKEEPING_LIMIT = 100
TAKE_OVER = "take_over"  #: the part of this step that accounts for posts of dead replicas


class StartStep(Step[PostClaim]):
    name = "start"
    lane = Lane.START

    def __init__(self, tools: Tools, personas: PersonaStep) -> None:
        super().__init__(tools)
        self._personas = personas
        self._due: dict[str, DueStarts] = {}

    async def tick(self) -> None:
        """Post for every account with work; then account for posts of dead replicas and cancel what is too late."""
        await super().tick()  # first: somebody waits for these links
        await self._take_over_abandoned()
        await self._tools.claims.stop_overdue(HOUSEKEEPING_LIMIT)

    async def due(self, accounts: Sequence[str]) -> Sequence[str]:
        found = await self._tools.claims.due_starts(accounts)
        self._due |= {due.account: due for due in found}
        return [due.account for due in found]

    async def work_for(self, desk: Desk) -> None:
        await self._personas.resolve(desk)
        await super().work_for(desk)

    async def claim(self, desk: Desk, grant: Grant) -> Batch[PostClaim]:
        due = self._due[desk.account]
        # A probe asks for any of the first invites, so that one which can never work does not stand in the way.
        skip = int(self._tools.jitter() * due.waiting) if grant.probe and not due.reposts else 0
        return await self._tools.claims.posts(desk.account, grant.slots, probe=grant.probe, skip=skip)

    async def ask_and_decide(self, desk: Desk, held: Held[PostClaim]) -> Decision:
        claim = held.claim
        if claim.persona_id is None:
            return refuse_for_persona(claim, claim.persona_refusal or "PERSONA_REFUSED", now=held.batch.now())
        marks = {INVITE_MARK: invite_mark(claim), POST_MARK: str(claim.post_id)}
        answer = await desk.client.create_session(
            persona_id=claim.persona_id,
            candidate_ref=claim.candidate_ref,
            consent_mode=claim.consent_mode,
            metadata=claim.metadata | marks,
            tags=claim.tags,
            send_before=held.batch.send_before(self._tools.deadline),
        )
        if isinstance(answer, ErrorAnswer) and answer.http_status == 404 and answer.has_envelope:
            await self._personas.doubt(claim.account, claim.persona_id)
        return decide_post(claim, answer, now=held.batch.now(), policy=self._tools.policy, jitter=self._tools.jitter())

    async def _take_over_abandoned(self) -> None:
        """A post whose replica stopped may have made a session: its result is unknown."""
        batch = await self._tools.claims.abandoned(HOUSEKEEPING_LIMIT)
        await asyncio.gather(*(self._take_over(claim, batch) for claim in batch.rows))  # written together

    async def _take_over(self, claim: PostClaim, batch: Batch[PostClaim]) -> None:
        await self._tools.reached(TAKE_OVER, Beat.CLAIMED)
        answer = NoAnswer(detail="its replica stopped before the answer was stored")
        decision = decide_post(claim, answer, now=batch.now(), policy=self._tools.policy, jitter=self._tools.jitter())
        # A crash of ours says nothing of the account, so the notes are left out.
        await self.write(claim, Decision(change=decision.change))
        await self._tools.reached(TAKE_OVER, Beat.WRITTEN)
