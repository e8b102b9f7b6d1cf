"""The vendor's objects as observations."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.core.observations import Minted, MintedWithoutLink
from service.zenhire import translate
from service.zenhire.payloads import Unreadable
from tests.unit.zenhire.examples import CREATED, LINK, PERSONA, PERSONA_ID, SESSION, SESSION_ID


def minted(payload: Any) -> Minted | MintedWithoutLink:
    return translate.minted(payload, plain_http=False)


def test_a_minted_session_has_its_id_link_and_lifetime() -> None:
    week = timedelta(days=7)
    assert minted(CREATED) == Minted(session_id=SESSION_ID, candidate_link=LINK, expires_in=week)


@pytest.mark.parametrize(
    "payload",
    [
        {"session_id": SESSION_ID, "candidate_link": LINK},
        {"session": {"id": SESSION_ID}, "candidate_link": LINK},
        {"data": {"id": SESSION_ID, "candidate_link": LINK}},
        {"data": {"session": {"session_id": SESSION_ID}, "candidateLink": LINK}},
    ],
)
def test_a_minted_session_is_found_in_every_wrapping(payload: Any) -> None:
    found = minted(payload)
    assert isinstance(found, Minted)
    assert (found.session_id, found.candidate_link) == (SESSION_ID, LINK)


@pytest.mark.parametrize("seconds", [None, 0, -5, True, "soon", 10**12, float("nan"), []])
def test_an_absurd_lifetime_is_taken_for_seven_days(seconds: Any) -> None:
    found = minted(CREATED | {"expires_in": seconds})
    assert isinstance(found, Minted)
    assert found.expires_in == timedelta(days=7)


@pytest.mark.parametrize("seconds", [3600, "3600", 3600.0])
def test_the_vendors_own_lifetime_counts(seconds: Any) -> None:
    found = minted(CREATED | {"expires_in": seconds})
    assert isinstance(found, Minted)
    assert found.expires_in == timedelta(hours=1)


@pytest.mark.parametrize(
    "link", [None, "", 5, "ftp://x/#t=1", "javascript:alert(1)", "https://", "https://x/ y", "https://x/\n",
             'https://x/"onload=', "https://x/<b>", "https://x/\\y", "https://x/\x1b[2J", "data:,x", "http://x/#t=1",
             "https://x/" + "a" * 2050, "https://x/\u202e", ["https://x"]],
)  # fmt: skip
def test_a_session_without_a_usable_link_is_minted_without_it(link: Any) -> None:
    assert minted(CREATED | {"candidate_link": link}) == MintedWithoutLink(session_id=SESSION_ID)


def test_a_plain_http_link_counts_where_the_api_itself_is_plain_http() -> None:
    found = translate.minted(CREATED | {"candidate_link": "http://127.0.0.1:9/#t=1"}, plain_http=True)
    assert isinstance(found, Minted)


@pytest.mark.parametrize("payload", [None, [], {}, {"id": None}, {"id": "a/b"}, {"error": {"code": "X"}}, {"id": True}])
def test_a_session_without_an_id_is_unreadable(payload: Any) -> None:
    with pytest.raises(Unreadable):
        minted(payload)
    with pytest.raises(Unreadable):
        translate.sighting(payload)


def test_a_sighting_tells_all_that_the_contract_names() -> None:
    seen = translate.sighting(SESSION)
    assert seen.session_id == SESSION_ID
    assert seen.status == "completed"
    assert (seen.client_id, seen.persona_id, seen.candidate_ref) == ("client-1", PERSONA_ID, "cand-1")
    assert seen.created_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert seen.started_at == datetime(2026, 11, 1, 10, 0, 0, 123_456, tzinfo=UTC)
    assert seen.completed_at == datetime(2026, 11, 1, 10, 30, tzinfo=UTC)
    assert (seen.duration_seconds, seen.credits_charged, seen.survey_rating) == (1740, 29, 4)
    assert (seen.source, seen.invite_mark, seen.post_mark) == ("requests", "inv/1", "post-1")
    assert seen.error_code is None
    assert seen.document == SESSION


def test_a_sighting_needs_no_more_than_id_and_status() -> None:
    seen = translate.sighting({"id": "s", "status": "initiated"})
    assert (seen.session_id, seen.status, seen.client_id) == (
        "s",
        "initiated",
        None,
    )


def test_every_field_may_be_null_or_of_another_type() -> None:
    stranges: tuple[Any, ...] = (None, [], {}, "x", 5, True, 1e99)
    for strange in stranges:
        seen = translate.sighting(dict.fromkeys(SESSION, strange) | {"id": "s", "status": "active"})
        assert (seen.session_id, seen.status) == ("s", "active")
        assert seen.created_at is None


def test_an_unknown_status_is_kept_as_it_came_and_a_known_one_in_the_vendors_case() -> None:
    assert translate.sighting({"id": "s", "status": "Paused"}).status == "Paused"
    assert translate.sighting({"id": "s", "status": "COMPLETED"}).status == "completed"


@pytest.mark.parametrize("status", [None, "", "  ", True, {}])
def test_a_session_without_a_status_is_unreadable(status: Any) -> None:
    with pytest.raises(Unreadable):
        translate.sighting({"id": "s", "status": status})


@pytest.mark.parametrize(
    ("feedback", "rating"),
    [
        ({"rating": 5}, 5),
        ({"rating": "3"}, 3),
        ({"stars": 2, "needs_attention": True}, 2),
        ({"how_was_it": 1, "low": True}, 1),
        ({"a": 1, "b": 2}, None),
        ({"rating": 0}, None),
        ({"rating": 6}, None),
        ({"rating": True}, None),
        ({}, None),
        (4, 4),
        (None, None),
        ("great", None),
    ],
)
def test_the_survey_rating_is_found(feedback: Any, rating: int | None) -> None:
    assert translate.sighting(SESSION | {"feedback": feedback}).survey_rating == rating


@pytest.mark.parametrize(
    "where",
    [
        {"error_code": "SESSION_TIMEOUT"},
        {"error": {"code": "SESSION_TIMEOUT", "message": "x"}},
        {"error": "SESSION_TIMEOUT"},
        {"failure_reason": "session_timeout"},
        {"status_reason": "SESSION_TIMEOUT"},
        {"outcome": {"details": [{"why": "SESSION_TIMEOUT"}]}},
    ],
)
def test_a_session_timeout_is_found_wherever_it_shows(where: Any) -> None:
    assert translate.sighting({"id": "s", "status": "failed"} | where).error_code == "SESSION_TIMEOUT"


def test_free_text_is_no_error_code_and_the_atss_own_words_are_no_word_of_the_vendors() -> None:
    session = {"id": "s", "status": "failed", "failure_reason": "the candidate left", "tags": ["SESSION_TIMEOUT"]}
    assert translate.sighting(session).error_code is None
    assert translate.sighting(session | {"metadata": {"a": "SESSION_TIMEOUT"}}).error_code is None


@pytest.mark.parametrize("value", [-1, 10**9, "long", True])
def test_absurd_durations_and_credits_are_none(value: Any) -> None:
    seen = translate.sighting(SESSION | {"duration_sec": value, "credit_charged": -1})
    assert (seen.duration_seconds, seen.credits_charged) == (None, None)


def test_what_postgres_cannot_hold_is_replaced_everywhere() -> None:
    seen = translate.sighting(SESSION | {"candidate_ref": "a\x00b", "extra": {"\ud800": float("inf")}})
    assert seen.candidate_ref == "a\ufffdb"
    assert seen.document["extra"] == {"\ufffd": None}


def test_a_page_counts_the_rows_that_are_no_sessions() -> None:
    page = translate.sighting_page({"data": [SESSION, None, {"id": "a/b"}, {"id": "x"}], "next_cursor": "c"})
    assert [seen.session_id for seen in page.sightings] == [SESSION_ID]
    assert page.unreadable == 3
    assert page.next_cursor == "c"


@pytest.mark.parametrize("payload", [{}, None, {"error": {"code": "X"}}, "rows", {"data": "x"}])
def test_an_answer_without_a_list_is_unreadable(payload: Any) -> None:
    with pytest.raises(Unreadable):
        translate.sighting_page(payload)
    with pytest.raises(Unreadable):
        translate.persona_page(payload)


def test_a_persona_is_read_bare_and_wrapped() -> None:
    for payload in (PERSONA, {"persona": PERSONA}, {"data": PERSONA}, {"data": {"persona": PERSONA}}):
        seen = translate.persona(payload)
        assert (seen.persona_id, seen.role_name, seen.language) == (PERSONA_ID, "Cook", "en")
        assert (seen.client_id, seen.status) == ("client-1", "active")


def test_personas_without_role_or_language_are_left_out() -> None:
    page = translate.persona_page({"data": [PERSONA, PERSONA | {"role_name": None}, {}, None]})
    assert [seen.persona_id for seen in page.personas] == [PERSONA_ID]
    with pytest.raises(Unreadable):
        translate.persona(PERSONA | {"language": None})


@pytest.mark.parametrize(
    ("payload", "left"),
    [
        ({"balance": 12}, 12),
        ({"data": {"credit_balance": "7.4"}}, 7),
        ({"credits": {"remaining": -3}}, -3),
        ({"credits": 5}, 5),
        ({"balance": "much", "available": 4}, 4),
        ({"balance": True}, None),
        ({"balance": 10**12}, None),
        ({"usage": {"balance": 3}}, None),
        ([12], None),
        (None, None),
    ],
)
def test_a_balance_is_found_under_any_likely_name_or_not_at_all(payload: Any, left: int | None) -> None:
    assert translate.credits_seen(payload).left == left
