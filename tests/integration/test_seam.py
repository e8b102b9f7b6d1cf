"""All eight endpoints over real HTTP, against the vendor's stand-in in each of its variants."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr

from sandbox.clock import VirtualClock
from sandbox.faults import Endpoint, FaultKind, FaultRule, Faults
from sandbox.model import KeySpec
from sandbox.plans import Script
from sandbox.platform import Platform
from sandbox.profile import Errors, Limits, Listing, Profile, Shapes
from sandbox.profiles import BUILT_IN
from sandbox.running import RunningSandbox, running_sandbox
from service.core.failures import (
    DidNotSend,
    Meaning,
    Missing,
    NotReady,
    Refused,
    Request,
    StopAccount,
    UnknownResult,
    WaitAccount,
    WaitRow,
    classify,
)
from service.core.limits import Share
from service.core.model import StopScope
from service.core.observations import (
    ErrorAnswer,
    Failure,
    Minted,
    PersonaPage,
    PersonaSeen,
    Recorded,
    Sighting,
    SightingPage,
    Transcript,
)
from service.zenhire.client import Ceilings, ZenhireClient
from service.zenhire.listing import ListEnd, Position, walk_sessions
from service.zenhire.network import NetworkTransport
from service.zenhire.transport import SlotTransport

START = datetime(2026, 11, 1, 10, tzinfo=UTC)
DEADLINE = timedelta(seconds=2)
SOUND = [name for name in BUILT_IN if name != "rough"]


class OpenBudget:
    """A budget that always has a slot."""

    async def acquire(self, _share: Share, send_before: float) -> bool:
        return send_before > 0


@contextmanager
def vendor(profile: Profile, plan: str = "completed opens_after=60 talks_for=125 rating=4") -> Iterator[RunningSandbox]:
    """A stand-in whose time stands still until the test moves it."""
    platform = Platform(profile, VirtualClock(START), script=Script({"*": plan}))
    with running_sandbox(platform) as running:
        yield running


@asynccontextmanager
async def client_of(running: RunningSandbox, key: str | None = None) -> AsyncIterator[ZenhireClient]:
    async with ZenhireClient(
        base_url=running.base_url,
        api_key=SecretStr(key or running.key),
        transport=SlotTransport(NetworkTransport(), OpenBudget()),
        ceilings=Ceilings(deadline=DEADLINE),
    ) as client:
        yield client


def soon() -> float:
    return asyncio.get_running_loop().time() + 30


def days_pass(running: RunningSandbox, days: float = 1) -> None:
    with running.platform.lock:
        running.platform.world.clock.advance(timedelta(days=days))


async def persona_of(client: ZenhireClient) -> PersonaSeen:
    persona = await client.create_persona("Cook", "en", send_before=soon())
    assert isinstance(persona, PersonaSeen)
    return persona


async def mint(client: ZenhireClient, persona_id: str, ref: str = "cand-1") -> Minted | Failure:
    answer = await client.create_session(
        persona_id=persona_id,
        candidate_ref=ref,
        consent_mode="explicit",
        metadata={"zenhire_sync_invite": "invite/1", "zenhire_sync_post": f"post-{ref}", "shift": "night"},
        tags=["eu"],
        send_before=soon(),
    )
    assert not isinstance(answer, Sighting)
    return answer  # type: ignore[return-value]


async def minted(client: ZenhireClient, ref: str = "cand-1") -> Minted:
    answer = await mint(client, (await persona_of(client)).persona_id, ref)
    assert isinstance(answer, Minted)
    return answer


async def look(client: ZenhireClient, session_id: str) -> Sighting | Failure:
    return await client.get_session(session_id, send_before=soon())


async def swallow(_: bytes) -> None:
    """A recording's place that keeps nothing."""


def meaning_of(request: Request, answer: object) -> Meaning:
    assert isinstance(answer, Failure)
    return classify(request, answer)


@pytest.mark.parametrize("name", SOUND)
async def test_all_eight_endpoints_work_in_every_profile(name: str) -> None:
    with vendor(replace(BUILT_IN[name].profile, limits=Limits())) as running:
        async with client_of(running) as client:
            persona = await persona_of(client)
            assert await client.get_persona(persona.persona_id, send_before=soon()) == persona
            page = await client.list_personas({}, send_before=soon())
            assert isinstance(page, PersonaPage)
            assert page.personas == (persona,)

            session = await mint(client, persona.persona_id)
            assert isinstance(session, Minted)
            assert session.expires_in == timedelta(days=7)
            first = await look(client, session.session_id)
            assert isinstance(first, Sighting)
            assert (first.status, first.post_mark, first.client_id) == ("initiated", "post-cand-1", persona.client_id)
            assert "[removed]" not in str(first.document)

            days_pass(running)
            done = await look(client, session.session_id)
            assert isinstance(done, Sighting)
            assert (done.status, done.duration_seconds, done.credits_charged) == ("completed", 125, 3)
            assert done.survey_rating == 4
            assert done.started_at is not None
            assert done.completed_at is not None
            assert START < done.started_at < done.completed_at < START + timedelta(days=1)

            transcript = await client.get_transcript(session.session_id, send_before=soon())
            assert isinstance(transcript, Transcript)
            assert transcript.body[:1] in {b"{", b"["}
            recording = await client.get_recording(session.session_id, swallow, send_before=soon())
            assert isinstance(recording, Recorded)
            assert recording.content_type == "audio/wav"
            rows = await client.list_sessions({}, send_before=soon())
            assert isinstance(rows, SightingPage)
            assert [row.session_id for row in rows.sightings] == [session.session_id]
            assert rows.unreadable == 0


@pytest.mark.parametrize("field", ["id", "session_id", "both"])
async def test_a_minted_session_is_understood_under_every_name_of_its_id(field: str) -> None:
    with vendor(Profile(shapes=Shapes(session_id_field=field))) as running:  # type: ignore[arg-type]
        async with client_of(running) as client:
            session = await minted(client)
            assert session.session_id in running.platform.truth().by_id()


@pytest.mark.parametrize("shown", ["error_code", "error", "status_reason"])
async def test_a_session_timeout_is_understood_wherever_it_is_shown(shown: str) -> None:
    with vendor(Profile(shapes=Shapes(timeout_shown=shown)), "timed_out opens_after=1") as running:  # type: ignore[arg-type]
        async with client_of(running) as client:
            session = await minted(client)
            # the candidate has the link once its reply is sent whole; the next request on the wire comes after that
            await look(client, session.session_id)
            days_pass(running)
            seen = await look(client, session.session_id)
            assert isinstance(seen, Sighting)
            assert (seen.status, seen.error_code) == ("failed", "SESSION_TIMEOUT")


LISTS = {
    "offset": Listing(),
    "page": Listing(paging="page", marks=("total",), marks_under="pagination"),
    "cursor": Listing(paging="cursor", envelope="items", unknown_parameters="reject", order="oldest"),
    "bare array": Listing(envelope="", marks=()),
    "small pages": Listing(page_size_max=7, unknown_parameters="reject"),
    "refuses the limit": Listing(oversize="reject", page_size=10, page_size_max=10, unknown_parameters="reject"),
    "another name for the limit": Listing(limit_parameter="pageSize", paging="page", unknown_parameters="reject"),
    "sessions under their own name": Listing(envelope="sessions", marks_under="meta", paging="cursor"),
}


@pytest.mark.parametrize("style", LISTS)
async def test_every_session_is_found_in_every_way_of_paging(style: str) -> None:
    with vendor(Profile(listing=LISTS[style]), "never") as running:
        async with client_of(running) as client:
            persona = await persona_of(client)
            for number in range(31):
                assert isinstance(await mint(client, persona.persona_id, f"c{number}"), Minted)
            marks, end = await _marks(client)
    assert marks == {f"post-c{number}" for number in range(31)}
    assert end is ListEnd.ALL_SEEN


async def test_a_list_that_cannot_be_paged_says_so() -> None:
    with vendor(BUILT_IN["bare"].profile, "never") as running:
        async with client_of(running) as client:
            persona = await persona_of(client)
            for number in range(31):
                assert isinstance(await mint(client, persona.persona_id, f"c{number}"), Minted)
            marks, end = await _marks(client)
    assert len(marks) == 20
    assert end is ListEnd.CANNOT_PAGE


async def _marks(client: ZenhireClient) -> tuple[set[str | None], object]:
    marks: set[str | None] = set()
    async for item in walk_sessions(client, Position(), send_before=soon, requests_max=30):
        if not isinstance(item, SightingPage):
            return marks, item
        marks |= {sighting.post_mark for sighting in item.sightings}
    raise AssertionError("a walk ends with an end or a failure")


ERRORS = {
    "universal": Errors(),
    "interview": Errors(envelope="interview", unauthorized="unauthenticated"),
    "deepmatch": Errors(envelope="deepmatch", unauthorized="permission", malformed_id="invalid"),
}


@pytest.mark.parametrize(
    ("variant", "status"),
    [("universal", status) for status in (200, 202, 400, 401, 404, 425, 503)] + [(variant, 409) for variant in ERRORS],
)
async def test_an_artifact_that_is_not_ready_is_patience_in_every_envelope(variant: str, status: int) -> None:
    with vendor(Profile(errors=replace(ERRORS[variant], not_ready_status=status))) as running:
        async with client_of(running) as client:
            session = await minted(client)
            transcript = await client.get_transcript(session.session_id, send_before=soon())
            assert meaning_of(Request.TRANSCRIPT, transcript) == NotReady(vendor_status="initiated")
            recording = await client.get_recording(session.session_id, swallow, send_before=soon())
            assert meaning_of(Request.RECORDING, recording) == NotReady(vendor_status="initiated")


@pytest.mark.parametrize("variant", ERRORS)
async def test_a_wrong_key_stops_the_account_in_every_envelope(variant: str) -> None:
    with vendor(Profile(errors=ERRORS[variant])) as running:
        async with client_of(running, key="zh_api_unknown_000000") as client:
            meaning = meaning_of(Request.LOOK, await look(client, str(uuid4())))
    assert isinstance(meaning, StopAccount)
    assert meaning.scope is StopScope.EVERYTHING
    assert "zh_api" not in meaning.message


@pytest.mark.parametrize("variant", ERRORS)
async def test_what_the_vendor_refuses_is_refused_with_its_code(variant: str) -> None:
    with vendor(Profile(errors=ERRORS[variant])) as running:
        async with client_of(running) as client:
            refused = meaning_of(Request.START, await mint(client, str(uuid4())))
            assert isinstance(refused, Refused)
            assert refused.code == "NOT_FOUND"
            too_long = await client.create_persona("x" * 201, "en", send_before=soon())
            assert isinstance(meaning_of(Request.PERSONA_CREATE, too_long), Refused)
            assert meaning_of(Request.LOOK, await look(client, str(uuid4()))) == Missing(code="NOT_FOUND")


async def test_credits_that_have_run_out_stop_the_starts() -> None:
    with vendor(Profile()) as running:
        async with client_of(running) as client:
            persona = await persona_of(client)
            with running.platform.lock:
                running.platform.profile = replace(
                    running.platform.profile, credits=replace(running.platform.profile.credits, minimum=10**9)
                )
            meaning = meaning_of(Request.START, await mint(client, persona.persona_id))
    assert isinstance(meaning, StopAccount)
    assert (meaning.scope, meaning.code) == (StopScope.STARTS, "INSUFFICIENT_CREDITS")


async def test_another_clients_session_is_missing() -> None:
    platform = Platform(Profile(), VirtualClock(START), keys=(KeySpec(value="zh_api_one"), KeySpec(value="zh_api_two")))
    with running_sandbox(platform) as running:
        async with client_of(running, "zh_api_one") as one, client_of(running, "zh_api_two") as two:
            session = await minted(one)
            assert isinstance(meaning_of(Request.LOOK, await look(two, session.session_id)), Missing)


@pytest.mark.parametrize("variant", ERRORS)
@pytest.mark.parametrize(("form", "told"), [("seconds", True), ("date", True), ("absent", False)])
async def test_a_rate_limit_makes_the_account_wait_as_long_as_it_says(variant: str, form: str, *, told: bool) -> None:
    limits = Limits(requests_per_minute=2, retry_after=form)  # type: ignore[arg-type]
    # The Date header belongs to the stand-in's standing clock: the wait must count from there, not from ours.
    with vendor(Profile(limits=limits, errors=ERRORS[variant])) as running:
        async with client_of(running) as client:
            answers = [await look(client, str(uuid4())) for _ in range(3)]
    meaning = meaning_of(Request.LOOK, answers[-1])
    assert isinstance(meaning, WaitAccount)
    if told:
        assert meaning.delay is not None
        assert timedelta(seconds=55) <= meaning.delay <= timedelta(seconds=61)


@pytest.mark.parametrize("code", ["POLL_RATE_LIMITED", "RATE_LIMITED"])
async def test_looking_too_often_delays_that_session_only(code: str) -> None:
    with vendor(Profile(limits=Limits(poll_spacing_seconds=10, poll_limited_code=code))) as running:
        async with client_of(running) as client:
            session = await minted(client)
            assert isinstance(await look(client, session.session_id), Sighting)
            assert meaning_of(Request.LOOK, await look(client, session.session_id)) == WaitRow(
                delay=timedelta(seconds=10), code=code
            )


UNKNOWN = (
    FaultKind.INTERNAL_ERROR,
    FaultKind.BAD_GATEWAY,
    FaultKind.GATEWAY_TIMEOUT,
    FaultKind.LOST_BEFORE,
    FaultKind.LOST_AFTER,
    FaultKind.LATE_COMMIT,
    FaultKind.TRUNCATED,
    FaultKind.NOT_JSON,
    FaultKind.WRONG_TYPE,
    FaultKind.EMPTY,
    FaultKind.OTHER_SHAPE,
    FaultKind.ENDLESS,
    FaultKind.DELAY,
)


@pytest.mark.parametrize("kind", UNKNOWN)
async def test_a_post_whose_answer_broke_has_an_unknown_result(kind: FaultKind) -> None:
    rule = FaultRule(kind=kind, on=(1,), endpoints=(Endpoint.CREATE_SESSION,), seconds=5)
    with vendor(Profile(faults=Faults(rules=(rule,)))) as running:
        async with client_of(running) as client:
            persona = await persona_of(client)
            meaning = meaning_of(Request.START, await mint(client, persona.persona_id))
            assert isinstance(meaning, UnknownResult)
            assert isinstance(await mint(client, persona.persona_id), Minted)


async def test_a_proxys_503_may_come_after_the_work_and_a_slow_but_whole_answer_is_an_answer() -> None:
    rules = (
        FaultRule(kind=FaultKind.UNAVAILABLE, on=(1,), endpoints=(Endpoint.CREATE_SESSION,)),
        FaultRule(kind=FaultKind.SLOW_BODY, on=(1,), endpoints=(Endpoint.GET_SESSION,), seconds=0.2),
    )
    with vendor(Profile(faults=Faults(rules=rules))) as running:
        async with client_of(running) as client:
            persona = await persona_of(client)
            meaning = meaning_of(Request.START, await mint(client, persona.persona_id))
            assert isinstance(meaning, WaitAccount)
            assert meaning.may_have_acted
            session = await mint(client, persona.persona_id)
            assert isinstance(session, Minted)
            assert isinstance(await look(client, session.session_id), Sighting)


async def test_a_base_url_that_is_not_the_apis_stops_the_account() -> None:
    with vendor(Profile()) as running:
        wrong = replace(running, base_url=running.base_url.replace("/api/v1/interview", "/nowhere"))
        async with client_of(wrong) as client:
            answer = await look(client, str(uuid4()))
    assert isinstance(answer, ErrorAnswer)
    assert isinstance(classify(Request.LOOK, answer), StopAccount | Missing)


async def test_a_vendor_that_is_gone_was_not_asked() -> None:
    with vendor(Profile()) as running:
        pass
    async with client_of(running) as client:
        assert isinstance(meaning_of(Request.START, await mint(client, str(uuid4()))), DidNotSend)
