"""What it means for `verify` that the vendor's list and the database do not agree: who mends it, and by when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from service.core import comparing
from service.core.comparing import Known, KnownPost
from service.core.findings import Finding, Kind, Level, do_at_once, moment
from service.core.model import INVITE_MOVES, InviteStatus
from service.core.observations import Sighting
from service.core.sweeping import CLOCKS_MAY_DIFFER
from service.core.verifying import OVERDUE

#: The sweep begins each hour; a walk through a long list takes half of one.
SWEEP_OVERDUE = timedelta(hours=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeping:
    """How the `sweep` step stands with an account."""

    began_at: datetime | None = None  #: its last walk; None: there was none
    next_at: datetime | None = None  #: its next page, or its next walk
    is_walking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclaimed:
    """A session that no post of this database made, as the sweep has written it down."""

    is_accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A row of the list, what the database knows of it, and what does not fit."""

    account: str
    what: comparing.Finding
    seen: Sighting
    known: Known
    sweeping: Sweeping
    unclaimed: Unclaimed | None

    @property
    def post(self) -> KnownPost | None:
        return self.known.by_id or self.known.by_mark or self.known.by_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A session that is open here and was not on the list."""

    post_id: UUID
    invite_id: UUID
    session_id: str
    invite_status: InviteStatus


def gone(unseen: Unseen, *, account: str) -> Finding:
    """What it means that a single look does not find it either."""
    can_end = InviteStatus.CANCELLED in INVITE_MOVES[unseen.invite_status]
    reason = "ZenHire does not know its session"
    return Finding(
        kind=Kind.SESSION_GONE,
        level=Level.DRIFT,
        account=account,
        what=f"ZenHire does not know the session, and here it is open; the invite is {unseen.invite_status}.",
        invite_id=unseen.invite_id,
        post_id=unseen.post_id,
        session_id=unseen.session_id,
        statement=f"select zenhire.cancel_invite('{unseen.invite_id}', '{reason}');" if can_end else None,
    )


def judge(case: Disagreement, *, now: datetime) -> Finding:
    """The finding: drift only where what should mend it is overdue, or has passed it over."""
    match case.what:
        case comparing.Finding.UNKNOWN_POST | comparing.Finding.LIKELY_REINVITE if case.unclaimed is not None:
            return _unclaimed(case, case.unclaimed)
        case comparing.Finding.LOST_POST_FOUND:
            return _due(case, "settle", "next_search_at", case.post.next_search_at if case.post else None, now)
        case (
            comparing.Finding.FINAL_THERE
            | comparing.Finding.ACTIVE_THERE
            | comparing.Finding.ALIVE_AGAIN
            | comparing.Finding.WENT_BACK
        ):
            return _due(case, "watch", "next_look_at", case.post.next_look_at if case.post else None, now)
        case _:
            return _swept(case, now)


def _due(case: Disagreement, step: str, column: str, at: datetime | None, now: datetime) -> Finding:
    """A step comes to it by itself at a time of its own."""
    if at is None:
        return _swept(case, now, column=column)
    if now - at > OVERDUE:
        return _finding(case, Level.DRIFT, f"The step {step} was due at {moment(at)}.", mended_by=step)
    when = f"at {moment(at)}" if at > now else "as its next act"
    return _finding(case, Level.IN_PROGRESS, f"The step {step} takes it {when}.", mended_by=step)


def _swept(case: Disagreement, now: datetime, *, column: str | None = None) -> Finding:
    """Only the sweep comes past it."""
    trouble = _trouble_with_sweep(case, now, tells_age=column != "next_look_at")
    if trouble is None:
        return _finding(case, Level.IN_PROGRESS, "The next sweep takes it.", mended_by="sweep")
    statement = (
        do_at_once(case.post.post_id, column) if case.post and column and _may_be_due(case.post, column) else None
    )
    return _finding(case, Level.DRIFT, trouble, mended_by="sweep", statement=statement)


def _may_be_due(post: KnownPost, column: str) -> bool:
    return post.session_id is not None if column == "next_look_at" else post.state == "lost"


def _trouble_with_sweep(case: Disagreement, now: datetime, *, tells_age: bool) -> str | None:
    """`tells_age`: that the session is there at all is what does not fit, so it is as old as the session."""
    sweeping, made_at = case.sweeping, case.seen.created_at
    if sweeping.began_at is None or sweeping.next_at is None:
        waited = made_at is not None and now - made_at > SWEEP_OVERDUE
        return "No sweep has walked through ZenHire's list yet." if waited else None
    if now - sweeping.next_at > OVERDUE:
        return f"The sweep was due at {moment(sweeping.next_at)}."
    passed = made_at is not None and sweeping.began_at > made_at + CLOCKS_MAY_DIFFER and not sweeping.is_walking
    if tells_age and passed:
        return f"The sweep begun at {moment(sweeping.began_at)} has passed it over."
    return None


def _unclaimed(case: Disagreement, unclaimed: Unclaimed) -> Finding:
    if unclaimed.is_accepted:
        return _finding(case, Level.NOTE, "A person has accepted it.")
    statement = (
        f"update zenhire.unclaimed_sessions set accepted_at = zenhire.clock() where account = '{case.account}' "
        f"and session_id = '{case.seen.session_id}';"
    )
    return _finding(case, Level.DRIFT, "A person must look at it, and may accept it.", statement=statement)


_WORDS = {
    comparing.Finding.LOST_POST_FOUND: "ZenHire has session {id} ({there}) of a post that counts as {state}.",
    comparing.Finding.CONSOLE_REINVITE: "ZenHire's console made session {id} ({there}) beside the one that is known.",
    comparing.Finding.TWICE_MADE: "One post has made two sessions: {id} ({there}) is the one that is not known.",
    comparing.Finding.UNKNOWN_POST: "Session {id} ({there}) bears the mark of a post that this database does not have.",
    comparing.Finding.LIKELY_REINVITE: (
        "ZenHire's console made session {id} ({there}) for the candidate of this invite, whose link is dead."
    ),
    comparing.Finding.FINAL_THERE: "ZenHire shows the session as {there}, and here it is {here}.",
    comparing.Finding.ACTIVE_THERE: "ZenHire shows that the interview runs, and here the session is {here}.",
    comparing.Finding.ALIVE_AGAIN: "ZenHire shows the session as {there}, and here it is over ({here}).",
    comparing.Finding.WENT_BACK: "ZenHire shows the session as {there}, and here it is {here} already.",
}


def _finding(
    case: Disagreement, level: Level, then: str, *, mended_by: str | None = None, statement: str | None = None
) -> Finding:
    post = case.post
    words = _WORDS[case.what].format(
        id=case.seen.session_id,
        there=case.seen.status,
        state=post.state if post else "unknown",
        here=(post and post.vendor_status) or "not looked at",
    )
    return Finding(
        kind=Kind(case.what.value),
        level=level,
        account=case.account,
        what=f"{words} {then}",
        invite_id=post.invite_id if post else None,
        post_id=post.post_id if post else None,
        session_id=case.seen.session_id,
        mended_by=mended_by,
        statement=statement,
    )
