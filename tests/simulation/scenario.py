"""What a seed stands for: a deployment, its candidates, its vendor, and what is to go wrong."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from sandbox.faults import Endpoint, FaultKind, FaultRule, Faults
from sandbox.profile import CandidateMix, CreditRules, Errors, Limits, Listing, Profile, Shapes
from service.steps.places import ACCOUNTS_AT_FULL_WIDTH

NO_LIMIT = 600_000


@dataclass(slots=True, kw_only=True)
class InvitePlan:
    """One invite, and when the ATS inserts it (seconds after the start)."""

    at: float
    values: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Mischief:
    """How often, at a quiet moment, each of these things happens (weights), and how often anything does."""

    rate: float = 0.02
    crash: float = 1.0
    stop: float = 0.5
    pause: float = 1.0
    ats: float = 2.0
    operator: float = 1.0
    console: float = 0.5
    time: float = 1.0


@dataclass(slots=True, kw_only=True)
class Scenario:
    """Everything that a seed decides before the run begins."""

    seed: int
    dice: random.Random
    accounts: list[str] = field(default_factory=lambda: ["default"])
    themes: list[str] = field(default_factory=list)
    replicas: int = 2
    concurrency: int = 2
    concurrency_of_all: int = 8  #: fewer than an account may have: accounts, and rows, wait for one another
    invites: list[InvitePlan] = field(default_factory=list)
    #: settings of the service
    watch_interval: float = 1800.0
    sweep_interval: float = 86_400.0  #: between the beginnings of two walks through the vendor's list
    lists_running: bool = False  #: the running interviews are listed, or each session is looked at by itself
    list_every: int = 15  #: × watch_interval between two such lists
    ended_every: int = 60  #: × watch_interval between two walks through the lists of what has ended
    settle_after: float = 60.0
    expiry_grace: float = 3600.0
    lease: float = 30.0
    deadline: float = 5.0
    requests_per_minute: int = NO_LIMIT
    posts_per_link: int = 10
    #: the vendor
    profile: Profile = field(default_factory=Profile)
    skew_of_replicas: float = 0.0
    stale_answers: float = 0.0  #: share of looks that are answered from an older state, once for a session
    outages: list[tuple[float, float]] = field(default_factory=list)  #: from, until (seconds after the start)
    outage_kind: Literal["refused", "faults"] = "refused"
    key_troubles: list[tuple[float, float, str]] = field(default_factory=list)  #: from, until, what
    #: the database
    database_refused: float = 0.0
    database_cut: float = 0.0
    commit_unanswered: float = 0.0
    mischief: Mischief = field(default_factory=Mischief)
    storm_beats: int = 250

    def draw(self, low: float, high: float) -> float:
        return self.dice.uniform(low, high)


Theme = Callable[[Scenario], None]


def _with_faults(scenario: Scenario, *rules: FaultRule) -> None:
    faults = scenario.profile.faults
    scenario.profile = replace(scenario.profile, faults=replace(faults, rules=faults.rules + rules))


def rough_vendor(scenario: Scenario) -> None:
    """Up to half of all answers broken in one way or another, or late."""
    share = scenario.draw(0.05, 0.5)
    _with_faults(
        scenario,
        FaultRule(kind=FaultKind.ANY, probability=share),
        FaultRule(kind=FaultKind.DELAY, probability=share / 3, seconds=scenario.draw(1, 9)),
        FaultRule(kind=FaultKind.SLOW_BODY, probability=share / 5, seconds=scenario.draw(1, 9)),
    )


def lost_posts(scenario: Scenario) -> None:
    """Posts whose sessions are made while nobody hears of it, at once or later."""
    share = scenario.draw(0.2, 0.8)
    late = scenario.dice.choice([2.0, 20.0, 90.0, 900.0, 6 * 3600.0])
    kinds = (FaultKind.LOST_AFTER, FaultKind.GATEWAY_TIMEOUT, FaultKind.TRUNCATED, FaultKind.LOST_BEFORE)
    posts = (Endpoint.CREATE_SESSION,)
    _with_faults(
        scenario,
        FaultRule(kind=FaultKind.LATE_COMMIT, probability=share / 2, seconds=late, endpoints=posts),
        *(FaultRule(kind=kind, probability=share / 4, endpoints=posts) for kind in kinds),
    )
    scenario.posts_per_link = scenario.dice.choice([2, 3, 10])


def rate_limits(scenario: Scenario) -> None:
    """A small budget, and a vendor who asks to wait."""
    scenario.requests_per_minute = scenario.dice.choice([2, 4, 8, 60])
    share = scenario.draw(0.05, 0.3)
    _with_faults(
        scenario,
        FaultRule(
            kind=FaultKind.RATE_LIMITED, probability=share, seconds=scenario.dice.choice([1.0, 7.0, 60.0, 900.0])
        ),
        FaultRule(kind=FaultKind.RATE_LIMITED_BARE, probability=share / 2),
    )
    told: Literal["seconds", "date", "absent"] = scenario.dice.choice(["seconds", "seconds", "date", "absent"])
    limits = replace(scenario.profile.limits, retry_after=told, requests_per_minute=scenario.requests_per_minute)
    scenario.profile = replace(scenario.profile, limits=limits)


def outage(scenario: Scenario) -> None:
    """The vendor is away, for an hour or a day, whole or behind a proxy that answers for it."""
    begin = scenario.dice.choice([0.0, 1.0, 600.0, 5 * 3600.0])
    scenario.outages.append((begin, begin + scenario.dice.choice([300.0, 3600.0, 86_400.0])))
    scenario.outage_kind = scenario.dice.choice(["refused", "faults"])


def keys_and_credits(scenario: Scenario) -> None:
    """Credits that run out, a key that is revoked, a permission that is taken; all is mended later."""
    for what in scenario.dice.sample(["credits", "revoked", "expired", "permission", "client", "ip"], k=2):
        begin = scenario.draw(0, 7200)
        scenario.key_troubles.append((begin, begin + scenario.dice.choice([60.0, 3600.0, 86_400.0]), what))


def strange_lists(scenario: Scenario) -> None:
    """Short pages, every way of paging, rows that move while they are read."""
    paging: Literal["offset", "page", "cursor", "none"] = scenario.dice.choice(["offset", "page", "cursor", "none"])
    marks: tuple[Literal["total", "has_more", "next"], ...] = scenario.dice.choice([(), ("total",), ("next",)])
    if paging == "cursor":
        marks = ("has_more", "next")  # a cursor that nobody is told of is no way of paging
    listing = replace(
        scenario.profile.listing,
        paging=paging,
        page_size=scenario.dice.choice([3, 5, 20]),
        page_size_max=scenario.dice.choice([3, 5, 100]),
        order=scenario.dice.choice(["newest", "newest", "oldest"]),
        oversize="clamp",
        marks=marks,
        first_page=scenario.dice.choice([0, 1]),
        unknown_parameters=scenario.dice.choice(["ignore", "reject"]),
    )
    scenario.profile = replace(scenario.profile, listing=listing)
    _with_faults(scenario, FaultRule(kind=FaultKind.LOST_AFTER, probability=0.4, endpoints=(Endpoint.CREATE_SESSION,)))


def other_clocks(scenario: Scenario) -> None:
    """The vendor's clock and the replicas' differ from the database's."""
    shapes = replace(scenario.profile.shapes, clock_skew_seconds=scenario.dice.choice([-250.0, -3.0, 3.0, 250.0]))
    scenario.profile = replace(scenario.profile, shapes=shapes)
    scenario.skew_of_replicas = scenario.draw(-120, 120)


def stale_reads(scenario: Scenario) -> None:
    """A vendor whose reads lag behind its writes."""
    scenario.stale_answers = scenario.draw(0.4, 1.0)
    # An interview is looked at more than once, or nothing could be shown again; and links are short, to end in time.
    scenario.watch_interval = 600.0
    limits = replace(scenario.profile.limits, link_ttl_seconds=7200.0)
    scenario.profile = replace(scenario.profile, limits=limits)


def dying_replicas(scenario: Scenario) -> None:
    scenario.mischief.crash = 8.0
    scenario.mischief.stop = 3.0
    scenario.mischief.rate = 0.05


def sleeping_replicas(scenario: Scenario) -> None:
    """Replicas that are stopped in the middle of a beat until their leases are over; a slow vendor."""
    faults = replace(scenario.profile.faults, latency_seconds=scenario.dice.choice([0.3, 2.0]))
    scenario.profile = replace(scenario.profile, faults=faults)
    scenario.mischief.pause = 12.0
    scenario.mischief.rate = 0.06


def shaky_database(scenario: Scenario) -> None:
    """Connections that are refused or cut, and commits whose answer is lost."""
    scenario.database_refused = scenario.draw(0.0, 0.05)
    scenario.database_cut = scenario.draw(0.0, 0.05)
    scenario.commit_unanswered = scenario.draw(0.01, 0.1)


def busy_people(scenario: Scenario) -> None:
    """The ATS and operators act on rows while replicas are in the middle of a step."""
    scenario.mischief.ats = 8.0
    scenario.mischief.operator = 8.0
    scenario.mischief.rate = 0.06


def second_links(scenario: Scenario) -> None:
    """Two links for each invite, and candidates who let the first one die, fail, or wait at the door."""
    for plan in scenario.invites:
        plan.values["max_links"] = 2
    ttl = scenario.dice.choice([7200.0, 86_400.0, 604_800.0])
    concurrency = scenario.dice.choice([1, 8])
    limits = replace(scenario.profile.limits, link_ttl_seconds=ttl, concurrency=concurrency)
    mix = replace(scenario.profile.candidates, never=0.4, fail=0.2, fail_unopened=0.1, opens_after_seconds=ttl / 3)
    scenario.profile = replace(scenario.profile, limits=limits, candidates=mix)


def months(scenario: Scenario) -> None:
    """Few invites over a long time."""
    for plan in scenario.invites:
        plan.at = scenario.draw(0, 90 * 86_400)
        plan.values["start_after_in"] = scenario.dice.choice([None, 3 * 86_400.0, 20 * 86_400.0])
    scenario.watch_interval = 14_400.0
    scenario.sweep_interval = 7 * 86_400.0
    scenario.list_every = 90


def console_reinvites(scenario: Scenario) -> None:
    """Candidates who fail, and recruiters who invite them again from the vendor's console."""
    scenario.mischief.console = 12.0
    scenario.mischief.rate = 0.05
    mix = replace(scenario.profile.candidates, never=0.05, fail=0.5, time_out=0.1, opens_after_seconds=600.0)
    scenario.profile = replace(scenario.profile, candidates=mix)


THEMES: dict[str, Theme] = {
    theme.__name__: theme
    for theme in (
        rough_vendor, lost_posts, rate_limits, outage, keys_and_credits, strange_lists, other_clocks, stale_reads,
        dying_replicas, sleeping_replicas, shaky_database, busy_people, second_links, months, console_reinvites,
    )
}  # fmt: skip


def draw_scenario(seed: int) -> Scenario:
    """The same seed, the same scenario, on every machine."""
    dice = random.Random(seed)
    scenario = Scenario(seed=seed, dice=dice)
    scenario.replicas = dice.choice([1, 2, 2, 3])
    scenario.concurrency = dice.choice([1, 2, 3])
    scenario.concurrency_of_all = random.Random(f"{seed}/places").choice(
        [1, 2, ACCOUNTS_AT_FULL_WIDTH * scenario.concurrency]
    )
    scenario.watch_interval = dice.choice([7200.0, 14_400.0, 28_800.0])
    scenario.lists_running = random.Random(f"{seed}/lists").random() < 0.25
    scenario.settle_after = dice.choice([60.0, 900.0, 3600.0])
    scenario.sweep_interval = dice.choice([2, 5, 7]) * 86_400.0
    scenario.accounts = ["default", "second"] if dice.random() < 0.25 else ["default"]
    scenario.storm_beats = dice.choice([60, 120, 240])
    scenario.profile = Profile(
        shapes=Shapes(session_id_field=dice.choice(["id", "session_id", "both"])),
        listing=Listing(playground_rows=dice.random() < 0.7),
        errors=Errors(envelope=dice.choice(["universal", "interview", "deepmatch"])),
        limits=Limits(
            after_expiry=dice.choice(["initiated", "initiated", "failed"]),
            link_ttl_seconds=dice.choice([7200.0, 86_400.0, 604_800.0]),
            reinvite=dice.choice(["same", "same", "new"]),
        ),
        credits=CreditRules(),
        candidates=CandidateMix(
            come="when_sent", opens_after_seconds=dice.choice([60.0, 3600.0, 40_000.0]), talks_for_seconds=1200.0
        ),
        faults=Faults(latency_seconds=dice.choice([0.0, 0.05, 0.4]), latency_jitter_seconds=dice.choice([0.0, 0.2])),
    )
    scenario.invites = [_draw_invite(dice, number, scenario.accounts) for number in range(dice.randint(2, 5))]
    for name in sorted(dice.sample(sorted(THEMES), k=dice.choice([1, 2, 2, 3]))):
        THEMES[name](scenario)
        scenario.themes.append(name)
    return scenario


def _draw_invite(dice: random.Random, number: int, accounts: Sequence[str]) -> InvitePlan:
    values: dict[str, Any] = {
        "account": accounts[number % len(accounts)],
        "candidate_ref": f"candidate-{number}",
        "consent_mode": dice.choice(["explicit", "integrator"]),
        "metadata": {"secret_of_the_ats": f"metadata-value-{number}"},
        "tags": ["one"] if dice.random() < 0.3 else [],
        "priority": dice.choice([0, 0, 1]),
        "max_links": dice.choice([1, 1, 2]),
    }
    if dice.random() < 0.5:
        values |= {"role_name": dice.choice(["Engineer", "Nurse"]), "language": "en"}
    else:
        values["persona_id"] = "the vendor's own"
    if dice.random() < 0.15:
        values["stop_after_in"] = dice.choice([30.0, 3600.0, 86_400.0])
    return InvitePlan(at=dice.choice([0.0, 0.0, dice.uniform(0, 3600)]), values=values)


def longest_storm(scenario: Scenario) -> timedelta:
    """A storm is over when its beats are, or after this time."""
    return timedelta(days=100 if "months" in scenario.themes else 12)
