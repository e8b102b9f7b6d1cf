"""Everything that the vendor has not written down, chosen in one value (contract §8).

The defaults are the contract's best inference. `sandbox.profiles` holds named variations and reads a profile from a
file or from `group.name=value` settings.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, Literal

from sandbox.faults import Faults

#: The speed of a sandbox that is started by hand; a platform made in code runs at 1.
COMMAND_LINE_SPEED = 600.0

TranscriptText = Literal["plain", "emoji", "nul", "surrogate"]
#: Read by pydantic when a profile comes from outside: a mistyped setting is an error, not a shrug.
STRICT = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """How bodies look where pages contradict each other or are silent."""

    __pydantic_config__: ClassVar = STRICT

    session_id_field: Literal["id", "session_id", "both"] = "id"  #: of the create response (contract §6.1)
    empty_collections: Literal["null", "empty"] = "null"  #: tags and metadata that hold nothing (contract §6.13)
    override_on_create: bool = True  #: base_prompt_override in the 201 (contract §6.6)
    timeout_shown: Literal["nowhere", "error_code", "error", "status_reason"] = "nowhere"  #: contract §2.4
    transcript: Literal["object", "array"] = "object"  #: contract §2.5
    transcript_text: TranscriptText = "plain"  #: what hides in what people said
    recording_length_header: bool = True  #: Content-Length on the recording, or chunks of unknown number
    clock_skew_seconds: float = 0.0  #: the vendor's clock, and its Date header, ahead of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What `GET /sessions` honours: the contract's biggest gap (§2.3)."""

    __pydantic_config__: ClassVar = STRICT

    paging: Literal["none", "offset", "page", "cursor"] = "offset"
    limit_parameter: str = "limit"
    offset_parameter: str = "offset"
    page_parameter: str = "page"
    cursor_parameter: str = "cursor"
    first_page: Literal[0, 1] = 1
    page_size: int = 20
    page_size_max: int = 100
    oversize: Literal["clamp", "reject"] = "clamp"
    order: Literal["newest", "oldest"] = "newest"
    filters: tuple[
        Literal["status", "candidate_ref", "metadata", "tags", "persona_id", "created_after", "created_before"],
        ...,
    ] = ("status", "candidate_ref", "metadata", "tags", "persona_id", "created_after", "created_before")
    case: Literal["snake", "camel"] = "snake"  #: created_after or createdAfter (contract §6.17)
    metadata_syntax: Literal["bracket", "dot", "pair", "json"] = "bracket"
    tag_parameter: str = "tags"
    several_statuses: Literal["refused", "comma", "repeated"] = "comma"
    unknown_parameters: Literal["ignore", "reject"] = "ignore"
    bad_values: Literal["reject", "ignore"] = "reject"
    envelope: str = "data"  #: the key that holds the rows; empty: the body is the array itself
    marks: tuple[Literal["total", "has_more", "next"], ...] = ("has_more", "next")
    marks_under: str = ""  #: the key that holds the marks; empty: beside the rows
    playground_rows: bool = False  #: console sessions among the rows
    personas_paged: bool = False  #: GET /personas pages in the same way


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Which of the documented variants an error takes (contract §5, §6.4, §6.7, §6.8)."""

    __pydantic_config__: ClassVar = STRICT

    envelope: Literal["universal", "interview", "deepmatch"] = "universal"
    invalid_code: str = "INVALID_INPUT"
    not_found_code: str = "NOT_FOUND"
    malformed_id: Literal["not_found", "invalid"] = "not_found"
    not_ready_status: int = 409
    unauthorized: Literal["documented", "unauthenticated", "permission"] = "documented"
    inactive_client_status: Literal[401, 403] = 401
    credit_details: Literal["required_balance", "cost_available", "none"] = "required_balance"
    long_candidate_ref: Literal["truncate", "reject"] = "truncate"  #: contract §6.2
    excess_tags: Literal["reject", "truncate"] = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Numbers of contract §7, undivided by `speed`."""

    __pydantic_config__: ClassVar = STRICT

    requests_per_minute: int = 0  #: per key, in any sliding 60 s; 0: no limit
    retry_after: Literal["seconds", "date", "absent"] = "seconds"
    poll_spacing_seconds: float = 0.0  #: between two reads of one session that is not final; 0: none
    poll_limited_code: str = "POLL_RATE_LIMITED"  #: contract §6.9
    concurrency: int = 8  #: interviews at once per client; more candidates wait at the door
    link_ttl_seconds: float = 604_800.0
    interview_budget_seconds: float = 3600.0  #: a longer interview ends as SESSION_TIMEOUT
    after_expiry: Literal["initiated", "failed"] = "initiated"  #: what a session becomes whose link died unused
    reinvite: Literal["same", "new"] = "same"  #: the console's re-invite keeps the session's id, or makes another


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRules:
    """What an interview costs (contract §4; the rates are guesses)."""

    __pydantic_config__: ClassVar = STRICT

    balance: int = 100_000
    minimum: int = 10  #: balance below which no session is made
    per_minute: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateMix:
    """What candidates do when no plan is written for them. Durations are undivided by `speed`."""

    __pydantic_config__: ClassVar = STRICT

    come: Literal["by_themselves", "when_sent"] = "by_themselves"  #: when_sent: only once the link was handed over
    never: float = 0.10
    fail: float = 0.05
    time_out: float = 0.03
    fail_unopened: float = 0.0
    opens_after_seconds: float = 14_400.0  #: on average, exponentially spread
    talks_for_seconds: float = 1_200.0  #: on average, between half and one and a half of it
    artifacts_after_seconds: float = 60.0
    feedback: float = 0.6  #: share of completed sessions whose candidate answers the survey
    feedback_late: float = 0.3  #: share of those that answer only later
    feedback_late_seconds: float = 7_200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One possible vendor."""

    __pydantic_config__: ClassVar = STRICT

    speed: float = 1.0
    shapes: Shapes = field(default_factory=Shapes)
    listing: Listing = field(default_factory=Listing)
    errors: Errors = field(default_factory=Errors)
    limits: Limits = field(default_factory=Limits)
    credits: CreditRules = field(default_factory=CreditRules)
    candidates: CandidateMix = field(default_factory=CandidateMix)
    faults: Faults = field(default_factory=Faults)

    def scaled(self, seconds: float) -> timedelta:
        """How long a span of the vendor's world really takes here."""
        return timedelta(seconds=seconds / self.speed)

    @property
    def link_ttl(self) -> timedelta:
        """In whole seconds, as `expires_in` reports it, so that the report is exact."""
        return timedelta(seconds=max(1, round(self.limits.link_ttl_seconds / self.speed)))
