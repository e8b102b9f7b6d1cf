"""
What a state of the exploration is made of: the rows, what each replica has in hand, the vendor, the time.

Time is a week number: what is due may be due at any moment, a lease runs or is over, and a link that was opened in an
earlier week is dead by the calendar. So the space is finite, and every order in which due work can be done is in it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

ABSENT = "absent"  #: of a post: no row of it was committed (only where the intent row is left out)
NOT_YET = "not yet"  #: of a session: the vendor has answered nothing and will make it later
OWN = -1  #: of `shown` in a writing: the session of the post that is written
GONE = -1  #: a token that no row has any more
FRESH = 99  #: a token that nobody has seen before; `settled` renames it


class Invite(NamedTuple):
    """A row of `candidate_invites`; `shown`: the post whose session it names."""

    status: str = "pending"
    link_number: int = 0
    shown: int | None = None
    max_links: int = 1


class Post(NamedTuple):
    """A row of `interview_sessions`. Times are weeks, or only whether there is one."""

    state: str
    link: int
    posted: int
    current: bool = True
    counted: bool = True
    session: bool = False  #: its session_id is known
    opened: int | None = None  #: the week in which the link's life began (link_expires_at, less the lifetime)
    seen: str | None = None  #: vendor_status
    step_back: bool = False
    repost: bool = False
    look: bool = False
    search: bool = False
    dead: str | None = None  #: dead_because
    reinvited: bool = False
    superseded: bool = False
    token: int = 0  #: 0: no lease
    over: bool = False  #: its lease has run out


class Session(NamedTuple):
    """The vendor's truth about what a post made; None in its place: nothing."""

    status: str
    opened: int
    held: bool = False  #: a candidate has its link, because the invite's row once showed it
    console: bool = False  #: re-invited by a person in the vendor's console, who hands out a link of his own


@dataclass(frozen=True, slots=True, eq=False)
class Writing:
    """A `Change` of the service in these terms. There is one object for each, so that identity compares them."""

    number: int
    allowed_from: frozenset[str] | None
    only_current: bool
    invite: dict[str, Any]
    session: dict[str, Any]
    alone: dict[str, Any]
    event: str | None
    event_alone: str | None


class Hand(NamedTuple):
    """What a replica has in hand: a claim as it was made, then what was decided on it."""

    step: str
    post: int
    token: int
    claim: tuple[Any, ...]
    writing: Writing | None = None
    late: bool = False  #: its lease ran out before anything was sent


class Event(NamedTuple):
    """A line of `invite_events`."""

    kind: str
    from_status: str | None = None
    to_status: str | None = None


class Rows(NamedTuple):
    """What stands in Postgres."""

    invite: Invite
    posts: tuple[Post, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What guards the protocols; each is one line of the model, or one rule of the core."""

    lease_guard: bool = True  #: WRITE: `s.lease_token = g.token`
    intent_row: bool = True  #: CLAIM_POSTS: `posted`, committed before anything is sent
    late_writes_fenced: bool = True  #: WRITE: `fits`
    monotonic: bool = True  #: core/watching.py: `_step_back_is_believed`
    event_written: bool = True  #: WRITE: `noted`


class Done(NamedTuple):
    """What one transaction left: the rows, its events, and what the replica took with it."""

    rows: Rows
    events: tuple[Event, ...] = ()
    hand: Hand | None = None
    counts: bool = True  #: of a write: its token still counted


class State(NamedTuple):
    """A whole state. The vendor's sessions stand at the places of their posts."""

    rows: Rows
    sessions: tuple[Session | None, ...] = ()
    hands: tuple[Hand | None, Hand | None] = (None, None)
    week: int = 0
    faults: int = 0


def put(items: tuple[Any, ...], place: int, item: Any) -> tuple[Any, ...]:
    """`items` with `item` at `place`."""
    return (*items[:place], item, *items[place + 1 :])


def settled(state: State, *, guarded: bool = True) -> tuple[State, bool]:
    """
    Rename the tokens by their rows, and put the replicas into a fixed order; whether they changed places.

    Only which token is whose matters, and the replicas are alike. Where writes are `guarded`, a decision whose token
    is gone changes nothing any more: it is let go at once, unless it holds a session.
    """
    names, posts = dict[int, int](), state.rows.posts
    for place, post in enumerate(posts):
        if post.token:
            names[post.token] = place + 1
            if post.token != place + 1:
                posts = put(posts, place, post._replace(token=place + 1))
    rows = state.rows if posts is state.rows.posts else state.rows._replace(posts=posts)
    first, second = (hand and _renamed(hand, names, guarded=guarded) for hand in state.hands)
    swapped = second is not None and (first is None or _rank(first) > _rank(second))
    hands = (second, first) if swapped else (first, second)
    return State(rows, state.sessions, hands, state.week, state.faults), swapped


def _renamed(hand: Hand, names: dict[int, int], *, guarded: bool) -> Hand | None:
    token = names.get(hand.token, GONE)
    if guarded and token == GONE and not (hand.step == "start" and _may_hold_a_session(hand)):
        return None
    return hand if token == hand.token else hand._replace(token=token)


def _rank(hand: Hand) -> tuple[Any, ...]:
    return (hand.post, hand.token, hand.step, hand.writing.number if hand.writing else -1, hand.late)


def _may_hold_a_session(hand: Hand) -> bool:
    return hand.writing is None or "session" in hand.writing.session
