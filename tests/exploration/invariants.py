"""What must hold in every state, and what no step may do. Each is a sentence and the function that checks it."""

from collections.abc import Callable

from service.core.model import InviteStatus, PostState, VendorStatus
from tests.exploration.moves import Next
from tests.exploration.rows import ABSENT, NOT_YET, Session, State

_OPEN = {InviteStatus.LINK_READY, InviteStatus.IN_PROGRESS}
_HAS_ITS_OUTCOME = {InviteStatus.COMPLETED, InviteStatus.CANCELLED}  #: of a cancelled one it is kept with the session


def works(session: Session, week: int) -> bool:
    """Whether who has its link can get an interview, or is in one."""
    opens = session.status == VendorStatus.INITIATED and session.opened == week
    return opens or session.status == VendorStatus.ACTIVE


def one_live_link(state: State) -> bool:
    """What an operator forced, and what the console made, is theirs, and stands in `attention`."""
    live = [
        session
        for post, session in zip(state.rows.posts, state.sessions, strict=True)
        if session and session.held and works(session, state.week) and not post.superseded
    ]
    return len(live) <= 1 or any(session.console for session in live)


def one_published_per_link_number(state: State) -> bool:
    published = [post.link for post in state.rows.posts if post.state == PostState.PUBLISHED]
    return len(published) == len(set(published)) and sum(post.current for post in state.rows.posts) <= 1


def next_link_after_death(state: State) -> bool:
    newest = max((post.link for post in state.rows.posts), default=0)
    earlier = (
        session
        for post, session in zip(state.rows.posts, state.sessions, strict=True)
        if post.state == PostState.PUBLISHED and post.link < newest and not post.superseded
    )
    return not any(session and works(session, state.week) and not session.console for session in earlier)


def every_session_on_record(state: State) -> bool:
    """A session that exists is tied to its post by its id, or the post says that it may exist."""
    open_ends = {PostState.POSTING, PostState.LOST}
    return all(
        session is None
        or session.status == NOT_YET
        or (post.state in open_ends)
        or (post.state in {PostState.PUBLISHED, PostState.ORPHAN} and post.session)
        for post, session in zip(state.rows.posts, state.sessions, strict=True)
    )


def status_has_its_session(state: State) -> bool:
    """The shown link is the current, published post's; an outcome is one that the vendor has."""
    invite, posts = state.rows
    if invite.status in _OPEN:
        return (
            invite.shown is not None
            and posts[invite.shown].state == PostState.PUBLISHED
            and posts[invite.shown].current
        )
    if invite.status == InviteStatus.COMPLETED:
        session = None if invite.shown is None else state.sessions[invite.shown]
        return session is not None and session.status == VendorStatus.COMPLETED
    return True


def a_waiting_invite_is_seen_by_a_claim(state: State) -> bool:
    """`starting` has a post on its way with a lease that ends, or a repetition that is due."""
    if state.rows.invite.status != InviteStatus.STARTING:
        return True
    current = [post for post in state.rows.posts if post.current]
    return any(post.repost or (post.state == PostState.POSTING and post.token) for post in current)


def each_change_has_one_event(before: State, step: Next) -> bool:
    was, now = before.rows.invite.status, step.state.rows.invite.status
    told = [(event.from_status, event.to_status) for event in step.events if event.to_status]
    return told == ([(was, now)] if was != now else [])


def completed_absorbs(before: State, step: Next) -> bool:
    was, now = before.rows.invite, step.state.rows.invite
    return was.status != InviteStatus.COMPLETED or (now.status, now.shown) == (was.status, was.shown)


def outcomes_go_forward(before: State, step: Next) -> bool:
    """`failed` and `expired` are taken back for a session that the console opened again, and for no other."""
    was, now = before.rows.invite, step.state.rows.invite
    if was.status not in {InviteStatus.FAILED, InviteStatus.EXPIRED} or now.status not in _OPEN:
        return True
    session = None if now.shown is None else step.state.sessions[now.shown]
    return session is not None and session.console


def an_outcome_is_taken_over(before: State, step: Next) -> bool:
    """When it is seen; where an operator has asked for another link since, it stays what it was."""
    now = step.state.rows
    seen = any(
        post.seen == VendorStatus.COMPLETED
        and (place >= len(before.rows.posts) or before.rows.posts[place].seen != post.seen)
        for place, post in enumerate(now.posts)
    )
    return not seen or now.invite.status in _HAS_ITS_OUTCOME


OF_STATES: dict[str, Callable[[State], bool]] = {
    "at most one live link is with a candidate": one_live_link,
    "a link is published once per link number": one_published_per_link_number,
    "the next link comes only after the one before is dead": next_link_after_death,
    "every session is on record, or its post says that it may exist": every_session_on_record,
    "what an invite shows is published, or an outcome that the vendor has": status_has_its_session,
    "a starting invite is always seen by some claim": a_waiting_invite_is_seen_by_a_claim,
}

OF_STEPS: dict[str, Callable[[State, Next], bool]] = {
    "each change of status has exactly one event": each_change_has_one_event,
    "completed absorbs, and no outcome is overwritten": completed_absorbs,
    "an outcome that is seen is taken over, unless the invite is cancelled": an_outcome_is_taken_over,
    "an end is taken back only for a session that the console opened again": outcomes_go_forward,
}

#: Of a run without further faults, from any state on.
IN_THE_END = "a run without further faults ends: final or in needs_review, every outcome seen, every session on record"


def broken_by_step(before: State, step: Next) -> str | None:
    """The first invariant that a step breaks."""
    return next((name for name, holds in OF_STEPS.items() if not holds(before, step)), None)


def broken_in(state: State) -> str | None:
    """The first invariant that a state breaks."""
    return next((name for name, holds in OF_STATES.items() if not holds(state)), None)


def settled_in_the_end(state: State) -> bool:
    """Of a state in which nothing is left to be done."""
    invite, posts = state.rows
    if not (InviteStatus(invite.status).is_final or invite.status == InviteStatus.NEEDS_REVIEW):
        return False
    for post, session in zip(posts, state.sessions, strict=True):
        if session is None or session.status == NOT_YET:
            continue
        if post.state not in {PostState.PUBLISHED, PostState.ORPHAN}:
            return False
        if session.status == VendorStatus.COMPLETED and post.seen != VendorStatus.COMPLETED:
            return False
    return all(post.state not in {PostState.POSTING, ABSENT} for post in posts)
