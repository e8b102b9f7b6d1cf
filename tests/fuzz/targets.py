"""What is fuzzed, from the pure readers up to the whole client and what is decided of its answers."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
from hypothesis import strategies as st
from pydantic import SecretStr

from service.core.collecting import decide_collect
from service.core.failures import Request, classify
from service.core.observations import (
    Failure,
    Garbage,
    Minted,
    MintedWithoutLink,
    NoAnswer,
    NotSent,
    Sighting,
    Transcript,
)
from service.core.starting import decide_post
from service.core.transcripts import storable
from service.core.watching import LookTime, decide_look
from service.zenhire import translate
from service.zenhire.client import ZenhireClient
from service.zenhire.errors import artifact_not_ready, error_answer
from service.zenhire.payloads import Unreadable, parse
from service.zenhire.transport import SlotTransport
from tests.fuzz import soundness
from tests.fuzz.bodies import ERROR, TRANSCRIPT, bodies, headers, mutated, statuses
from tests.unit.core import examples
from tests.unit.core.examples import NOW, POLICY
from tests.unit.zenhire.examples import BASE_URL, CREATED, KEY, PERSONA, SESSION, OpenBudget, in_a_second, later
from tests.unit.zenhire.test_client import CALLS

HTTP_NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`check` takes one case of `cases` and fails on a fault; `share` of all cases go here."""

    cases: st.SearchStrategy[Any]
    check: Callable[[Any], None]
    share: float


# --- readers ---------------------------------------------------------------------------------------------------------

READERS: dict[Request, Callable[[Any], Any]] = {
    Request.START: lambda payload: translate.minted(payload, plain_http=True),
    Request.LOOK: translate.sighting,
    Request.LIST: translate.sighting_page,
    Request.PERSONA_GET: translate.persona,
    Request.PERSONA_LIST: translate.persona_page,
}


def check_readers(body: bytes) -> None:
    """Bytes → parse → translate, as every endpoint's answer."""
    for request, read in READERS.items():
        with suppress(Unreadable):
            soundness.check_answer(request, read(parse(body)))
    kept = storable(body, tries=9)
    assert not isinstance(kept, Garbage)
    assert (kept.document, kept.body) != (None, None)


def check_errors(case: tuple[int, dict[str, str], bytes]) -> None:
    """(status, headers, body) → error_answer → classify, for every request."""
    status, head, body = case
    given = {name.lower(): value for name, value in head.items()}
    for request in Request:
        soundness.check_answer(request, error_answer(status, given, body, HTTP_NOW))
        if (not_ready := artifact_not_ready(status, body)) is not None:
            soundness.check_meaning(classify(request, not_ready))


# --- the whole client ------------------------------------------------------------------------------------------------


class Conversation:
    """One client for all cases, and the event loop of those who have none."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._reply: Callable[[], httpx.Response] = lambda: httpx.Response(500)
        transport = SlotTransport(httpx.MockTransport(lambda _: self._reply()), OpenBudget())
        self._client = ZenhireClient(
            base_url=BASE_URL, api_key=SecretStr(KEY), transport=transport, ceilings=in_a_second(10)
        )

    def ask(self, request: Request, status: int, head: dict[str, str], body: bytes) -> Any:
        return self._runner.run(self.answer(request, status, head, body))

    async def answer(self, request: Request, status: int, head: dict[str, str], body: bytes) -> Any:
        self._reply = lambda: httpx.Response(status, stream=httpx.ByteStream(body), headers=head)
        return await CALLS[request](self._client)

    async def look(self, session_id: str, body: bytes) -> Sighting | Failure:
        self._reply = lambda: httpx.Response(200, stream=httpx.ByteStream(body))
        return await self._client.get_session(session_id, send_before=later())


@cache
def conversation() -> Conversation:
    return Conversation()


def check_client(case: tuple[Request, int, dict[str, str], bytes]) -> None:
    """Any answer over the whole client, for every request."""
    answer = conversation().ask(*case)
    assert KEY not in repr(answer) or not isinstance(answer, Failure)
    soundness.check_answer(case[0], answer)


# --- decisions -------------------------------------------------------------------------------------------------------


def check_decisions(case: tuple[bytes, int, Any, Any, float]) -> None:
    """A mutated payload → the client → what is decided of it, whatever the invite's state → what would be written."""
    body, status, post, look, jitter = case
    ask = conversation().ask
    made = ask(Request.START, status, {}, body)
    if isinstance(made, Minted | MintedWithoutLink | Failure):
        soundness.check_change(decide_post(post, made, now=NOW, policy=POLICY, jitter=jitter).change)
    seen = ask(Request.LOOK, status, {}, body)
    if isinstance(seen, Sighting | NotSent | NoAnswer):
        time = LookTime(sent_at=NOW, now=NOW)
        soundness.check_change(decide_look(look, seen, time=time, policy=POLICY, jitter=jitter).change)
    got = ask(Request.TRANSCRIPT, status, {}, body)
    claim = examples.a_collect()
    kept = storable(got.body, tries=claim.failures) if isinstance(got, Transcript) else got
    soundness.check_change(decide_collect(claim, kept, now=NOW, policy=POLICY, jitter=jitter).change)


TARGETS = {
    "readers": Target(cases=bodies(), check=check_readers, share=0.39),
    "errors": Target(
        cases=st.tuples(st.integers(300, 599) | statuses, headers, bodies(ERROR)), check=check_errors, share=0.25
    ),
    "client": Target(
        cases=st.tuples(st.sampled_from(list(Request)), statuses, headers, bodies()), check=check_client, share=0.2
    ),
    "decisions": Target(
        cases=st.tuples(
            mutated(CREATED, SESSION, PERSONA, ERROR, TRANSCRIPT),
            statuses,
            examples.posts,
            examples.looks,
            examples.jitters,
        ),
        check=check_decisions,
        share=0.15,
    ),
}
