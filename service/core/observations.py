"""What the vendor was seen to say: the seam's vocabulary, free of HTTP and JSON."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """A session was made and its link came back: the only time that the vendor tells it (contract §2.2)."""

    session_id: str
    candidate_link: str = field(repr=False)
    expires_in: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class MintedWithoutLink:
    """A session was made, its id came back, its link did not: nobody can ever use it."""

    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One session as the vendor showed it (contract §2.4). Everything but the id and the status may be missing."""

    session_id: str
    status: str  #: as the vendor wrote it; `VendorStatus` where it is one of the four
    client_id: str | None = None
    persona_id: str | None = None
    candidate_ref: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    duration_seconds: int | None = None
    credits_charged: int | None = None
    survey_rating: int | None = None
    source: str | None = None
    invite_mark: str | None = None  #: metadata `zenhire_sync_invite`: "<invite id>/<link number>"
    post_mark: str | None = None  #: metadata `zenhire_sync_post`: the post's id
    error_code: str | None = None  #: where SESSION_TIMEOUT shows up is unknown (contract §2.4)
    document: dict[str, Any] = field(default_factory=dict, repr=False)  #: the vendor's object, storable as jsonb


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingPage:
    """One page of the session list, newest first as far as is known (contract §2.3)."""

    sightings: tuple[Sighting, ...]
    unreadable: int = 0  #: rows that were no session
    next_cursor: str | None = None  #: where the envelope showed one
    says_last: bool = False  #: the envelope says that nothing follows

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(sighting.session_id for sighting in self.sightings)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaSeen:
    """One persona of the client (contract §2.1)."""

    persona_id: str
    role_name: str
    language: str
    client_id: str | None = None
    status: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaPage:
    """The client's personas, or one page of them (contract §2.1: paging unknown)."""

    personas: tuple[PersonaSeen, ...]
    unreadable: int = 0
    next_cursor: str | None = None
    says_last: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(persona.persona_id for persona in self.personas)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A transcript, byte for byte as the vendor sent it (contract §2.5: opaque JSON)."""

    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recording that was handed on, whole as far as can be told."""

    byte_count: int
    sha256: bytes
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """The request provably never reached the vendor: the connect phase failed, or we held it back."""

    detail: str
    held_back: bool = False  #: by us: no slot in time, or the service stops; says nothing of the vendor


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The request was sent, or may have been, and no whole answer came."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """An answer with a success status whose body is not what the contract says."""

    http_status: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsSeen:
    """The client's balance (contract §4); None: the answer has none that can be read."""

    left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """An answer with any other status (contract §5)."""

    http_status: int
    code: str | None = None  #: of the vendor's error envelope; None: there was no envelope
    message: str | None = None
    retry_after: timedelta | None = None  #: from the header (seconds or date) or the envelope
    vendor_status: str | None = None  #: `details.status`: the session's, where an artifact is not ready (contract §2.5)

    @property
    def has_envelope(self) -> bool:
        """Whether the vendor itself spoke, rather than a proxy or a stranger on its address."""
        return self.code is not None


Failure = NotSent | NoAnswer | Garbage | ErrorAnswer
