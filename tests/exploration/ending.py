"""Whether everything ends: from every state one run without faults is followed until nothing is left to be done."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from service.core.model import PostState, VendorStatus
from tests.exploration.invariants import settled_in_the_end
from tests.exploration.moves import Move, World, unsettled
from tests.exploration.rows import NOT_YET, State, settled


def endings(world: World, states: Iterable[State]) -> Iterator[State]:
    """Those of `states`, in their order, from which such a run never ends well."""
    fair = replace(world, faults=0, weeks=10**6)
    ends_well: dict[State, bool] = {}
    for state in states:
        here, path = state._replace(faults=0), list[State]()
        while here not in ends_well:
            ends_well[here] = False  # a run that comes back to where it was never ends
            path.append(here)
            following = _next(fair, here)
            if following is None:
                ends_well[here] = settled_in_the_end(here)
            else:
                here = following
        if ends_well[here]:
            ends_well.update(dict.fromkeys(path, True))
        else:
            yield state


def _next(fair: World, state: State) -> State | None:
    """One step of the run: the first thing that leads on. None: nothing is left to be done."""
    for move, raw, _events in unsettled(fair, state):
        if _leads_on(state, move):
            return settled(raw, guarded=fair.rules.lease_guard)[0]
    return None


def _leads_on(state: State, move: Move) -> bool:
    """No candidate comes any more; a look that would tell nothing and a week that would change nothing are left out."""
    match move.kind:
        case "open":
            return False
        case "week":
            return _has_something_before_it(state)
        case "claim_look":
            return move.post is not None and _look_tells(state, move.post)
        case _:
            return True


def _look_tells(state: State, place: int) -> bool:
    post, session = state.rows.posts[place], state.sessions[place]
    is_over = post.opened is not None and post.opened < state.week and not post.dead
    died = is_over and session is not None and session.status == VendorStatus.INITIATED
    return session is not None and (session.status != post.seen or died)


def _has_something_before_it(state: State) -> bool:
    """A link that may still die, as far as is known here or in truth, or a search that has not come to its end."""
    may_be_made = {PostState.LOST, PostState.POSTING}
    return any(
        (post.state in may_be_made and not post.dead)
        or (session is not None and session.status != NOT_YET and session.opened >= state.week)
        or (post.opened is not None and post.opened >= state.week and not post.dead)
        for post, session in zip(state.rows.posts, state.sessions, strict=True)
    )
