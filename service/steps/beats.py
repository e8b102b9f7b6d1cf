"""
The boundaries between the beats of a step: the only places where a replica that dies leaves something to be taken up.

Whoever puts a replica together may listen there. The service listens to nothing; what stops a replica at a boundary,
or lets another one go first, is no business of the steps.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum


class Beat(StrEnum):
    """What has been done when a boundary is reached."""

    RESERVED = "reserved"  #: request slots are reserved; no row is claimed
    CLAIMED = "claimed"  #: rows are leased, a post's intent is committed; nothing is sent
    LISTED = "listed"  #: personas alone: the client's personas are known; none is to be created yet
    INTENDED = "intended"  #: personas alone: the intent to create one is committed; nothing is sent
    ANSWERED = "answered"  #: the vendor has answered, and what that means is decided; nothing is written
    WRITTEN = "written"  #: the decision is committed, or found to count no more


#: Called with the step's name at each boundary.
Reached = Callable[[str, Beat], Awaitable[None]]


async def go_on(_step: str, _beat: Beat) -> None:
    """Nobody listens."""
