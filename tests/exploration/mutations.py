"""The rules of the service, left out one at a time: each must be missed, or the exploration would prove nothing."""

from dataclasses import dataclass

from tests.exploration.moves import World
from tests.exploration.rows import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """`instead`: what the same mutation would be in the service."""

    name: str
    rules: Rules
    instead: str
    max_links: int = 1

    @property
    def world(self) -> World:
        """One fault is enough to miss any of them."""
        return World(max_links=self.max_links, weeks=self.max_links, faults=1, console=True, rules=self.rules)


MUTATIONS = (
    Mutation(
        name="the lease guard",
        rules=Rules(lease_guard=False),
        instead="`WRITE` without `and s.lease_token = g.token`",
    ),
    Mutation(
        name="the intent row",
        rules=Rules(intent_row=False),
        instead="`CLAIM_POSTS` without `posted`: the row is inserted with the answer",
    ),
    Mutation(
        name="the fencing of late writes",
        rules=Rules(late_writes_fenced=False),
        instead="`WRITE` with `true as fits`, and no trigger on the moves of a status",
        max_links=2,
    ),
    Mutation(
        name="the monotonic rule",
        rules=Rules(monotonic=False),
        instead="`_step_back_is_believed` that believes the first look",
    ),
    Mutation(
        name="the event write",
        rules=Rules(event_written=False),
        instead="`WRITE` without `noted`, and no trigger `a_change_of_status_has_its_event`",
    ),
)
