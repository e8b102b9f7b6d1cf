"""
The claims and guards of the service, row by row: all of its SQL that the start and watch protocols depend on.

This is the only part of the service that the exploration has in words of its own; what is decided between a claim and
a write is decided by `service/core` itself. `replay.py` holds each function against the statement in its first line.
`Rules` says what can be left out, to see that it is missed.
"""

from service.core.model import INVITE_MOVES, InviteStatus, PostState, VendorStatus
from tests.exploration.decisions import Counted, Known
from tests.exploration.rows import ABSENT, FRESH, OWN, Done, Event, Hand, Post, Rows, Rules, Writing, put


def claim_posts(rows: Rows, week: int, rules: Rules) -> Done | None:
    """CLAIM_POSTS: a pending invite's turn, or a lost post's repetition. The post before it is retired."""
    invite, posts = rows
    again = invite.status == InviteStatus.STARTING and any(post.current and post.repost for post in posts)
    if (not again and invite.status != InviteStatus.PENDING) or has_working_link(posts):
        return None
    retired = tuple(post._replace(current=False, repost=False) if post.current else post for post in posts)
    link = invite.link_number + 1
    post = Post(PostState.POSTING if rules.intent_row else ABSENT, link, week, token=FRESH)
    events = () if again else (Event("start_claimed", InviteStatus.PENDING, InviteStatus.STARTING),)
    hand = Hand("start", len(posts), FRESH, Counted(link, week, _counted(posts, link)))
    return Done(Rows(invite._replace(status=InviteStatus.STARTING), (*retired, post)), events, hand)


def claim_abandoned(rows: Rows, place: int) -> Done | None:
    """CLAIM_ABANDONED: a post on its way whose lease is over."""
    post = rows.posts[place]
    if post.state != PostState.POSTING or not post.over:
        return None
    claim = Counted(post.link, post.posted, _counted(rows.posts, post.link))
    return Done(_leased(rows, place), hand=Hand("take over", place, FRESH, claim))


def claim_looks(rows: Rows, place: int) -> Done | None:
    """CLAIM_LOOKS: a session whose look is due and that nobody holds."""
    post = rows.posts[place]
    if not post.look or (post.token and not post.over):
        return None
    invite = rows.invite
    claim = Known(post._replace(token=0, over=False), invite.status, invite.max_links, invite.shown == place)
    return Done(_leased(rows, place), hand=Hand("watch", place, FRESH, claim))


def claim_searches(rows: Rows, place: int) -> Done | None:
    """CLAIM_SEARCHES: a lost post whose search is due and that nobody holds."""
    post = rows.posts[place]
    if not post.search or post.state != PostState.LOST or (post.token and not post.over):
        return None
    return Done(_leased(rows, place), hand=Hand("settle", place, FRESH, (post.posted,)))


def write(rows: Rows, hand: Hand, writing: Writing, rules: Rules) -> Done:
    """WRITE: counts with the row's token alone; the invite moves only where it stands as the decision thinks."""
    invite, posts = rows
    post = posts[hand.post]
    if rules.lease_guard and post.token != hand.token:
        return Done(rows, counts=False)
    allowed = writing.allowed_from
    fits = allowed is None or (invite.status in allowed and (post.current or not writing.only_current))
    fits = fits or not rules.late_writes_fenced
    columns = writing.session if fits else writing.alone
    posts = put(posts, hand.post, post._replace(**{**columns, "token": 0, "over": False}))
    moved = invite._replace(**writing.invite) if fits else invite
    if moved.shown == OWN:
        moved = moved._replace(shown=hand.post)
    if fits and writing.invite and moved.status != InviteStatus.STARTING:  # `unposted`
        posts = tuple(each._replace(repost=each.repost and place == hand.post) for place, each in enumerate(posts))
    kind = writing.event if fits else writing.event_alone
    change = (invite.status, moved.status) if moved.status != invite.status else (None, None)
    events = (Event(kind, *change),) if kind and rules.event_written else ()
    return Done(Rows(moved, posts), events)


def after_refusal(rows: Rows, hand: Hand) -> Done:
    """READ_BACK and ADD_SESSION_FACT: the own commit is recognised; else the session in hand is put on record."""
    post, brought = rows.posts[hand.post], hand.writing.session if hand.writing else {}
    if hand.step != "start" or "session" not in brought or post.session:
        return Done(rows)
    known = post._replace(session=True, opened=brought["opened"], search=post.search or post.state == PostState.LOST)
    return Done(Rows(rows.invite, put(rows.posts, hand.post, known)), (Event("late_session_recorded"),))


def cancel_invite(rows: Rows) -> Done | None:
    """cancel_invite: takes the leases first."""
    status = rows.invite.status
    if InviteStatus.CANCELLED not in INVITE_MOVES[InviteStatus(status)]:
        return None
    moved = rows.invite._replace(status=InviteStatus.CANCELLED)
    return Done(Rows(moved, _take_leases(rows.posts)), (Event("invite_cancelled", status, moved.status),))


def new_link(rows: Rows, *, force: bool) -> Done | None:
    """new_link, refuse_new_link, wait_for_turn: one more link, unless one works or there is an outcome."""
    invite, posts = rows
    finished = any(post.seen == VendorStatus.COMPLETED for post in posts)
    ended = {InviteStatus.FAILED, InviteStatus.EXPIRED, InviteStatus.CANCELLED}
    if invite.status not in ended or (not force and (finished or any(map(link_works, posts)))):
        return None
    link = invite.link_number + 1
    posts = tuple(
        post._replace(superseded=post.superseded or link_works(post), counted=post.counted and post.link != link)
        for post in posts
    )
    moved = invite._replace(status=InviteStatus.PENDING, shown=None)
    return Done(Rows(moved, _take_leases(posts)), (Event("new_link_wanted", invite.status, moved.status),))


def link_works(post: Post) -> bool:
    """link_works: a candidate may hold a link of it."""
    strays = post.state == PostState.ORPHAN and (post.seen == VendorStatus.ACTIVE or post.reinvited)
    return post.dead is None and post.session and (post.state == PostState.PUBLISHED or strays)


def has_working_link(posts: tuple[Post, ...]) -> bool:
    """has_working_link: one beside which no operator wants another."""
    return any(link_works(post) and not post.superseded for post in posts)


def _take_leases(posts: tuple[Post, ...]) -> tuple[Post, ...]:
    """take_leases: a post on its way keeps a lease that is nobody's and over."""
    return tuple(
        post._replace(repost=False, token=FRESH + 1 + place, over=True)
        if post.state == PostState.POSTING and post.token
        else post._replace(repost=False, token=0, over=False)
        for place, post in enumerate(posts)
    )


def _leased(rows: Rows, place: int) -> Rows:
    return Rows(rows.invite, put(rows.posts, place, rows.posts[place]._replace(token=FRESH, over=False)))


def _counted(posts: tuple[Post, ...], link: int) -> int:
    """`counted_posts`: those of this link with an unknown result so far."""
    unknown = (PostState.LOST, PostState.ORPHAN)
    return sum(post.link == link and post.counted and post.state in unknown for post in posts)
