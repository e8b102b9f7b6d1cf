"""What the vendor's list honours, told by what it shows."""

from datetime import timedelta

import pytest

from service.core.model import Policy
from service.core.observations import Sighting, SightingPage
from service.core.probing import (
    REF_PARAMETERS,
    ListStyle,
    Paging,
    Probe,
    RefFilter,
    SortOrder,
    StatusFilter,
    judge,
    next_probe,
    one_of_several,
    ref_filter,
    sort_order,
)
from tests.unit.core.examples import NOW


def page(*statuses: str) -> SightingPage:
    return SightingPage(
        sightings=tuple(Sighting(session_id=f"s{n}", status=status) for n, status in enumerate(statuses))
    )


@pytest.mark.parametrize(
    ("unfiltered", "active", "completed", "verdict"),
    [
        (page("initiated"), page(), page(), StatusFilter.HONOURED),
        (page("initiated", "active", "completed"), page("active"), page("completed"), StatusFilter.HONOURED),
        (page("active"), page("active"), page("active"), StatusFilter.IGNORED),
        (page("initiated"), page("initiated"), page("initiated"), StatusFilter.IGNORED),
        (page("initiated", "active"), page("active", "paused"), page(), StatusFilter.IGNORED),
        (page("initiated"), None, page(), StatusFilter.REFUSED),
        (page("initiated"), page(), None, StatusFilter.REFUSED),
        (page(), page(), page(), StatusFilter.UNKNOWN),
    ],
)
def test_a_list_is_judged_by_what_it_shows(
    unfiltered: SightingPage, active: SightingPage | None, completed: SightingPage | None, verdict: StatusFilter
) -> None:
    judged = judge(Probe(unfiltered=unfiltered, active=active, completed=completed, rows_asked=100))
    assert judged.status_filter == verdict


def test_the_evidence_tells_what_each_list_showed() -> None:
    judged = judge(
        Probe(
            unfiltered=page("initiated", "active", "odd"),
            active=page("active"),
            completed=None,
            rows_asked=100,
            paging=Paging.OFFSET,
            next_rows=2,
            one=Sighting(session_id="s0", status="initiated", candidate_ref="a"),
            of_one={"candidate_ref": of_candidates("a", "b"), "candidateRef": None},
        )
    )
    assert judged.evidence == {
        "status": {
            "unfiltered": {"initiated": 1, "active": 1, "other": 1},
            "active": {"active": 1},
            "completed": "refused",
        },
        "page": {"rows_asked": 100, "rows": 3, "next_rows": 2},
        "candidate": {"candidate_ref": {"own": 1, "others": 1}, "candidateRef": "refused"},
    }


def test_where_there_was_nothing_to_tell_by_it_is_tried_again_soon() -> None:
    policy = Policy()
    assert next_probe(StatusFilter.UNKNOWN, now=NOW, policy=policy) == NOW + timedelta(minutes=5)
    assert next_probe(StatusFilter.HONOURED, now=NOW, policy=policy) == NOW + timedelta(days=1)


def of_candidates(*refs: str | None) -> SightingPage:
    return SightingPage(
        sightings=tuple(
            Sighting(session_id=f"s{n}", status="initiated", candidate_ref=ref) for n, ref in enumerate(refs)
        )
    )


@pytest.mark.parametrize(
    ("shown", "asked_for"),
    [((), None), (("a",), None), (("a", "a"), None), ((None, None), None), (("a", None), "a"), (("a", "b"), "b")],
)
def test_one_candidate_is_asked_for_where_the_list_shows_others_too(
    shown: tuple[str | None, ...], asked_for: str | None
) -> None:
    one = one_of_several(of_candidates(*shown))
    assert (one and one.candidate_ref) == asked_for


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (of_candidates("b"), RefFilter.HONOURED),
        (of_candidates("b", "b"), RefFilter.HONOURED),
        (of_candidates("a", "b"), RefFilter.IGNORED),
        (of_candidates("b", None), RefFilter.IGNORED),
        (of_candidates(), RefFilter.IGNORED),
        (None, RefFilter.REFUSED),
    ],
)
def test_a_filter_that_shows_others_or_hides_the_one_is_not_honoured(
    answer: SightingPage | None, verdict: RefFilter
) -> None:
    assert ref_filter(answer, of_candidates("a", "b").sightings[1]) == verdict


@pytest.mark.parametrize(
    ("answers", "verdict", "parameter"),
    [
        ([of_candidates("b")], RefFilter.HONOURED, "candidate_ref"),
        ([of_candidates("a", "b"), of_candidates("b")], RefFilter.HONOURED, "candidateRef"),
        ([None, None, of_candidates("b")], RefFilter.HONOURED, "externalId"),
        ([None, of_candidates("a", "b"), None], RefFilter.IGNORED, None),
        ([None, None, None], RefFilter.REFUSED, None),
        ([], RefFilter.UNKNOWN, None),
    ],
)
def test_the_spelling_that_is_honoured_counts(
    answers: list[SightingPage | None], verdict: RefFilter, parameter: str | None
) -> None:
    shown = of_candidates("a", "b")
    of_one = dict(zip(REF_PARAMETERS, answers, strict=False))
    judged = judge(
        Probe(unfiltered=shown, active=page(), completed=page(), rows_asked=100, one=shown.sightings[1], of_one=of_one)
    )
    assert judged.style == ListStyle(ref_filter=verdict, ref_parameter=parameter)


@pytest.mark.parametrize(
    ("hours_ago", "order"),
    [
        ((1, 2, 2, 5), SortOrder.NEWEST_FIRST),
        ((5, 2, 2, 1), SortOrder.OLDEST_FIRST),
        ((1, 5, 2), SortOrder.NONE),
        ((2, 2), SortOrder.UNKNOWN),
        ((1,), SortOrder.UNKNOWN),
        ((), SortOrder.UNKNOWN),
        ((1, None, 2), SortOrder.UNKNOWN),
    ],
)
def test_the_order_is_told_by_when_sessions_were_created(hours_ago: tuple[int | None, ...], order: SortOrder) -> None:
    rows = (
        Sighting(session_id=f"s{n}", status="initiated", created_at=None if h is None else NOW - timedelta(hours=h))
        for n, h in enumerate(hours_ago)
    )
    assert sort_order(SightingPage(sightings=tuple(rows))) == order
