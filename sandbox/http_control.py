"""The control surface under `/sandbox/`: the truth, and everything a key cannot do. No key; it is a stand-in's."""

import dataclasses
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.console import Console
from sandbox.platform import Platform

Handler = Callable[[Request], Awaitable[Response]]
_PAGE = 1000


def control_routes(platform: Platform) -> list[Route]:
    control = _Control(platform)
    table: tuple[tuple[str, str, Callable[[Request, dict[str, Any]], Any]], ...] = (
        ("GET", "/sandbox/counts", control.counts),
        ("GET", "/sandbox/summary", control.summary),
        ("GET", "/sandbox/truth", control.truth),
        ("GET", "/sandbox/profile", control.profile),
        ("PATCH", "/sandbox/profile", control.change_profile),
        ("PUT", "/sandbox/faults", control.set_faults),
        ("POST", "/sandbox/plans", control.write_plan),
        ("POST", "/sandbox/links", control.send_link),
        ("POST", "/sandbox/sessions/{id}/reinvite", control.reinvite),
        ("DELETE", "/sandbox/personas/{id}", control.delete_persona),
        ("POST", "/sandbox/credits", control.top_up),
        ("PATCH", "/sandbox/keys/{key}", control.set_key),
        ("GET", "/sandbox/keys/{key}", control.key),
        ("POST", "/sandbox/clock", control.advance),
    )
    return [Route(path, _handler(act), methods=[method]) for method, path, act in table]


def _handler(act: Callable[[Request, dict[str, Any]], Any]) -> Handler:
    """Reads the body, acts, answers with what came of it; what cannot be done is a 400 that says why."""

    async def handle(request: Request) -> Response:
        body = await request.body()
        try:
            return _answer(200, act(request, _document(body)))
        except KeyError as missing:
            return _answer(400, {"error": f"{missing.args[0]} is missing"})
        except (ValueError, TypeError) as problem:
            return _answer(400, {"error": str(problem)})

    return handle


def _document(body: bytes) -> dict[str, Any]:
    document = json.loads(body) if body else {}
    if not isinstance(document, dict):
        raise TypeError("the body must be a JSON object")
    return document


def _answer(status: int, document: Any) -> Response:
    return Response(json.dumps(document, default=_plain), status, media_type="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return dataclasses.asdict(value)


class _Control:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._console = Console(platform)

    def counts(self, _: Request, __: dict[str, Any]) -> Any:
        return self._platform.counts()

    def summary(self, request: Request, _: dict[str, Any]) -> Any:
        """The sandbox's own count. `of`: what a candidate is told apart by (candidate_ref, or metadata.KEY)."""
        return self._platform.truth().summary(request.query_params.get("of", "candidate_ref"))

    def truth(self, request: Request, _: dict[str, Any]) -> Any:
        """Sessions in the order they were made, a page at a time."""
        offset = int(request.query_params.get("offset", "0"))
        limit = int(request.query_params.get("limit", str(_PAGE)))
        page, now = self._platform.truth_page(offset, limit)
        return {"at": now, "sessions": page, "next": offset + limit if len(page) == limit else None}

    def profile(self, _: Request, __: dict[str, Any]) -> Any:
        return self._platform.profile

    def change_profile(self, _: Request, body: dict[str, Any]) -> Any:
        self._console.change_profile(body)
        return self._platform.profile

    def set_faults(self, _: Request, body: dict[str, Any]) -> Any:
        self._console.set_faults(body["rules"])
        return {"rules": self._platform.profile.faults.rules}

    def write_plan(self, _: Request, body: dict[str, Any]) -> Any:
        self._console.write_plan(body["pattern"], body["plan"])
        return body

    def send_link(self, _: Request, body: dict[str, Any]) -> Any:
        return {"session_id": self._console.send_link(body["candidate_link"], body.get("plan")).id}

    def reinvite(self, request: Request, body: dict[str, Any]) -> Any:
        session, link = self._console.reinvite(request.path_params["id"], body.get("plan"))
        return {"session_id": session.id, "candidate_link": link.url, "expires_at": link.expires_at}

    def delete_persona(self, request: Request, _: dict[str, Any]) -> Any:
        self._console.delete_persona(request.path_params["id"])
        return {}

    def top_up(self, _: Request, body: dict[str, Any]) -> Any:
        return {"balance": self._console.top_up(body["key"], int(body["amount"]))}

    def set_key(self, request: Request, body: dict[str, Any]) -> Any:
        self._console.set_key(request.path_params["key"], **body)
        return {}

    def key(self, request: Request, _: dict[str, Any]) -> Any:
        return {"busiest_minute": self._console.busiest_minute(request.path_params["key"])}

    def advance(self, _: Request, body: dict[str, Any]) -> Any:
        self._console.advance(timedelta(seconds=float(body["advance_seconds"])))
        return {"now": self._platform.world.now()}
