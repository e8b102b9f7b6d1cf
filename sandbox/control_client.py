"""A small client of the control surface, for whoever runs the sandbox in another process."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

import httpx


class ControlClient:
    """One method per control path. Takes the base URL that the service takes."""

    def __init__(self, base_url: str) -> None:
        root = base_url.removesuffix("/").removesuffix("/api/v1/interview")
        self._http = httpx.Client(base_url=f"{root}/sandbox", timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def counts(self) -> dict[str, Any]:
        return self._ask("GET", "/counts")

    def summary(self, of: str = "candidate_ref") -> dict[str, Any]:
        return self._ask("GET", f"/summary?of={of}")

    def sessions(self) -> Iterator[dict[str, Any]]:
        """Every session with all that is true of it, oldest first."""
        offset: int | None = 0
        while offset is not None:
            page = self._ask("GET", f"/truth?offset={offset}")
            yield from page["sessions"]
            offset = page["next"]

    def change_profile(self, settings: dict[str, Any]) -> None:
        self._ask("PATCH", "/profile", settings)

    def set_faults(self, rules: Iterable[str]) -> None:
        self._ask("PUT", "/faults", {"rules": list(rules)})

    def write_plan(self, pattern: str, plan: str) -> None:
        self._ask("POST", "/plans", {"pattern": pattern, "plan": plan})

    def send_link(self, candidate_link: str, plan: str | None = None) -> str:
        """Hand the link to the candidate; the id of the session it was made for."""
        answer = self._ask("POST", "/links", {"candidate_link": candidate_link, "plan": plan})
        return str(answer["session_id"])

    def reinvite(self, session_id: str, plan: str | None = None) -> dict[str, Any]:
        return self._ask("POST", f"/sessions/{session_id}/reinvite", {"plan": plan})

    def delete_persona(self, persona_id: str) -> None:
        self._ask("DELETE", f"/personas/{persona_id}")

    def top_up(self, key: str, amount: int) -> int:
        return int(self._ask("POST", "/credits", {"key": key, "amount": amount})["balance"])

    def set_key(self, key: str, **changes: Any) -> None:
        """`state` (active, expired, revoked, ip_refused), `permitted`, `client_active`."""
        self._ask("PATCH", f"/keys/{key}", changes)

    def busiest_minute(self, key: str) -> int:
        return int(self._ask("GET", f"/keys/{key}")["busiest_minute"])

    def advance(self, seconds: float) -> None:
        self._ask("POST", "/clock", {"advance_seconds": seconds})

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._http.request(method, path, json=body)
        document: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            raise ValueError(f"sandbox: {document.get('error', document)}")
        return document
