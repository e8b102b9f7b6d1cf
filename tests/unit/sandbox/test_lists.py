"""Lists in all the styles that nobody has ruled out (contract §2.3)."""

import random
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.numbers import Buckets, Row
from tests.unit.sandbox.lab import Lab, code


def filled(settings: dict[str, Any], count: int = 45) -> tuple[Lab, list[str]]:
    """A lab with sessions made a minute apart; a fifth of them completed; newest first."""
    lab = Lab(settings)
    persona = lab.persona()
    made = []
    for number in range(count):
        plan = "completed opens_after=0 talks_for=60" if number % 5 == 0 else "never"
        metadata = {"sandbox_plan": plan, "n": number, "odd": bool(number % 2)}
        made.append(lab.mint(f"c{number % 10}", persona=persona, metadata=metadata, tags=[f"t{number % 3}"]))
        lab.wait(minutes=1)
    lab.wait(minutes=5)
    return lab, made[::-1]


def ids(document: Any) -> list[str]:
    rows = (
        document if isinstance(document, list) else next(rows for rows in document.values() if isinstance(rows, list))
    )
    return [row["id"] for row in rows]


def walk(lab: Lab, mark: str, parameter: str, query: str = "limit=10") -> list[str]:
    seen: list[str] = []
    page = lab.get("sessions", query)
    while True:
        seen += ids(page)
        if page[mark] is None:
            return seen
        page = lab.get("sessions", f"{query}&{parameter}={page[mark]}")


@pytest.mark.parametrize(
    ("paging", "mark", "parameter"),
    [("offset", "next_offset", "offset"), ("page", "next_page", "page"), ("cursor", "next_cursor", "cursor")],
)
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_every_way_of_paging_shows_each_session_once(paging: str, mark: str, parameter: str, order: str) -> None:
    lab, made = filled({"listing.paging": paging, "listing.order": order})
    assert walk(lab, mark, parameter) == (made if order == "newest" else made[::-1])


def test_pages_may_be_counted_from_0() -> None:
    lab, made = filled({"listing.paging": "page", "listing.first_page": 0})
    assert ids(lab.get("sessions", "page=0")) == made[:20]
    assert ids(lab.get("sessions", "page=1")) == made[20:40]


def test_without_paging_the_newest_rows_are_all_there_is() -> None:
    lab, made = filled({"listing.paging": "none", "listing.filters": ""})
    assert ids(lab.get("sessions")) == made[:20]
    assert ids(lab.get("sessions", "limit=5&offset=20&status=failed&page=3&cursor=x")) == made[:20]


def test_rows_move_between_offset_pages_while_new_ones_arrive() -> None:
    lab, made = filled({})
    first = ids(lab.get("sessions", "limit=10"))
    lab.mint("late")
    assert ids(lab.get("sessions", "limit=10&offset=10"))[0] == first[-1] == made[9]


@pytest.mark.parametrize(
    ("settings", "query", "wanted"),
    [
        ({}, "status=completed", lambda n: n % 5 == 0),
        ({}, "status=completed,initiated", lambda _: True),
        ({"listing.several_statuses": "repeated"}, "status=failed&status=completed", lambda n: n % 5 == 0),
        ({}, "candidate_ref=c3", lambda n: n % 10 == 3),
        ({}, "metadata[n]=17", lambda n: n == 17),
        ({}, "metadata[odd]=true&status=completed", lambda n: n % 10 == 5),
        ({"listing.metadata_syntax": "dot"}, "metadata.n=17", lambda n: n == 17),
        ({"listing.metadata_syntax": "pair"}, "metadata=n:17", lambda n: n == 17),
        ({"listing.metadata_syntax": "json"}, "metadata=" + quote('{"n":17,"odd":true}'), lambda n: n == 17),
        ({}, "tags=t1&candidate_ref=c4", lambda n: n % 3 == 1 and n % 10 == 4),
        ({}, "created_after=2026-03-01T08:20:00Z", lambda n: n > 20),
        ({}, "created_after=2026-03-01T08:20:00%2B00:00&created_before=2026-03-01T08:25:00Z", lambda n: 20 < n <= 25),
        (
            {"listing.case": "camel"},
            "createdAfter=2026-03-01T08:20:00Z&candidateRef=c1",
            lambda n: n > 20 and n % 10 == 1,
        ),
        ({"listing.filters": "status"}, "status=completed&candidate_ref=c3", lambda n: n % 5 == 0),
        ({}, "sort=asc&nonsense=1", lambda _: True),
    ],
)
def test_filters_count_in_the_profiles_spelling(settings: dict[str, Any], query: str, wanted: Any) -> None:
    lab, made = filled(settings)
    shown = ids(lab.get("sessions", f"limit=100&{query}"))
    assert shown == [session for place, session in enumerate(made) if wanted(44 - place)]


@pytest.mark.parametrize(
    ("settings", "query", "refusal"),
    [
        ({}, "status=running", (400, "INVALID_STATUS")),
        ({}, "created_after=yesterday", (400, "INVALID_DATE")),
        ({}, "limit=many", (400, "INVALID_INPUT")),
        ({}, "limit=0", (400, "INVALID_INPUT")),
        ({}, "offset=-1", (400, "INVALID_INPUT")),
        ({"listing.oversize": "reject"}, "limit=101", (400, "INVALID_INPUT")),
        ({"listing.unknown_parameters": "reject"}, "sort=asc", (400, "INVALID_INPUT")),
        ({"listing.paging": "cursor"}, "cursor=made-up", (400, "INVALID_INPUT")),
    ],
)
def test_bad_values_are_refused(settings: dict[str, Any], query: str, refusal: tuple[int, str]) -> None:
    assert code(Lab(settings).ask("GET", "sessions", query=query)) == refusal


def test_bad_values_may_be_ignored_instead() -> None:
    lab, made = filled({"listing.bad_values": "ignore"})
    assert ids(lab.get("sessions", "status=running&limit=x&created_after=y")) == made[:20]


def test_a_page_is_20_rows_unless_asked_and_100_at_most() -> None:
    lab, _ = filled({}, count=120)
    assert [len(ids(lab.get("sessions", query))) for query in ("", "limit=7", "limit=500")] == [20, 7, 100]


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({}, {"data", "has_more", "next_offset"}),
        ({"listing.marks": "total", "listing.marks_under": "meta"}, {"data", "meta"}),
        ({"listing.envelope": "sessions", "listing.marks": ""}, {"sessions"}),
    ],
)
def test_envelopes_differ(settings: dict[str, Any], keys: set[str]) -> None:
    assert set(Lab(settings).get("sessions")) == keys


def test_a_list_may_be_a_bare_array_and_a_total_may_be_told() -> None:
    assert Lab({"listing.envelope": ""}).get("sessions") == []
    lab, _ = filled({"listing.marks": "total"})
    assert lab.get("sessions", "status=completed&tags=t0&limit=1")["total"] == 3
    assert lab.get("sessions", "created_before=2026-03-01T08:04:30Z")["total"] == 5


def test_console_sessions_are_shown_only_where_the_profile_says_so() -> None:
    shown = {}
    for rows in (False, True):
        lab = Lab({"limits.reinvite": "new", "listing.playground_rows": rows}, plans={"*": "failed opens_after=0"})
        session = lab.mint()
        lab.wait(days=1)
        lab.console.reinvite(session)
        shown[rows] = [row["source"] for row in lab.get("sessions")["data"]]
    assert shown == {False: ["requests"], True: ["playground", "requests"]}


def test_personas_may_be_paged_too() -> None:
    lab = Lab({"listing.personas_paged": True, "listing.paging": "cursor"})
    made = [lab.persona(f"Role {number}") for number in range(25)][::-1]
    first = lab.get("personas")
    assert ids(first) == made[:20]
    assert ids(lab.get("personas", f"cursor={first['next_cursor']}")) == made[20:]


def test_numbers_in_buckets_are_walked_as_a_plain_list_would_be() -> None:
    dice = random.Random(3)
    buckets, plain = Buckets(), sorted(dice.sample(range(6000), 3000))
    for number in dice.sample(plain, len(plain)):
        buckets.add(number)
    for number in plain[::7]:
        buckets.remove(number)
    plain = [number for place, number in enumerate(plain) if place % 7]
    assert len(buckets) == len(plain)
    for _ in range(200):
        low, high, skip = dice.randrange(-10, 6100), dice.randrange(-10, 6100), dice.randrange(3000)
        for newest_first in (True, False):
            wanted = [number for number in plain if low <= number < high][:: -1 if newest_first else 1][skip:]
            for numbers in (buckets, Row(plain)):
                assert list(numbers.walk(low, high, newest_first=newest_first, skip=skip)) == wanted
