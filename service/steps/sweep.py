"""
sweep: the vendor's whole list, page by page → what no look can tell; and the lists of what has ended.

A slow net beneath everything else: sessions that the console made for our invites, sessions of lost posts that came
late, and whatever the looks have missed. Where the running interviews are listed (`running`), those that begin and end
between two lists are found on the lists of what has completed and what has failed: slowly in passing, and as fast as
may be after a gap. Each page is claimed and written by itself, so there is nothing to stop or to take over but that
page.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from service.core import cadence
from service.core.decisions import Worked, notes_of
from service.core.failures import DidNotSend, Request, classify
from service.core.limits import SWEEP_SHARE, Share, slot_interval
from service.core.model import Lane
from service.core.observations import Failure, SightingPage
from service.core.sweeping import CLOCKS_MAY_DIFFER, PageFindings, Walk, decide_page, reaches
from service.postgres.claims import Batch
from service.postgres.sweeps import DueWalk, Finish, GoOn, PageRead, SweepClaim, Sweeps
from service.steps.beats import Beat
from service.steps.desk import Desk, Tools
from service.steps.side_by_side import ListStep
from service.zenhire.listing import ListEnd, Position, Read, read_sessions

REQUESTS_PER_WALK = 20_000  #: two million sessions; a list that is longer has no end
FAILURES_PER_WALK = 20  #: in a row; then the next walk begins anew, at its time
GIVEN_UP = "given_up"
FAR_ENOUGH = "far_enough"


class SweepStep(ListStep):
    name = "sweep"

    def __init__(self, tools: Tools, sweeps: Sweeps, *, wake_after: Callable[[float], None]) -> None:
        """`wake_after`: the next page is due in so many seconds."""
        super().__init__(tools)
        self._sweeps = sweeps
        self._wake_after = wake_after

    async def due(self, accounts: Sequence[str]) -> Iterable[str]:
        return await self._sweeps.due(accounts)

    async def read_for(self, desk: Desk) -> None:
        """One page; where it is urgent, one more round at once."""
        due = (await self._sweeps.due([desk.account])).get(desk.account)
        if due is None or not await self._claim_page(desk, due):
            return
        if due.urgent:
            self._accounts.start([desk.account])
        else:
            self._wake_after((SWEEP_SHARE * slot_interval(desk.budget.requests_per_minute)).total_seconds())

    async def _claim_page(self, desk: Desk, due: DueWalk) -> bool:
        """Whether the page was read. An urgent walk finds outcomes that nothing else would; any other is a net."""
        share = Share.OUTCOMES if due.urgent else Share.NETS
        grant = await desk.budget.reserve(Lane.LIST, 1, share=share)
        if grant.slots == 0:
            return False
        await self._tools.reached(self.name, Beat.RESERVED)
        batch = await self._sweeps.claim(desk.account, due.walk)
        for claim in batch.rows:
            await self._tools.reached(self.name, Beat.CLAIMED)
            await self._read_page(desk, batch, claim, share)
            await self._tools.reached(self.name, Beat.WRITTEN)
        return bool(batch.rows)

    async def _read_page(self, desk: Desk, batch: Batch[SweepClaim], claim: SweepClaim, share: Share) -> None:
        listed_at = batch.now()  # no later than the request: what was seen after it is newer
        client, send_before = desk.client.on(share), batch.send_before(self._tools.deadline)
        read = await read_sessions(client, _position(claim), send_before=send_before)
        if isinstance(read, Failure):
            await self._after_failure(desk, batch, claim, read)
            return
        await self._tools.accounts.note(desk.account, [Worked(lane=Lane.LIST)])
        findings = await self._compare(desk.account, read.page, listed_at)
        await self._tools.reached(self.name, Beat.ANSWERED)
        rows = len(read.page.sightings) if read.page else 0
        await self._write(desk, claim, findings, rows, self._then(claim, read, batch.now()))

    async def _compare(self, account: str, page: SightingPage | None, listed_at: datetime) -> PageFindings:
        if page is None:
            return PageFindings()
        known = await self._sweeps.known(account, page.sightings)
        return decide_page(page.sightings, known, account=account, listed_at=listed_at)

    def _then(self, claim: SweepClaim, read: Read[SightingPage], now: datetime) -> GoOn | Finish:
        next_walk_at = self._next_walk(claim, now)
        if isinstance(read.then, ListEnd):
            return Finish(read.then, next_walk_at)
        if claim.back_to and read.page and reaches(read.page, claim.back_to - CLOCKS_MAY_DIFFER):
            return Finish(FAR_ENOUGH, next_walk_at)
        if read.then.requests >= REQUESTS_PER_WALK:
            return Finish(ListEnd.REQUESTS_MAX, next_walk_at)
        return GoOn(read.then.as_json())

    def _next_walk(self, claim: SweepClaim, now: datetime) -> datetime:
        next_walk = cadence.next_sweep if claim.walk is Walk.ALL else cadence.next_list_of_ended
        return next_walk(claim.started_at, now=now, policy=self._tools.policy)

    async def _after_failure(self, desk: Desk, batch: Batch[SweepClaim], claim: SweepClaim, failure: Failure) -> None:
        """The walk waits where it stands; a page that is never shown ends it, for the next one may get past."""
        meaning = classify(Request.LIST, failure)
        await self._tools.accounts.note(desk.account, notes_of(meaning, Lane.LIST, None))
        await self._tools.reached(self.name, Beat.ANSWERED)
        now = batch.now()
        failures = claim.failures + (0 if isinstance(meaning, DidNotSend) else 1)
        if failures < FAILURES_PER_WALK:
            at = cadence.sweep_again_after_failure(
                max(failures, 1), now=now, policy=self._tools.policy, jitter=self._tools.jitter()
            )
            await self._sweeps.try_later(claim, failures=failures, at=at)
            return
        then = Finish(GIVEN_UP, self._next_walk(claim, now))
        await self._write(desk, claim, PageFindings(), 0, then)

    async def _write(
        self, desk: Desk, claim: SweepClaim, findings: PageFindings, rows: int, then: GoOn | Finish
    ) -> None:
        page = PageRead(findings=findings, rows=rows, then=then, requests_per_minute=desk.budget.requests_per_minute)
        written = await self._sweeps.write(claim, page)
        if findings.count or isinstance(then, Finish) or not written:
            self._tools.log.info(
                "swept",
                account=desk.account,
                findings=findings.count,
                ended=then.because if isinstance(then, Finish) else None,
                applied=written,
            )


def _position(claim: SweepClaim) -> Position:
    """Where the walk goes on; one that another release kept and this one cannot read begins anew."""
    try:
        return _beginning(claim) if claim.position is None else Position.from_json(claim.position)
    except (KeyError, TypeError, ValueError):
        return _beginning(claim)


def _beginning(claim: SweepClaim) -> Position:
    return Position.beginning(claim.walk.filters, paging=claim.paging)
