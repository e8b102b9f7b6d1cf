"""An outage of the database is told once when it begins and once when it ends, however many notice it."""

from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from service.postgres.engine import DatabaseLost


@dataclass(slots=True)
class Outage:
    """Whether the database is away, as this replica knows it."""

    log: FilteringBoundLogger
    lost: bool = False

    def note_lost(self, error: DatabaseLost) -> None:
        if not self.lost:
            self.log.warning("database_lost", reason=str(error))
        self.lost = True

    def note_back(self) -> None:
        if self.lost:
            self.log.info("database_back")
        self.lost = False
