"""personas: the roles and languages that waiting invites name → one persona each, found or created."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from service.core.model import Lane, PersonaClaim
from service.core.observations import Failure, NotSent, PersonaSeen
from service.core.personas import (
    RefusePersona,
    TryLater,
    UsePersona,
    after_create,
    after_failed_list,
    choose_persona,
    too_many,
)
from service.postgres.claims import Batch
from service.postgres.personas import Intent, PersonaRows
from service.steps.beats import Beat
from service.steps.desk import Desk, Tools
from service.zenhire.listing import ListEnd, Position, read_personas

ROWS_PER_TICK = 10
REQUESTS_PER_WALK = 100


@dataclass(slots=True)
class _Listing:
    """The client's personas as far as they were read. With a small budget one lease has no time for all requests."""

    began_at: datetime
    position: Position | ListEnd = field(default_factory=Position)
    personas: list[PersonaSeen] = field(default_factory=list)
    unsent: dict[UUID, int] = field(default_factory=dict)  #: by row, how many posts it had with one that was not sent

    def may_miss(self, rows: Sequence[PersonaClaim]) -> bool:
        """Whether one of these was asked for after this was begun: it may have been created since."""
        return any(
            row.posted_at is not None and row.posted_at >= self.began_at and self.unsent.get(row.row_id) != row.posts
            for row in rows
        )


class PersonaStep:
    """Runs before `start`: an invite by role and language is claimed only once its persona is at hand."""

    def __init__(self, tools: Tools, rows: PersonaRows) -> None:
        self._tools = tools
        self._rows = rows
        self._places = tools.places()
        self._listings: dict[str, _Listing] = {}  #: by account: those that go on in the next tick

    async def resolve(self, desk: Desk) -> None:
        """Find or create what the waiting invites of this account need."""
        async with self._places.one() as is_ours:
            if is_ours:
                await self._resolve(desk)

    async def _resolve(self, desk: Desk) -> None:
        await self._tools.claims.want_personas(desk.account)
        if not await self._tools.claims.due_personas(desk.account):
            return
        grant = await desk.budget.reserve(Lane.PERSONA, 2)
        if grant.slots == 0:
            return
        await self._reached(Beat.RESERVED)
        batch = await self._tools.claims.personas(desk.account, ROWS_PER_TICK)
        if batch.rows:
            await self._reached(Beat.CLAIMED)
            await self._serve(desk, batch)

    async def doubt(self, account: str, persona_id: str) -> None:
        """The vendor does not know this persona (any more): the next invite must not meet the same refusal."""
        await self._rows.doubt(account, persona_id)

    async def _reached(self, beat: Beat) -> None:
        await self._tools.reached("personas", beat)

    async def _serve(self, desk: Desk, batch: Batch[PersonaClaim]) -> None:
        listed = await self._list(desk, batch)
        await self._reached(Beat.LISTED)
        for claim in batch.rows:
            choice = await self._choose(desk, batch, claim, listed)
            await self._reached(Beat.ANSWERED)
            written = choice is not None and await self._rows.write(claim, choice)
            await self._reached(Beat.WRITTEN)
            self._tools.log.info(
                "persona_decided", account=desk.account, decision=type(choice).__name__, applied=written
            )

    async def _choose(
        self,
        desk: Desk,
        batch: Batch[PersonaClaim],
        claim: PersonaClaim,
        listed: _Listing | Failure,
    ) -> UsePersona | RefusePersona | TryLater | None:
        """The choice to write; None: the lease has passed to another, who decides."""
        if isinstance(listed, Failure):
            later, notes = after_failed_list(claim, listed, now=batch.now(), jitter=self._tools.jitter())
            await self._tools.accounts.note(desk.account, notes)
            return later
        choice = choose_persona(claim, listed.personas)
        if isinstance(choice, UsePersona):
            return choice
        match await self._rows.intend(claim, per_day=self._tools.policy.personas_per_day):
            case Intent.COMMITTED:
                await self._reached(Beat.INTENDED)
                return await self._create(desk, batch, claim, listed)
            case Intent.TOO_MANY:
                return too_many(self._tools.policy, now=batch.now())
            case Intent.LEASE_PASSED:
                return None

    async def _create(
        self, desk: Desk, batch: Batch[PersonaClaim], claim: PersonaClaim, listed: _Listing
    ) -> UsePersona | RefusePersona | TryLater:
        answer = await desk.client.create_persona(
            claim.role_name, claim.language, send_before=batch.send_before(self._tools.deadline)
        )
        if isinstance(answer, NotSent) and answer.held_back:  # what was read is still true
            listed.unsent[claim.row_id] = claim.posts + 1
            self._listings[desk.account] = listed
        jitter = self._tools.jitter()
        choice, notes = after_create(claim, answer, now=batch.now(), policy=self._tools.policy, jitter=jitter)
        await self._tools.accounts.note(desk.account, notes)
        return choice

    async def _list(self, desk: Desk, batch: Batch[PersonaClaim]) -> _Listing | Failure:
        """All of the client's personas: one that is overlooked would be made again, for ever."""
        send_before = batch.send_before(self._tools.deadline)
        listing = self._listings.pop(desk.account, None)
        if listing is None or listing.may_miss(batch.rows):
            listing = _Listing(batch.claimed_at)
        for _ in range(REQUESTS_PER_WALK):
            if isinstance(listing.position, ListEnd):
                break
            read = await read_personas(desk.client, listing.position, send_before=send_before)
            if isinstance(read, Failure):
                if isinstance(read, NotSent) and read.held_back:
                    self._listings[desk.account] = listing
                return read
            listing.personas += read.page.personas if read.page else ()
            listing.position = read.then
        return listing
