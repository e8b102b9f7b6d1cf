"""What the parts of a run of `verify` share: the run's row, what was found so far, and who is told how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.core.model import Policy
from service.operate.progress import Progress
from service.operate.verify_state import State
from service.postgres.verify_runs import VerifyRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One run, as its parts see it."""

    run: VerifyRun
    state: State
    policy: Policy
    progress: Progress

    def position_in(self, part: str) -> Mapping[str, Any]:
        """Where this part goes on; empty where it begins."""
        return self.state.position if self.state.position.get("part") == part else {}

    async def keep(self, part: str, **position: Any) -> None:
        """Write down what was found, and that this part goes on from here."""
        self.state.position = {"part": part, **position}
        await self.run.save(self.state.to_save())
