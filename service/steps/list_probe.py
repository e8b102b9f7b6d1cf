"""
The requests that find out what the vendor's list of sessions honours: five to eleven, once a day and after surprises.

What their answers mean is decided by `core/probing.py`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from service.core.model import VendorStatus
from service.core.observations import Failure, Sighting, SightingPage
from service.core.probing import REF_PARAMETERS, Paging, Probe, RefFilter, one_of_several, ref_filter
from service.steps.desk import Desk
from service.zenhire.listing import PAGE_LIMIT, ListEnd, Position, is_refusal, read_sessions

#: By when the next request must be on its way; None: there is to be none.
SendBefore = Callable[[], Awaitable[float | None]]

REQUESTS_FOR_PAGING = 6  #: the first page, perhaps once more without its length, and each way to the next


class _Ended(Exception):
    """The probe cannot go on: its lease has passed on, or a request brought no answer."""

    def __init__(self, failure: Failure | None = None) -> None:
        super().__init__()
        self.failure = failure


@dataclass(slots=True)
class _Paged:
    """The list as it is, and the way to its second page."""

    first: SightingPage
    paging: Paging = Paging.UNKNOWN
    next_rows: int | None = None


class ListProbe:
    """One probe of an account's list."""

    def __init__(self, desk: Desk, send_before: SendBefore) -> None:
        self._desk = desk
        self._send_before = send_before

    async def ask(self) -> Probe | Failure | None:
        """All that the list was asked for; None: the lease has passed on."""
        try:
            return await self._ask()
        except _Ended as ended:
            return ended.failure

    async def _ask(self) -> Probe:
        paged = await self._paged()
        one = one_of_several(paged.first)
        return Probe(
            unfiltered=paged.first,
            active=await self._filtered(status=VendorStatus.ACTIVE.value),
            completed=await self._filtered(status=VendorStatus.COMPLETED.value),
            rows_asked=PAGE_LIMIT,
            paging=paged.paging,
            next_rows=paged.next_rows,
            one=one,
            of_one=await self._of_one(one) if one else {},
        )

    async def _paged(self) -> _Paged:
        """The first page, and of the next one as much as tells how it is asked for."""
        paged: _Paged | None = None
        position = Position()
        for _ in range(REQUESTS_FOR_PAGING):
            page, then = await self._read(position)
            if page is not None and paged is None:
                paged = _Paged(first=page)
            elif page is not None and paged is not None and _led_on(position, page, then):
                return _Paged(first=paged.first, paging=position.way, next_rows=len(page.sightings))
            if then is ListEnd.CANNOT_PAGE and paged is not None:
                return _Paged(first=paged.first, paging=Paging.NONE)
            if isinstance(then, ListEnd):
                break
            position = then
        return paged or _Paged(first=SightingPage(sightings=()))

    async def _of_one(self, one: Sighting) -> dict[str, SightingPage | None]:
        """The list of one candidate, in one spelling after the other until one is honoured."""
        pages: dict[str, SightingPage | None] = {}
        for parameter in REF_PARAMETERS:
            pages[parameter] = await self._filtered(**{parameter: one.candidate_ref or ""})
            if ref_filter(pages[parameter], one) is RefFilter.HONOURED:
                break
        return pages

    async def _filtered(self, **filters: str) -> SightingPage | None:
        """The first page of a list; None: the vendor refuses such a filter."""
        position: Position | ListEnd = Position(filters=filters)
        while isinstance(position, Position):
            try:
                page, position = await self._read(position)
            except _Ended as ended:
                if ended.failure is not None and is_refusal(ended.failure):
                    return None
                raise
            if page is not None:
                return page
        return None

    async def _read(self, position: Position) -> tuple[SightingPage | None, Position | ListEnd]:
        send_before = await self._send_before()
        if send_before is None:
            raise _Ended
        read = await read_sessions(self._desk.client, position, send_before=send_before)
        if isinstance(read, Failure):
            raise _Ended(read)
        return read.page, read.then


def _led_on(asked: Position, page: SightingPage, then: Position | ListEnd) -> bool:
    """Whether this way led to sessions that the first page did not have, or past the end of the list."""
    if isinstance(then, Position):
        return then.works
    is_past_the_end = not page.sightings and not page.unreadable
    return then is ListEnd.ALL_SEEN and (is_past_the_end or asked.way is Paging.CURSOR)
