"""What goes wrong between the platform and its client: drawn from a seed, or written down request by request."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar


class Endpoint(StrEnum):
    """The eight of contract §2, and the two beside them."""

    CREATE_PERSONA = "create_persona"
    LIST_PERSONAS = "list_personas"
    GET_PERSONA = "get_persona"
    CREATE_SESSION = "create_session"
    LIST_SESSIONS = "list_sessions"
    GET_SESSION = "get_session"
    GET_RECORDING = "get_recording"
    GET_TRANSCRIPT = "get_transcript"
    CREDITS = "credits"
    HEALTH = "health"


class FaultKind(StrEnum):
    """One way in which a request can go wrong."""

    RATE_LIMITED = "rate_limited"  #: 429 with Retry-After
    RATE_LIMITED_BARE = "rate_limited_bare"  #: 429 without
    INTERNAL_ERROR = "internal_error"  #: 500 in the vendor's envelope
    BAD_GATEWAY = "bad_gateway"  #: 502, a proxy's HTML
    UNAVAILABLE = "unavailable"  #: 503, a proxy's HTML
    GATEWAY_TIMEOUT = "gateway_timeout"  #: 504, a proxy's HTML, usually with the work done behind it
    LOST_BEFORE = "lost_before"  #: connection closed, nothing done
    LOST_AFTER = "lost_after"  #: connection closed, work done
    LATE_COMMIT = "late_commit"  #: connection closed, work done some seconds later
    TRUNCATED = "truncated"  #: half of the JSON
    NOT_JSON = "not_json"  #: called JSON, is none
    WRONG_TYPE = "wrong_type"  #: a page of HTML where JSON should be
    EMPTY = "empty"  #: the right status and no body
    OTHER_SHAPE = "other_shape"  #: JSON, of something else
    SLOW_BODY = "slow_body"  #: whole and right, but in drops
    ENDLESS = "endless"  #: a body that never ends
    DELAY = "delay"  #: whole and right, but late
    ANY = "any"  #: one of those that break an answer, drawn


BREAKING = tuple(
    kind for kind in FaultKind if kind not in {FaultKind.ANY, FaultKind.DELAY, FaultKind.SLOW_BODY, FaultKind.ENDLESS}
)
_AFTER_WORK = frozenset(
    {
        FaultKind.GATEWAY_TIMEOUT,
        FaultKind.LOST_AFTER,
        FaultKind.TRUNCATED,
        FaultKind.NOT_JSON,
        FaultKind.WRONG_TYPE,
        FaultKind.EMPTY,
        FaultKind.OTHER_SHAPE,
        FaultKind.SLOW_BODY,
        FaultKind.ENDLESS,
        FaultKind.DELAY,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """Strikes with a probability, or exactly on the numbered requests among those it watches (the first is 1)."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    kind: FaultKind
    probability: float = 0.0
    on: tuple[int, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()  #: empty: all but health
    seconds: float = 5.0  #: how late, how slow, or how long to stay away, where the kind has such a time
    after_work: bool | None = None  #: None: as the kind usually does

    @property
    def does_the_work(self) -> bool:
        return self.kind in _AFTER_WORK if self.after_work is None else self.after_work

    def watches(self, endpoint: Endpoint) -> bool:
        return endpoint in self.endpoints if self.endpoints else endpoint is not Endpoint.HEALTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """All that goes wrong, and how long the road is. Not divided by `speed`: the network is real."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    latency_seconds: float = 0.0
    latency_jitter_seconds: float = 0.0  #: on average, exponentially spread, on top
    rules: tuple[FaultRule, ...] = ()


class FaultDraw:
    """The dice, and the counts that scripted rules go by."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}:faults")  # noqa: S311 - replayable, not secret
        self._seen: list[int] = []
        self._rules: tuple[FaultRule, ...] = ()

    def strike(self, rules: tuple[FaultRule, ...], endpoint: Endpoint) -> FaultRule | None:
        """The first rule that strikes this request. New rules count from one."""
        if rules is not self._rules:
            self._rules, self._seen = rules, [0] * len(rules)
        struck = None
        for place, rule in enumerate(rules):
            if rule.watches(endpoint):
                self._seen[place] += 1
                if self._hits(rule, self._seen[place]) and struck is None:
                    struck = rule
        if struck is not None and struck.kind is FaultKind.ANY:
            return replace(struck, kind=self._random.choice(BREAKING))
        return struck

    def _hits(self, rule: FaultRule, count: int) -> bool:
        return count in rule.on or (rule.probability > 0 and self._random.random() < rule.probability)

    def latency(self, faults: Faults) -> float:
        if faults.latency_jitter_seconds <= 0:
            return faults.latency_seconds
        return faults.latency_seconds + self._random.expovariate(1 / faults.latency_jitter_seconds)


def parse_rule(text: str) -> FaultRule:
    """`KIND[@ENDPOINT+ENDPOINT]:AMOUNT[:seconds=N][:before|:after]`, AMOUNT a probability or `#3,#7`."""
    head, *tail = text.split(":")
    kind, _, endpoints = head.partition("@")
    if not tail:
        raise ValueError(f"fault {text!r}: say how often, as in {kind}:0.1 or {kind}:#3,#7")
    try:
        rule = FaultRule(
            kind=FaultKind(kind),
            endpoints=tuple(Endpoint(name) for name in endpoints.split("+")) if endpoints else (),
        )
        return _with_options(_with_amount(rule, tail[0]), tail[1:])
    except ValueError as problem:
        allowed = ", ".join(FaultKind)
        raise ValueError(
            f"fault {text!r}: {problem}. Kinds: {allowed}. Endpoints: {', '.join(Endpoint)}.",
        ) from None


def _with_amount(rule: FaultRule, amount: str) -> FaultRule:
    if amount.startswith("#"):
        return replace(rule, on=tuple(int(part.removeprefix("#")) for part in amount.split(",")))
    probability = float(amount)
    if not 0 <= probability <= 1:
        raise ValueError(f"{amount} is not a probability between 0 and 1")
    return replace(rule, probability=probability)


def _with_options(rule: FaultRule, options: Sequence[str]) -> FaultRule:
    for option in options:
        match option.partition("="):
            case ("seconds", "=", seconds):
                rule = replace(rule, seconds=float(seconds))
            case ("after", "", ""):
                rule = replace(rule, after_work=True)
            case ("before", "", ""):
                rule = replace(rule, after_work=False)
            case _:
                raise ValueError(f"{option!r} is neither seconds=N, before, nor after")
    return rule
