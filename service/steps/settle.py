"""
settle: lost posts → what they left behind at the vendor, if anything.

One walk through the vendor's list, newest first, serves all lost posts of an account. Where the list can be asked for
one candidate, the walk gets no more pages than there are candidates to ask for, and these are asked for after it: so a
search costs at most twice what the better of the two would, however many sessions are newer than the post. A session
that is found is an orphan: nobody holds its link, and it is watched until it is dead.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from service.core.decisions import Decision, notes_of
from service.core.failures import Request, classify
from service.core.limits import Share
from service.core.marks import read_post_mark
from service.core.model import Lane, SearchClaim
from service.core.observations import Failure, Sighting, SightingPage
from service.core.probing import ListStyle, SortOrder
from service.core.settling import already_known, decide_search
from service.core.sweeping import CLOCKS_MAY_DIFFER, reaches
from service.postgres.claims import Batch
from service.postgres.list_style import ListStyles
from service.steps.beats import Beat
from service.steps.desk import Desk, Tools
from service.steps.side_by_side import ListStep
from service.zenhire.listing import ListEnd, Position, walk_sessions

POSTS_PER_WALK = 200
REQUESTS_PER_WALK = 1000  #: the lease ends a walk long before
REQUESTS_PER_CANDIDATE = 20  #: one candidate has few sessions


@dataclass(slots=True)
class _Search:
    """What is searched for, and what was found so far."""

    wanted: dict[UUID, str | None]  #: lost posts, and their candidates' refs
    found: dict[UUID, Sighting] = field(default_factory=dict)
    done: set[UUID] = field(default_factory=set)  #: looked for as far as need be
    is_cut_short: bool = False

    @property
    def missing(self) -> set[UUID]:
        return self.wanted.keys() - self.found.keys() - self.done

    @property
    def refs(self) -> list[str]:
        """The candidates to ask for, each once."""
        return sorted({ref for post, ref in self.wanted.items() if ref is not None and post in self.missing})

    def missing_of(self, ref: str) -> set[UUID]:
        return {post for post in self.missing if self.wanted[post] == ref}

    def remember(self, page: SightingPage) -> None:
        """Those of its sessions that a wanted post has made."""
        for sighting in page.sightings:
            post_id = read_post_mark(sighting.post_mark)
            if post_id in self.wanted:
                self.found.setdefault(post_id, sighting)


class SettleStep(ListStep):
    name = "settle"

    def __init__(self, tools: Tools, styles: ListStyles) -> None:
        super().__init__(tools)
        self._styles = styles

    async def due(self, accounts: Sequence[str]) -> Sequence[str]:
        return await self._tools.claims.due_searches(accounts)

    async def read_for(self, desk: Desk) -> None:
        grant = await desk.budget.reserve(Lane.LIST, 1, share=Share.NETS)
        if grant.slots == 0:
            return
        await self._tools.reached(self.name, Beat.RESERVED)
        batch = await self._tools.claims.searches(desk.account, POSTS_PER_WALK)
        if not batch.rows:
            return
        await self._tools.reached(self.name, Beat.CLAIMED)
        search = await self._search(desk, batch)
        await asyncio.gather(*(self._write(claim, search, batch) for claim in batch.rows))

    async def _search(self, desk: Desk, batch: Batch[SearchClaim]) -> _Search:
        """All that the lease allows; what was not reached is searched for again."""
        search = _Search(wanted={claim.post_id: claim.ref for claim in batch.rows if claim.session_id is None})
        if not search.wanted:
            return search
        style = await self._styles.of(desk.account)
        if style.ref_parameter is not None:
            if style.sort_order is SortOrder.NEWEST_FIRST:
                await self._walk(desk, batch, search, style, requests_max=len(search.refs))
            await self._ask_for_each(desk, batch, search, style, style.ref_parameter)
        if search.missing and not search.is_cut_short:
            await self._walk(desk, batch, search, style, requests_max=REQUESTS_PER_WALK)
        if search.missing:
            self._tools.log.info("search_cut_short", account=desk.account)
        return search

    async def _walk(
        self, desk: Desk, batch: Batch[SearchClaim], search: _Search, style: ListStyle, *, requests_max: int
    ) -> None:
        """Read the list back to the oldest of the posts."""
        oldest = min(claim.posted_at for claim in batch.rows) - CLOCKS_MAY_DIFFER
        start = Position.beginning(paging=style.paging)
        async for page in self._pages(desk, batch, search, start, requests_max=requests_max):
            if page is ListEnd.ALL_SEEN or (isinstance(page, SightingPage) and reaches(page, oldest)):
                search.done |= search.missing
            if not search.missing:
                return

    async def _ask_for_each(
        self, desk: Desk, batch: Batch[SearchClaim], search: _Search, style: ListStyle, parameter: str
    ) -> None:
        """Ask for the sessions of one candidate after the other, while nobody else's come and the lease lasts."""
        for ref in search.refs:
            start = Position.beginning({parameter: ref}, paging=style.paging)
            async for page in self._pages(desk, batch, search, start, requests_max=REQUESTS_PER_CANDIDATE):
                if isinstance(page, SightingPage) and any(seen.candidate_ref != ref for seen in page.sightings):
                    await self._styles.doubt_ref_filter(desk.account)
                    return
                if page is ListEnd.ALL_SEEN:
                    search.done |= search.missing_of(ref)
                if not search.missing_of(ref):
                    break
            if search.is_cut_short:
                return

    async def _pages(
        self, desk: Desk, batch: Batch[SearchClaim], search: _Search, start: Position, *, requests_max: int
    ) -> AsyncIterator[SightingPage | ListEnd]:
        """Page after page, each compared with what is wanted; a failure, a stop or the lease's end cuts it short."""
        send_before = batch.send_before(self._tools.deadline)
        async for page in walk_sessions(desk.net, start, send_before=lambda: send_before, requests_max=requests_max):
            if isinstance(page, Failure):
                meaning = classify(Request.LIST, page)
                await self._tools.accounts.note(desk.account, notes_of(meaning, Lane.LIST, batch.rows[0].post_id))
                search.is_cut_short = True
                return
            if isinstance(page, SightingPage):
                search.remember(page)
            yield page
            if self._tools.stopping.is_set():
                search.is_cut_short = True
                return

    async def _write(self, claim: SearchClaim, search: _Search, batch: Batch[SearchClaim]) -> None:
        found = already_known(claim, claim.session_id) if claim.session_id else search.found.get(claim.post_id)
        decision: Decision = decide_search(
            claim, found, searched=claim.post_id not in search.missing, now=batch.now(), policy=self._tools.policy
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
