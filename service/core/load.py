"""When a replica has more to do than it gets done."""

from dataclasses import dataclass

#: So many seconds of waiting, or (nearly) all of a core, are too much.
WAITED_MAX, CORE_MAX = 5.0, 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much a replica had to do since its last heartbeat."""

    waited: float = 0.0  #: the longest that work has waited for a place, in seconds
    core: float = 0.0  #: the part of one core that its process used; it cannot use much more than one

    @property
    def is_too_much(self) -> bool:
        return self.waited >= WAITED_MAX or self.core >= CORE_MAX
