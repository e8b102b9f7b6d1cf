"""The sandbox over real sockets: what a client sees of envelopes, faults, sound, speed, and its end."""

import io
import signal
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from sandbox.clock import SystemClock
from sandbox.model import KeySpec
from sandbox.plans import Script
from sandbox.platform import Platform
from sandbox.profile import Profile
from sandbox.profiles import changed
from sandbox.running import RunningSandbox, running_sandbox, sandbox_process
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Rig:
    """A running sandbox and a client that holds its key."""

    sandbox: RunningSandbox
    http: httpx.Client
    persona: str

    def post(self, candidate_ref: str = "anna", **fields: Any) -> httpx.Response:
        body = {"consent_mode": "explicit", "candidate_ref": candidate_ref, **fields}
        return self.http.post(f"/personas/{self.persona}/sessions", json=body)

    def lost(self) -> list[str | None]:
        return [session.candidate_ref for session in self.sandbox.platform.truth().lost()]


@contextmanager
def rig(plan: str = "never", **settings: Any) -> Iterator[Rig]:
    dotted = {name.replace("__", "."): value for name, value in settings.items()}
    platform = Platform(changed(Profile(), dotted), SystemClock(), script=Script({"*": plan}))
    with (
        running_sandbox(platform) as sandbox,
        httpx.Client(base_url=sandbox.base_url, headers={"X-API-Key": sandbox.key}, timeout=5) as http,
    ):
        made = http.post("/personas", json={"role_name": "Cook", "language": "en"})
        yield Rig(sandbox, http, made.json()["id"])


@pytest.fixture(scope="module")
def calm() -> Iterator[Rig]:
    """One sandbox for tests that leave it as it was."""
    with rig() as made:
        yield made


def test_every_endpoint_answers_as_documented(calm: Rig) -> None:
    session = calm.post("röbert'); DROP TABLE").json()["id"]
    root = calm.sandbox.base_url.removesuffix("/interview")
    answers = {
        path: calm.http.get(path).status_code
        for path in (
            "/personas",
            f"/personas/{calm.persona}",
            "/sessions?limit=5",
            f"/sessions/{session}",
            f"/sessions/{session}/recording",
            f"/sessions/{session}/transcript",
            f"{root}/credits",
            f"{root}/health",
        )
    }
    assert list(answers.values()) == [200, 200, 200, 200, 409, 409, 200, 200]
    assert calm.http.get(f"/sessions/{session}").json()["candidate_ref"] == "röbert'); DROP TABLE"


def test_an_error_comes_in_the_envelope_with_the_vendors_time(calm: Rig) -> None:
    answer = calm.http.get("/sessions/%2E%2E%2Fpersonas")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (404, "NOT_FOUND")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(error["timestamp"])).total_seconds() < 5  # noqa: TID251 - the vendor's stamp against the machine's
    assert abs(datetime.now(UTC) - parsedate_to_datetime(answer.headers["date"])).total_seconds() < 5  # noqa: TID251 - as above


def test_a_key_may_come_as_a_bearer_and_its_absence_is_told_from_a_wrong_one(calm: Rig) -> None:
    def asked(headers: dict[str, str]) -> tuple[int, str | None]:
        answer = httpx.get(f"{calm.sandbox.base_url}/personas", headers=headers)
        return answer.status_code, answer.json().get("error", {}).get("code")

    assert asked({}) == (401, "MISSING_API_KEY")
    assert asked({"X-API-Key": "zh_wrong"}) == (401, "INVALID_API_KEY")
    assert asked({"Authorization": f"Bearer {calm.sandbox.key}"}) == (200, None)


def test_a_skewed_vendor_shows_its_own_date() -> None:
    with rig(shapes__clock_skew_seconds=3600) as skewed:
        date = parsedate_to_datetime(skewed.http.get("/sessions").headers["date"])
        assert 3590 < (date - datetime.now(UTC)).total_seconds() < 3610  # noqa: TID251 - the skew is against the machine's


def test_a_lost_reply_closes_the_connection_with_the_work_done_or_not() -> None:
    rules = "lost_before@create_session:#1 lost_after@create_session:#2 late_commit@create_session:#3:seconds=0.2"
    with rig(faults__rules=rules) as faulty:
        for name in ("before", "after", "late"):
            with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
                faulty.post(name)
        assert faulty.lost() == ["after"]
        assert faulty.post("well").status_code == 201
        eventually(lambda: faulty.lost() == ["after", "late"], within=5)


def test_a_client_that_goes_before_the_answer_never_had_the_link() -> None:
    with rig(faults__rules="delay@create_session:#1:seconds=0.5 slow_body@create_session:#2:seconds=2") as faulty:
        impatient = httpx.Client(base_url=faulty.sandbox.base_url, headers=faulty.http.headers, timeout=0.1)
        with impatient:
            for name in ("late", "slow"):
                body = {"consent_mode": "explicit", "candidate_ref": name}
                with pytest.raises(httpx.ReadTimeout):
                    impatient.post(f"/personas/{faulty.persona}/sessions", json=body)
        eventually(lambda: faulty.lost() == ["late", "slow"], within=5)


def test_a_slow_body_arrives_whole() -> None:
    with rig(faults__rules="slow_body@list_sessions:1:seconds=0.3") as slow:
        answer = slow.http.get("/sessions")
        assert answer.elapsed.total_seconds() >= 0.2
        assert answer.json()["data"] == []


def test_an_endless_body_ends_when_the_client_goes() -> None:
    with rig(faults__rules="endless@list_sessions:1") as endless:
        with endless.http.stream("GET", "/sessions") as answer:
            received = 0
            for piece in answer.iter_raw():
                received += len(piece)
                if received > 1_000_000:
                    break
        assert endless.http.get("/personas").status_code == 200


def test_a_proxys_pages_and_broken_bodies_reach_the_client() -> None:
    with rig() as broken:
        broken.sandbox.console.set_faults(["bad_gateway:#1", "truncated:#2", "empty:#3", "rate_limited:#4:seconds=7"])
        page, half, empty, limited = (broken.http.get("/sessions") for _ in range(4))
        assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
        assert half.text == '{"data":[],"has_more":f'
        assert (empty.status_code, empty.content) == (200, b"")
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("with_length", [True, False])
def test_a_recording_plays_and_a_transcript_reads(with_length: bool) -> None:
    plan = "completed opens_after=0 talks_for=1200 artifacts_after=0"
    with rig(plan, speed=1_000_000, shapes__recording_length_header=with_length) as done:
        session = done.post().json()["id"]
        eventually(lambda: done.http.get(f"/sessions/{session}").json()["status"] == "completed", within=5)
        recording = done.http.get(f"/sessions/{session}/recording")
        assert recording.headers["content-type"] == "audio/wav"
        assert ("content-length" in recording.headers) is with_length
        with wave.open(io.BytesIO(recording.content)) as sound:
            assert (sound.getnchannels(), sound.getframerate(), sound.getnframes()) == (1, 8000, 16_000)
            assert len(set(sound.readframes(16_000))) > 100
        assert done.http.get(f"/sessions/{session}/transcript").json()["turns"]


def test_speed_makes_days_pass_in_seconds_on_real_timestamps() -> None:
    with rig("never|completed opens_after=3600 talks_for=1200", speed=100_000) as fast:
        before = datetime.now(UTC)  # noqa: TID251 - the sandbox's stamps are to be the machine's
        assert fast.post().json()["expires_in"] == 6
        session = fast.post().json()["id"]
        eventually(lambda: fast.http.get(f"/sessions/{session}").json()["status"] == "completed", within=5)
        seen = fast.http.get(f"/sessions/{session}").json()
        assert (seen["duration_sec"], seen["credit_charged"]) == (1200, 20)
        assert 0 < (datetime.fromisoformat(seen["completed_at"]) - before).total_seconds() < 6


def test_the_limit_per_key_is_held_and_counted_for_clients_at_once() -> None:
    with rig(limits__requests_per_minute=50) as limited, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: limited.http.get("/sessions").status_code, range(80)))
        assert (answers.count(200), answers.count(429)) == (49, 31)  # one went for the persona
        assert limited.sandbox.console.busiest_minute(limited.sandbox.key) == 81


def test_two_keys_are_two_accounts() -> None:
    platform = Platform(Profile(), SystemClock(), keys=(KeySpec(value="one"), KeySpec(value="two")))
    with running_sandbox(platform) as sandbox:
        made = httpx.post(
            f"{sandbox.base_url}/personas",
            json={"role_name": "Cook", "language": "en"},
            headers={"X-API-Key": "one"},
        ).json()
        shown = httpx.get(f"{sandbox.base_url}/personas", headers={"X-API-Key": "two"}).json()
        assert shown["data"] == []
        assert made["client_id"] == platform.keys["one"].client.id


def test_the_command_serves_tells_the_truth_and_ends_cleanly() -> None:
    arguments = ["--set", "candidates.come=when_sent", "--key", "zh_api_a", "--faults", "lost_after@create_session:#2"]
    with sandbox_process(arguments) as sandbox:
        headers = {"X-API-Key": "zh_api_a"}
        with httpx.Client(base_url=sandbox.base_url, headers=headers, timeout=5) as http:
            persona = http.post("/personas", json={"role_name": "Cook", "language": "en"}).json()["id"]
            path, body = f"/personas/{persona}/sessions", {"consent_mode": "explicit", "candidate_ref": "anna~failed"}
            link = http.post(path, json=body).json()["candidate_link"]
            with pytest.raises(httpx.RemoteProtocolError):
                http.post(path, json=body)
        control = sandbox.control
        session = control.send_link(link, plan="failed opens_after=0 talks_for=60")
        eventually(lambda: control.counts()["by_status"]["failed"] == 1, within=5)
        rows = {row["id"]: row for row in control.sessions()}
        assert rows[session]["links"][0]["url"] == link
        summary = control.summary()
        assert (summary["sessions"], summary["replies_lost"]) == (2, 1)
        assert summary["answers"]["create_session"] == {"201": 1, "lost_after": 1}
        assert control.reinvite(session)["session_id"] == session
        assert control.top_up("zh_api_a", 5) == 100_005
        control.set_key("zh_api_a", state="revoked")
        control.write_plan("bert", "never")
        control.change_profile({"listing.paging": "cursor"})
        control.set_faults([])
        control.advance(3600)
        control.delete_persona(persona)
        assert control.busiest_minute("zh_api_a") == 3
        for wrong in (lambda: control.top_up("zh_api_b", 5), lambda: control.set_key("zh_api_a", state="lent")):
            with pytest.raises(ValueError, match="sandbox: "):
                wrong()
        sandbox.process.send_signal(signal.SIGINT)
        assert sandbox.process.wait(10) == 0
