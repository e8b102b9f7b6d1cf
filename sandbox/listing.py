"""Lists, in every style that the vendor might have chosen (contract §2.3): which parameters count, how pages go on."""

import base64
import binascii
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sandbox.filters import Filters, parse_filters
from sandbox.model import Session, Source
from sandbox.numbers import Numbers, Row
from sandbox.profile import Errors, Listing
from sandbox.refusals import Refusal
from sandbox.register import Register

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of anything, and where the next one starts."""

    rows: list[Any]
    more: bool
    next_mark: str | int | None
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a page starts, and how long it is."""

    size: int
    skip: int = 0
    number: int = 1  #: of the page
    beyond: int | None = None  #: the last number of the page before (cursor)


def list_sessions(register: Register[Session], parameters: Parameters, listing: Listing, errors: Errors) -> Page:
    filters, place = _read(parameters, listing, errors)
    bounds = _bounds(register, filters)
    tests = _tests(register, filters, listing)
    sources = _narrowest(register, filters)
    newest_first = listing.order == "newest"
    found = _walk(sources, tests, _past(place, bounds, listing), newest_first=newest_first, skip=place.skip)
    numbers = list(islice(found, place.size + 1))
    total = _count(sources, tests, bounds) if "total" in listing.marks else 0
    return _page([register[number] for number in numbers], numbers, place, listing, total)


def list_rows(rows: Sequence[Any], parameters: Parameters, listing: Listing, errors: Errors) -> Page:
    """A short list (personas), paged in the same way, without filters."""
    if not listing.personas_paged:
        return Page(rows=list(rows), more=False, next_mark=None, total=len(rows))
    _, place = _read(parameters, listing, errors)
    start = place.skip if place.beyond is None else place.beyond + 1
    numbers = list(range(start, min(start + place.size + 1, len(rows))))
    return _page([rows[number] for number in numbers], numbers, place, listing, len(rows))


def body(page: Page, rows: list[dict[str, Any]], listing: Listing) -> Any:
    """The rows in the profile's envelope, with the marks it shows."""
    if not listing.envelope:
        return rows
    marks = {"total": page.total, "has_more": page.more, _next_name(listing): page.next_mark}
    shown = {name: mark for name, mark in marks.items() if _mark_of(name) in listing.marks}
    if listing.paging == "none":
        shown.pop("next", None)
    document: dict[str, Any] = {listing.envelope: rows}
    if listing.marks_under:
        return document | {listing.marks_under: shown}
    return document | shown


def _next_name(listing: Listing) -> str:
    return {"cursor": "next_cursor", "page": "next_page", "offset": "next_offset", "none": "next"}[listing.paging]


def _mark_of(name: str) -> str:
    return "next" if name.startswith("next") else name


def _read(parameters: Parameters, listing: Listing, errors: Errors) -> tuple[Filters, _Place]:
    """Filters and place; what neither knows is ignored or refused, as the profile has it."""
    place, rest = _place(parameters, listing, errors)
    filters, unknown = parse_filters(rest, listing, errors)
    if unknown and listing.unknown_parameters == "reject":
        raise Refusal(400, errors.invalid_code, f"Unknown query parameter {unknown[0]}")
    return filters, place


def _place(parameters: Parameters, listing: Listing, errors: Errors) -> tuple[_Place, list[tuple[str, str]]]:
    names = {
        "offset": listing.offset_parameter,
        "page": listing.page_parameter,
        "cursor": listing.cursor_parameter,
        "none": "",
    }
    where = names[listing.paging]
    given = dict(parameters) if listing.paging != "none" else {}
    size = _whole(given, listing.limit_parameter, listing.page_size, listing, errors, least=1)
    if size > listing.page_size_max:
        if listing.oversize == "reject":
            raise Refusal(400, errors.invalid_code, f"{listing.limit_parameter} is at most {listing.page_size_max}")
        size = listing.page_size_max
    known = {listing.limit_parameter, where} if listing.paging != "none" else set()
    rest = [(name, value) for name, value in parameters if name not in known]
    match listing.paging:
        case "none":
            return _Place(size=size), rest
        case "offset":
            return _Place(size=size, skip=_whole(given, where, 0, listing, errors, least=0)), rest
        case "page":
            first = listing.first_page
            number = _whole(given, where, first, listing, errors, least=first)
            return _Place(size=size, skip=(number - first) * size, number=number), rest
        case "cursor":
            return _Place(size=size, beyond=_beyond(given.get(where), errors)), rest


def _whole(
    given: dict[str, str],
    name: str,
    default: int,
    listing: Listing,
    errors: Errors,
    *,
    least: int,
) -> int:
    text = given.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and least <= int(text[:18]):
        return int(text[:18])
    if listing.bad_values == "ignore":
        return default
    raise Refusal(400, errors.invalid_code, f"{name} must be a whole number of at least {least}")


def _beyond(cursor: str | None, errors: Errors) -> int | None:
    if cursor is None:
        return None
    try:
        return int(base64.urlsafe_b64decode(cursor.encode()).decode())
    except (ValueError, binascii.Error):
        raise Refusal(400, errors.invalid_code, "The cursor is none of ours") from None


def _page(rows: list[Any], numbers: list[int], place: _Place, listing: Listing, total: int) -> Page:
    more = len(numbers) > place.size
    numbers, rows = numbers[: place.size], rows[: place.size]
    following: str | int | None = None
    if more:
        match listing.paging:
            case "cursor":
                following = base64.urlsafe_b64encode(str(numbers[-1]).encode()).decode()
            case "page":
                following = place.number + 1
            case "offset" | "none":
                following = place.skip + place.size
    return Page(rows=rows, more=more, next_mark=following, total=total)


def _bounds(register: Register[Session], filters: Filters) -> tuple[int, int]:
    low = 0 if filters.created_after is None else register.first_made_after(filters.created_after)
    high = len(register) if filters.created_before is None else register.first_made_after(filters.created_before)
    return low, high


def _narrowest(register: Register[Session], filters: Filters) -> list[Numbers]:
    """The shortest index that holds every answer; several statuses are several disjoint ones."""
    by_mark = [register.with_mark(mark) for mark in filters.marks]
    choices: list[list[Numbers]] = [[numbers] for numbers in by_mark]
    if filters.statuses is not None:
        choices.append([register.with_status(status) for status in filters.statuses])
    if not choices:
        return [register.all()]
    return min(choices, key=lambda numbers: sum(map(len, numbers))) or [Row(())]


def _tests(register: Register[Session], filters: Filters, listing: Listing) -> list[Callable[[int], bool]]:
    """What the chosen index does not settle by itself. One criterion alone needs no test."""
    tests: list[Callable[[int], bool]] = []
    criteria = len(filters.marks) + (filters.statuses is not None)
    if criteria > 1:
        tests.append(register.select(filters.fits))
    if not listing.playground_rows and len(register.with_mark(("source", Source.PLAYGROUND))):
        tests.append(register.select(lambda session: session.source is Source.REQUESTS))
    return tests


def _past(place: _Place, bounds: tuple[int, int], listing: Listing) -> tuple[int, int]:
    """The bounds of what a cursor has not passed yet."""
    low, high = bounds
    if place.beyond is None:
        return bounds
    return (low, min(high, place.beyond)) if listing.order == "newest" else (max(low, place.beyond + 1), high)


def _walk(
    sources: list[Numbers],
    tests: list[Callable[[int], bool]],
    bounds: tuple[int, int],
    *,
    newest_first: bool,
    skip: int,
) -> Iterator[int]:
    if len(sources) == 1 and not tests:
        return sources[0].walk(*bounds, newest_first=newest_first, skip=skip)
    walks = [source.walk(*bounds, newest_first=newest_first) for source in sources]
    merged: Iterable[int] = heapq.merge(*walks, reverse=newest_first)
    return islice((number for number in merged if all(test(number) for test in tests)), skip, None)


def _count(sources: list[Numbers], tests: list[Callable[[int], bool]], bounds: tuple[int, int]) -> int:
    """How many there are in all."""
    return sum(1 for _ in _walk(sources, tests, bounds, newest_first=False, skip=0))
