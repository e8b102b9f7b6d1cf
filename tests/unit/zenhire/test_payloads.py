"""Single values out of the vendor's JSON."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.limits import JSON_VALUES_MAX
from service.zenhire.payloads import (
    DOCUMENT_BYTES_MAX,
    JSON_DEPTH_MAX,
    Unreadable,
    document_of,
    identifier,
    instant,
    label,
    next_cursor,
    parse,
    rounded,
    rows,
    says_last,
    storable,
    text,
    unwrap,
    whole_number,
)

TEN = datetime(2026, 11, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-01T10:00:00Z",
        "2026-11-01T10:00:00",
        "2026-11-01T10:00:00.000000000Z",
        "2026-11-01 10:00:00 UTC",
        "2026-11-01T11:30:00+01:30",
        "20261101T100000Z",
        1_793_527_200,
        1_793_527_200.0,
        1_793_527_200_000,
        1_793_527_200_000_000,
        "1793527200",
    ],
)
def test_a_moment_is_read_in_every_common_form(value: Any) -> None:
    assert instant(value) == TEN


@pytest.mark.parametrize(
    "value",
    [None, "", "soon", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1999-01-01T00:00:00Z",
     "2101-01-01T00:00:00Z", 0, -5, True, 1e300, float("nan"), 10**400, [], {}, "20240101"],
)  # fmt: skip
def test_an_absurd_moment_is_none(value: Any) -> None:
    assert instant(value) is None


@pytest.mark.parametrize(("value", "read"), [(12, 12), (12.0, 12), ("12", 12), (" 12 ", 12), ("12.0", 12), (0, 0)])
def test_a_whole_number_is_read_in_every_common_form(value: Any, read: int) -> None:
    assert whole_number(value, 0, 100) == read


@pytest.mark.parametrize(
    "value", [True, False, None, 12.5, "12a", "", "\uff11\uff12", -1, 101, 1e308, float("inf"), 10**400, []]
)
def test_what_is_no_whole_number_in_bounds_is_none(value: Any) -> None:
    assert whole_number(value, 0, 100) is None


def test_a_duration_may_have_a_fraction() -> None:
    assert rounded(61.4, 0, 100) == 61


@pytest.mark.parametrize("value", ["a", "A_-9", "0f9e7c52-6f0e", "x" * 128, 42])
def test_an_id_is_opaque(value: Any) -> None:
    assert identifier(value) == str(value)


@pytest.mark.parametrize("value", [None, "", "a/b", "..", "a b", "é", "x" * 129, True, 1.5, {"id": "a"}, "a\n", "a?b"])
def test_what_cannot_go_into_a_path_is_no_id(value: Any) -> None:
    assert identifier(value) is None


@pytest.mark.parametrize(
    ("value", "read"), [(" x ", "x"), (7, "7"), ("", None), (True, None), (None, None), ([], None)]
)
def test_text_is_text_or_a_number_without_its_quotes(value: Any, read: str | None) -> None:
    assert text(value) == read


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff\xfe\x00", b"[" * 100_000, b"1" * 10_000])
def test_a_body_that_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(body)


@pytest.mark.parametrize("unit", [b"{},", b"[],", b'"key":1,', b'{"id":"s","status":"x"},'])
def test_a_body_of_countless_values_is_not_read_at_all(unit: bytes) -> None:
    with pytest.raises(Unreadable, match="more values"):
        parse(b"[" + unit * JSON_VALUES_MAX + b"0]")


@pytest.mark.parametrize(
    ("value", "shown"), [("active", "active"), ("a\x1b[2Jb\n", "a\ufffd[2Jb"), ("\u202ex", "\ufffdx")]
)
def test_what_is_shown_to_people_holds_no_escape_sequence(value: str, shown: str) -> None:
    assert label(value) == shown


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


@given(json_values)
def test_what_is_stored_can_be_stored_and_storing_it_again_changes_nothing(value: Any) -> None:
    stored = storable(value)
    written = json.dumps(stored, allow_nan=False, ensure_ascii=False).encode()
    assert b"\\u0000" not in written
    assert storable(stored) == stored


def test_nul_and_lone_surrogates_are_replaced_in_keys_too() -> None:
    assert storable({"a\x00": ["\ud800x", float("nan")]}) == {"a\ufffd": ["\ufffdx", None]}


def test_an_abyss_is_cut_off() -> None:
    deep: Any = "bottom"
    for _ in range(JSON_DEPTH_MAX + 5):
        deep = [deep]
    assert "bottom" not in json.dumps(storable(deep))


def test_a_document_keeps_unknown_fields_and_no_secret() -> None:
    payload = {
        "id": "s",
        "novelty": {"deep": [1, {"accessToken": "x", "candidate-link": "y"}]},
        "candidate_link": "https://i/#t=1",
        "note": "see https://interview.zenhire.ai/#t=abc",
        "tokens_used": 5,
        "token": None,
    }
    assert document_of(payload) == {
        "id": "s",
        "novelty": {"deep": [1, {"accessToken": "[removed]", "candidate-link": "[removed]"}]},
        "candidate_link": "[removed]",
        "note": "[removed]",
        "tokens_used": 5,
        "token": None,
    }


def test_an_enormous_document_keeps_its_small_fields() -> None:
    payload = {"id": "s", "status": "active", "novelty": "x" * DOCUMENT_BYTES_MAX}
    assert document_of(payload) == {"id": "s", "status": "active", "zenhire_sync_shortened": True}
    many = {f"field{number}": "x" * 1000 for number in range(5000)}
    assert len(json.dumps(document_of(many))) < DOCUMENT_BYTES_MAX


@pytest.mark.parametrize(
    "payload",
    [
        {"id": "s", "x": 1},
        {"session_id": "s", "x": 1},
        {"session": {"id": "s"}, "x": 1},
        {"data": {"id": "s", "x": 1}},
        {"data": {"session": {"session_id": "s"}, "x": 1}},
        {"result": {"data": {"id": "s", "x": 1}}},
        {"id": "request", "session": {"id": "s", "x": 1}},
    ],
)
def test_an_object_is_found_in_its_wrapping(payload: Any) -> None:
    found = unwrap(payload, "session", ("id", "session_id"))
    assert found is not None
    assert found["x"] == 1
    assert found.get("id", found.get("session_id")) == "s"


@pytest.mark.parametrize("payload", [None, [], "s", 5, {}, {"id": "a/b"}, {"data": [{"id": "s"}]}, {"session": None}])
def test_where_no_object_with_an_id_is_there_is_none(payload: Any) -> None:
    assert unwrap(payload, "session", ("id", "session_id")) is None


@pytest.mark.parametrize("name", ["data", "items", "sessions", "results", "personas"])
def test_rows_are_found_under_every_usual_name(name: str) -> None:
    assert rows({name: [1, 2], "total": 9}) == [1, 2]
    assert rows({"data": {name: [1, 2]}}) == [1, 2]


def test_rows_may_come_bare_or_as_null_for_none_but_not_from_anything_else() -> None:
    assert rows([1]) == [1]
    assert rows({"data": None}) == []
    for payload in ({}, {"error": {"code": "X"}}, {"data": {"id": "s"}}, "rows", 5, None):
        assert rows(payload) is None


@pytest.mark.parametrize("name", ["next_cursor", "nextCursor", "next_page_token", "next"])
@pytest.mark.parametrize("home", [None, "pagination", "meta", "page"])
def test_the_next_pages_mark_is_found(name: str, home: str | None) -> None:
    marks: dict[str, Any] = {name: "abc=="}
    assert next_cursor({"data": [], **(marks if home is None else {home: marks})}) == "abc=="


@pytest.mark.parametrize("mark", [None, 2, "", "https://x/?page=2", "/sessions?page=2", "a\nb", "x" * 3000, {}, True])
def test_what_is_no_cursor_is_none(mark: Any) -> None:
    assert next_cursor({"data": [], "next": mark}) is None


def test_a_bare_list_shows_no_cursor() -> None:
    assert next_cursor([1]) is None
    assert not says_last([1])


@pytest.mark.parametrize("mark", [{"has_more": False}, {"next_cursor": None}, {"meta": {"hasNext": False}}])
def test_an_envelope_may_say_that_no_page_follows(mark: Any) -> None:
    assert says_last({"data": [], **mark})
    assert not says_last({"data": [], "total": 5, "has_more": True})
