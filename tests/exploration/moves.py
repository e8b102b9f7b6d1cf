"""Everything that can happen next: what replicas, vendor, candidate, the ATS and time do, and what goes wrong."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from service.core.model import InviteStatus, PostState, VendorStatus
from tests.exploration import decisions, model
from tests.exploration.decisions import HELD_BACK, MINTED, NO_ANSWER, Known
from tests.exploration.rows import NOT_YET, Done, Event, Hand, Invite, Rows, Rules, Session, State, put, settled


class Move(NamedTuple):
    """One thing that happens: what, by which replica, to which post."""

    kind: str
    replica: int | None = None
    post: int | None = None


class Next(NamedTuple):
    """What a move leads to. `swapped`: the replicas have changed places in the new state."""

    move: Move
    state: State
    events: tuple[Event, ...]
    swapped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The bounds of an exploration, and the rules that hold in it."""

    max_links: int = 1
    posts_per_link: int = 3
    weeks: int = 1
    faults: int = 2
    console: bool = False  #: whether a person at the vendor may re-invite a candidate whose interview failed
    rules: Rules = field(default_factory=Rules)

    def start(self) -> State:
        return State(Rows(Invite(max_links=self.max_links)))


Raw = tuple[Move, State, tuple[Event, ...]]

#: What the vendor showed before: a look that meets an old copy of its data.
BEFORE: dict[str, str] = {
    VendorStatus.ACTIVE: VendorStatus.INITIATED,
    VendorStatus.FAILED: VendorStatus.ACTIVE,
    VendorStatus.COMPLETED: VendorStatus.ACTIVE,
}


def successors(world: World, state: State) -> Iterator[Next]:
    """All that can happen in `state`."""
    for move, raw, events in unsettled(world, state):
        as_before = raw.rows is state.rows and raw.hands is state.hands
        after, swapped = (raw, False) if as_before else settled(raw, guarded=world.rules.lease_guard)
        yield Next(move, after, events, swapped)


def unsettled(world: World, state: State) -> Iterator[Raw]:
    """The same, before `settled`: first what is in hand, then what is due, then the vendor, the candidate, and time."""
    idle_seen = False
    for replica, hand in enumerate(state.hands):
        if hand is not None:
            yield from _go_on(world, state, replica, hand)
        elif not idle_seen:  # the idle ones are alike
            idle_seen = True
            yield from _claims(world, state, replica)
    yield from _settle(world, state)
    yield from _vendor_and_candidate(state)
    yield from _time(world, state)
    if state.faults < world.faults:
        yield from _ats(state)
        if world.console:
            yield from _console(state)


# --- replicas --------------------------------------------------------------------------------------------------------


def _claims(world: World, state: State, replica: int) -> Iterator[Raw]:
    claimed = model.claim_posts(state.rows, state.week, world.rules)
    if claimed:
        after = _took(state, replica, claimed)
        after = after._replace(sessions=(*state.sessions, None))
        yield Move("claim_post", replica, len(state.rows.posts)), after, claimed.events
    for place in range(len(state.rows.posts)):
        taken = model.claim_abandoned(state.rows, place)
        if taken and taken.hand:
            writing = decisions.decided_post(taken.hand.claim, NO_ANSWER, state.week, world.posts_per_link)
            taken = taken._replace(hand=taken.hand._replace(claim=(), writing=writing))
            yield Move("take_over", replica, place), _took(state, replica, taken), ()
        looked = model.claim_looks(state.rows, place) if _look_can_tell(state, place) else None
        if looked:
            yield Move("claim_look", replica, place), _took(state, replica, looked), ()


def _look_can_tell(state: State, place: int) -> bool:
    """
    Looks that could tell nothing new are left out, except at the newest link.

    Nobody has an orphan's link, say: nothing happens to it before it is dead by the calendar.
    """
    post, session = state.rows.posts[place], state.sessions[place]
    if session is None:
        return False
    is_over = post.opened is not None and post.opened < state.week and not post.dead
    at_newest = post.state == PostState.PUBLISHED and post.current
    return at_newest or is_over or post.seen != session.status


def _took(state: State, replica: int, done: Done) -> State:
    return state._replace(rows=done.rows, hands=put(state.hands, replica, done.hand))


def _go_on(world: World, state: State, replica: int, hand: Hand) -> Iterator[Raw]:
    if state.faults < world.faults:
        yield Move("crash", replica, hand.post), _fault(state)._replace(hands=put(state.hands, replica, None)), ()
    if hand.writing:
        yield from _write(world, state, replica, hand)
    elif hand.step == "start":
        yield from _send_post(world, state, replica, hand)
    else:
        yield from _send_look(world, state, replica, hand)


def _send_post(world: World, state: State, replica: int, hand: Hand) -> Iterator[Raw]:
    def answered(kind: str, answer: str, session: Session | None, fault: int = 0) -> Raw:
        writing = decisions.decided_post(hand.claim, answer, state.week, world.posts_per_link)
        hands = put(state.hands, replica, hand._replace(claim=(), writing=writing, late=False))
        after = state._replace(hands=hands, sessions=put(state.sessions, hand.post, session))
        after = after._replace(faults=state.faults + fault)
        return Move(kind, replica, hand.post), after, ()

    if hand.late:  # nothing is sent when the lease may end before the answer
        yield answered("hold_back", HELD_BACK, None)
    if state.rows.posts[hand.post].posted != state.week:
        return  # a replica may be stopped between that check and the sending, but not for a week
    made = Session(VendorStatus.INITIATED, state.week)
    yield answered("send_post", MINTED, made)
    if state.faults < world.faults:
        yield answered("lose_reply", NO_ANSWER, made, fault=1)
        yield answered("commit_late", NO_ANSWER, Session(NOT_YET, state.week), fault=1)
        yield answered("answer_nothing", NO_ANSWER, None, fault=1)


def _send_look(world: World, state: State, replica: int, hand: Hand) -> Iterator[Raw]:
    session, known = state.sessions[hand.post], hand.claim
    if session is None or not isinstance(known, Known):
        raise AssertionError("a look at a session that nobody made")

    def seen(kind: str, answer: str, fault: int = 0) -> Raw:
        writing = decisions.decided_look(known, answer, state.week, monotonic=world.rules.monotonic)
        hands = put(state.hands, replica, hand._replace(claim=(), writing=writing))
        return Move(kind, replica, hand.post), state._replace(hands=hands, faults=state.faults + fault), ()

    yield seen("send_look", session.status)
    if state.faults < world.faults:
        yield seen("lose_look", NO_ANSWER, fault=1)
        before = BEFORE.get(session.status)
        if before and known.post.seen == session.status and not known.post.step_back:
            yield seen("see_old_copy", before, fault=1)


def _write(world: World, state: State, replica: int, hand: Hand) -> Iterator[Raw]:
    if hand.writing is None:
        raise AssertionError("nothing is decided yet")
    done = model.write(state.rows, hand, hand.writing, world.rules)
    if done.counts:
        after = _handed_over(_took(state, replica, done))
        yield Move("write", replica, hand.post), after, done.events
        if state.faults < world.faults:
            unsure = after._replace(hands=put(after.hands, replica, hand), faults=state.faults + 1)
            yield Move("lose_commit", replica, hand.post), unsure, done.events
        return
    kept = model.after_refusal(state.rows, hand)
    yield Move("write_late", replica, hand.post), _took(state, replica, kept), kept.events


def _handed_over(state: State) -> State:
    """The ATS reads the row at once and sends the link."""
    shown = state.rows.invite.shown
    if shown is None or state.rows.invite.status != InviteStatus.LINK_READY:
        return state
    session = state.sessions[shown]
    if session is None or session.held:
        return state
    return state._replace(sessions=put(state.sessions, shown, session._replace(held=True)))


def _settle(world: World, state: State) -> Iterator[Raw]:
    """The search for a lost post, as one step: it shares nothing with start and watch but the rows."""
    for place, post in enumerate(state.rows.posts):
        claimed = model.claim_searches(state.rows, place)
        session = state.sessions[place]
        made = session.opened if session and session.status != NOT_YET else None
        tells = post.session or made is not None or state.week > post.posted
        if claimed is None or claimed.hand is None or not tells:
            continue  # a search that finds nothing is repeated
        known = post.opened if post.session else None
        writing = decisions.decided_search(post.posted, known=known, made=made, week=state.week)
        done = model.write(claimed.rows, claimed.hand, writing, world.rules)
        yield Move("settle", None, place), state._replace(rows=done.rows), done.events


# --- the others ------------------------------------------------------------------------------------------------------


def _vendor_and_candidate(state: State) -> Iterator[Raw]:
    for place, session in enumerate(state.sessions):
        if session is None:
            continue
        becomes = partial(_becomes, state, place, session)
        if session.status == NOT_YET:
            yield Move("vendor_commits", None, place), becomes(VendorStatus.INITIATED), ()
        elif session.held and session.status == VendorStatus.INITIATED and session.opened == state.week:
            yield Move("open", None, place), becomes(VendorStatus.ACTIVE), ()
        elif session.status == VendorStatus.ACTIVE:
            yield Move("complete", None, place), becomes(VendorStatus.COMPLETED), ()
            yield Move("fail", None, place), becomes(VendorStatus.FAILED), ()


def _becomes(state: State, place: int, session: Session, status: str) -> State:
    return state._replace(sessions=put(state.sessions, place, session._replace(status=str(status))))


def _time(world: World, state: State) -> Iterator[Raw]:
    """Leases run out, and then links. While a living replica holds something that is a fault: it was stopped."""
    at_work = any(hand is not None and _counts_on_its_lease(state, hand) for hand in state.hands)
    if at_work and state.faults >= world.faults:
        return
    faults = state.faults + at_work
    if at_work or any(post.token and not post.over for post in state.rows.posts):
        yield Move("lease_over"), _leases_over(state)._replace(faults=faults), ()
    commits_to_come = any(session and session.status == NOT_YET for session in state.sessions)
    if state.week < world.weeks and not commits_to_come:  # late is minutes, not a week
        yield Move("week"), _leases_over(state)._replace(week=state.week + 1, faults=faults), ()


def _leases_over(state: State) -> State:
    posts = tuple(post._replace(over=True) if post.token else post for post in state.rows.posts)
    first, second = (hand and hand._replace(late=_is_unsent(hand)) for hand in state.hands)
    return state._replace(rows=state.rows._replace(posts=posts), hands=(first, second))


def _is_unsent(hand: Hand) -> bool:
    return hand.step == "start" and hand.writing is None


def _counts_on_its_lease(state: State, hand: Hand) -> bool:
    post = state.rows.posts[hand.post]
    return (hand.token == post.token and not post.over) or (_is_unsent(hand) and not hand.late)


def _ats(state: State) -> Iterator[Raw]:
    cancelled = model.cancel_invite(state.rows)
    if cancelled:
        yield Move("cancel"), _fault(state)._replace(rows=cancelled.rows), cancelled.events

    for kind, force in (("new_link", False), ("force_link", True)):
        wanted = model.new_link(state.rows, force=force)
        if wanted and not (force and model.new_link(state.rows, force=False)):
            yield Move(kind), _fault(state)._replace(rows=wanted.rows), wanted.events


def _console(state: State) -> Iterator[Raw]:
    """As long as the session is looked at; what the console does later is found by the sweep of the list."""
    for place, session in enumerate(state.sessions):
        if session and session.held and session.status == VendorStatus.FAILED and session.opened == state.week:
            again = session._replace(status=str(VendorStatus.INITIATED), opened=state.week, console=True)
            yield Move("reinvite", None, place), _fault(state)._replace(sessions=put(state.sessions, place, again)), ()


def _fault(state: State) -> State:
    return state._replace(faults=state.faults + 1)
