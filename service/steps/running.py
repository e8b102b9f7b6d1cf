"""
running: one list of the running interviews → what has begun, and one look at what has ended.

Requests grow with outcomes, not with open sessions: however many links are out, no more interviews run at once than the
vendor allows, and one list shows them all. Whether the vendor's list can be asked for one status is probed first; where
it cannot, each session is looked at by itself (`watch`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from service.core import cadence
from service.core.decisions import MustWait, Worked, notes_of
from service.core.failures import DidNotSend, Request, classify
from service.core.model import Lane, VendorStatus
from service.core.observations import Failure, Sighting, SightingPage
from service.core.probing import StatusFilter, Verdict, is_pure, judge
from service.core.running import RunningFindings, RunningList, decide_running
from service.core.watching import LookTime, decide_listed
from service.postgres.claims import Batch
from service.postgres.running import RunningClaim, RunningLists
from service.steps.beats import Beat
from service.steps.body import write_and_tell
from service.steps.desk import Desk, Tools
from service.steps.list_probe import ListProbe
from service.steps.side_by_side import ListStep
from service.zenhire.listing import ListEnd, Position, read_sessions

PAGES_MAX = 200  #: of one list: 20,000 interviews at once


@dataclass(slots=True)
class _Listed:
    """What the pages of one list have shown so far."""

    sightings: dict[str, Sighting] = field(default_factory=dict)
    page_rows: int = 0  #: of its longest page
    stranger: Sighting | None = None  #: it was not asked for: the filter is ignored
    failure: Failure | None = None
    whole: bool = False


class RunningStep(ListStep):
    name = "running"

    def __init__(
        self,
        tools: Tools,
        lists: RunningLists,
        *,
        wake_watch: Callable[[], None],
        wake_after: Callable[[float], None],
    ) -> None:
        """`wake_watch`: looks are due now; `wake_after`: the next list is due in so many seconds."""
        super().__init__(tools)
        self._lists = lists
        self._wake_watch = wake_watch
        self._wake_after = wake_after

    async def due(self, accounts: Sequence[str]) -> Sequence[str]:
        return await self._lists.due(accounts)

    async def read_for(self, desk: Desk) -> None:
        grant = await desk.budget.reserve(Lane.LIST, 1)
        if grant.slots == 0:
            return
        await self._tools.reached(self.name, Beat.RESERVED)
        batch = await self._lists.claim(desk.account)
        for claim in batch.rows:
            await self._tools.reached(self.name, Beat.CLAIMED)
            await self._work(desk, batch, claim)
            await self._tools.reached(self.name, Beat.WRITTEN)

    async def _work(self, desk: Desk, batch: Batch[RunningClaim], claim: RunningClaim) -> None:
        if claim.probe_is_due:
            await self._probe(desk, batch, claim)
        elif claim.status_filter == StatusFilter.HONOURED:
            await self._list_running(desk, batch, claim)
        else:
            await self._lists.bring_looks_forward(claim)
        if claim.credits_are_due:
            await self._ask_for_credits(desk, batch)

    async def _ask_for_credits(self, desk: Desk, batch: Batch[RunningClaim]) -> None:
        """How much is left; an account for which that cannot be had works without it."""
        answer = await desk.client.get_credits(send_before=batch.send_before(self._tools.deadline))
        if isinstance(answer, Failure):
            notes = notes_of(classify(Request.LIST, answer), Lane.LIST, None)
            await self._tools.accounts.note(desk.account, [note for note in notes if isinstance(note, MustWait)])
        await self._tools.accounts.credits(desk.account, None if isinstance(answer, Failure) else answer.left)

    # --- what the list honours ---------------------------------------------------------------------------------------

    async def _probe(self, desk: Desk, batch: Batch[RunningClaim], claim: RunningClaim) -> None:
        """A request that does not come leaves all as it was, until the next try."""
        probe = await ListProbe(desk, lambda: self._send_before(batch, claim)).ask()
        if probe is None:
            return
        if isinstance(probe, Failure):
            await self._after_failure(desk, batch, claim, probe)
            return
        verdict = judge(probe)
        await self._tools.accounts.note(desk.account, [Worked(lane=Lane.LIST)])
        await self._tools.reached(self.name, Beat.ANSWERED)
        applied = await self._lists.write_verdict(claim, verdict, now=batch.now(), page_rows=probe.most_rows)
        if verdict.status_filter != claim.status_filter:
            self._tools.log.info(
                "list_judged", account=desk.account, status_filter=verdict.status_filter, applied=applied
            )

    async def _send_before(self, batch: Batch[RunningClaim], claim: RunningClaim) -> float | None:
        """By when one more request must be on its way, under a lease that is renewed; None: it has passed on."""
        if self._tools.stopping.is_set():
            return None
        renewed_at = await self._lists.renew(claim)
        return None if renewed_at is None else renewed_at + (batch.lease - self._tools.deadline).total_seconds()

    # --- the list ----------------------------------------------------------------------------------------------------

    async def _list_running(self, desk: Desk, batch: Batch[RunningClaim], claim: RunningClaim) -> None:
        listed_at = batch.now()  # no later than the request: what was seen after it is newer
        listed = await self._read(desk, batch, claim)
        if listed.stranger is not None:
            await self._distrust(claim, listed.stranger, batch.now())
            return
        if not listed.whole:
            await self._after_failure(desk, batch, claim, listed.failure)
            return
        await self._tools.accounts.note(desk.account, [Worked(lane=Lane.LIST)])
        running = RunningList(sightings=tuple(listed.sightings.values()), listed_at=listed_at)
        known = await self._lists.known(desk.account, running.sightings)
        findings = decide_running(running, known, account=desk.account)
        await self._tools.reached(self.name, Beat.ANSWERED)
        left = await self._lists.write(claim, running, findings.others, page_rows=listed.page_rows)
        if left is None:
            return
        next_at = cadence.next_list_of_running(listed_at, now=batch.now(), policy=self._tools.policy)
        self._wake_after((next_at - batch.now()).total_seconds())
        if left or findings.others.looks:
            self._wake_watch()
        await self._write_begun(desk, findings, listed_at)

    async def _read(self, desk: Desk, batch: Batch[RunningClaim], claim: RunningClaim) -> _Listed:
        """Page after page; the lease is renewed for each but the first."""
        listed = _Listed()
        position = Position.beginning(
            {"status": VendorStatus.ACTIVE.value}, page_rows=claim.page_rows, paging=claim.paging
        )
        send_before: float | None = batch.send_before(self._tools.deadline)
        for _ in range(PAGES_MAX):
            if send_before is None:
                return listed
            read = await read_sessions(desk.client, position, send_before=send_before)
            if isinstance(read, Failure):
                listed.failure = read
                return listed
            if read.page is not None:
                self._remember(listed, read.page)
            if isinstance(read.then, ListEnd):
                listed.whole = read.then == ListEnd.ALL_SEEN
                return listed
            if listed.stranger is not None:
                return listed
            position = read.then
            send_before = await self._send_before(batch, claim)
        return listed

    def _remember(self, listed: _Listed, page: SightingPage) -> None:
        if not is_pure(page, VendorStatus.ACTIVE):
            listed.stranger = next(seen for seen in page.sightings if seen.status != VendorStatus.ACTIVE)
        listed.sightings |= {seen.session_id: seen for seen in page.sightings}
        listed.page_rows = max(listed.page_rows, len(page.sightings))

    async def _write_begun(self, desk: Desk, findings: RunningFindings, listed_at: datetime) -> None:
        """Interviews that were not known to run: each is claimed and written as after a look."""
        if not findings.begun:
            return
        batch = await self._tools.claims.listed(desk.account, list(findings.begun), listed_at=listed_at)
        for claim in batch.rows:
            decision = decide_listed(
                claim,
                findings.begun[claim.post_id],
                time=LookTime(sent_at=listed_at, now=batch.now()),
                policy=self._tools.policy,
                jitter=self._tools.jitter(),
            )
            await write_and_tell(self._tools, self.name, claim, decision)

    # --- when it goes wrong ------------------------------------------------------------------------------------------

    async def _distrust(self, claim: RunningClaim, stranger: Sighting, now: datetime) -> None:
        """A list that was asked for what runs shows something else: it may have been changed since it was probed."""
        verdict = Verdict(
            status_filter=StatusFilter.IGNORED,
            evidence={"status": {"session_id": stranger.session_id, "was": stranger.status}},
        )
        await self._tools.reached(self.name, Beat.ANSWERED)
        await self._lists.write_verdict(claim, verdict, now=now, page_rows=0)
        self._tools.log.warning("list_judged", account=claim.account, status_filter=verdict.status_filter)

    async def _after_failure(
        self, desk: Desk, batch: Batch[RunningClaim], claim: RunningClaim, failure: Failure | None
    ) -> None:
        """No list, or one that cannot be paged to its end."""
        counts = 1
        if failure is not None:
            meaning = classify(Request.LIST, failure)
            await self._tools.accounts.note(desk.account, notes_of(meaning, Lane.LIST, None))
            counts = 0 if isinstance(meaning, DidNotSend) else 1
        await self._tools.reached(self.name, Beat.ANSWERED)
        await self._lists.try_later(claim, failures=claim.failures + counts, now=batch.claimed_at)
