"""The matrix: every boundary between two beats of every step, times every fault. A step more is a line in `STEPS`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.faults import Endpoint
from service.steps.beats import Beat
from tests.support.postgres_proxy import Aim


class Fault(StrEnum):
    """What happens to the replica, its database or its network while it stands at a boundary."""

    KILLED = "kill -9"
    STOPPED = "SIGTERM"
    EXCEPTION = "exception"
    POSTGRES_CRASH = "Postgres crash"
    POSTGRES_CUT = "Postgres cut"
    COMMIT_LOST = "at COMMIT"
    VENDOR_CUT_BEFORE = "vendor cut, before it acted"
    VENDOR_CUT_AFTER = "vendor cut, after it acted"
    PAUSED = "paused past the lease"

    @property
    def ends_the_replica(self) -> bool:
        return self in {Fault.KILLED, Fault.STOPPED}

    @property
    def cuts_the_vendor(self) -> bool:
        return self in {Fault.VENDOR_CUT_BEFORE, Fault.VENDOR_CUT_AFTER}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUnderTest:
    """The boundaries of one step; which COMMIT ends each beat, and which request follows it."""

    name: str
    commits: Mapping[Beat, Aim]
    requests: Mapping[Beat, Endpoint] = field(default_factory=dict)
    reads: tuple[Beat, ...] = (Beat.ANSWERED,)  #: beats that commit nothing

    @property
    def beats(self) -> list[Beat]:
        return [beat for beat in Beat if beat in {*self.commits, *self.reads}]


def _reserve(lane: str) -> Aim:
    """The reservation of slots has the same statement in every step; the gate before it names the lane."""
    return Aim(text="extract(epoch from first_at - asked_at)", after=Aim(text="needs_person, probe_at", bound=lane))


def _five_beats(name: str, *, lane: str, claim: str, asks: Endpoint, writes: str) -> StepUnderTest:
    """Reserve, claim, ask, decide, write. `claim`: a part of its statement; `writes`: what only its change holds."""
    return StepUnderTest(
        name=name,
        commits={
            Beat.RESERVED: _reserve(lane),
            Beat.CLAIMED: Aim(text=claim),
            Beat.WRITTEN: Aim(text="wrote_session as (", bound=writes),
        },
        requests={Beat.CLAIMED: asks},
    )


def _reads_a_list(name: str, *, claim: str, writes: str) -> StepUnderTest:
    """Reserve, claim, list, compare, write. `claim`, `writes`: a part of these statements."""
    return StepUnderTest(
        name=name,
        commits={Beat.RESERVED: _reserve("list"), Beat.CLAIMED: Aim(text=claim), Beat.WRITTEN: Aim(text=writes)},
        requests={Beat.CLAIMED: Endpoint.LIST_SESSIONS},
    )


_TAKE_OVER = StepUnderTest(
    name="take_over",
    commits={
        Beat.CLAIMED: Aim(text="where s.state = 'posting' and s.lease_until"),
        Beat.WRITTEN: Aim(text="wrote_session as (", bound='"state": "lost"'),
    },
    reads=(),
)

_PERSONAS = StepUnderTest(
    name="personas",
    commits={
        Beat.RESERVED: _reserve("persona"),
        Beat.CLAIMED: Aim(text="update zenhire.personas p\nset lease_token"),
        Beat.INTENDED: Aim(text="set posts = posts + 1"),
        Beat.WRITTEN: Aim(text="set state = 'ready'"),
    },
    requests={Beat.CLAIMED: Endpoint.LIST_PERSONAS, Beat.INTENDED: Endpoint.CREATE_PERSONA},
    reads=(Beat.LISTED, Beat.ANSWERED),
)

STEPS: Mapping[str, StepUnderTest] = {
    step.name: step
    for step in (
        _five_beats(
            "start",
            lane="start",
            claim="insert into zenhire.interview_sessions",
            asks=Endpoint.CREATE_SESSION,
            writes='"state": "published"',
        ),
        _TAKE_OVER,
        _PERSONAS,
        _five_beats(
            "watch",
            lane="look",
            claim="s.step_back_seen_at, s.link_expires_at",
            asks=Endpoint.GET_SESSION,
            writes='"look_count"',
        ),
        _five_beats(
            "collect",
            lane="artifact",
            claim="s.completed_at, s.collect_count",
            asks=Endpoint.GET_TRANSCRIPT,
            writes='"collect_count"',
        ),
        _five_beats(
            "settle",
            lane="list",
            claim="s.link_expires_at, s.search_count",
            asks=Endpoint.LIST_SESSIONS,
            writes='"search_count"',
        ),
        _reads_a_list(
            "sweep",
            claim="insert into zenhire.sweeps as w (account, walk, back_to)",
            writes="update zenhire.sweeps w\nset position",
        ),
        _reads_a_list(
            "running",
            claim="next_probe_at <= zenhire.clock() as probe_is_due",
            writes="update zenhire.list_state\nset listed_at",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One boundary and one fault."""

    step: StepUnderTest
    beat: Beat
    fault: Fault

    @property
    def name(self) -> str:
        return f"{self.step.name}.{self.beat}, {self.fault}"

    @property
    def exists(self) -> bool:
        """A beat that commits nothing has no COMMIT to lose; where no request follows, no request can be cut."""
        if self.fault is Fault.COMMIT_LOST:
            return self.beat in self.step.commits
        return not self.fault.cuts_the_vendor or self.beat in self.step.requests


def all_cells() -> Iterator[Cell]:
    """Those that exist, in the order of the table."""
    for step in STEPS.values():
        for beat in step.beats:
            for fault in Fault:
                cell = Cell(step=step, beat=beat, fault=fault)
                if cell.exists:
                    yield cell


def cell_of(step: str, beat: Beat, fault: Fault) -> Cell:
    cell = Cell(step=STEPS[step], beat=beat, fault=fault)
    if not cell.exists:
        raise ValueError(f"there is no cell {cell.name}")
    return cell
