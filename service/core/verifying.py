"""
What `verify` finds wrong with an invite: its row, its posts and its history as they stood at one moment.

Each finding has a level, and only drift is worth waking somebody for. What a step mends by itself in its own time is
work in progress; once it is late by `OVERDUE`, it is drift: the service does not do what it promised.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from service.core.findings import Finding, Kind, Level, do_at_once, moment
from service.core.model import INVITE_MOVES, ArtifactState, InviteStatus, Policy, PostState, SessionOrigin, VendorStatus

#: Looks come late with very many open links, never by this much.
OVERDUE = timedelta(hours=1)

#: Any replica takes over what a dead one was sending, as soon as the lease is over.
TAKEOVER_OVERDUE = timedelta(minutes=5)

#: A transcript that is not ready is waited for during two days; a day more is for a vendor that does not answer.
TRANSCRIPT_OVERDUE = timedelta(days=3)

#: An event of these kinds says that a person has looked at a broken history, or that there is no more of it: what
#: follows is judged from there.
HISTORY_ACCEPTED = "history_accepted"
HISTORY_FORGOTTEN = "history_forgotten"
_BEGINNINGS = frozenset({HISTORY_ACCEPTED, HISTORY_FORGOTTEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class PostFacts:
    """A row of `interview_sessions`."""

    post_id: UUID
    state: PostState
    origin: SessionOrigin
    current: bool
    session_id: str | None
    link_expires_at: datetime | None
    vendor_status: str | None
    dead_at: datetime | None
    dead_because: str | None
    superseded: bool  #: an operator has asked for another link beside it
    reinvited: bool  #: the console has sent a fresh link of it
    lease_until: datetime | None
    repost_at: datetime | None
    next_look_at: datetime | None
    next_search_at: datetime | None
    next_collect_at: datetime | None
    has_transcript: bool
    has_recording: bool

    @property
    def is_the_links(self) -> bool:
        """Whether an invite may show this session: it was published, or made in the console in its place."""
        return self.state == PostState.PUBLISHED or self.origin == SessionOrigin.CONSOLE

    @property
    def is_open(self) -> bool:
        """A session that may still be used, as far as is known here."""
        return self.state in {PostState.PUBLISHED, PostState.ORPHAN} and self.dead_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A line of the history that changed the status."""

    kind: str
    from_status: str | None
    to_status: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteFacts:
    """An invite with all that belongs to it, read in one snapshot."""

    invite_id: UUID
    account: str
    status: InviteStatus
    version: int
    session_id: str | None
    interview_completed_at: datetime | None
    transcript_state: ArtifactState
    recording_state: ArtifactState
    is_erased: bool
    account_is_paused: bool
    posts: tuple[PostFacts, ...]
    moves: tuple[Moved, ...]  #: in the order in which they were written

    def post_of_session(self) -> PostFacts | None:
        """The post whose session the invite shows."""
        return next((post for post in self.posts if post.session_id and post.session_id == self.session_id), None)


def check_invite(facts: InviteFacts, *, now: datetime, policy: Policy) -> tuple[Finding, ...]:
    """All that is wrong with one invite."""
    case = _Case(facts=facts, now=now, policy=policy)
    return (
        *_session(case),
        *_links(case),
        *_end(case),
        *_transcript(case),
        *_recording(case),
        *_history(case),
        *(finding for post in facts.posts for finding in _work(case, post)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    facts: InviteFacts
    now: datetime
    policy: Policy

    def finding(
        self,
        kind: Kind,
        what: str,
        *,
        post: PostFacts | None = None,
        level: Level = Level.DRIFT,
        mended_by: str | None = None,
        statement: str | None = None,
    ) -> Finding:
        return Finding(
            kind=kind,
            level=level,
            account=self.facts.account,
            what=what,
            invite_id=self.facts.invite_id,
            post_id=post.post_id if post else None,
            session_id=post.session_id if post else None,
            mended_by=mended_by,
            statement=statement,
        )

    @property
    def cancel(self) -> str | None:
        if InviteStatus.CANCELLED not in INVITE_MOVES[self.facts.status]:
            return None
        return f"select zenhire.cancel_invite('{self.facts.invite_id}', 'verify found it broken');"

    def is_overdue(self, at: datetime) -> bool:
        return self.now - at > OVERDUE


def _look_anew(post: PostFacts) -> str:
    """A look that knows nothing of the status before takes what it sees for news."""
    return do_at_once(post.post_id, "next_look_at", next_look_reason="verify asked for it", vendor_status=None)


# --- what a status needs ---------------------------------------------------------------------------------------------

_NEED_A_SESSION = frozenset(
    {
        InviteStatus.LINK_READY,
        InviteStatus.IN_PROGRESS,
        InviteStatus.COMPLETED,
        InviteStatus.FAILED,
        InviteStatus.EXPIRED,
    }
)
_LINK_IS_OUT = frozenset({InviteStatus.LINK_READY, InviteStatus.IN_PROGRESS})


def _session(case: _Case) -> Iterator[Finding]:
    facts = case.facts
    if facts.status == InviteStatus.STARTING and not any(post.current for post in facts.posts):
        what = "The invite is starting, and no post of it is on its way or to be repeated."
        yield case.finding(Kind.INVITE_WITHOUT_SESSION, what, statement=case.cancel)
    if facts.status in _NEED_A_SESSION and facts.post_of_session() is None:
        which = f"no post of it made session {facts.session_id}" if facts.session_id else "it shows no session"
        what = f"The invite is {facts.status}, and {which}."
        yield case.finding(Kind.INVITE_WITHOUT_SESSION, what, statement=case.cancel)


def _links(case: _Case) -> Iterator[Finding]:
    facts = case.facts
    live = [post for post in facts.posts if post.state == PostState.PUBLISHED and post.is_open]
    if len(live) > 1:
        names = " and ".join(str(post.session_id) for post in live)
        what = f"{len(live)} links of this invite work, as far as is known: those of sessions {names}."
        known = [post for post in live if post.superseded or post.reinvited]
        if len(live) - len(known) > 1:
            what += " Nobody can revoke a link: tell the candidate which one counts."
            yield case.finding(Kind.TWO_LIVE_LINKS, what)
        else:
            what += " An operator or ZenHire's console wanted it so; zenhire.attention shows it."
            yield case.finding(Kind.TWO_LIVE_LINKS, what, level=Level.NOTE)
    if facts.status not in _LINK_IS_OUT or facts.post_of_session() is None:
        return
    newest = next((post for post in facts.posts if post.current and post.is_the_links), None)
    if newest is None:
        what = f"The invite shows the link of session {facts.session_id}, and its newest post published none."
        yield case.finding(Kind.ANOTHER_LINK_SHOWN, what, statement=case.cancel)
    elif newest.session_id != facts.session_id:
        what = f"The invite shows the link of session {facts.session_id}, its newest link is of another session."
        yield case.finding(Kind.ANOTHER_LINK_SHOWN, what, post=newest, statement=case.cancel)


def _end(case: _Case) -> Iterator[Finding]:
    facts = case.facts
    if facts.is_erased:
        return
    done = next((post for post in facts.posts if post.vendor_status == VendorStatus.COMPLETED), None)
    if done is not None and facts.status not in {InviteStatus.COMPLETED, InviteStatus.CANCELLED}:
        what = f"A session of this invite has completed, and the invite is {facts.status}."
        yield case.finding(Kind.END_NOT_TAKEN, what, post=done, mended_by="watch", statement=_look_anew(done))
        return
    shown = facts.post_of_session()
    if facts.status in _LINK_IS_OUT and shown is not None and shown.dead_at is not None:
        what = f"The session is over ({shown.dead_because}), and the invite is {facts.status}."
        yield case.finding(Kind.END_NOT_TAKEN, what, post=shown, mended_by="watch", statement=_look_anew(shown))


# --- what an outcome brings ------------------------------------------------------------------------------------------


def _transcript(case: _Case) -> Iterator[Finding]:
    facts, post = case.facts, case.facts.post_of_session()
    if post is None or facts.is_erased or facts.status != InviteStatus.COMPLETED:
        return
    collect = do_at_once(post.post_id, "next_collect_at")
    completed_at = facts.interview_completed_at
    match facts.transcript_state:
        case ArtifactState.STORED if not post.has_transcript:
            what = "The transcript counts as stored, and there is none."
            yield case.finding(Kind.TRANSCRIPT_MISSING, what, post=post, mended_by="collect", statement=collect)
        case ArtifactState.WAITING if post.next_collect_at is None:
            what = "The transcript is waited for, and nobody will ask for it."
            yield case.finding(Kind.TRANSCRIPT_NEVER_COMES, what, post=post, mended_by="collect", statement=collect)
        case ArtifactState.WAITING if completed_at is not None and case.now - completed_at > TRANSCRIPT_OVERDUE:
            what = f"The interview ended at {moment(completed_at)}, and its transcript is still waited for."
            yield case.finding(Kind.TRANSCRIPT_OVERDUE, what, post=post, mended_by="collect")
        case ArtifactState.NONE if case.policy.transcripts:
            what = "This outcome has no transcript: none was wanted when it came."
            yield case.finding(
                Kind.TRANSCRIPT_NOT_WANTED, what, post=post, level=Level.NOTE, mended_by="collect", statement=collect
            )
        case _:
            pass


def _recording(case: _Case) -> Iterator[Finding]:
    post = case.facts.post_of_session()
    if case.facts.recording_state == ArtifactState.STORED and (post is None or not post.has_recording):
        yield case.finding(
            Kind.RECORDING_MISSING, "The recording counts as stored, and nothing says where it is.", post=post
        )


# --- the history -----------------------------------------------------------------------------------------------------


def _history(case: _Case) -> Iterator[Finding]:
    """Replay the moves: they must lead from `pending` to the present status, by legal steps and growing versions."""
    facts = case.facts
    broken = _first_break(facts.moves)
    if broken is not None:
        what = f"The history does not hold together: {broken}."
        yield case.finding(Kind.HISTORY_BROKEN, what, statement=_accept_history(facts))
        return
    reached = facts.moves[-1].to_status if facts.moves else InviteStatus.PENDING
    if reached != facts.status:
        what = f"The invite is {facts.status}, and its history ends with {reached}."
        yield case.finding(Kind.EVENT_MISSING, what, statement=_accept_history(facts))
    elif facts.moves and facts.moves[-1].version > facts.version:
        what = f"The history tells of version {facts.moves[-1].version}, and the invite is at {facts.version}."
        yield case.finding(Kind.HISTORY_BROKEN, what, statement=_accept_history(facts))


def _first_break(moves: tuple[Moved, ...]) -> str | None:
    status, version = str(InviteStatus.PENDING), 0
    for move in _since_its_beginning(moves):
        if move.kind not in _BEGINNINGS:
            if move.from_status != status:
                return f"{move.kind} leads from {move.from_status} to {move.to_status}, but it was {status}"
            if not _is_legal(status, move.to_status):
                return f"{move.kind} leads from {status} to {move.to_status}, which is no legal move"
            if move.version <= version:
                return f"{move.kind} has version {move.version}, and the one before it {version}"
        status, version = move.to_status, move.version
    return None


def _since_its_beginning(moves: tuple[Moved, ...]) -> tuple[Moved, ...]:
    begins = [number for number, move in enumerate(moves) if move.kind in _BEGINNINGS]
    return moves[begins[-1] :] if begins else moves


def _is_legal(before: str, after: str) -> bool:
    known = set(InviteStatus)
    return before in known and after in known and InviteStatus(after) in INVITE_MOVES[InviteStatus(before)]


def _accept_history(facts: InviteFacts) -> str:
    """The history is only added to: a person takes note, and it is judged from here on."""
    return (
        "insert into zenhire.invite_events (account, invite_id, kind, from_status, to_status, version, reason) "
        f"select account, id, '{HISTORY_ACCEPTED}', status, status, version, 'looked at' "
        f"from zenhire.candidate_invites where id = '{facts.invite_id}';"
    )


# --- what the service still has to do --------------------------------------------------------------------------------


def _work(case: _Case, post: PostFacts) -> Iterator[Finding]:
    match post.state:
        case PostState.POSTING:
            yield from _takeover(case, post)
        case PostState.LOST:
            yield from _search(case, post)
        case _:
            pass
    if case.facts.status == InviteStatus.STARTING and post.current:
        yield from _repost(case, post)
    if post.is_open and not case.facts.is_erased:
        yield from _watching(case, post)


def _takeover(case: _Case, post: PostFacts) -> Iterator[Finding]:
    if post.lease_until is None or post.lease_until > case.now:
        return
    late = case.now - post.lease_until > TAKEOVER_OVERDUE
    what = f"A post was on its way when its lease ended at {moment(post.lease_until)}, and nobody has taken it over"
    what += ": no replica works." if late else " yet."
    level = Level.DRIFT if late else Level.IN_PROGRESS
    yield case.finding(Kind.POST_ABANDONED, what, post=post, level=level, mended_by="start")


def _search(case: _Case, post: PostFacts) -> Iterator[Finding]:
    if post.next_search_at is None and post.dead_at is None:
        what = "A post was lost, and nobody will search for what it made."
        search = do_at_once(post.post_id, "next_search_at")
        yield case.finding(Kind.SEARCH_NEVER_COMES, what, post=post, mended_by="settle", statement=search)
    elif post.next_search_at is not None and case.is_overdue(post.next_search_at):
        what = f"The search for what a lost post made was due at {moment(post.next_search_at)}."
        yield case.finding(Kind.SEARCH_OVERDUE, what, post=post, mended_by="settle")


def _repost(case: _Case, post: PostFacts) -> Iterator[Finding]:
    if post.state == PostState.POSTING:
        return
    if post.repost_at is None:
        what = f"The invite is starting, its newest post is {post.state}, and nobody will post again."
        can_repeat = post.state in {PostState.LOST, PostState.ORPHAN}
        statement = do_at_once(post.post_id, "repost_at") if can_repeat else case.cancel
        yield case.finding(Kind.REPOST_NEVER_COMES, what, post=post, mended_by="start", statement=statement)
    elif case.is_overdue(post.repost_at):
        paused = case.facts.account_is_paused
        what = f"The next post was due at {moment(post.repost_at)}"
        what += "; the account is paused." if paused else "."
        level = Level.IN_PROGRESS if paused else Level.DRIFT
        yield case.finding(Kind.REPOST_OVERDUE, what, post=post, level=level, mended_by="start")


def _watching(case: _Case, post: PostFacts) -> Iterator[Finding]:
    if post.next_look_at is not None and not case.is_overdue(post.next_look_at):
        return
    over = post.link_expires_at is not None and post.link_expires_at + case.policy.expiry_grace < case.now
    which = "The session's link is past its time" if over else "The session is open"
    if post.next_look_at is None:
        what = f"{which}, the invite is {case.facts.status}, and nobody will look at it."
        look = f"select zenhire.look_now('{case.facts.invite_id}', 'verify asked for it');"
        yield case.finding(Kind.LOOK_NEVER_COMES, what, post=post, mended_by="watch", statement=look)
    else:
        what = f"{which}, the invite is {case.facts.status}, and the look due at {moment(post.next_look_at)} is late."
        yield case.finding(Kind.LOOK_OVERDUE, what, post=post, mended_by="watch")
