"""
Walks through the lists of sessions and personas, whose way of paging nobody has written down (contract §2.1, §2.3).

The way that a probe has found comes first. Else a cursor is followed where the envelope shows one, then `offset` is
tried, then `page`. A way counts as working once it has brought a page that is not the first one again. The end is an
empty page, or pages that bring nothing new; never a total.

A walk is a chain of positions: each is all that is needed to ask for one more page, in this process or in another.
"""

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from service.core.observations import ErrorAnswer, Failure, PersonaPage, SightingPage
from service.core.probing import Paging
from service.zenhire.client import ZenhireClient

PAGE_LIMIT = 100

#: The sibling API's default (contract §2.3). A first page that is shorter, or says that none follows, is believed to be
#: the whole list, but only once every way to a next page was tried.
SHORTEST_FULL_PAGE = 20

#: So many pages that bring nothing new are the end. One alone may be a list that has moved: while a walk rested, new
#: rows pushed those that it had read to where it reads next.
REPEATS_AT_THE_END = 3


class ListEnd(StrEnum):
    """How a walk ended."""

    ALL_SEEN = "all_seen"
    CANNOT_PAGE = "cannot_page"  #: there may be more, and no known way to it
    REQUESTS_MAX = "requests_max"  #: the caller's own limit


_WAYS = (Paging.CURSOR, Paging.OFFSET, Paging.PAGE_FROM_0, Paging.PAGE_FROM_1)

Params = Mapping[str, str]


class Page(Protocol):
    """What a walk needs of a page."""

    @property
    def ids(self) -> tuple[str, ...]: ...
    @property
    def unreadable(self) -> int: ...
    @property
    def next_cursor(self) -> str | None: ...
    @property
    def says_last(self) -> bool: ...


PageT = TypeVar("PageT", SightingPage, PersonaPage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """
    Where a walk stands: how its next page is asked for, and as much of what it has read as tells the end.

    That is the first row, the last two pages, and one page further back: memory does not grow with the list. Rows are
    remembered as numbers of 32 bits. No I/O: a page in, the position after it out.
    """

    filters: Params = field(default_factory=dict)
    page_rows: int = 0  #: pages of so many rows are known: one with fewer is the last; 0: not known
    bare: bool = False  #: the vendor refused so long a page, so it is asked for as it comes
    way: Paging = Paging.CURSOR
    works: bool = False  #: this way has brought a page that is not the first one again
    requests: int = 0
    pages: int = 0
    rows: int = 0
    cursor: str | None = None
    first_id: str | None = None
    first_page_is_whole: bool = False
    last_pages: tuple[tuple[int, ...], ...] = ()
    landmark: tuple[int, ...] = ()  #: a page further back, so that a list that goes in circles is noticed
    landmark_page: int = 0
    repeats: int = 0
    tried: tuple[Paging, ...] = ()  #: the ways that have brought the first page again, or an error

    @classmethod
    def beginning(
        cls, filters: Params | None = None, *, page_rows: int = 0, paging: Paging = Paging.UNKNOWN
    ) -> "Position":
        """Before the first page; `paging`: the way that is known to work, which is tried first."""
        way = paging if paging in _WAYS else _WAYS[0]
        return cls(filters=filters or {}, page_rows=page_rows, way=way)

    @property
    def params(self) -> dict[str, str]:
        """The parameters of the next request."""
        base = dict(self.filters) if self.bare else {"limit": str(PAGE_LIMIT), **self.filters}
        return base if self.pages == 0 else base | _place(self)

    def after(self, page: Page) -> "Position | ListEnd":
        """Where the walk stands after this page, or how it has ended."""
        asked = replace(self, requests=self.requests + 1)
        rows = len(page.ids) + page.unreadable
        if rows == 0 or (rows < self.page_rows and page.next_cursor is None):
            return ListEnd.ALL_SEEN
        if self.pages == 0:
            whole = rows < SHORTEST_FULL_PAGE or page.says_last
            first = replace(asked, first_id=next(iter(page.ids), None), first_page_is_whole=whole)
            return _go_on(first, page, rows)
        if not _is_known(self, page):
            return _go_on(replace(asked, works=True), page, rows)
        # A way that ignores its parameter repeats the list from the start. Past the end some lists repeat a page.
        if not self.works:
            return _try_next_way(asked)
        if self.repeats + 1 == REPEATS_AT_THE_END:
            return ListEnd.ALL_SEEN
        return _go_on(replace(asked, repeats=self.repeats + 1), page, rows)

    def after_refusal(self) -> "Position | ListEnd | None":
        """Where the walk stands after a 400 to these parameters; None: there is no other way to ask."""
        asked = replace(self, requests=self.requests + 1)
        if self.pages > 0:
            return ListEnd.CANNOT_PAGE if self.works else _try_next_way(asked)
        return None if self.bare else replace(asked, bare=True)

    def as_json(self) -> dict[str, Any]:
        """For another process to go on from."""
        return asdict(self) | {"filters": dict(self.filters)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Position":
        """What `as_json` was, after its way through JSON."""
        return cls(
            **{
                **kept,
                "way": Paging(kept["way"]),
                "tried": tuple(Paging(way) for way in kept["tried"]),
                "last_pages": tuple(tuple(page) for page in kept["last_pages"]),
                "landmark": tuple(kept["landmark"]),
            }
        )


def _is_known(position: Position, page: Page) -> bool:
    """
    Whether this page brings nothing new, as far as is remembered.

    New sessions push rows to the next page, so one that repeats some is no repeated page; and a repeated first page
    may begin with new ones, so it is known by what was its first row.
    """
    if position.first_id in page.ids:
        return True
    rows = {_brief(name) for name in page.ids}
    lately = {row for kept in position.last_pages for row in kept}
    return rows <= lately or rows <= set(position.landmark)


def _go_on(position: Position, page: Page, rows: int) -> Position | ListEnd:
    brief = tuple(_brief(name) for name in page.ids)
    pages = position.pages + 1
    moved = replace(
        position,
        pages=pages,
        rows=position.rows + rows,
        cursor=page.next_cursor,
        last_pages=(*position.last_pages[-1:], brief),
    )
    if pages >= 2 * position.landmark_page:  # each landmark stands twice as far as the one before: any circle is met
        moved = replace(moved, landmark=brief, landmark_page=pages)
    if moved.cursor is None and moved.way == Paging.CURSOR:
        return ListEnd.ALL_SEEN if moved.works else _try_next_way(moved)
    return moved


def _try_next_way(position: Position) -> Position | ListEnd:
    tried = (*position.tried, position.way)
    for way in _WAYS:
        if way not in tried and (way != Paging.CURSOR or position.cursor is not None):
            return replace(position, way=way, tried=tried)
    return ListEnd.ALL_SEEN if position.first_page_is_whole else ListEnd.CANNOT_PAGE


def _place(position: Position) -> dict[str, str]:
    match position.way:
        case Paging.CURSOR:
            return {"cursor": position.cursor or ""}
        case Paging.OFFSET:
            return {"offset": str(position.rows)}
        case Paging.PAGE_FROM_0:
            return {"page": str(position.pages)}
        case _:
            return {"page": str(position.pages + 1)}


def _brief(name: str) -> int:
    """An id as a number: enough to tell whether a whole page came before."""
    return zlib.crc32(name.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Generic[PageT]):
    """What one request of a walk brought, and where the walk stands now."""

    page: PageT | None  #: None: the vendor refused the parameters, and the position has others
    then: Position | ListEnd


async def read_sessions(
    client: ZenhireClient, position: Position, *, send_before: float
) -> Read[SightingPage] | Failure:
    """Ask for the page at `position`: one request. After a failure the walk may go on from the same position."""
    return await _read(lambda params: client.list_sessions(params, send_before=send_before), position)


def walk_sessions(
    client: ZenhireClient, position: Position, *, send_before: Callable[[], float], requests_max: int
) -> AsyncIterator[SightingPage | Failure | ListEnd]:
    """
    Page after page of sessions, from `position`; the last item is a `ListEnd`, or the failure that ended the walk.

    A caller that has found what it looked for simply stops. Where the vendor refuses the length of a page, it comes as
    long as the vendor makes it; where it refuses the filters, that is the failure.
    """
    return _walk(lambda params: client.list_sessions(params, send_before=send_before()), position, requests_max)


async def read_personas(
    client: ZenhireClient, position: Position, *, send_before: float
) -> Read[PersonaPage] | Failure:
    """Ask for the page of the client's personas at `position`, as `read_sessions`."""
    return await _read(lambda params: client.list_personas(params, send_before=send_before), position)


async def _walk(
    ask: Callable[[Params], Awaitable[SightingPage | Failure]], position: Position, requests_max: int
) -> AsyncIterator[SightingPage | Failure | ListEnd]:
    while position.requests < requests_max:
        read = await _read(ask, position)
        if isinstance(read, Failure):
            yield read
            return
        if read.page is not None:
            yield read.page
        if isinstance(read.then, ListEnd):
            yield read.then
            return
        position = read.then
    yield ListEnd.REQUESTS_MAX


async def _read(ask: Callable[[Params], Awaitable[PageT | Failure]], position: Position) -> Read[PageT] | Failure:
    answer = await ask(position.params)
    if not isinstance(answer, Failure):
        return Read(page=answer, then=position.after(answer))
    then = position.after_refusal() if is_refusal(answer) else None
    return answer if then is None else Read(page=None, then=then)


def is_refusal(answer: Failure) -> bool:
    """Whether the vendor says that a parameter is wrong."""
    return isinstance(answer, ErrorAnswer) and answer.http_status in {400, 422} and answer.has_envelope
