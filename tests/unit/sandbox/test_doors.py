"""Who is let in: keys, permission, rates, credits, and how a refusal looks (contract §4, §5, §6)."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from sandbox.arrivals import Arrivals
from sandbox.model import KeySpec
from tests.unit.sandbox.lab import START, Lab, code, read

KEYS = (
    KeySpec(value="good"),
    KeySpec(value="expired", state="expired"),
    KeySpec(value="revoked", state="revoked"),
    KeySpec(value="elsewhere", state="ip_refused"),
    KeySpec(value="unpermitted", permitted=False),
    KeySpec(value="closed", client_active=False),
)


@pytest.mark.parametrize(
    ("key", "refusal"),
    [
        (None, (401, "MISSING_API_KEY")),
        ("unknown", (401, "INVALID_API_KEY")),
        ("revoked", (401, "INVALID_API_KEY")),
        ("expired", (401, "API_KEY_EXPIRED")),
        ("closed", (401, "CLIENT_INACTIVE")),
        ("elsewhere", (403, "IP_NOT_ALLOWED")),
        ("unpermitted", (403, "MISSING_PERMISSION")),
    ],
)
def test_each_bad_key_is_turned_away_with_its_code(key: str | None, refusal: tuple[int, str]) -> None:
    reply = Lab(keys=KEYS).ask("GET", "sessions", key=key)
    assert code(reply) == refusal
    assert "requestId" not in read(reply)["error"]


@pytest.mark.parametrize(
    ("settings", "key", "refusal"),
    [
        ({"errors.unauthorized": "unauthenticated"}, "unknown", (401, "UNAUTHENTICATED")),
        ({"errors.unauthorized": "permission"}, "unknown", (403, "MISSING_PERMISSION")),
        ({"errors.inactive_client_status": 403}, "closed", (403, "CLIENT_INACTIVE")),
    ],
)
def test_pages_that_contradict_each_other_are_profiles(
    settings: dict[str, Any], key: str, refusal: tuple[int, str]
) -> None:
    assert code(Lab(settings, keys=KEYS).ask("GET", "sessions", key=key)) == refusal


def test_health_needs_no_key_and_credits_no_permission() -> None:
    lab = Lab(keys=KEYS)
    assert lab.ask("GET", "/api/v1/health", key=None).status == 200
    assert lab.ask("GET", "/api/v1/credits", key="unpermitted").status == 200
    assert lab.ask("GET", "/api/v1/credits", key=None).status == 401


def test_a_clients_sessions_are_its_own() -> None:
    lab = Lab(keys=(KeySpec(), KeySpec(value="other"), KeySpec(value="twin", client="zh_api_sandbox")))
    session = lab.mint()
    assert code(lab.ask("GET", f"sessions/{session}", key="other")) == (404, "NOT_FOUND")
    assert lab.get("sessions", key="other")["data"] == []
    assert lab.get(f"sessions/{session}", key="twin")["id"] == session


def test_a_key_can_be_revoked_and_restored() -> None:
    lab = Lab()
    lab.console.set_key("zh_api_sandbox", state="revoked")
    assert lab.ask("GET", "sessions").status == 401
    lab.console.set_key("zh_api_sandbox", state="active")
    assert lab.ask("GET", "sessions").status == 200


def test_the_rate_limit_holds_in_every_sliding_minute_and_says_when_to_come_back() -> None:
    lab = Lab({"limits.requests_per_minute": 10})
    for _ in range(10):
        lab.wait(seconds=2)
        assert lab.ask("GET", "sessions").status == 200
    reply = lab.ask("GET", "sessions")
    assert code(reply) == (429, "RATE_LIMIT_EXCEEDED")
    assert dict(reply.headers)["retry-after"] == "42"
    assert read(reply)["error"]["retryAfterSeconds"] == 42
    lab.wait(seconds=41)
    assert lab.ask("GET", "sessions").status == 429
    lab.wait(seconds=1)
    assert lab.ask("GET", "sessions").status == 200


def test_the_busiest_minute_is_found_wherever_it_begins() -> None:
    arrivals = Arrivals()
    for second in (0, 50, 55, 58, 100, 110, 200):
        arrivals.note(START + timedelta(seconds=second))
    assert arrivals.busiest() == 4
    assert arrivals.busiest(timedelta(seconds=6)) == 2


def test_retry_after_may_be_a_date_or_missing() -> None:
    def refused(form: str) -> dict[str, str]:
        lab = Lab({"limits.requests_per_minute": 1, "limits.retry_after": form})
        lab.ask("GET", "sessions")
        return dict(lab.ask("GET", "sessions").headers)

    until: datetime = parsedate_to_datetime(refused("date")["retry-after"])
    assert timedelta(seconds=60) <= until - START <= timedelta(seconds=61)
    assert refused("absent") == {}


def test_looks_may_have_to_be_spaced() -> None:
    lab = Lab({"limits.poll_spacing_seconds": 10})
    session = lab.mint()
    assert lab.ask("GET", f"sessions/{session}").status == 200
    assert code(lab.ask("GET", f"sessions/{session}")) == (429, "POLL_RATE_LIMITED")
    lab.wait(seconds=10)
    assert lab.ask("GET", f"sessions/{session}").status == 200


@pytest.mark.parametrize(
    ("variant", "details"),
    [
        ("required_balance", {"required": 10, "balance": 9}),
        ("cost_available", {"cost": 10, "available": 9}),
        ("none", None),
    ],
)
def test_too_few_credits_are_a_402_before_anything_else_is_checked(variant: str, details: object) -> None:
    lab = Lab({"credits.balance": 9, "errors.credit_details": variant})
    reply = lab.post(consent_mode="wrong", persona="nowhere")
    assert code(reply) == (402, "INSUFFICIENT_CREDITS")
    assert read(reply)["error"].get("details") == details
    assert lab.console.top_up("zh_api_sandbox", 1) == 10
    assert lab.post().status == 201


def test_many_links_can_overspend_the_balance() -> None:
    lab = Lab({"credits.balance": 15}, plans={"*": "completed opens_after=0 talks_for=601"})
    persona = lab.persona()
    for number in range(2):
        lab.mint(f"c{number}", persona=persona)
    lab.wait(hours=1)
    shown = lab.get("/api/v1/credits")
    assert (shown["balance"], shown["usage"]["interview"]) == (15 - 22, 22)
    assert lab.post(persona=persona).status == 402


@pytest.mark.parametrize(
    ("variant", "present"),
    [("universal", {"requestId"}), ("interview", set()), ("deepmatch", set())],
)
def test_the_envelope_takes_each_documented_form(variant: str, present: set[str]) -> None:
    lab = Lab({"errors.envelope": variant})
    error = read(lab.ask("GET", "sessions/nowhere"))["error"]
    assert set(error) == {"code", "message", "timestamp"} | present


def test_deepmatch_tells_the_wait_among_the_details() -> None:
    lab = Lab({"errors.envelope": "deepmatch", "limits.requests_per_minute": 1})
    lab.ask("GET", "sessions")
    assert read(lab.ask("GET", "sessions"))["error"]["details"] == {"retry_after_seconds": 60}


@pytest.mark.parametrize(("way", "refusal"), [("not_found", (404, "GONE")), ("invalid", (400, "INVALID_INPUT"))])
def test_an_id_that_is_no_uuid_is_absent_or_invalid(way: str, refusal: tuple[int, str]) -> None:
    lab = Lab({"errors.malformed_id": way, "errors.not_found_code": "GONE"})
    assert code(lab.ask("GET", "personas/7")) == refusal


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "nothing", 404), ("DELETE", "personas", 405), ("GET", "personas/7/sessions", 405)],
)
def test_there_are_eight_endpoints_and_no_more(method: str, path: str, status: int) -> None:
    assert Lab().ask(method, path).status == status
