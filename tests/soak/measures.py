"""What a replica holds: memory, files, connections, leases; and whether it holds more at the end than before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.soak.world import DB_CONNECTIONS
from tests.support.database import Database

#: Held leases are few and short; those whose time has passed long ago are nobody's, and nobody took them over.
LEASES = """
select count(*) filter (where lease_until > zenhire.clock()) as held,
       count(*) filter (where lease_until < zenhire.clock() - interval '1 minute') as forgotten
from zenhire.interview_sessions where lease_token is not null
"""
CONNECTIONS = """
select count(*) from pg_stat_activity
where application_name like 'zenhire-sync %%' and application_name <> 'zenhire-sync verify'
"""


CONNECTIONS_MAX = 2 * DB_CONNECTIONS  #: of two replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One moment of the replica that lives through everything, and of the database."""

    at: float
    memory_mb: float
    files: int
    connections: int
    leases: int
    forgotten_leases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One measure over two stretches."""

    name: str
    warm: float
    last: float
    most: float
    allowed: float  #: at the end

    @property
    def is_level(self) -> bool:
        return self.last <= self.allowed


def sample(at: float, pid: int, database: Database) -> Sample:
    leases = database.fetch_one(LEASES)
    return Sample(
        at=at,
        memory_mb=_resident_megabytes(pid),
        files=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        connections=database.fetch_value(CONNECTIONS),
        leases=leases["held"],
        forgotten_leases=leases["forgotten"],
    )


def _resident_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024


def levels(samples: Sequence[Sample], *, warm: tuple[float, float], last_from: float) -> list[Level]:
    """Medians of the stretch after the warm-up and of the last one, under the same load."""
    before = [one for one in samples if warm[0] <= one.at < warm[1]]
    after = [one for one in samples if one.at >= last_from]
    if not before or not after:
        return []

    def level(name: str, title: str, slack: float, share: float) -> Level:
        values = [getattr(one, name) for one in samples]
        warm_, last = (median(getattr(one, name) for one in stretch) for stretch in (before, after))
        return Level(name=title, warm=warm_, last=last, most=max(values), allowed=warm_ * (1 + share) + slack)

    return [
        level("memory_mb", "memory of one replica, MB", 8, 0.1),
        level("files", "open files of one replica", 4, 0),
        # A pool keeps what a burst has opened, up to its size: what must not grow is that size.
        level("connections", "connections to Postgres, both replicas", CONNECTIONS_MAX, -1),
        level("leases", "leases held", 32, 0),
        level("forgotten_leases", "leases that ran out a minute ago, and nobody took over", 0, 0),
    ]
