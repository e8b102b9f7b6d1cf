"""The nouns of the vendor's world: clients and their keys, personas, sessions."""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from sandbox.arrivals import Arrivals
from sandbox.money import Credits
from sandbox.plans import Plan
from sandbox.register import Register

LINK_PREFIX = "https://interview.zenhire.ai/#t="  # contract §2.2
DEFAULT_KEY = "zh_api_sandbox"
KeyState = Literal["active", "expired", "revoked", "ip_refused"]


class Status(StrEnum):
    """The four documented values (contract §3)."""

    INITIATED = "initiated"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        return self in {Status.COMPLETED, Status.FAILED}


class Source(StrEnum):
    """Who made a session (contract §2.4)."""

    REQUESTS = "requests"
    PLAYGROUND = "playground"


@dataclass(slots=True, eq=False, kw_only=True)
class Persona:
    """An interviewer (contract §2.1)."""

    id: str
    client_id: str
    role_name: str
    language: str
    system_prompt: str
    base_prompt_override: str | None
    created_at: datetime
    deleted: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class Link:
    """One candidate link: made once, told once (contract §2.2)."""

    token: str
    minted_at: datetime
    expires_at: datetime
    told_at: datetime | None = None  #: when the reply that tells it had been sent
    sent_at: datetime | None = None  #: when somebody told the sandbox that the candidate has it
    reply_lost: bool = False  #: its only telling never reached the client
    opened_at: datetime | None = None  #: the candidate came to the door
    dead_at: datetime | None = None  #: its session became terminal

    @property
    def url(self) -> str:
        return LINK_PREFIX + self.token

    def is_live(self, now: datetime) -> bool:
        """Whether a candidate who holds it could still be interviewed, or is. One who waits at the door is let in."""
        return self.dead_at is None and (self.opened_at is not None or now < self.expires_at)

    def died_at(self, now: datetime) -> datetime | None:
        if self.opened_at is not None or now < self.expires_at:
            return self.dead_at
        # Unopened, it was dead by its time, whatever became of its session after that.
        return self.expires_at if self.dead_at is None else min(self.dead_at, self.expires_at)


@dataclass(slots=True, eq=False, kw_only=True)
class Session:
    """One interview session, with what the vendor keeps to itself."""

    number: int
    id: str
    client: "Client"
    project_id: str | None
    persona: Persona
    consent_mode: str
    candidate_ref: str | None
    metadata: dict[str, Any] | None
    tags: list[str] | None
    source: Source
    created_at: datetime
    link: Link
    status: Status = Status.INITIATED
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_sec: int | None = None
    credit_charged: int | None = None
    timed_out: bool = False
    artifacts_at: datetime | None = None
    feedback_at: datetime | None = None
    plan: Plan | None = None  #: None: no candidate holds the link
    read_at: datetime | None = None  #: last single look, for a vendor who spaces them
    older_links: list[Link] = field(default_factory=list)

    @property
    def links(self) -> list[Link]:
        return [*self.older_links, self.link]

    @property
    def candidate(self) -> str:
        """Whom the sandbox takes the candidate for: sessions with one candidate_ref belong to one person."""
        return f"number {self.number}" if self.candidate_ref is None else self.candidate_ref


@dataclass(slots=True, eq=False, kw_only=True)
class Client:
    """A tenant: owns personas, sessions, credits and one cap on interviews at once (contract §1, §2.2)."""

    id: str
    name: str
    credits: Credits
    sessions: "Register[Session]"
    active: bool = True
    personas: dict[str, Persona] = field(default_factory=dict)
    links_held: Counter[str] = field(default_factory=Counter)  #: by candidate, over all time
    running: int = 0
    door: deque[Session] = field(default_factory=deque)  #: candidates who opened their link and wait for a place


@dataclass(slots=True, eq=False, kw_only=True)
class Key:
    """An API key, pinned to one client (contract §1)."""

    value: str
    client: Client
    project_id: str
    permitted: bool = True  #: holds the permission `interview`
    state: KeyState = "active"
    arrivals: Arrivals = field(default_factory=Arrivals)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySpec:
    """A key to set up. Keys with the same client name share that client's sessions, credits and cap."""

    value: str = DEFAULT_KEY
    client: str = ""  #: empty: a client of its own
    permitted: bool = True
    state: KeyState = "active"
    client_active: bool = True
