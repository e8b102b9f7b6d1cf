"""The nouns: what an invite, a post and a session can be, and which steps an invite may take."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class InviteStatus(StrEnum):
    """Where an invite stands. The table `INVITE_MOVES` says where it may go."""

    PENDING = "pending"  #: waits for its turn, its time, or its account
    STARTING = "starting"  #: a post is on its way or its result unknown
    LINK_READY = "link_ready"  #: the link is there, nobody has opened it as far as is known
    IN_PROGRESS = "in_progress"  #: the interview runs
    COMPLETED = "completed"  #: has its outcome
    FAILED = "failed"  #: the vendor ended it without a result, no link left
    EXPIRED = "expired"  #: the last link died unused
    CANCELLED = "cancelled"  #: by the ATS or an operator, or its time passed before a link
    REFUSED = "refused"  #: the vendor refused this invite
    NEEDS_REVIEW = "needs_review"  #: a person must decide

    @property
    def is_final(self) -> bool:
        """No step of the service's own leads on from here, except what the vendor still reports."""
        return self in FINAL_STATUSES


FINAL_STATUSES = frozenset(
    {
        InviteStatus.COMPLETED,
        InviteStatus.FAILED,
        InviteStatus.EXPIRED,
        InviteStatus.CANCELLED,
        InviteStatus.REFUSED,
    },
)

#: Every legal move of an invite. The database's trigger repeats it, and a test compares the two. `completed` can be
#: reached from every status but `cancelled`: a late `completed` of an earlier link's session counts wherever it finds
#: the invite. What leads out of a final status is the vendor's (`completed`, and the console's re-invite to
#: `link_ready` or `in_progress`) or a person's: back to `pending` by `new_link` or, from `refused`, by `retry_invite`.
INVITE_MOVES: dict[InviteStatus, frozenset[InviteStatus]] = {
    InviteStatus.PENDING: frozenset({InviteStatus.STARTING, InviteStatus.CANCELLED, InviteStatus.COMPLETED}),
    InviteStatus.STARTING: frozenset(
        {
            InviteStatus.LINK_READY,
            InviteStatus.PENDING,
            InviteStatus.REFUSED,
            InviteStatus.NEEDS_REVIEW,
            InviteStatus.CANCELLED,
            InviteStatus.COMPLETED,
        },
    ),
    InviteStatus.LINK_READY: frozenset(
        {
            InviteStatus.IN_PROGRESS,
            InviteStatus.COMPLETED,
            InviteStatus.FAILED,
            InviteStatus.EXPIRED,
            InviteStatus.PENDING,
            InviteStatus.CANCELLED,
        },
    ),
    InviteStatus.IN_PROGRESS: frozenset(
        {InviteStatus.COMPLETED, InviteStatus.FAILED, InviteStatus.PENDING, InviteStatus.CANCELLED},
    ),
    InviteStatus.COMPLETED: frozenset(),
    InviteStatus.FAILED: frozenset(
        {InviteStatus.COMPLETED, InviteStatus.LINK_READY, InviteStatus.IN_PROGRESS, InviteStatus.PENDING},
    ),
    InviteStatus.EXPIRED: frozenset(
        {InviteStatus.COMPLETED, InviteStatus.LINK_READY, InviteStatus.IN_PROGRESS, InviteStatus.PENDING},
    ),
    InviteStatus.CANCELLED: frozenset({InviteStatus.PENDING}),
    InviteStatus.REFUSED: frozenset({InviteStatus.PENDING, InviteStatus.COMPLETED}),
    InviteStatus.NEEDS_REVIEW: frozenset({InviteStatus.PENDING, InviteStatus.CANCELLED, InviteStatus.COMPLETED}),
}


class PostState(StrEnum):
    """What became of one POST that asked for a session (a row of `interview_sessions`)."""

    POSTING = "posting"  #: committed before sending; on its way, or its replica died
    PUBLISHED = "published"  #: its session's link is the invite's
    LOST = "lost"  #: result unknown; whatever session it made, nobody holds its link
    ORPHAN = "orphan"  #: made a session whose link was never published
    NOT_MADE = "not_made"  #: provably made no session


class SessionOrigin(StrEnum):
    """Who asked for a session (a row of `interview_sessions`)."""

    POST = "post"  #: we did
    CONSOLE = "console"  #: a person in the vendor's console, for one of our invites; its link was never ours


class VendorStatus(StrEnum):
    """The vendor's own four session statuses (contract §3). Others are kept as text and change nothing."""

    INITIATED = "initiated"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        return self in {VendorStatus.COMPLETED, VendorStatus.FAILED}


class ArtifactState(StrEnum):
    """How far a transcript or a recording has come."""

    NONE = "none"  #: nothing to fetch, or not wanted
    WAITING = "waiting"  #: to be fetched
    STORED = "stored"
    UNAVAILABLE = "unavailable"  #: the vendor will not hand it out


class StopScope(StrEnum):
    """What a stopped account no longer does."""

    STARTS = "starts"  #: no new links; looks go on
    EVERYTHING = "everything"


class Lane(StrEnum):
    """The kinds of request whose failures are counted apart: a success in one says nothing of another."""

    START = "start"
    LOOK = "look"
    ARTIFACT = "artifact"
    PERSONA = "persona"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """How an invite names its interviewer: by the vendor's id, or by role and language."""

    persona_id: str | None = None
    role_name: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claimed row of `interview_sessions`: only writes that carry its token count."""

    post_id: UUID
    account: str
    token: UUID
    posted_at: datetime
    invite_id: UUID | None
    link_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PostClaim(Claim):
    """A post to be sent: everything that goes to the vendor, and what earlier posts came to."""

    persona_id: str | None
    candidate_ref: str
    consent_mode: str
    metadata: dict[str, str | int | float | bool]
    tags: tuple[str, ...]
    counted_posts: int  #: posts with an unknown result for this link so far, this one not among them
    probe: bool  #: the account is stopped and this one request asks whether it works again
    persona_refusal: str | None  #: the vendor refused the persona that this invite needs, with this code
    blamed: bool = False  #: the vendor refuses invites of this persona, and others not
    look_every: timedelta | None = None  #: where the list of what runs tells of it, beneath that; None: it does not


@dataclass(frozen=True, slots=True, kw_only=True)
class LookClaim(Claim):
    """A session to be looked at, with what is known of it and of its invite."""

    session_id: str
    state: PostState
    current: bool  #: the invite's newest post
    invite_status: InviteStatus | None
    max_links: int
    stop_after: datetime | None
    vendor_status: str | None
    status_seen_at: datetime | None  #: when the request that showed `vendor_status` was sent
    step_back_seen_at: datetime | None  #: first look that showed a step backward, not yet believed
    link_expires_at: datetime
    interview_started_at: datetime | None
    look_count: int
    failures: int  #: looks in a row that told nothing
    rating: int | None  #: the survey rating that the invite already shows
    shown: bool = True  #: it is the session whose link or outcome the invite shows
    dead_because: str | None = None  #: why its link is known to be dead; None: it works, as far as is known
    reinvited_at: datetime | None = None  #: since when it is known to be open again, by the vendor's console
    origin: SessionOrigin = SessionOrigin.POST
    newest_is_dead: bool = False  #: no link of the invite's newest post works
    look_every: timedelta | None = None  #: where the list of what runs tells of it, beneath that; None: it does not


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectClaim(Claim):
    """A completed session whose transcript is to be fetched."""

    session_id: str
    completed_at: datetime
    collect_count: int
    failures: int  #: tries in a row that ended in neither a transcript nor "not ready"
    shown: bool = True  #: its outcome is the one that the invite shows


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchClaim(Claim):
    """A lost post whose session, if it made one, is to be searched for in the vendor's list."""

    session_id: str | None  #: known from an answer that came after its lease had passed, or from a sweep
    link_expires_at: datetime | None  #: known with it
    search_count: int
    ref: str | None  #: the candidate_ref that it was posted with; None: erased since


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaClaim:
    """A role and language whose persona is to be found or created."""

    row_id: UUID
    account: str
    token: UUID
    role_name: str
    language: str
    persona_id: str | None  #: the one on record
    posts: int
    posted_at: datetime | None  #: of the last of them
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings that decisions depend on."""

    watch_interval: timedelta = timedelta(seconds=10)
    #: × watch_interval between the beginnings of two walks through the whole list. What only the list can tell (a
    #: console re-invite, a session of a lost post that came late) is rare and can wait an hour; a walk through 100,000
    #: sessions takes half of one at its share of the budget.
    sweep_every: int = 360
    list_every: int = 1  #: × watch_interval between two lists of the running interviews
    #: × watch_interval between the beginnings of two walks through what has ended: an interview that begins and ends
    #: between two lists is seen by these alone. A long list takes longer, at its share of the budget.
    ended_every: int = 6
    settle_after: timedelta = timedelta(seconds=60)
    expiry_grace: timedelta = timedelta(hours=1)
    posts_per_link: int = 10
    personas_per_day: int = 20
    transcripts: bool = True
