"""
Which persona serves a role and language: found among the client's, or created, once.

Personas cannot be deleted with a key, so creating one is as deliberate as a post: list first, then create,
and after an unknown result list again, later (the vendor may commit late).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.decisions import AccountNote, Worked, notes_of
from service.core.failures import Refused, Request, UnknownResult, classify
from service.core.limits import back_off
from service.core.model import Lane, PersonaClaim, Policy
from service.core.observations import Failure, PersonaSeen

RETRY_BASE = timedelta(seconds=5)
RETRY_CEILING = timedelta(minutes=10)
TOO_MANY = "TOO_MANY_NEW_PERSONAS"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsePersona:
    persona_id: str
    matches: int  #: how many of the client's personas fit; more than one stands in `attention`
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePersona:
    """None fits: one is to be created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusePersona:
    """The vendor refuses this role and language; so are the invites that need it."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TryLater:
    at: datetime
    code: str
    message: str
    counts: bool  #: as a failure, for the back-off


PersonaChoice = UsePersona | RefusePersona | TryLater


def choose_persona(claim: PersonaClaim, listed: Sequence[PersonaSeen]) -> UsePersona | CreatePersona:
    """The one on record, else the oldest active one that fits, else a new one."""
    fitting = [persona for persona in listed if _fits(persona, claim)]
    on_record = [persona for persona in fitting if persona.persona_id == claim.persona_id]
    chosen = on_record or sorted(fitting, key=_age)
    if chosen:
        return UsePersona(persona_id=chosen[0].persona_id, matches=len(fitting), created=claim.posts > 0)
    return CreatePersona()


def too_many(policy: Policy, *, now: datetime) -> TryLater:
    """The day's limit is reached: a person should look at the data before more personas are made for ever."""
    message = f"more than {policy.personas_per_day} new personas in a day: a mistake in the data?"
    return TryLater(at=now + timedelta(hours=1), code=TOO_MANY, message=message, counts=False)


def after_failed_list(
    claim: PersonaClaim, failure: Failure, *, now: datetime, jitter: float
) -> tuple[TryLater, tuple[AccountNote, ...]]:
    """Nothing is created while the client's personas cannot be seen."""
    meaning = classify(Request.PERSONA_LIST, failure)
    delay = back_off(claim.failures + 1, base=RETRY_BASE, ceiling=RETRY_CEILING, jitter=jitter)
    message = "the client's personas could not be listed"
    later = TryLater(at=now + delay, code=getattr(meaning, "code", "NOT_SENT"), message=message, counts=True)
    return later, notes_of(meaning, Lane.PERSONA, claim.row_id)


def after_create(
    claim: PersonaClaim, answer: PersonaSeen | Failure, *, now: datetime, policy: Policy, jitter: float
) -> tuple[PersonaChoice, tuple[AccountNote, ...]]:
    """What the vendor's answer to a new persona means."""
    if isinstance(answer, PersonaSeen):
        return UsePersona(persona_id=answer.persona_id, matches=1, created=True), (Worked(lane=Lane.PERSONA),)
    meaning = classify(Request.PERSONA_CREATE, answer)
    notes = notes_of(meaning, Lane.PERSONA, claim.row_id)
    if isinstance(meaning, Refused):
        return RefusePersona(code=meaning.code, message=meaning.message), notes
    code = getattr(meaning, "code", "NOT_SENT")
    delay = back_off(claim.failures + 1, base=RETRY_BASE, ceiling=RETRY_CEILING, jitter=jitter)
    if isinstance(meaning, UnknownResult):  # it may be there already: look for it before asking again
        delay = max(delay, policy.settle_after)
    return TryLater(at=now + delay, code=code, message="the persona could not be created", counts=True), notes


def _fits(persona: PersonaSeen, claim: PersonaClaim) -> bool:
    active = persona.status is None or persona.status.casefold() == "active"  # contract §2.1: other values unknown
    same_role = _plain(persona.role_name) == _plain(claim.role_name)
    return active and same_role and _plain(persona.language) == _plain(claim.language)


def _plain(text: str) -> str:
    """As `zenhire.persona_key` in the database, or one role could get two personas."""
    return text.strip().lower()


def _age(persona: PersonaSeen) -> tuple[bool, datetime | str]:
    """Oldest first; those without a date last, by id, so that the choice is the same each time."""
    return (persona.created_at is None, persona.created_at or persona.persona_id)
