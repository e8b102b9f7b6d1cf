"""A walk through the session list reaches every session, whatever the vendor's way of paging, and always ends."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.observations import ErrorAnswer, Failure, Sighting, SightingPage
from service.core.probing import Paging
from service.zenhire.listing import ListEnd, Position, is_refusal, read_sessions, walk_sessions
from tests.unit.zenhire.examples import client_of, later

Params = Mapping[str, str]
REFUSAL = {"error": {"code": "INVALID_INPUT", "message": "unknown parameter"}}


class Vendor:
    """A list of sessions that pages in one way and ignores or refuses every other parameter."""

    def __init__(
        self,
        count: int,
        way: str,
        *,
        size: int = 20,
        size_max: int = 100,
        strict: bool = False,
        longest: str = "clamped",
    ) -> None:
        self.ids = [f"s{number}" for number in range(count)]
        self.way, self.size, self.size_max, self.strict = way, size, size_max, strict
        self.longest = longest  #: clamped, or refused
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = dict(request.url.params)
        self.asked.append(params)
        known = {"limit", *({self.way.split("_")[0]} if self.way != "none" else set())}
        if (self.strict and set(params) - known) or (self.longest == "refused" and "limit" in params):
            return httpx.Response(400, json=REFUSAL)
        size = min(int(params.get("limit", self.size)), self.size_max)
        start = self._start(params, size)
        body: dict[str, Any] = {"data": [{"id": name, "status": "active"} for name in self.ids[start : start + size]]}
        if self.way == "cursor":
            body["next_cursor"] = f"after:{start + size}" if start + size < len(self.ids) else None
        return httpx.Response(200, json=body)

    def _start(self, params: Params, size: int) -> int:
        match self.way:
            case "offset":
                return int(params.get("offset", 0))
            case "page_0":
                return int(params.get("page", 0)) * size
            case "page_1":
                return (max(int(params.get("page", 1)), 1) - 1) * size
            case "cursor" if "cursor" in params:
                return int(params["cursor"].removeprefix("after:"))
        return 0


async def walk(
    vendor: Callable[[httpx.Request], httpx.Response],
    requests_max: int = 50,
    paging: Paging = Paging.UNKNOWN,
    **filters: str,
) -> tuple[list[str], ListEnd | Failure]:
    seen: list[str] = []
    async with client_of(vendor) as client:
        start = Position.beginning(filters, paging=paging)
        async for item in walk_sessions(client, start, send_before=later, requests_max=requests_max):
            if not isinstance(item, SightingPage):
                return seen, item
            seen += [sighting.session_id for sighting in item.sightings]
    raise AssertionError("a walk ends with an end or a failure")


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("way", ["offset", "page_0", "page_1", "cursor"])
@pytest.mark.parametrize(("count", "size_max"), [(0, 100), (7, 100), (100, 100), (250, 100), (65, 20), (61, 20)])
async def test_every_session_is_reached(way: str, count: int, size_max: int, *, strict: bool) -> None:
    vendor = Vendor(count, way, size_max=size_max, strict=strict)
    seen, end = await walk(vendor)
    assert set(seen) == set(vendor.ids)
    assert end is ListEnd.ALL_SEEN


@pytest.mark.parametrize("strict", [False, True])
async def test_a_list_without_paging_says_that_there_may_be_more(*, strict: bool) -> None:
    seen, end = await walk(Vendor(40, "none", size_max=20, strict=strict))
    assert set(seen) == {f"s{number}" for number in range(20)}
    assert end is ListEnd.CANNOT_PAGE


async def test_a_list_without_paging_that_is_shorter_than_a_page_is_whole() -> None:
    seen, end = await walk(Vendor(3, "none"))
    assert set(seen) == {"s0", "s1", "s2"}
    assert end is ListEnd.ALL_SEEN


async def test_where_so_long_a_page_is_refused_it_comes_as_long_as_the_vendor_makes_it() -> None:
    vendor = Vendor(30, "offset", longest="refused")
    seen, end = await walk(vendor)
    assert vendor.asked[:3] == [{"limit": "100"}, {}, {"offset": "20"}]
    assert set(seen) == set(vendor.ids)
    assert end is ListEnd.ALL_SEEN


@pytest.mark.parametrize(
    ("way", "known", "requests"),
    [
        ("offset", Paging.OFFSET, 4),
        ("page_0", Paging.PAGE_FROM_0, 4),
        ("page_1", Paging.PAGE_FROM_1, 4),
        ("cursor", Paging.CURSOR, 3),
    ],
)
async def test_the_way_that_is_known_comes_first_and_no_request_is_in_vain(
    way: str, known: Paging, requests: int
) -> None:
    vendor = Vendor(250, way)
    seen, end = await walk(vendor, paging=known)
    assert (set(seen), end, len(vendor.asked)) == (set(vendor.ids), ListEnd.ALL_SEEN, requests)


@pytest.mark.parametrize("known", [Paging.OFFSET, Paging.PAGE_FROM_0, Paging.PAGE_FROM_1, Paging.CURSOR, Paging.NONE])
@pytest.mark.parametrize("way", ["offset", "page_1", "cursor"])
async def test_a_way_that_no_longer_works_is_left_for_the_others(way: str, known: Paging) -> None:
    vendor = Vendor(250, way)
    seen, end = await walk(vendor, paging=known)
    assert (set(seen), end) == (set(vendor.ids), ListEnd.ALL_SEEN)


async def test_a_filter_that_is_refused_ends_the_walk_with_the_failure() -> None:
    vendor = Vendor(30, "offset", strict=True)
    seen, end = await walk(vendor, status="active")
    assert vendor.asked == [{"limit": "100", "status": "active"}, {"status": "active"}]
    assert seen == []
    assert isinstance(end, ErrorAnswer)
    assert is_refusal(end)


async def test_a_page_that_is_shorter_than_others_were_is_the_last() -> None:
    vendor = Vendor(250, "offset")
    position: Position | ListEnd = Position(page_rows=100)
    async with client_of(vendor) as client:
        while isinstance(position, Position):
            read = await read_sessions(client, position, send_before=later())
            assert not isinstance(read, Failure)
            position = read.then
    assert (len(vendor.asked), position) == (3, ListEnd.ALL_SEEN)


async def test_a_list_that_refuses_even_that_ends_the_walk_with_the_failure() -> None:
    seen, end = await walk(lambda _: httpx.Response(400, json=REFUSAL))
    assert seen == []
    assert isinstance(end, ErrorAnswer)


@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_a_failure_on_the_way_ends_the_walk(status: int) -> None:
    vendor = Vendor(300, "offset")

    def failing(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if request.url.params.get("offset") == "200" else vendor(request)

    seen, end = await walk(failing)
    assert len(seen) == 200
    assert end == ErrorAnswer(http_status=status)


async def test_a_walk_ends_at_the_callers_limit() -> None:
    vendor = Vendor(1000, "offset")
    seen, end = await walk(vendor, requests_max=3)
    assert len(seen) == 300
    assert len(vendor.asked) == 3
    assert end is ListEnd.REQUESTS_MAX


async def test_sessions_made_during_the_walk_are_no_sign_of_a_repeated_page() -> None:
    vendor = Vendor(150, "offset")

    def busy(request: httpx.Request) -> httpx.Response:
        answer = vendor(request)
        vendor.ids.insert(0, f"new{len(vendor.asked)}")
        return answer

    seen, end = await walk(busy)
    assert {f"s{number}" for number in range(150)} <= set(seen)
    assert end is ListEnd.ALL_SEEN


async def test_new_sessions_on_an_unpaged_list_are_no_sign_of_paging() -> None:
    vendor = Vendor(60, "none", size_max=20)

    def busy(request: httpx.Request) -> httpx.Response:
        vendor.ids.insert(0, f"new{len(vendor.asked)}")
        return vendor(request)

    _, end = await walk(busy)
    assert end is ListEnd.CANNOT_PAGE


ids = st.lists(st.sampled_from([f"s{number}" for number in range(30)]), max_size=25, unique=True)
pages = st.builds(
    lambda names, unreadable, cursor, last: SightingPage(
        sightings=tuple(Sighting(session_id=name, status="active") for name in names),
        unreadable=unreadable,
        next_cursor=cursor,
        says_last=last,
    ),
    ids,
    st.integers(0, 3),
    st.none() | st.sampled_from(["a", "b"]),
    st.booleans(),
)


@settings(max_examples=100)
@given(st.lists(pages, min_size=1, max_size=8))
def test_a_list_that_goes_in_circles_ends(circle: list[SightingPage]) -> None:
    position = Position()
    for number in range(60):
        then = position.after(circle[number % len(circle)])
        if isinstance(then, ListEnd):
            return
        assert then.requests == number + 1  # whoever limits the requests of a walk ends it, whatever comes
        position = then
    raise AssertionError("each page of this circle was read many times")


async def in_pieces(vendor: Vendor, between: Callable[[int], None] = lambda _: None) -> tuple[list[str], ListEnd]:
    """A walk in which each request is sent by another process, which knows no more than the position."""
    seen: list[str] = []
    position = Position()
    while True:
        async with client_of(vendor) as client:
            read = await read_sessions(client, position, send_before=later())
        assert not isinstance(read, Failure)
        seen += read.page.ids if read.page else ()
        if isinstance(read.then, ListEnd):
            return seen, read.then
        position = Position.from_json(json.loads(json.dumps(read.then.as_json())))
        between(position.requests)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("way", ["offset", "page_0", "page_1", "cursor", "none"])
@pytest.mark.parametrize(("count", "size_max"), [(7, 100), (250, 100), (65, 20)])
async def test_a_walk_goes_on_from_its_position_in_another_process(
    way: str, count: int, size_max: int, *, strict: bool
) -> None:
    in_one = await walk(Vendor(count, way, size_max=size_max, strict=strict))
    assert await in_pieces(Vendor(count, way, size_max=size_max, strict=strict)) == in_one


@pytest.mark.parametrize("way", ["offset", "page_0", "page_1", "cursor"])
@pytest.mark.parametrize("made", [1, 19, 20, 40, 70])
async def test_sessions_made_while_a_walk_rests_do_not_end_it(way: str, made: int) -> None:
    vendor = Vendor(200, way, size_max=20)

    def night(requests: int) -> None:
        if requests == 6:
            vendor.ids[:0] = [f"new{number}" for number in range(made)]

    seen, end = await in_pieces(vendor, night)
    assert {f"s{number}" for number in range(200)} <= set(seen)
    assert end is ListEnd.ALL_SEEN


async def test_past_the_end_a_list_may_repeat_its_last_page() -> None:
    class Clamping(Vendor):
        def _start(self, params: Params, size: int) -> int:
            return min(int(params.get("offset", 0)), len(self.ids) - size)

    seen, end = await walk(Clamping(90, "offset", size_max=20))
    assert set(seen) == {f"s{number}" for number in range(90)}
    assert end is ListEnd.ALL_SEEN


async def test_a_position_does_not_grow_with_the_list() -> None:
    sizes: list[int] = []
    vendor = Vendor(10_000, "offset")
    async with client_of(vendor) as client:
        position: Position | ListEnd = Position()
        while isinstance(position, Position):
            sizes.append(len(json.dumps(position.as_json())))
            read = await read_sessions(client, position, send_before=later())
            assert not isinstance(read, Failure)
            position = read.then
    assert len(sizes) > 100
    assert max(sizes) < 5_000
