"""The sandbox's own count, the console, and that a seed repeats a history."""

import random
from datetime import timedelta

import httpx
import pytest

from sandbox.console import ConsoleError
from sandbox.in_process import InProcessTransport
from sandbox.model import Status
from tests.unit.sandbox.lab import PROMPT, Lab, read


def busy_history(seed: int) -> Lab:
    """A few hundred calls, faults, and days."""
    lab = Lab({"faults.rules": "any@create_session:0.2", "limits.concurrency": 3}, seed=seed)
    persona = lab.persona()
    dice = random.Random(5)
    for number in range(150):
        lab.post(f"c{number % 60}", persona=persona, metadata={"invite": f"i{number % 60}"})
        lab.wait(minutes=dice.randrange(60))
        lab.get("sessions", f"status=active&offset={dice.randrange(3)}")
    lab.wait(days=9)
    return lab


def test_the_same_seed_and_calls_make_the_same_history() -> None:
    assert busy_history(1).platform.truth() == busy_history(1).platform.truth()
    assert busy_history(1).platform.truth() != busy_history(2).platform.truth()


def test_each_link_belongs_to_the_session_it_was_minted_for() -> None:
    lab = Lab()
    made = [read(lab.post(f"c{number}")) for number in range(5)]
    owner = lab.platform.truth().session_of_link()
    assert [owner[one["candidate_link"]] for one in made] == [one["id"] for one in made]
    found = lab.platform.session_of_link(made[2]["candidate_link"])
    assert found is not None
    assert found.id == made[2]["id"]


def test_two_live_links_of_one_candidate_are_counted_even_when_long_dead() -> None:
    lab = Lab(plans={"*": "never"})
    for name in ("anna", "bert", "anna"):
        lab.mint(name, metadata={"invite": f"{name}/1"})
    assert lab.platform.truth().live_links() == {"anna": 2, "bert": 1}
    lab.wait(days=8)
    truth = lab.platform.truth()
    assert truth.live_links().total() == 0
    assert truth.most_links_at_once() == {"anna": 2, "bert": 1}
    assert truth.summary("metadata.invite")["candidates_with_two_links_at_once"] == ["anna/1"]


def test_a_link_that_was_dead_when_it_was_handed_over_overlaps_with_none() -> None:
    lab = Lab({"candidates.come": "when_sent"}, plans={"*": "never"})
    links = {}
    for number in (1, 2):
        lab.mint("anna")
        links[number] = lab.platform.truth().sessions[-1].links[-1].url
        lab.wait(days=8 if number == 1 else 0)
    for number in (1, 2):
        lab.console.send_link(links[number])
        lab.wait(seconds=1)
    assert lab.platform.truth().live_links() == {"anna": 1}
    assert lab.platform.truth().most_links_at_once() == {"anna": 1}


def test_one_link_after_the_other_is_no_overlap() -> None:
    lab = Lab(plans={"*": "failed opens_after=10 talks_for=10"})
    for _ in range(3):
        lab.mint()
        lab.wait(seconds=20)
    assert lab.platform.truth().most_links_at_once() == {"anna": 1}


def test_a_lost_link_is_in_nobodys_hands() -> None:
    lab = Lab({"faults.rules": "lost_after@create_session:#1"}, plans={"*": "never"})
    lab.post()
    lab.mint()
    summary = lab.platform.truth().summary()
    assert (summary["sessions"], summary["replies_lost"], summary["live_links"]) == (2, 1, 1)
    assert summary["candidates_with_two_links_at_once"] == []


def test_candidates_may_come_only_once_they_were_sent_their_link() -> None:
    lab = Lab({"candidates.come": "when_sent"}, plans={"*": PROMPT})
    made = read(lab.post())
    lab.wait(days=1)
    assert lab.status(made["id"]) == "initiated"
    assert lab.platform.truth().live_links()["anna"] == 0
    assert lab.console.send_link(made["candidate_link"]).id == made["id"]
    lab.wait(seconds=61)
    assert lab.status(made["id"]) == "active"
    with pytest.raises(ConsoleError, match="no session has this link"):
        lab.console.send_link("https://interview.zenhire.ai/#t=forged")


def test_the_console_invites_again_with_the_same_id_or_another() -> None:
    for way, source in (("same", "requests"), ("new", "playground")):
        lab = Lab({"limits.reinvite": way}, plans={"*": "timed_out opens_after=0|completed opens_after=60"})
        session = lab.mint(metadata={"post": "p1"})
        with pytest.raises(ConsoleError, match="only a dead link"):
            lab.console.reinvite(session)
        lab.wait(hours=2)
        again, link = lab.console.reinvite(session)
        assert (again.id == session) is (way == "same")
        assert (lab.status(again.id), again.source.value) == ("initiated", source)
        assert lab.platform.session_of_link(link.url) is again
        lab.wait(hours=1)
        seen = lab.get(f"sessions/{again.id}")
        assert (seen["status"], seen["metadata"]) == ("completed", {"post": "p1"})
        assert lab.platform.truth().most_links_at_once() == {"anna": 1}


def test_the_profile_can_change_while_the_platform_runs() -> None:
    lab = Lab({"limits.concurrency": 1}, plans={"*": "completed opens_after=0"})
    persona = lab.persona()
    sessions = [lab.mint(f"c{number}", persona=persona) for number in range(3)]
    lab.console.change_profile({"limits.concurrency": 5, "errors.not_ready_status": 425})
    assert {lab.status(session) for session in sessions} == {"active"}
    assert lab.ask("GET", f"sessions/{sessions[0]}/recording").status == 425


def test_the_clock_is_only_pushed_forward() -> None:
    lab = Lab()
    lab.console.advance(timedelta(days=1))
    with pytest.raises(ValueError, match="forward"):
        lab.console.advance(timedelta(seconds=-1))


def test_in_a_large_list_one_status_and_the_deepest_page_are_found() -> None:
    lab = Lab({"candidates.come": "when_sent"})
    key, persona = lab.platform.keys["zh_api_sandbox"], lab.persona()
    made = [lab.platform.create_session(key, persona, {"consent_mode": "explicit"}) for _ in range(10_000)]
    lab.platform.lives.move(made[4], Status.ACTIVE)
    assert [row["id"] for row in lab.get("sessions", "status=active")["data"]] == [made[4].id]
    deepest = lab.get("sessions", "status=initiated&offset=9990")["data"]
    assert [row["id"] for row in deepest] == [session.id for session in made[9::-1] if session is not made[4]]


async def test_nobody_comes_with_a_link_before_its_reply_has_arrived() -> None:
    lab = Lab({"faults.latency_seconds": 60}, plans={"*": "completed opens_after=0"})
    status_on_the_way = []

    async def wait(seconds: float) -> None:
        lab.wait(seconds=seconds)
        status_on_the_way.append(lab.platform.truth().sessions[0].status)

    transport = InProcessTransport(lab.gateway, wait)
    headers = {"x-api-key": "zh_api_sandbox"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://sandbox/api/v1/interview", headers=headers
    ) as http:
        made = await http.post(
            f"/personas/{lab.persona()}/sessions",
            json={"consent_mode": "explicit", "candidate_ref": "anna"},
            timeout=None,
        )
    assert status_on_the_way == ["initiated"]
    assert lab.status(made.json()["id"]) == "active"


async def test_in_process_an_answer_later_than_the_clients_patience_is_a_timeout() -> None:
    lab = Lab({"faults.rules": "delay@create_session:#1:seconds=20 lost_after@create_session:#2"})
    persona = lab.persona()
    waited = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        lab.wait(seconds=seconds)

    headers = {"x-api-key": "zh_api_sandbox"}
    transport = InProcessTransport(lab.gateway, wait)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://sandbox/api/v1/interview", headers=headers
    ) as http:
        body = {"consent_mode": "explicit", "candidate_ref": "anna"}
        with pytest.raises(httpx.ReadTimeout):
            await http.post(f"/personas/{persona}/sessions", json=body)
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(f"/personas/{persona}/sessions", json=body)
        answer = await http.post(f"/personas/{persona}/sessions", json=body)
    assert answer.status_code == 201
    assert answer.headers["date"] == "Sun, 01 Mar 2026 08:00:05 GMT"
    assert waited == [5]
    assert len(lab.platform.truth().lost()) == 2
