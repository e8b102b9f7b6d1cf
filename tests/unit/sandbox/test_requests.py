"""The documented limits of what may be posted (contract §2.1, §2.2, §7)."""

from typing import Any

import pytest

from sandbox.wire import Request
from tests.unit.sandbox.lab import BASE, Lab, code, read


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"language": "en"}, "role_name"),
        ({"role_name": " ", "language": "en"}, "role_name"),
        ({"role_name": "x" * 201, "language": "en"}, "role_name"),
        ({"role_name": "Cook"}, "language"),
        ({"role_name": "Cook", "language": "x" * 65}, "language"),
        ({"role_name": "Cook", "language": 7}, "language"),
        ({"role_name": "Cook", "language": "en", "system_prompt": "x" * 20_001}, "system_prompt"),
        ({"role_name": "Cook", "language": "en", "base_prompt_override": 1}, "base_prompt_override"),
    ],
)
def test_a_persona_beyond_the_limits_is_refused_by_field(body: dict[str, Any], field: str) -> None:
    reply = Lab().ask("POST", "personas", body)
    assert code(reply) == (400, "INVALID_INPUT")
    assert list(read(reply)["error"]["details"]["fields"]) == [field]


def test_a_persona_at_the_limits_is_made() -> None:
    body = {"role_name": "é" * 200, "language": "x" * 64, "system_prompt": "p" * 20_000}
    lab = Lab()
    made = read(lab.ask("POST", "personas", body))
    assert lab.get(f"personas/{made['id']}")["system_prompt"] == "p" * 20_000
    assert "base_prompt_override" in made
    assert "base_prompt_override" not in lab.get("personas")["data"][0]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"consent_mode": None}, "consent_mode"),
        ({"consent_mode": "implied"}, "consent_mode"),
        ({"candidate_ref": 5}, "candidate_ref"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {str(number): 1 for number in range(51)}}, "metadata"),
        ({"metadata": {"k" * 41: 1}}, "metadata"),
        ({"metadata": {"k": "v" * 501}}, "metadata"),
        ({"metadata": {"k": None}}, "metadata"),
        ({"metadata": {"k": {"deep": 1}}}, "metadata"),
        ({"metadata": {f"k{number}": "v" * 490 for number in range(20)}}, "metadata"),
        ({"tags": "one"}, "tags"),
        ({"tags": ["t" * 41]}, "tags"),
        ({"tags": ["  "]}, "tags"),
        ({"tags": [f"t{number}" for number in range(21)]}, "tags"),
    ],
)
def test_a_session_beyond_the_limits_is_refused_by_field(fields: dict[str, Any], field: str) -> None:
    reply = Lab().post(**fields)
    assert code(reply) == (400, "INVALID_INPUT")
    assert list(read(reply)["error"]["details"]["fields"]) == [field]


def test_a_session_at_the_limits_is_made_and_echoed() -> None:
    metadata = {f"{number:040}": "v" * 100 for number in range(50)} | {f"{0:040}": True, f"{1:040}": 1.5}
    lab = Lab()
    session = lab.mint("ref", metadata=metadata, tags=[f"{number:040}" for number in range(20)])
    seen = lab.get(f"sessions/{session}")
    assert seen["metadata"] == metadata
    assert len(seen["tags"]) == 20


def test_tags_are_trimmed_and_repetitions_dropped() -> None:
    lab = Lab()
    assert lab.get(f"sessions/{lab.mint(tags=[' a', 'a', 'b '])}")["tags"] == ["a", "b"]


@pytest.mark.parametrize(("way", "seen"), [("truncate", (201, "é" * 256)), ("reject", (400, None))])
def test_a_candidate_ref_over_256_is_cut_or_refused(way: str, seen: tuple[int, str | None]) -> None:
    lab = Lab({"errors.long_candidate_ref": way})
    reply = lab.post("é" * 300)
    kept = lab.get(f"sessions/{read(reply)['id']}")["candidate_ref"] if reply.status == 201 else None
    assert (reply.status, kept) == seen


@pytest.mark.parametrize(("way", "nothing"), [("null", (None, None)), ("empty", ({}, []))])
def test_metadata_and_tags_that_hold_nothing_are_null_or_empty(way: str, nothing: tuple[Any, Any]) -> None:
    lab = Lab({"shapes.empty_collections": way})
    seen = lab.get(f"sessions/{lab.mint(metadata={}, tags=[])}")
    assert (seen["metadata"], seen["tags"]) == nothing


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"text"'])
def test_a_body_that_is_no_json_object_is_a_400(body: bytes) -> None:
    reply = Lab().gateway.handle(Request(method="POST", path=f"{BASE}/personas", key="zh_api_sandbox", body=body))
    assert code(reply) == (400, "INVALID_INPUT")


@pytest.mark.parametrize(
    ("field", "names"), [("id", {"id"}), ("session_id", {"session_id"}), ("both", {"id", "session_id"})]
)
def test_the_create_response_names_the_id_as_the_profile_has_it(field: str, names: set[str]) -> None:
    made = read(Lab({"shapes.session_id_field": field}).post())
    assert set(made) == names | {"candidate_link", "expires_in"}
    assert made["candidate_link"].startswith("https://interview.zenhire.ai/#t=")
    assert made["expires_in"] == 604_800


def test_a_link_is_told_once() -> None:
    lab = Lab()
    made = read(lab.post())
    token = made["candidate_link"].partition("#t=")[2]
    assert token not in str(lab.get(f"sessions/{made['id']}"))
    assert token not in str(lab.get("sessions"))


def test_a_list_row_and_a_single_session_differ_as_documented() -> None:
    lab = Lab()
    session = lab.mint()
    row, single = lab.get("sessions")["data"][0], lab.get(f"sessions/{session}")
    assert set(row) - set(single) == {"role_name", "language"}
    assert set(single) - set(row) == {"persona", "feedback"}


def test_a_deleted_persona_leaves_nulls_behind() -> None:
    lab = Lab()
    persona = lab.persona()
    session = lab.mint(persona=persona)
    lab.console.delete_persona(persona)
    row = lab.get("sessions")["data"][0]
    assert (row["role_name"], row["language"], lab.get(f"sessions/{session}")["persona"]) == (None, None, None)
    assert code(lab.post(persona=persona)) == (404, "NOT_FOUND")
    assert lab.get("personas")["data"] == []
