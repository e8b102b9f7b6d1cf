"""
The decisions of `service/core`, called for real.

Claims are built from the model's rows, and the changes are read back into the model's terms.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from service.core.changes import Change, Event
from service.core.limits import LINK_LIFETIME
from service.core.model import InviteStatus, Policy, PostState, SearchClaim
from service.core.observations import Minted, NoAnswer, NotSent, Sighting
from service.core.settling import already_known, decide_search
from service.core.starting import decide_post
from service.core.watching import LookTime, decide_look
from tests.exploration.rows import OWN, Post, Writing
from tests.unit.core.examples import NOW, a_look, a_post

_SESSION = "session-1"
WEEK = timedelta(days=9)  #: a link's life and its grace end within
JITTER = 0.5

MINTED, NO_ANSWER, HELD_BACK = "minted", "no answer", "held back"


class Counted(NamedTuple):
    """What CLAIM_POSTS and CLAIM_ABANDONED tell."""

    link: int
    posted: int
    counted: int


class Known(NamedTuple):
    """What CLAIM_LOOKS tells."""

    post: Post  #: without its lease
    invite_status: str
    max_links: int
    shown: bool


def policy(posts_per_link: int) -> Policy:
    return Policy(posts_per_link=posts_per_link, transcripts=False, watch_interval=timedelta(seconds=1))


def answer_to_post(answer: str, session_id: str) -> Minted | NoAnswer | NotSent:
    if answer == MINTED:
        link = f"https://interview.example/{session_id}"
        return Minted(session_id=session_id, candidate_link=link, expires_in=LINK_LIFETIME)
    if answer == HELD_BACK:
        return NotSent(detail="its lease was over", held_back=True)
    return NoAnswer(detail="the reply was lost")


def answer_to_look(answer: str, session_id: str, now: datetime) -> Sighting | NoAnswer:
    if answer == NO_ANSWER:
        return NoAnswer(detail="the reply was lost")
    ended = now if answer in {"completed", "failed"} else None
    return Sighting(session_id=session_id, status=answer, completed_at=ended)


@cache
def decided_post(claim: Counted, answer: str, week: int, posts_per_link: int) -> Writing:
    asked = a_post(posted_at=_time(claim.posted), link_number=claim.link, counted_posts=claim.counted)
    given = answer_to_post(answer, _SESSION)
    decision = decide_post(asked, given, now=_now(week), policy=policy(posts_per_link), jitter=JITTER)
    return _writing(decision.change)


@cache
def decided_look(claim: Known, answer: str, week: int, *, monotonic: bool) -> Writing:
    post, now = claim.post, _now(week)
    long_ago = now - timedelta(minutes=1)
    asked = a_look(
        posted_at=_time(post.posted),
        link_number=post.link,
        session_id=_SESSION,
        state=PostState(post.state),
        current=post.current,
        invite_status=InviteStatus(claim.invite_status),
        max_links=claim.max_links,
        vendor_status=post.seen,
        step_back_seen_at=long_ago if post.step_back or not monotonic else None,
        link_expires_at=_time(post.opened or 0) + LINK_LIFETIME,
        dead_because=post.dead,
        reinvited_at=_time(post.opened or 0) if post.reinvited else None,
        shown=claim.shown,
    )
    given = answer_to_look(answer, _SESSION, now)
    time = LookTime(sent_at=now, now=now)
    return _writing(decide_look(asked, given, time=time, policy=policy(1), jitter=JITTER).change)


@cache
def decided_search(posted: int, *, known: int | None, made: int | None, week: int) -> Writing:
    """The weeks of the session: as an answer told it that came late, and as the list shows it."""
    asked = SearchClaim(
        **{field: getattr(a_post(), field) for field in ("post_id", "account", "token", "invite_id", "link_number")},
        posted_at=_time(posted),
        session_id=None if known is None else _SESSION,
        link_expires_at=None if known is None else _time(known) + LINK_LIFETIME,
        search_count=0,
        ref=None,
    )
    found = None if known is None else already_known(asked, _SESSION)
    if found is None and made is not None:
        found = Sighting(session_id=_SESSION, status="initiated", created_at=_time(made))
    return _writing(decide_search(asked, found, searched=True, now=_now(week), policy=policy(1)).change)


def _time(week: int) -> datetime:
    return NOW + WEEK * week


def _now(week: int) -> datetime:
    """A little later than what was done in the same week."""
    return _time(week) + timedelta(hours=1)


def _week(at: datetime) -> int:
    return (at - NOW) // WEEK


_WRITINGS: dict[str, Writing] = {}


def _writing(change: Change) -> Writing:
    """The change in the model's terms; what only a person or a schedule would care about is left out."""
    move = change.move
    values: dict[str, Any] = {
        "allowed_from": frozenset(str(status) for status in move.allowed_from) if move else None,
        "only_current": move.only_current if move else False,
        "invite": _invite(move.columns) if move else {},
        "session": _session(change.session),
        "alone": _session(change.session if change.session_alone is None else change.session_alone),
        "event": _kind(change.event),
        "event_alone": _kind(change.event_alone or change.event),
    }
    return _WRITINGS.setdefault(repr(values), Writing(number=len(_WRITINGS), **values))


def _kind(event: Event | None) -> str | None:
    return event.kind if event else None


def _invite(columns: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: columns[name] for name in ("link_number",) if name in columns}
    if "status" in columns:
        kept["status"] = str(columns["status"])
    if "session_id" in columns:
        kept["shown"] = OWN if columns["session_id"] else None
    return kept


_THERE = {
    "session_id": "session",
    "step_back_seen_at": "step_back",
    "repost_at": "repost",
    "next_look_at": "look",
    "next_search_at": "search",
    "reinvited_at": "reinvited",
    "superseded_at": "superseded",
}


def _session(columns: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {ours: columns[name] is not None for name, ours in _THERE.items() if name in columns}
    if "state" in columns:
        kept["state"] = str(columns["state"])
    if "counted" in columns:
        kept["counted"] = columns["counted"]
    if "vendor_status" in columns:
        kept["seen"] = str(columns["vendor_status"])
    if "dead_because" in columns:
        kept["dead"] = None if columns["dead_because"] is None else str(columns["dead_because"])
    if "link_expires_at" in columns:
        kept["opened"] = _week(columns["link_expires_at"] - LINK_LIFETIME)
    return kept
