"""
settle: lost posts → what they left behind at the vendor, if anything.

One walk through the vendor's list, newest first, serves all lost posts of an account. A session that is found is an
orphan: nobody holds its link, and it is watched until it is dead.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from service.core.decisions import Decision, notes_of
from service.core.failures import Request, classify
from service.core.limits import Share
from service.core.marks import read_post_mark
from service.core.model import Lane, SearchClaim
from service.core.observations import Failure, Sighting, SightingPage
from service.core.settling import already_known, decide_search
from service.core.sweeping import CLOCKS_MAY_DIFFER, reaches
from service.postgres.claims import Batch
from service.steps.beats import Beat
from service.steps.desk import Desk
from service.steps.side_by_side import AccountStep
from service.zenhire.listing import ListEnd, walk_sessions

POSTS_PER_WALK = 200
REQUESTS_PER_WALK = 1000  #: the lease ends a walk long before


@dataclass(slots=True)
class _Walk:
    """What a walk has found so far."""

    found: dict[UUID, Sighting] = field(default_factory=dict)
    far_enough: bool = False


class SettleStep(AccountStep):
    name = "settle"

    async def due(self, accounts: Sequence[str]) -> Sequence[str]:
        return await self._tools.claims.due_searches(accounts)

    async def work_for(self, desk: Desk) -> None:
        grant = await desk.budget.reserve(Lane.LIST, 1, share=Share.NETS)
        if grant.slots == 0:
            return
        await self._tools.reached(self.name, Beat.RESERVED)
        batch = await self._tools.claims.searches(desk.account, POSTS_PER_WALK)
        if not batch.rows:
            return
        await self._tools.reached(self.name, Beat.CLAIMED)
        walk = await self._walk(desk, batch)
        await asyncio.gather(*(self._write(claim, walk, batch) for claim in batch.rows))

    async def _walk(self, desk: Desk, batch: Batch[SearchClaim]) -> _Walk:
        """Read the list back to the oldest of the posts, or as far as the lease allows."""
        walk = _Walk(far_enough=True)
        wanted = {claim.post_id for claim in batch.rows if claim.session_id is None}
        if not wanted:
            return walk
        walk.far_enough = False
        oldest = min(claim.posted_at for claim in batch.rows) - CLOCKS_MAY_DIFFER
        send_before = batch.send_before(self._tools.deadline)
        async for page in walk_sessions(desk.net, {}, send_before=lambda: send_before, requests_max=REQUESTS_PER_WALK):
            if isinstance(page, Failure):
                meaning = classify(Request.LIST, page)
                await self._tools.accounts.note(desk.account, notes_of(meaning, Lane.LIST, batch.rows[0].post_id))
                break
            if isinstance(page, ListEnd):
                walk.far_enough = page == ListEnd.ALL_SEEN
                break
            self._remember(walk, page, wanted)
            if wanted <= walk.found.keys() or reaches(page, oldest):
                walk.far_enough = True
                break
            if self._tools.stopping.is_set():
                break
        if not walk.far_enough:
            self._tools.log.info("search_cut_short", account=desk.account)
        return walk

    def _remember(self, walk: _Walk, page: SightingPage, wanted: set[UUID]) -> None:
        for sighting in page.sightings:
            post_id = read_post_mark(sighting.post_mark)
            if post_id in wanted:
                walk.found.setdefault(post_id, sighting)

    async def _write(self, claim: SearchClaim, walk: _Walk, batch: Batch[SearchClaim]) -> None:
        found = already_known(claim, claim.session_id) if claim.session_id else walk.found.get(claim.post_id)
        decision: Decision = decide_search(
            claim, found, searched=walk.far_enough, now=batch.now(), policy=self._tools.policy
        )
        await self._tools.reached(self.name, Beat.ANSWERED)
        written = await self._tools.writer.write(decision)
        await self._tools.reached(self.name, Beat.WRITTEN)
        if found is not None:
            self._tools.log.info(
                "orphan_recorded",
                account=claim.account,
                invite_id=str(claim.invite_id),
                post_id=str(claim.post_id),
                session_id=found.session_id,
                applied=written.applied,
            )
