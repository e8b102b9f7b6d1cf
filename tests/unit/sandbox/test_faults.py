"""What goes wrong: which request it strikes, and what it leaves behind."""

import json

import pytest

from sandbox.faults import BREAKING, Endpoint, FaultKind, parse_rule
from sandbox.profiles import ProfileError
from tests.unit.sandbox.lab import Lab, code, read


def test_scripted_faults_strike_exactly_the_numbered_requests() -> None:
    lab = Lab({"faults.rules": "lost_after@create_session:#3,#7"})
    persona = lab.persona()
    cut = [lab.post(f"c{number}", persona=persona).cut for number in range(1, 9)]
    assert [place for place, was_cut in enumerate(cut, 1) if was_cut] == [3, 7]
    assert [session.candidate_ref for session in lab.platform.truth().lost()] == ["c3", "c7"]


def test_lost_before_the_work_leaves_nothing_and_after_it_a_session() -> None:
    left = {}
    for kind in ("lost_before", "lost_after"):
        lab = Lab({"faults.rules": f"{kind}@create_session:1"})
        assert lab.post().cut
        left[kind] = len(lab.platform.truth().sessions)
    assert left == {"lost_before": 0, "lost_after": 1}


def test_nobody_comes_with_a_link_that_was_never_told() -> None:
    lab = Lab({"faults.rules": "lost_after@create_session:1"}, plans={"*": "completed opens_after=0"})
    lab.post()
    lab.wait(days=3)
    lost = lab.platform.truth().lost()[0]
    assert (lost.status, lab.platform.truth().live_links()["anna"]) == ("initiated", 0)


def test_a_late_commit_makes_the_session_at_its_own_time() -> None:
    lab = Lab({"faults.rules": "late_commit@create_session:#1:seconds=30"})
    assert lab.post().cut
    assert lab.platform.truth().sessions == ()
    lab.wait(days=2)
    session = lab.platform.truth().lost()[0]
    assert session.created_at.isoformat() == "2026-03-01T08:00:30+00:00"


def test_an_error_may_come_with_the_work_done_or_not() -> None:
    for moment, made in (("before", 0), ("after", 1)):
        lab = Lab({"faults.rules": f"internal_error@create_session:1:{moment}"})
        assert code(lab.post()) == (500, "INTERNAL_ERROR")
        assert len(lab.platform.truth().lost()) == made


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("bad_gateway", 502, "text/html"),
        ("unavailable", 503, "text/html"),
        ("gateway_timeout", 504, "text/html"),
        ("wrong_type", 201, "text/html"),
        ("not_json", 201, "application/json"),
        ("empty", 201, "application/json"),
        ("truncated", 201, "application/json"),
    ],
)
def test_broken_bodies_keep_their_status_and_cannot_be_read(kind: str, status: int, content_type: str) -> None:
    reply = Lab({"faults.rules": f"{kind}@create_session:1"}).post()
    assert (reply.status, reply.content_type) == (status, content_type)
    assert isinstance(reply.body, bytes)
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.body)


def test_json_of_another_shape_is_json_all_the_same() -> None:
    lab = Lab({"faults.rules": "other_shape@create_session:1"})
    assert read(lab.post()) == {"ok": True, "result": []}
    assert len(lab.platform.truth().lost()) == 1


def test_a_429_may_lack_its_retry_after() -> None:
    lab = Lab({"faults.rules": "rate_limited:#1:seconds=17 rate_limited_bare:#2"})
    first, second = lab.ask("GET", "sessions"), lab.ask("GET", "sessions")
    assert code(first) == code(second) == (429, "RATE_LIMIT_EXCEEDED")
    assert (dict(first.headers), second.headers) == ({"retry-after": "17"}, ())


def test_slow_and_late_answers_are_whole_and_told() -> None:
    lab = Lab({"faults.rules": "slow_body@create_session:#1:seconds=3 delay@create_session:#2:seconds=2"})
    slow, late = lab.post(), lab.post()
    assert (slow.status, slow.drip_seconds, late.delay_seconds) == (201, 3, 2)
    assert b"".join(slow.pieces()) == slow.body
    assert lab.platform.truth().lost() == ()


def test_a_rule_watches_its_endpoints_alone_and_never_health() -> None:
    lab = Lab({"faults.rules": "unavailable:1"})
    assert lab.ask("GET", "/api/v1/health", key=None).status == 200
    assert lab.ask("GET", "sessions").status == 503
    lab.console.set_faults(["unavailable@get_session+list_personas:1"])
    assert [lab.ask("GET", path).status for path in ("sessions", "personas", "sessions/x")] == [200, 503, 503]


def test_any_draws_among_all_that_break_and_a_seed_repeats_it() -> None:
    def history(seed: int) -> dict[str, dict[str, int]]:
        lab = Lab({"faults.rules": "any:0.5"}, seed=seed)
        for _ in range(400):
            lab.ask("GET", "sessions")
        answers: dict[str, dict[str, int]] = lab.platform.counts()["answers"]
        return answers

    assert history(1) == history(1) != history(2)
    assert set(history(1)[Endpoint.LIST_SESSIONS]) == {*BREAKING, "200"}


def test_latency_has_a_fixed_part_and_a_spread() -> None:
    lab = Lab({"faults.latency_seconds": 0.5, "faults.latency_jitter_seconds": 0.1})
    delays = [lab.ask("GET", "sessions").delay_seconds for _ in range(200)]
    assert min(delays) >= 0.5
    assert 0.57 < sum(delays) / 200 < 0.63


def test_a_rule_is_read_from_text() -> None:
    rule = parse_rule("gateway_timeout@create_session+get_session:0.25:seconds=9:before")
    assert (rule.kind, rule.probability, rule.seconds) == (FaultKind.GATEWAY_TIMEOUT, 0.25, 9)
    assert rule.endpoints == (Endpoint.CREATE_SESSION, Endpoint.GET_SESSION)
    assert not rule.does_the_work


@pytest.mark.parametrize("text", ["boom:1", "any", "any:2", "any@moon:1", "any:0.1:often", "any:#x", ""])
def test_a_rule_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        parse_rule(text)
    with pytest.raises(ProfileError, match=r"faults\.rules"):
        Lab({"faults.rules": [text]})
