"""An outage of the database is told once when it begins and once when it ends, however many notice it."""

from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from service.postgres.engine import DatabaseLost


@dataclass(slots=True)
class Outage:
    """
    Whether the database is away, as this replica knows it.

    Work that began before the last turn says nothing of the time after it: what was sent into an outage may fail only
    once the database is back. So each keeps the `turn` of its beginning, and brings it with what it notices.
    """

    log: FilteringBoundLogger
    lost: bool = False
    turn: int = 0  #: how often the database went or came back

    def note_lost(self, error: DatabaseLost, turn: int) -> None:
        """Work that began at `turn` found the database away."""
        if turn == self.turn and not self.lost:
            self.log.warning("database_lost", reason=str(error))
            self._turn(lost=True)

    def note_back(self, turn: int) -> None:
        """Work that began at `turn` found the database there."""
        if turn == self.turn and self.lost:
            self.log.info("database_back")
            self._turn(lost=False)

    def _turn(self, *, lost: bool) -> None:
        self.lost = lost
        self.turn += 1
