"""Method and path to endpoint: the eight of contract §2, health and credits."""

from typing import NamedTuple
from urllib.parse import unquote

from sandbox.faults import Endpoint
from sandbox.refusals import Refusal

PREFIX = "/api/v1"
BASE = f"{PREFIX}/interview"


class Match(NamedTuple):
    endpoint: Endpoint
    id: str = ""


_WHOLE = {
    f"{BASE}/personas": {"POST": Match(Endpoint.CREATE_PERSONA), "GET": Match(Endpoint.LIST_PERSONAS)},
    f"{BASE}/sessions": {"GET": Match(Endpoint.LIST_SESSIONS)},
    f"{PREFIX}/credits": {"GET": Match(Endpoint.CREDITS)},
    f"{PREFIX}/health": {"GET": Match(Endpoint.HEALTH)},
}
_BY_ID = {
    ("personas", ""): {"GET": Endpoint.GET_PERSONA},
    ("personas", "sessions"): {"POST": Endpoint.CREATE_SESSION},
    ("sessions", ""): {"GET": Endpoint.GET_SESSION},
    ("sessions", "recording"): {"GET": Endpoint.GET_RECORDING},
    ("sessions", "transcript"): {"GET": Endpoint.GET_TRANSCRIPT},
}


def find_route(method: str, path: str) -> Match | Refusal:
    methods = _WHOLE.get(path)
    if methods is not None:
        return methods.get(method) or _wrong_method(method)
    if not path.startswith(BASE + "/"):
        return _nowhere(path)
    collection, _, rest = path[len(BASE) + 1 :].partition("/")
    given_id, _, part = rest.partition("/")
    endpoints = _BY_ID.get((collection, part))
    if endpoints is None or not given_id:
        return _nowhere(path)
    endpoint = endpoints.get(method)
    return _wrong_method(method) if endpoint is None else Match(endpoint, unquote(given_id))


def _nowhere(path: str) -> Refusal:
    return Refusal(404, "NOT_FOUND", f"There is nothing at {path}")


def _wrong_method(method: str) -> Refusal:
    return Refusal(405, "METHOD_NOT_ALLOWED", f"{method} is not possible here")
