"""What must be true of everything that comes out of the seam."""

import json
from datetime import timedelta
from typing import Any, get_args

from service.core.changes import Change
from service.core.failures import (
    MESSAGE_LENGTH_MAX,
    Meaning,
    Refused,
    Request,
    StopAccount,
    UnknownResult,
    WaitAccount,
    WaitRow,
    classify,
    safe_code,
)
from service.core.limits import RETRY_AFTER_MAX
from service.core.observations import (
    Failure,
    Minted,
    MintedWithoutLink,
    PersonaPage,
    PersonaSeen,
    Recorded,
    Sighting,
    SightingPage,
    Transcript,
)
from service.postgres.apply import _as_json, _row
from service.zenhire.payloads import EARLIEST, LATEST, identifier
from tests.unit.zenhire.examples import KEY

OBSERVATIONS: dict[Request, tuple[type, ...]] = {
    Request.START: (Minted, MintedWithoutLink),
    Request.LOOK: (Sighting,),
    Request.LIST: (SightingPage,),
    Request.PERSONA_CREATE: (PersonaSeen,),
    Request.PERSONA_LIST: (PersonaPage,),
    Request.PERSONA_GET: (PersonaSeen,),
    Request.TRANSCRIPT: (Transcript,),
    Request.RECORDING: (Recorded,),
}


def check_answer(request: Request, answer: Any) -> None:
    """An observation of this request, sound; or a failure with exactly one sound meaning."""
    if isinstance(answer, Failure):
        check_meaning(classify(request, answer))
        return
    assert isinstance(answer, OBSERVATIONS[request]), type(answer)
    check_observation(answer)


def check_observation(seen: Any) -> None:
    for one in getattr(seen, "sightings", getattr(seen, "personas", (seen,))):
        match one:
            case Minted():
                check_minted(one)
            case MintedWithoutLink():
                assert identifier(one.session_id) == one.session_id
            case Sighting():
                check_sighting(one)
            case PersonaSeen():
                check_persona(one)
            case _:
                assert isinstance(one, Transcript | Recorded)


def check_meaning(meaning: Any) -> None:
    assert isinstance(meaning, get_args(Meaning)), type(meaning)
    if isinstance(meaning, WaitAccount | WaitRow):
        assert meaning.delay is None or timedelta(0) <= meaning.delay <= RETRY_AFTER_MAX
    if isinstance(meaning, UnknownResult | Refused | WaitAccount | WaitRow | StopAccount):
        assert safe_code(meaning.code) == meaning.code
        assert KEY.upper() not in meaning.code
    for text in (getattr(meaning, name, "") for name in ("detail", "message")):
        assert len(text) <= MESSAGE_LENGTH_MAX + 200  # what we say ourselves stands around it
        assert "#t=" not in text
        assert KEY not in text
        text.encode()


def check_minted(made: Minted) -> None:
    assert identifier(made.session_id) == made.session_id
    assert made.candidate_link.startswith(("https://", "http://"))
    assert made.candidate_link.isascii()
    assert not set(made.candidate_link) & set(' "<>\\^`\x7f')
    assert made.candidate_link.isprintable()
    assert timedelta(seconds=1) <= made.expires_in <= timedelta(days=366)


def check_sighting(seen: Sighting) -> None:
    assert identifier(seen.session_id) == seen.session_id
    assert seen.duration_seconds is None or 0 <= seen.duration_seconds < 2**31
    assert seen.credits_charged is None or 0 <= seen.credits_charged < 2**31
    assert seen.survey_rating in {None, 1, 2, 3, 4, 5}
    for moment in (seen.created_at, seen.started_at, seen.completed_at):
        assert moment is None or EARLIEST <= moment < LATEST
    for text in (seen.status, seen.client_id, seen.source, seen.error_code):
        assert text is None or text.isprintable()
    check_storable(seen.document)
    check_harmless(seen.document)
    for text in (seen.candidate_ref, seen.persona_id, seen.invite_mark, seen.post_mark):
        check_storable(text)


def check_persona(seen: PersonaSeen) -> None:
    assert identifier(seen.persona_id) == seen.persona_id
    check_storable([seen.role_name, seen.language, seen.client_id, seen.status])
    assert seen.created_at is None or EARLIEST <= seen.created_at < LATEST


def check_storable(value: Any) -> None:
    written = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    assert b"\\u0000" not in written


def check_harmless(document: Any) -> None:
    """What is kept of the vendor's object lets nobody into an interview."""
    assert "#t=" not in json.dumps(document)


def check_change(change: Change) -> None:
    """It can be sent to the database, and writes what the columns take."""
    row = _row(change)
    link = row["invite"].pop("candidate_link", None)
    assert link is None or change.move is not None
    check_storable(json.loads(_as_json(row)))
    check_harmless(row["session"].get("vendor_object"))
    columns = change.move.columns if change.move else {}
    for name in ("duration_seconds", "credits_charged"):
        value = columns.get(name)
        assert value is None or (isinstance(value, int) and 0 <= value < 2**31)
