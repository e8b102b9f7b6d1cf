"""Candidates: the state machine of contract §3, the cap, the door, and the end of a link."""

import json

import pytest

from tests.unit.sandbox.lab import PROMPT, Lab, code, read


def test_a_session_goes_from_initiated_over_active_to_completed() -> None:
    lab = Lab(plans={"*": PROMPT})
    session = lab.mint()
    assert lab.status(session) == "initiated"
    lab.wait(seconds=61)
    assert lab.status(session) == "active"
    lab.wait(seconds=600)
    seen = lab.get(f"sessions/{session}")
    assert seen["status"] == "completed"
    assert (seen["duration_sec"], seen["credit_charged"]) == (600, 10)
    assert seen["started_at"] == "2026-03-01T08:01:00.000Z"
    assert seen["completed_at"] == "2026-03-01T08:11:00.000Z"


def test_history_does_not_depend_on_how_often_one_looks() -> None:
    often, once = Lab(plans={"*": PROMPT}), Lab(plans={"*": PROMPT})
    sessions = [lab.mint() for lab in (often, once)]
    for _ in range(1000):
        often.wait(seconds=1)
        often.status(sessions[0])
    once.wait(seconds=1000)
    assert often.get(f"sessions/{sessions[0]}") == once.get(f"sessions/{sessions[1]}")


def test_a_failed_session_is_free_and_its_artifacts_are_never_ready() -> None:
    lab = Lab(plans={"*": "failed opens_after=1 talks_for=300"})
    session = lab.mint()
    lab.wait(days=1)
    assert lab.get(f"sessions/{session}")["credit_charged"] is None
    assert lab.get(f"sessions/{session}")["status"] == "failed"
    reply = lab.ask("GET", f"sessions/{session}/transcript")
    assert code(reply) == (409, "ARTIFACT_NOT_READY")
    assert read(reply)["error"]["details"] == {"status": "failed"}


@pytest.mark.parametrize(
    ("placement", "shown"),
    [("error_code", "SESSION_TIMEOUT"), ("status_reason", "SESSION_TIMEOUT"), ("nowhere", None)],
)
def test_a_session_over_its_budget_fails_with_session_timeout(placement: str, shown: str | None) -> None:
    settings = {"limits.interview_budget_seconds": 1800, "shapes.timeout_shown": placement}
    lab = Lab(settings, plans={"*": "completed opens_after=0 talks_for=7200"})
    session = lab.mint()
    lab.wait(seconds=1799)
    assert lab.status(session) == "active"
    lab.wait(seconds=2)
    seen = lab.get(f"sessions/{session}")
    assert seen["status"] == "failed"
    assert seen.get(placement) == shown
    assert lab.platform.truth().sessions[0].timed_out


def test_over_the_cap_candidates_wait_at_the_door_and_stay_initiated() -> None:
    lab = Lab({"limits.concurrency": 2}, plans={"*": "completed opens_after=0 talks_for=600"})
    persona = lab.persona()
    sessions = [lab.mint(f"c{number}", persona=persona) for number in range(5)]
    lab.wait(seconds=1)
    assert [lab.status(session) for session in sessions] == ["active"] * 2 + ["initiated"] * 3
    assert lab.platform.counts()["waiting_at_the_door"] == 3
    lab.wait(seconds=600)
    assert [lab.status(session) for session in sessions] == ["completed"] * 2 + ["active"] * 2 + ["initiated"]
    lab.wait(seconds=1200)
    assert {lab.status(session) for session in sessions} == {"completed"}


def test_a_dead_link_never_opens() -> None:
    lab = Lab(plans={"*": "completed opens_after=604801"})
    session = lab.mint()
    lab.wait(days=30)
    assert lab.status(session) == "initiated"
    assert lab.platform.truth().live_links()["anna"] == 0


def test_who_waits_at_the_door_when_the_link_expires_still_gets_in() -> None:
    plans = {
        "first": "completed opens_after=604700 talks_for=600",
        "second": "completed opens_after=604750 talks_for=60",
    }
    lab = Lab({"limits.concurrency": 1}, plans=plans)
    lab.mint("first")
    second = lab.mint("second")
    lab.wait(seconds=604_900)
    assert lab.status(second) == "initiated"
    assert lab.platform.truth().live_links()["second"] == 1
    lab.wait(seconds=410)
    assert lab.status(second) == "active"
    lab.wait(seconds=100)
    assert lab.status(second) == "completed"


def test_a_session_whose_link_expired_becomes_failed_where_the_profile_says_so() -> None:
    lab = Lab({"limits.after_expiry": "failed"}, plans={"*": "never"})
    session = lab.mint()
    lab.wait(days=6)
    assert lab.status(session) == "initiated"
    lab.wait(days=1, seconds=1)
    assert lab.status(session) == "failed"


def test_a_session_can_fail_without_ever_being_opened() -> None:
    lab = Lab(plans={"*": "fails_unopened opens_after=60"})
    session = lab.mint()
    lab.wait(seconds=61)
    seen = lab.get(f"sessions/{session}")
    assert (seen["status"], seen["started_at"]) == ("failed", None)


def test_speed_divides_spans_and_leaves_reports_whole() -> None:
    lab = Lab({"speed": 100}, plans={"*": PROMPT})
    reply = read(lab.post())
    assert reply["expires_in"] == 6048
    lab.wait(seconds=0.7)
    assert lab.status(reply["id"]) == "active"
    lab.wait(seconds=6)
    seen = lab.get(f"sessions/{reply['id']}")
    assert (seen["status"], seen["duration_sec"], seen["credit_charged"]) == ("completed", 600, 10)


def test_artifacts_come_some_time_after_the_end() -> None:
    lab = Lab(plans={"*": "completed opens_after=0 talks_for=60 artifacts_after=30"})
    session = lab.mint()
    lab.wait(seconds=61)
    assert code(lab.ask("GET", f"sessions/{session}/transcript")) == (409, "ARTIFACT_NOT_READY")
    assert lab.get(f"sessions/{session}")["transcript_s3_key"] is None
    lab.wait(seconds=30)
    assert lab.get(f"sessions/{session}/transcript")["turns"]
    assert lab.get(f"sessions/{session}")["transcript_s3_key"] is not None


def test_one_artifact_may_be_missing_for_ever() -> None:
    lab = Lab(plans={"*": "completed opens_after=0 talks_for=60 artifacts_after=0 recording=no"})
    session = lab.mint()
    lab.wait(days=1)
    assert lab.ask("GET", f"sessions/{session}/transcript").status == 200
    assert code(lab.ask("GET", f"sessions/{session}/recording")) == (409, "ARTIFACT_NOT_READY")


@pytest.mark.parametrize(
    ("text", "hidden"), [("nul", "\\u0000"), ("surrogate", "\\ud83d "), ("emoji", "\\ud83d\\udc4d")]
)
@pytest.mark.parametrize(("shape", "kind"), [("object", dict), ("array", list)])
def test_transcripts_hide_what_is_hard_to_store(text: str, hidden: str, shape: str, kind: type) -> None:
    lab = Lab({"shapes.transcript": shape}, plans={"*": f"completed opens_after=0 artifacts_after=0 text={text}"})
    session = lab.mint()
    lab.wait(days=1)
    body = lab.ask("GET", f"sessions/{session}/transcript").body
    assert isinstance(body, bytes)
    assert hidden in body.decode()
    assert isinstance(json.loads(body), kind)


def test_feedback_may_come_later_than_the_end() -> None:
    lab = Lab(plans={"*": "completed opens_after=0 talks_for=60 rating=2 feedback_after=3600"})
    session = lab.mint()
    lab.wait(seconds=120)
    assert lab.get(f"sessions/{session}")["feedback"] is None
    lab.wait(hours=1)
    assert lab.get(f"sessions/{session}")["feedback"] == {"rating": 2, "low_rating": True}
