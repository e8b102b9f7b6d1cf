"""A platform on a virtual clock, and short names for what tests do with it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.clock import VirtualClock
from sandbox.console import Console
from sandbox.gateway import Gateway
from sandbox.model import DEFAULT_KEY, KeySpec
from sandbox.plans import Script
from sandbox.platform import Platform
from sandbox.profile import Profile
from sandbox.profiles import changed
from sandbox.wire import Reply, Request

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
BASE = "/api/v1/interview"
#: A candidate who comes after a minute, talks for ten, and answers at once.
PROMPT = "completed opens_after=60 talks_for=600 artifacts_after=5 rating=4 feedback_after=0"


class Lab:
    """Requests go through the gateway, as they would over HTTP."""

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        seed: int = 0,
        keys: Sequence[KeySpec] = (KeySpec(),),
        plans: Mapping[str, str] | None = None,
    ) -> None:
        self.clock = VirtualClock(START)
        profile = changed(Profile(), settings or {})
        self.platform = Platform(profile, self.clock, seed, keys=keys, script=Script(plans or {}))
        self.gateway = Gateway(self.platform)
        self.console = Console(self.platform)

    def ask(self, method: str, path: str, body: Any = None, *, query: str = "", key: str | None = DEFAULT_KEY) -> Reply:
        raw = b"" if body is None else json.dumps(body).encode()
        whole = path if path.startswith("/") else f"{BASE}/{path}"
        reply = self.gateway.handle(Request(method=method, path=whole, query=query, key=key, body=raw))
        self.gateway.delivered(reply)
        return reply

    def get(self, path: str, query: str = "", *, key: str = DEFAULT_KEY) -> Any:
        return read(self.ask("GET", path, query=query, key=key))

    def persona(self, role_name: str = "Cook", language: str = "en", *, key: str = DEFAULT_KEY) -> str:
        made = read(self.ask("POST", "personas", {"role_name": role_name, "language": language}, key=key))
        return str(made["id"])

    def post(self, candidate_ref: str | None = "anna", *, persona: str | None = None, **fields: Any) -> Reply:
        body = {"consent_mode": "explicit", "candidate_ref": candidate_ref, **fields}
        return self.ask("POST", f"personas/{persona or self.persona()}/sessions", body)

    def mint(self, candidate_ref: str | None = "anna", *, persona: str | None = None, **fields: Any) -> str:
        reply = self.post(candidate_ref, persona=persona, **fields)
        assert reply.status == 201, reply.body
        return str(read(reply)["id"])

    def status(self, session_id: str) -> str:
        return str(self.get(f"sessions/{session_id}")["status"])

    def wait(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))


def read(reply: Reply) -> Any:
    assert isinstance(reply.body, bytes)
    return json.loads(reply.body)


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, read(reply)["error"]["code"]
