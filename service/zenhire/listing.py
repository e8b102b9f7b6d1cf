"""
Walks through the lists of sessions and personas, whose way of paging nobody has written down (contract §2.1, §2.3).

A cursor is followed where the envelope shows one; else `offset` is tried, then `page`. A way counts as working once it
has brought a page that is not the first one again. The end is an empty page, or one that brings nothing new; never a
total.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Protocol, TypeVar

from service.core.observations import ErrorAnswer, Failure, PersonaPage, SightingPage
from service.zenhire.client import ZenhireClient

PAGE_LIMIT = 100

#: The sibling API's default (contract §2.3). A first page that is shorter, or says that none follows, is believed to be
#: the whole list, but only once every way to a next page was tried.
SHORTEST_FULL_PAGE = 20


class ListEnd(StrEnum):
    """How a walk ended."""

    ALL_SEEN = "all_seen"
    CANNOT_PAGE = "cannot_page"  #: there may be more, and no known way to it
    REQUESTS_MAX = "requests_max"  #: the caller's own limit


class Way(StrEnum):
    """A way of asking for the next page."""

    CURSOR = "cursor"
    OFFSET = "offset"
    PAGE_FROM_0 = "page_from_0"
    PAGE_FROM_1 = "page_from_1"


_WAYS = (Way.CURSOR, Way.OFFSET, Way.PAGE_FROM_0, Way.PAGE_FROM_1)

Params = Mapping[str, str]


class Page(Protocol):
    """What the pager needs of a page."""

    @property
    def ids(self) -> tuple[str, ...]: ...
    @property
    def unreadable(self) -> int: ...
    @property
    def next_cursor(self) -> str | None: ...
    @property
    def says_last(self) -> bool: ...


PageT = TypeVar("PageT", SightingPage, PersonaPage)


class Pager:
    """Finds out, page by page, how this list is paged. No I/O: pages in, parameters of the next one or the end out."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._first_id: str | None = None
        self._first_page_is_whole = False
        self._rows = 0
        self._pages = 0
        self._cursor: str | None = None
        self._way = 0
        self._works = False

    @property
    def started(self) -> bool:
        return self._pages > 0

    @property
    def way(self) -> Way | None:
        """The way that works here, once one was found."""
        return _WAYS[self._way] if self._works else None

    def after(self, page: Page) -> Params | ListEnd:
        """What to do after this page."""
        ids = page.ids
        rows = len(ids) + page.unreadable
        if rows == 0:
            return ListEnd.ALL_SEEN
        # New sessions push rows to the next page, so one that repeats some is no repeated page; and a repeated first
        # page may begin with new ones, so it is known by what was its first row.
        is_next = not self._seen.issuperset(ids) and self._first_id not in ids
        self._seen.update(ids)
        if not self.started:
            self._first_id = next(iter(ids), None)
            self._first_page_is_whole = rows < SHORTEST_FULL_PAGE or page.says_last
            return self._go_on(page, rows)
        if is_next:
            self._works = True
            return self._go_on(page, rows)
        # Past the end some lists repeat a page. A way that ignores its parameter repeats it from the start.
        return ListEnd.ALL_SEEN if self._works else self._try_next_way()

    def after_refusal(self) -> Params | ListEnd:
        """What to do after a 400 to the last parameters."""
        return ListEnd.CANNOT_PAGE if self._works else self._try_next_way()

    def _go_on(self, page: Page, rows: int) -> Params | ListEnd:
        self._rows += rows
        self._pages += 1
        self._cursor = page.next_cursor
        if self._cursor is None and _WAYS[self._way] == Way.CURSOR:
            return ListEnd.ALL_SEEN if self._works else self._try_next_way()
        return self._params()

    def _try_next_way(self) -> Params | ListEnd:
        if self._way + 1 == len(_WAYS):
            return ListEnd.ALL_SEEN if self._first_page_is_whole else ListEnd.CANNOT_PAGE
        self._way += 1
        return self._params()

    def _params(self) -> Params:
        match _WAYS[self._way]:
            case Way.CURSOR:
                return {"cursor": self._cursor or ""}
            case Way.OFFSET:
                return {"offset": str(self._rows)}
            case Way.PAGE_FROM_0:
                return {"page": str(self._pages)}
            case Way.PAGE_FROM_1:
                return {"page": str(self._pages + 1)}


def walk_sessions(
    client: ZenhireClient, filters: Params, *, send_before: Callable[[], float], requests_max: int
) -> AsyncIterator[SightingPage | Failure | ListEnd]:
    """
    Page after page of sessions; the last item is a `ListEnd`, or the failure that ended the walk.

    A caller that has found what it looked for simply stops. Where the vendor refuses the parameters, the list is asked
    for without any: rows that the filters would have left out are then among those that come.
    """
    return _walk(lambda params: client.list_sessions(params, send_before=send_before()), filters, requests_max)


def walk_personas(
    client: ZenhireClient, *, send_before: Callable[[], float], requests_max: int
) -> AsyncIterator[PersonaPage | Failure | ListEnd]:
    """Page after page of the client's personas, as `walk_sessions`."""
    return _walk(lambda params: client.list_personas(params, send_before=send_before()), {}, requests_max)


async def _walk(
    ask: Callable[[Params], Awaitable[PageT | Failure]], filters: Params, requests_max: int
) -> AsyncIterator[PageT | Failure | ListEnd]:
    pager = Pager()
    base = params = {"limit": str(PAGE_LIMIT), **filters}
    for _ in range(requests_max):
        page = await ask(params)
        if not isinstance(page, Failure):
            yield page
            step = pager.after(page)
        elif _is_refusal(page) and pager.started:
            step = pager.after_refusal()
        elif _is_refusal(page) and params:
            base = params = {}
            continue
        else:
            yield page
            return
        if isinstance(step, ListEnd):
            yield step
            return
        params = {**base, **step}
    yield ListEnd.REQUESTS_MAX


def _is_refusal(answer: Failure) -> bool:
    return isinstance(answer, ErrorAnswer) and answer.http_status in {400, 422} and answer.has_envelope
