"""Who takes part: twenty invites, what their candidates are going to do, and settings that fit weeks into seconds."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.running import SandboxProcess

SPEED = 600  #: the sandbox's interviews run this many times faster
LINK_SECONDS = 18  #: how long a link lives here, instead of a week
LATENCY_SECONDS = 0.15  #: the sandbox's network, so that there is something to see
LOST_REPLIES = (3, 7)  #: the posts whose replies the sandbox loses after it made the session
#: The post that is refused must not be one of those that are lost: it makes no session that could be found.
REFUSED_AFTER_SECONDS = 8
NO_SUCH_PERSONA = "00000000-0000-4000-8000-000000000000"

#: Settings of the service for the show; everything else is as it comes.
FAST = {
    "SYNC_UNSAFE_FAST": "true",
    "SYNC_WATCH_INTERVAL_SECONDS": "0.1",
    "SYNC_START_INTERVAL_SECONDS": "0.5",
    "SYNC_SETTLE_SECONDS": "5",
    "SYNC_EXPIRY_GRACE_SECONDS": "2",
    "SYNC_LEASE_SECONDS": "6",
    "SYNC_HTTP_TIMEOUT_SECONDS": "2.9",
    "SYNC_REQUESTS_PER_MINUTE": "6000",
    "SYNC_CONCURRENCY": "4",
}
_NOT_HANDED_ON = ("SYNC_", "ZENHIRE_", "DATABASE_URL", "PG")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One invite, and the plan its candidate follows. Spans are seconds of the show."""

    ref: str
    role_name: str | None
    ending: str
    opens_after: float
    talks_for: float
    rating: int | None
    max_links: int = 1
    wanted_in: float = 0.0  #: no link before so many seconds

    @property
    def plan(self) -> str:
        options = (
            f"opens_after={self.opens_after * SPEED:.0f} talks_for={self.talks_for * SPEED:.0f} "
            f"artifacts_after={SPEED} feedback_after=0 rating={self.rating or 'none'}"
        )
        return "|".join(f"{ending} {options}" for ending in self.ending.split("|"))

    @property
    def persona_id(self) -> str | None:
        return NO_SUCH_PERSONA if self.role_name is None else None


def _candidates() -> tuple[Candidate, ...]:
    nurse, engineer, clerk, support = "Night nurse", "Backend engineer", "Warehouse clerk", "Support agent"
    completed, second_link = "completed", "never|completed"
    rows = (
        (nurse, completed, 1.0, 5.6, 5),
        (engineer, completed, 1.4, 4.1, 4),
        (clerk, completed, 2.0, 3.2, None),
        (support, completed, 2.8, 4.7, 3),
        (nurse, "failed", 2.2, 3.4, None),
        (engineer, completed, 3.0, 5.1, 5),
        (clerk, completed, 3.6, 4.4, None),
        (support, completed, 4.4, 3.7, 2),
        (nurse, "timed_out", 4.0, 6.0, None),
        (engineer, completed, 5.2, 5.3, 4),
        (clerk, completed, 6.0, 3.9, 5),
        (support, second_link, 2.0, 4.0, 4),
        (nurse, completed, 7.0, 4.9, None),
        (engineer, completed, 8.0, 5.8, 4),
        (clerk, completed, 9.0, 4.2, 3),
        (support, "never", 0.0, 0.0, None),
        (nurse, completed, 11.0, 5.5, 5),
        (engineer, completed, 13.4, 4.6, None),
        (clerk, completed, 15.4, 3.6, 4),
        (None, completed, 0.0, 0.0, None),
    )
    return tuple(
        Candidate(
            ref=f"cand-{number:02}",
            role_name=role_name,
            ending=ending,
            opens_after=opens_after,
            talks_for=talks_for,
            rating=rating,
            max_links=2 if ending == second_link else 1,
            wanted_in=0.0 if role_name else REFUSED_AFTER_SECONDS,
        )
        for number, (role_name, ending, opens_after, talks_for, rating) in enumerate(rows, start=1)
    )


CAST = _candidates()
_GUEST = f"completed opens_after={4 * SPEED} talks_for={5 * SPEED} rating=5"  #: anyone whom the user invites later


def sandbox_arguments() -> list[str]:
    """The stand-in, its scripted candidates and its scripted faults."""
    lost = ",".join(f"#{number}" for number in LOST_REPLIES)
    plans = [argument for candidate in CAST for argument in ("--plan", f"{candidate.ref}={candidate.plan}")]
    return [
        *("--speed", str(SPEED), "--set", f"limits.link_ttl_seconds={LINK_SECONDS * SPEED}"),
        *("--set", f"faults.latency_seconds={LATENCY_SECONDS}", "--faults", f"lost_after@create_session:{lost}"),
        *(*plans, "--plan", f"*={_GUEST}"),
    ]


def service_environment(environ: Mapping[str, str], database_url: str, sandbox: SandboxProcess) -> dict[str, str]:
    """The service is given its own settings, and none that the user's shell may hold for another database."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(_NOT_HANDED_ON) and not name.lower().endswith("_proxy")
    }
    return {
        **kept,
        **FAST,
        "DATABASE_URL": database_url,
        "ZENHIRE_API_KEY": sandbox.key,
        "ZENHIRE_BASE_URL": sandbox.base_url,
    }
