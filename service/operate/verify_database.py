"""The half of `verify` that asks no vendor: what stands in the database against what must hold there."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from service.core.findings import Finding
from service.core.stored import StoredBytes, check_stored
from service.core.verifying import check_invite
from service.operate.verify_sitting import Sitting
from service.operate.words import counted
from service.postgres.verify import Page, VerifyRows

INVITES, TRANSCRIPTS = "invites", "transcripts"

INVITES_PER_PAGE = 500
TRANSCRIPTS_PER_PAGE = 1000
BYTES_PER_PORTION = 32 * 1024 * 1024  #: hashed within one short transaction

BEGINNING = UUID(int=0)


class DatabaseChecks:
    """Invites with their posts and history, then the stored bytes; page by page, each found thing read twice."""

    def __init__(self, rows: VerifyRows, sitting: Sitting) -> None:
        self._rows = rows
        self._sitting = sitting
        self._about = 0

    async def invites(self) -> None:
        """Every invite, in the order of their ids."""
        self._about = await self._rows.about()
        after = self._position(INVITES)
        while (page := await self._rows.invites(after, INVITES_PER_PAGE)).invites:
            suspects = self._check(page)
            self._sitting.state.add(await self._found_again(suspects))
            self._sitting.state.checked["invites"] += len(page.invites)
            self._sitting.state.checked["posts"] += sum(len(invite.posts) for invite in page.invites)
            after = page.invites[-1].invite_id
            await self._sitting.keep(INVITES, after=str(after))
            self._tell(INVITES, "invites")

    async def transcripts(self) -> None:
        """Every stored transcript, in the order of their posts."""
        after = self._position(TRANSCRIPTS)
        while sizes := await self._rows.transcript_sizes(after, TRANSCRIPTS_PER_PAGE):
            for portion in _portions(sizes):
                suspects = [*_check_bytes(await self._rows.stored_bytes(portion))]
                self._sitting.state.add(await self._differs_again(suspects))
                self._sitting.state.checked["transcripts"] += len(portion)
                after = portion[-1]
                await self._sitting.keep(TRANSCRIPTS, after=str(after))
                self._tell(TRANSCRIPTS, "stored transcripts")

    async def still_hold(self, findings: Sequence[Finding]) -> set[tuple[object, ...]]:
        """Which of these findings of an earlier moment hold now, by their keys."""
        again = [*await self._found_again(findings), *await self._differs_again(findings)]
        return {finding.key for finding in again}

    def _position(self, part: str) -> UUID:
        after = self._sitting.position_in(part).get("after")
        return UUID(after) if after else BEGINNING

    def _check(self, page: Page) -> list[Finding]:
        if page.now is None:
            return []
        policy = self._sitting.policy
        return [finding for invite in page.invites for finding in check_invite(invite, now=page.now, policy=policy)]

    async def _found_again(self, suspects: Sequence[Finding]) -> list[Finding]:
        """The same rows once more, a moment later: what has come right meanwhile is no finding."""
        ids = sorted({finding.invite_id for finding in suspects if finding.invite_id is not None})
        again: list[Finding] = []
        for first in range(0, len(ids), INVITES_PER_PAGE):
            again += self._check(await self._rows.again(ids[first : first + INVITES_PER_PAGE]))
        return _both(suspects, again)

    async def _differs_again(self, suspects: Sequence[Finding]) -> list[Finding]:
        ids = sorted({finding.post_id for finding in suspects if finding.post_id is not None})
        again = [finding for post_id in ids for finding in _check_bytes(await self._rows.stored_bytes([post_id]))]
        return _both(suspects, again)

    def _tell(self, what: str, words: str) -> None:
        done = self._sitting.state.checked[what]
        is_known = what == INVITES and self._about > done
        of = f" of about {self._about:,}" if is_known else ""
        found = counted(self._sitting.state.total, "finding")
        part = done / self._about if is_known else None
        self._sitting.progress.note(f"database: {done:,}{of} {words} checked, {found}", part=part)


def _both(suspects: Iterable[Finding], again: Iterable[Finding]) -> list[Finding]:
    """Those that were found twice, as they were found the second time."""
    keys = {finding.key for finding in suspects}
    return [finding for finding in again if finding.key in keys]


def _check_bytes(stored: Iterable[StoredBytes]) -> Iterator[Finding]:
    for one in stored:
        yield from check_stored(one)


def _portions(sizes: Iterable[tuple[UUID, int]]) -> Iterator[list[UUID]]:
    portion: list[UUID] = []
    total = 0
    for post_id, byte_count in sizes:
        if portion and total + byte_count > BYTES_PER_PORTION:
            yield portion
            portion, total = [], 0
        portion.append(post_id)
        total += byte_count
    if portion:
        yield portion
