"""
What a decision is: the change to write under the claim's lease, and what the answer says about the account.

The decisions themselves are pure functions of (claim, answer, policy, now, jitter), one module for each step:
`starting`, `watching`, `collecting`, `settling`.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never
from uuid import UUID

from service.core.changes import Change
from service.core.failures import (
    DidNotSend,
    Meaning,
    Missing,
    NotReady,
    Refused,
    StopAccount,
    UnknownResult,
    WaitAccount,
    WaitRow,
)
from service.core.model import (
    Lane,
    StopScope,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """The vendor did what was asked: ends the streak of its lane, and a stop that covers it."""

    lane: Lane
    cleared_persona: str | None = None  #: it was blamed for refusals, and works


@dataclass(frozen=True, slots=True, kw_only=True)
class Stumbled:
    """A bad result for this invite: five different ones in a row stop the account."""

    lane: Lane
    code: str
    invite_id: UUID | None
    persona_id: str | None = None  #: of a refusal: what may be to blame instead of the account


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The account cannot work until something outside changes; probes ask again."""

    scope: StopScope
    code: str
    message: str
    lane: Lane  #: which kind of request met the trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class MustWait:
    """No request of this account for `delay`; None: as long as the account's own back-off says."""

    delay: timedelta | None
    reason: str
    too_fast: bool = False  #: the account goes more slowly for a while after it


@dataclass(frozen=True, slots=True, kw_only=True)
class BelongsTo:
    """The vendor's name for the client that the key belongs to."""

    client_id: str


AccountNote = Worked | Stumbled | Stopped | MustWait | BelongsTo


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to write, and what was learnt about the account."""

    change: Change
    notes: tuple[AccountNote, ...] = ()


def notes_of(meaning: Meaning, lane: Lane, invite_id: UUID | None) -> tuple[AccountNote, ...]:
    """What a bad answer says about the account as a whole."""
    match meaning:
        case DidNotSend():
            return () if meaning.held_back else (MustWait(delay=None, reason=meaning.detail),)
        case UnknownResult() | Refused() | Missing():
            return (Stumbled(lane=lane, code=meaning.code, invite_id=invite_id),)
        case WaitAccount():
            reason = f"ZenHire asked to wait ({meaning.code})"
            return (MustWait(delay=meaning.delay, reason=reason, too_fast=meaning.too_fast),)
        case StopAccount():
            return (Stopped(scope=meaning.scope, code=meaning.code, message=meaning.message, lane=lane),)
        case WaitRow() | NotReady():
            return ()
    assert_never(meaning)
