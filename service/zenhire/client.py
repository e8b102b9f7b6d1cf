"""
The vendor's eight endpoints, one client per account.

Every method makes one attempt and returns an observation or a failure: nothing that the network or the vendor does
leaves here as an exception. What does, is the caller's: a cancellation, a lost database behind the budget, a `write`
that failed. httpx and httpcore log addresses at INFO and DEBUG; whoever sets up logging keeps them at WARNING.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import SecretStr

from service.core.limits import Share
from service.core.observations import (
    CreditsSeen,
    ErrorAnswer,
    Failure,
    Garbage,
    Minted,
    MintedWithoutLink,
    NoAnswer,
    PersonaPage,
    PersonaSeen,
    Recorded,
    Sighting,
    SightingPage,
    Transcript,
)
from service.zenhire import bodies, translate
from service.zenhire.errors import ENVELOPE_BYTES_MAX, HTTPX_ROOTS, artifact_not_ready, error_answer, failure_of
from service.zenhire.payloads import Unreadable, identifier, parse
from service.zenhire.recordings import Tally
from service.zenhire.transport import SentMark

SHORTEST_SECRET = 8

T = TypeVar("T")
Reader = Callable[[httpx.Response], Awaitable[T | Failure]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """How long and how large an answer may be."""

    deadline: timedelta  #: the whole request and answer, artifacts apart; also one silence within an artifact
    artifact_deadline: timedelta = timedelta(minutes=5)
    json_bytes: int = 4 * 1024 * 1024
    transcript_bytes: int = 8 * 1024 * 1024
    recording_bytes: int = 2 * 1024 * 1024 * 1024


class ZenhireClient:
    """
    Asks for one account; to be used as an async context manager.

    Each method takes `send_before`, the loop's time after which the request is not sent any more, and `sent`, a mark
    that tells when it was.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: SecretStr,
        transport: httpx.AsyncBaseTransport,
        ceilings: Ceilings,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._base_url = base_url
        self._key = _sendable(api_key)
        self._ceilings = ceilings
        self._plain_http = base_url.lower().startswith("http://")
        self._share: Share | None = None  # None: that of the request
        # Only for a Retry-After date without the server's own Date beside it.
        self._wall_clock = wall_clock
        seconds = ceilings.deadline.total_seconds()
        self._http = httpx.AsyncClient(
            base_url=base_url,
            transport=transport,
            timeout=httpx.Timeout(connect=seconds, read=seconds, write=seconds, pool=seconds),
            headers={
                "X-API-Key": self._key,
                "User-Agent": f"zenhire-sync/{version('zenhire-sync')}",
                "Accept-Encoding": "identity",
            },
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none is ever kept
            follow_redirects=False,  # the key would go along
            trust_env=False,  # no .netrc; the transport knows about proxies
        )

    def on(self, share: Share) -> Self:
        """The same client; what is asked through it counts as `share` of the request budget, whatever it is."""
        other = copy(self)
        other._share = share  # noqa: SLF001 - its own copy
        return other

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._base_url!r})"

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, exc, traceback)

    # --- sessions ----------------------------------------------------------------------------------------------------

    async def create_session(  # noqa: PLR0913 — the vendor's fields
        self,
        *,
        persona_id: str,
        candidate_ref: str,
        consent_mode: str,
        metadata: Mapping[str, str | int | float | bool],
        tags: Sequence[str],
        send_before: float,
        sent: SentMark | None = None,
    ) -> Minted | MintedWithoutLink | Failure:
        """POST a session (contract §2.2). The vendor has no idempotency key: each call may make another one."""
        body = {
            "consent_mode": consent_mode,
            "candidate_ref": candidate_ref,
            "metadata": dict(metadata),
            "tags": list(tags),
        }
        ask = self._ask("POST", f"personas/{_in_path(persona_id)}/sessions", send_before, sent, body=body)
        return await self._json(ask, lambda payload: translate.minted(payload, plain_http=self._plain_http))

    async def get_session(
        self, session_id: str, *, send_before: float, sent: SentMark | None = None
    ) -> Sighting | Failure:
        def read(payload: Any) -> Sighting:
            seen = translate.sighting(payload)
            if seen.session_id != session_id:
                raise Unreadable("another session than the one that was asked for")
            return seen

        return await self._json(self._ask("GET", f"sessions/{_in_path(session_id)}", send_before, sent), read)

    async def list_sessions(
        self, params: Mapping[str, str], *, send_before: float, sent: SentMark | None = None
    ) -> SightingPage | Failure:
        """One page; which parameters the vendor knows is not written down (contract §2.3)."""
        return await self._json(self._ask("GET", "sessions", send_before, sent, params=params), translate.sighting_page)

    # --- personas ----------------------------------------------------------------------------------------------------

    async def create_persona(
        self, role_name: str, language: str, *, send_before: float, sent: SentMark | None = None
    ) -> PersonaSeen | Failure:
        """POST a persona (contract §2.1). It cannot be deleted by key."""
        body = {"role_name": role_name, "language": language}
        return await self._json(self._ask("POST", "personas", send_before, sent, body=body), translate.persona)

    async def list_personas(
        self, params: Mapping[str, str], *, send_before: float, sent: SentMark | None = None
    ) -> PersonaPage | Failure:
        return await self._json(self._ask("GET", "personas", send_before, sent, params=params), translate.persona_page)

    async def get_persona(
        self, persona_id: str, *, send_before: float, sent: SentMark | None = None
    ) -> PersonaSeen | Failure:
        def read(payload: Any) -> PersonaSeen:
            seen = translate.persona(payload)
            if seen.persona_id != persona_id:
                raise Unreadable("another persona than the one that was asked for")
            return seen

        return await self._json(self._ask("GET", f"personas/{_in_path(persona_id)}", send_before, sent), read)

    # --- credits -----------------------------------------------------------------------------------------------------

    async def get_credits(self, *, send_before: float, sent: SentMark | None = None) -> CreditsSeen | Failure:
        """GET the client's balance, which stands beside the interview API and not in it (contract §4)."""
        beside = f"{self._base_url.rpartition('/')[0]}/credits"
        return await self._json(self._ask("GET", beside, send_before, sent), translate.credits_seen)

    # --- artifacts ---------------------------------------------------------------------------------------------------

    async def get_transcript(
        self, session_id: str, *, send_before: float, sent: SentMark | None = None
    ) -> Transcript | Failure:
        """The body byte for byte; whether it is JSON is for others to see (contract §2.5: opaque)."""

        async def read(response: httpx.Response) -> Transcript | ErrorAnswer:
            body = await bodies.whole(response, self._ceilings.transcript_bytes)
            return artifact_not_ready(response.status_code, body) or Transcript(body=body)

        ask = self._ask("GET", f"sessions/{_in_path(session_id)}/transcript", send_before, sent, artifact=True)
        return await self._exchange(ask, read)

    async def get_recording(
        self,
        session_id: str,
        write: Callable[[bytes], Awaitable[None]],
        *,
        send_before: float,
        sent: SentMark | None = None,
    ) -> Recorded | Failure:
        """Stream a recording into `write`. What was written before a failure is worth nothing."""

        async def read(response: httpx.Response) -> Recorded | Failure:
            return await self._record(response, write)

        ask = self._ask("GET", f"sessions/{_in_path(session_id)}/recording", send_before, sent, artifact=True)
        return await self._exchange(ask, read)

    async def _record(self, response: httpx.Response, write: Callable[[bytes], Awaitable[None]]) -> Recorded | Failure:
        content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type == "application/json":
            body = await bodies.whole(response, ENVELOPE_BYTES_MAX)
            return artifact_not_ready(response.status_code, body) or _garbage(response, "JSON for a recording")
        if response.status_code != 200 or content_type.startswith("text/"):
            return _garbage(response, "no audio for a recording")
        tally = Tally()
        async for piece in bodies.pieces(response, self._ceilings.recording_bytes):
            tally.add(piece)
            await write(piece)
        if tally.byte_count == 0:
            return _garbage(response, "an empty recording")
        if missing := tally.missing_bytes():
            return NoAnswer(detail=f"the recording breaks off {missing} bytes before its end")
        return Recorded(byte_count=tally.byte_count, sha256=tally.sha256, content_type=content_type[:128] or None)

    # --- one exchange ------------------------------------------------------------------------------------------------

    def _ask(  # noqa: PLR0913 — one request
        self,
        method: str,
        path: str,
        send_before: float,
        sent: SentMark | None,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        artifact: bool = False,
    ) -> httpx.Request:
        usual = Share.ARTIFACTS if artifact else Share.STARTS if path.startswith("personas") else Share.OUTCOMES
        accept = "*/*" if artifact else "application/json"
        request = self._http.build_request(method, path, params=params or None, json=body, headers={"Accept": accept})
        within = self._ceilings.artifact_deadline if artifact else self._ceilings.deadline
        request.extensions |= {
            "share": self._share or usual,
            "send_before": send_before,
            "sent": sent,
            "answer_within": within.total_seconds(),
        }
        return request

    async def _json(self, ask: httpx.Request, translated: Callable[[Any], T]) -> T | Failure:
        async def read(response: httpx.Response) -> T:
            return translated(parse(await bodies.whole(response, self._ceilings.json_bytes)))

        return await self._exchange(ask, read)

    async def _exchange(
        self, ask: httpx.Request, read: Callable[[httpx.Response], Awaitable[T | Failure]]
    ) -> T | Failure:
        """Send once, read what comes, and close the answer from inside whatever happens."""
        try:
            response = await self._http.send(ask, stream=True)
            try:
                if response.is_success:
                    return await read(response)
                return await self._read_error(response)
            except Unreadable as exc:
                return _garbage(response, str(exc))
            finally:
                await response.aclose()
        except HTTPX_ROOTS as exc:
            return failure_of(exc)

    async def _read_error(self, response: httpx.Response) -> ErrorAnswer:
        try:
            body = await bodies.whole(response, ENVELOPE_BYTES_MAX)
        except Unreadable:
            body = b""  # whatever it is, the vendor's envelope it is not
        # Whoever echoes the key back must not get it into a table or a log. A shorter one would match parts of words.
        if len(self._key) >= SHORTEST_SECRET:
            body = body.replace(self._key.encode(), b"[key]")
        now = datetime.fromtimestamp(self._wall_clock(), UTC)
        return error_answer(response.status_code, response.headers, body, now)


def _garbage(response: httpx.Response, detail: str) -> Garbage:
    return Garbage(http_status=response.status_code, detail=detail)


def _in_path(opaque_id: str) -> str:
    """An id as it goes into a path; the tables' CHECKs hold the same rule."""
    if identifier(opaque_id) != opaque_id:
        raise ValueError("an id for the vendor may hold only letters, digits, '_' and '-', at most 128 of them")
    return opaque_id


def _sendable(api_key: SecretStr) -> str:
    key = api_key.get_secret_value()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("an API key may hold only printable ASCII characters without blanks, and at least one")
    return key
