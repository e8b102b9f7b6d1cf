"""Turns the vendor's JSON into observations. What it cannot make sense of is `Unreadable`, never a guess."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from service.core.limits import LINK_LIFETIME
from service.core.marks import INVITE_MARK, POST_MARK
from service.core.model import VendorStatus
from service.core.observations import (
    CreditsSeen,
    Minted,
    MintedWithoutLink,
    PersonaPage,
    PersonaSeen,
    Sighting,
    SightingPage,
)
from service.zenhire.payloads import (
    Json,
    Unreadable,
    document_of,
    first,
    identifier,
    instant,
    label,
    next_cursor,
    rounded,
    rows,
    says_last,
    storable,
    text,
    unwrap,
    whole_number,
)

#: `id` is the current name, `session_id` the old one (contract §6.1).
_SESSION_ID_NAMES = ("id", "session_id", "sessionId")
_PERSONA_ID_NAMES = ("id", "persona_id", "personaId")

#: The balance's name is not written down (contract §4).
_BALANCE_NAMES = ("balance", "credits", "credit_balance", "available", "remaining", "credits_remaining")

#: Neither blanks and control characters nor what would end an attribute or a tag on the ATS's page.
_LINK = re.compile(r"https?://[!#-;=?-\[\]_a-z{|}~]{1,2040}")
_EXPIRES_IN_MAX = 366 * 86_400

INTERVIEW_SECONDS_MAX = 7 * 86_400
INTEGER_MAX = 2**31 - 1  #: the columns are integers


# --- sessions --------------------------------------------------------------------------------------------------------


def minted(payload: Any, *, plain_http: bool) -> Minted | MintedWithoutLink:
    """The answer to a post. A link over plain http is one only where the API itself is (the sandbox)."""
    session = _session(payload)
    session_id = _session_id(session)
    link = first(session, ("candidate_link", "candidateLink"), _text_of_link)
    if link is None or not (plain_http or link.startswith("https://")):
        return MintedWithoutLink(session_id=session_id)
    seconds = first(session, ("expires_in", "expiresIn"), lambda value: rounded(value, 1, _EXPIRES_IN_MAX))
    expires_in = LINK_LIFETIME if seconds is None else timedelta(seconds=seconds)
    return Minted(session_id=session_id, candidate_link=link, expires_in=expires_in)


def _text_of_link(value: Any) -> str | None:
    return value if isinstance(value, str) and _LINK.fullmatch(value) else None


def sighting(payload: Any) -> Sighting:
    """One session as `GET /sessions/{id}` or a row of the list shows it (contract §2.4)."""
    session = _session(payload)
    status = label(session.get("status"), 64)
    if status is None:
        raise Unreadable("a session without a status")
    marks = _object(session.get("metadata"))
    persona = _object(session.get("persona"))
    return Sighting(
        session_id=_session_id(session),
        status=status.lower() if status.lower() in set(VendorStatus) else status,
        client_id=label(session.get("client_id")),
        persona_id=text(session.get("persona_id")) or text(persona.get("id")),
        candidate_ref=text(session.get("candidate_ref")),
        created_at=instant(session.get("created_at")),
        started_at=instant(session.get("started_at")),
        completed_at=instant(session.get("completed_at")),
        duration_seconds=first(session, ("duration_sec", "duration_seconds"), _duration),
        credits_charged=first(session, ("credit_charged", "credits_charged"), _credits),
        survey_rating=_rating(session.get("feedback")),
        source=label(session.get("source"), 64),
        invite_mark=text(marks.get(INVITE_MARK)),
        post_mark=text(marks.get(POST_MARK)),
        error_code=_error_code(session),
        document=document_of(session),
    )


def credits_seen(payload: Any) -> CreditsSeen:
    """The balance, whose name is not written down (contract §4), bare or in a wrapping."""
    found = _object(storable(payload))
    for wrapping in ("data", "credits"):
        if isinstance(found.get(wrapping), dict):
            found = found[wrapping]
    return CreditsSeen(left=first(found, _BALANCE_NAMES, lambda value: rounded(value, -INTEGER_MAX, INTEGER_MAX)))


def _session(payload: Any) -> Json:
    session = unwrap(storable(payload), "session", _SESSION_ID_NAMES)
    if session is None:
        raise Unreadable("an answer without a session id")
    return session


def _session_id(session: Json) -> str:
    session_id = first(session, _SESSION_ID_NAMES, identifier)
    if session_id is None:
        raise Unreadable("an answer without a session id")
    return session_id


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _duration(value: Any) -> int | None:
    return rounded(value, 0, INTERVIEW_SECONDS_MAX)


def _credits(value: Any) -> int | None:
    return rounded(value, 0, INTEGER_MAX)


def _star(value: Any) -> int | None:
    return whole_number(value, 1, 5)


def _rating(feedback: Any) -> int | None:
    """The survey's integer from 1 to 5; its name is not certain (contract §2.4)."""
    if not isinstance(feedback, dict):
        return _star(feedback)
    named = first(feedback, ("rating", "score", "stars", "value", "overall_rating", "overall"), _star)
    if named is not None:
        return named
    found = [star for value in feedback.values() if isinstance(value, int) and (star := _star(value)) is not None]
    return found[0] if len(found) == 1 else None


SESSION_TIMEOUT = "SESSION_TIMEOUT"
_ERROR_NAMES = (
    "error_code", "errorCode", "failure_code", "failureCode", "failure_reason", "failureReason", "status_reason",
    "statusReason", "end_reason", "error", "failure",
)  # fmt: skip
#: What the ATS wrote is no word of the vendor's.
_ATS_FIELDS = frozenset({"metadata", "tags", "candidate_ref"})
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)+|[A-Z][A-Z0-9]+")


def _error_code(session: Json) -> str | None:
    """Why the session failed. Where SESSION_TIMEOUT shows up is unknown (contract §2.4), so it is looked for."""
    named = first(session, _ERROR_NAMES, _code_in)
    if named is not None:
        return named
    own = {key: value for key, value in session.items() if key not in _ATS_FIELDS}
    return SESSION_TIMEOUT if any(found.upper() == SESSION_TIMEOUT for found in _texts_in(own)) else None


def _code_in(value: Any) -> str | None:
    if isinstance(value, dict):
        return first(value, ("code", "reason", "type"), _code_in)
    found = text(value, 65)
    return found.upper() if found is not None and len(found) <= 64 and _CODE.fullmatch(found) else None


def _texts_in(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts_in(item)
        case list():
            for item in value:
                yield from _texts_in(item)
        case _:
            return


def sighting_page(payload: Any) -> SightingPage:
    """One page of the session list; rows that are no sessions are counted, not trusted."""
    found = rows(payload)
    if found is None:
        raise Unreadable("an answer without a list of sessions")
    sightings = tuple(_readable(found))
    return SightingPage(
        sightings=sightings,
        unreadable=len(found) - len(sightings),
        next_cursor=next_cursor(payload),
        says_last=says_last(payload),
    )


def _readable(found: list[Any]) -> Iterator[Sighting]:
    for row in found:
        try:
            yield sighting(row)
        except Unreadable:
            continue


# --- personas --------------------------------------------------------------------------------------------------------


def persona(payload: Any) -> PersonaSeen:
    """One persona (contract §2.1)."""
    seen = _persona(payload)
    if seen is None:
        raise Unreadable("an answer without a persona's id, role_name and language")
    return seen


def persona_page(payload: Any) -> PersonaPage:
    """The client's personas. One without its role or language matches no invite and counts as unreadable."""
    found = rows(payload)
    if found is None:
        raise Unreadable("an answer without a list of personas")
    personas = tuple(seen for row in found if (seen := _persona(row)) is not None)
    return PersonaPage(
        personas=personas,
        unreadable=len(found) - len(personas),
        next_cursor=next_cursor(payload),
        says_last=says_last(payload),
    )


def _persona(payload: Any) -> PersonaSeen | None:
    fields = unwrap(storable(payload), "persona", _PERSONA_ID_NAMES)
    if fields is None:
        return None
    persona_id = first(fields, _PERSONA_ID_NAMES, identifier)
    role_name, language = text(fields.get("role_name")), text(fields.get("language"))
    if persona_id is None or role_name is None or language is None:
        return None
    return PersonaSeen(
        persona_id=persona_id,
        role_name=role_name,
        language=language,
        client_id=label(fields.get("client_id")),
        status=text(fields.get("status"), 64),
        created_at=instant(fields.get("created_at")),
    )
