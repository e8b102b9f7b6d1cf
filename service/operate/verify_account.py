"""One account's sessions at the vendor against the database: its list page by page, then what the list did not show."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from service.core.comparing import Known, compare
from service.core.failures import Missing, Request
from service.core.findings import Finding, Kind, Level
from service.core.listed import Disagreement, gone, judge
from service.core.observations import Failure, Sighting, SightingPage
from service.operate.verify_ask import Asker, CannotAsk, NoAnswer
from service.operate.verify_sitting import Sitting
from service.operate.verify_state import Reach
from service.operate.words import counted
from service.postgres.verify_vendor import VendorRows
from service.zenhire.listing import ListEnd, Position, Read, read_sessions

REQUESTS_MAX = 20_000  #: two million sessions; a list that is longer has no end
LOOKS_MAX = 200  #: for one account: at what the list does not show, and at what would be drift


@dataclass(slots=True)
class AccountCheck:
    """One account, once."""

    rows: VendorRows
    asker: Asker
    sitting: Sitting
    base_url: str
    part: str
    tally: Counter[str] = field(default_factory=Counter)  #: sessions, pages, not_ours, looks, requests
    client_id: str | None = None
    _kept: dict[str, Any] = field(default_factory=dict)  #: where another run goes on

    @property
    def account(self) -> str:
        return self.asker.desk.account

    async def run(self) -> dict[str, Any]:
        """How far it could be checked, and with how many requests."""
        unanswered = self.sitting.state.unanswered
        self._kept = unanswered.pop(self.account, {})
        try:
            reach, why = await self._check()
        except NoAnswer as error:
            reach, why = Reach.FAILED, str(error)
            unanswered[self.account] = self._kept
        except CannotAsk as error:
            reach, why = Reach.FAILED, str(error)
        return {"reach": str(reach), "why": why, **self._counts()}

    def _counts(self) -> dict[str, int]:
        names = ("sessions", "pages", "not_ours", "looks")
        return {name: self.tally[name] for name in names} | {"requests": self.asker.requests}

    async def _check(self) -> tuple[Reach, str | None]:
        row = await self.rows.account()
        if row is None:
            return Reach.NOTHING_KNOWN, "no replica has worked for this account yet"
        if row.base_url is not None and row.base_url != self.base_url:
            raise CannotAsk(f"its sessions are at {row.base_url}, and ZENHIRE_BASE_URL is {self.base_url}")
        self.client_id = row.client_id
        began_at, position = await self._begin()
        end = await self._walk(position, began_at)
        await self._look_at_unseen(began_at)
        if end == ListEnd.ALL_SEEN:
            return Reach.WHOLE, None
        why = "the list shows no way to its next page" if end == ListEnd.CANNOT_PAGE else "the list has no end"
        what = (
            f"Only {counted(self.tally['sessions'], 'session')} of ZenHire's list could be seen: {why}. Whether there "
            "are sessions beyond that this database does not know is not proven."
        )
        self._note(Kind.LIST_UNPROVEN, what)
        return Reach.IN_PART, why

    async def _begin(self) -> tuple[datetime, Position]:
        position = self.sitting.position_in(self.part)
        kept = dict(position) if position.get("account") == self.account else self._kept
        if not kept:
            return await self.rows.now(), Position()
        self._kept = kept
        self.tally.update(kept["tally"])
        self.asker.requests = kept["tally"]["requests"]
        return datetime.fromisoformat(kept["began_at"]), Position.from_json(kept["walk"])

    # --- the list ----------------------------------------------------------------------------------------------------

    async def _walk(self, position: Position, began_at: datetime) -> ListEnd:
        while position.requests < REQUESTS_MAX:
            listed_at = await self.rows.now()  # no later than the request: what was seen after it is newer
            read = await self.asker.ask(Request.LIST, partial(self._page, position))
            if isinstance(read, Missing):
                raise CannotAsk(f"ZenHire has no list there ({read.code}): is ZENHIRE_BASE_URL right?")
            if read.page is not None:
                await self._compare_page(read.page, listed_at)
            if isinstance(read.then, ListEnd):
                return read.then
            position = read.then
            await self._keep(position, began_at)
        return ListEnd.REQUESTS_MAX

    async def _page(self, position: Position, send_before: float) -> Read[SightingPage] | Failure:
        return await read_sessions(self.asker.desk.net, position, send_before=send_before)

    async def _keep(self, position: Position, began_at: datetime) -> None:
        self._kept = {"account": self.account, "began_at": began_at.isoformat(), "walk": position.as_json()}
        self._kept |= {"tally": self._counts()}
        await self.sitting.keep(self.part, **self._kept)
        found = counted(self.sitting.state.total, "finding")
        self.sitting.progress.note(
            f"ZenHire, account {self.account}: {counted(self.tally['sessions'], 'session')} compared, "
            f"{counted(self.asker.requests, 'request')}, {found}"
        )

    async def _compare_page(self, page: SightingPage, listed_at: datetime) -> None:
        self.tally["pages"] += 1
        self.tally["sessions"] += len(page.sightings)
        self._refuse_other_client(page.sightings)
        known = await self.rows.known(page.sightings)
        await self.rows.saw([one.by_id.post_id for one in known if one.by_id is not None])
        self.tally["not_ours"] += sum(_is_not_ours(seen, one) for seen, one in zip(page.sightings, known, strict=True))
        for seen, finding in await self._findings(page.sightings, known, listed_at):
            if finding.level == Level.DRIFT:
                self.sitting.state.add(await self._found_again(seen, listed_at))
            else:
                self.sitting.state.add([finding])

    def _refuse_other_client(self, sightings: Sequence[Sighting]) -> None:
        others = {seen.client_id for seen in sightings if seen.client_id is not None} - {self.client_id}
        if self.client_id is not None and others:
            raise CannotAsk(f"the key belongs to client {min(others)}, and the sessions here to {self.client_id}")

    async def _findings(
        self, sightings: Sequence[Sighting], known: Sequence[Known], listed_at: datetime
    ) -> list[tuple[Sighting, Finding]]:
        found = [
            (seen, one, what)
            for seen, one in zip(sightings, known, strict=True)
            if (what := compare(seen, one, account=self.account, listed_at=listed_at)) is not None
        ]
        if not found:
            return []
        sweeping, now = await self.rows.sweeping(), await self.rows.now()
        unclaimed = await self.rows.unclaimed([seen.session_id for seen, _, _ in found])
        return [
            (
                seen,
                judge(
                    Disagreement(
                        account=self.account,
                        what=what,
                        seen=seen,
                        known=one,
                        sweeping=sweeping,
                        unclaimed=unclaimed.get(seen.session_id),
                    ),
                    now=now,
                ),
            )
            for seen, one, what in found
        ]

    async def _found_again(self, seen: Sighting, listed_at: datetime) -> list[Finding]:
        """A list may be old: one single look and one more read of the rows tell whether it is so."""
        if self.tally["looks"] < LOOKS_MAX:
            listed_at = await self.rows.now()
            looked = await self._look(seen.session_id)
            seen = seen if isinstance(looked, Missing) else looked
        again = await self._findings([seen], await self.rows.known([seen]), listed_at)
        return [finding for _, finding in again]

    async def _look(self, session_id: str) -> Sighting | Missing:
        self.tally["looks"] += 1
        return await self.asker.ask(Request.LOOK, partial(self._session, session_id))

    async def _session(self, session_id: str, send_before: float) -> Sighting | Failure:
        return await self.asker.desk.net.get_session(session_id, send_before=send_before)

    # --- what the list did not show ----------------------------------------------------------------------------------

    async def _look_at_unseen(self, began_at: datetime) -> None:
        limit = max(LOOKS_MAX - self.tally["looks"], 1)
        unseen, total = await self.rows.unseen(before=began_at, limit=limit)
        there = 0
        for one in unseen:
            looked_at = await self.rows.now()
            seen = await self._look(one.session_id)
            if isinstance(seen, Missing):
                self.sitting.state.add([gone(one, account=self.account)])
            else:
                there += 1
                found = await self._findings([seen], await self.rows.known([seen]), looked_at)
                self.sitting.state.add(finding for _, finding in found)
        if there:
            which = f"{counted(there, 'session')} open here stood not on ZenHire's list"
            self._note(Kind.NOT_LISTED, f"{which}; single looks show that they are there.")
        if total > len(unseen):
            left = counted(total - len(unseen), "session")
            self._note(Kind.LIST_UNPROVEN, f"{left} more stood not on ZenHire's list, and were not looked at.")

    def _note(self, kind: Kind, what: str) -> None:
        self.sitting.state.add([Finding(kind=kind, level=Level.NOTE, account=self.account, what=what)])


def _is_not_ours(seen: Sighting, known: Known) -> bool:
    return seen.post_mark is None and seen.invite_mark is None and known.by_id is None
