"""The posts of an invite and the sessions they made: what was looked at, and what came of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from service.core.model import PostState
from service.operate.explain_facts import Post
from service.operate.show import Line, paragraph
from service.operate.words import ago, clause, counted, due, moment, times

_STATES = {
    PostState.POSTING: "on its way",
    PostState.PUBLISHED: "its link is the invite's",
    PostState.LOST: "lost, its result is unknown",
    PostState.ORPHAN: "an orphan, nobody holds its link",
    PostState.NOT_MADE: "made no session",
}
_DEATHS = {
    "expired": "the link ran out unused",
    "completed": "the interview is finished",
    "failed": "the interview failed",
    "not_found": "no search found a session of it",
    "accepted": "a person has accepted it",
}


def posts(all_posts: Sequence[Post], now: datetime) -> list[Line]:
    if not all_posts:
        return paragraph("none yet", indent=2)
    lines: list[Line] = []
    for post in all_posts:
        head = f"link {post.link_number}, post {post.post_number}, {ago(post.posted_at, now)}: {_STATES[post.state]}"
        lines += paragraph(head, indent=2, hanging=4)
        for detail in _details(post, now):
            lines += paragraph(detail, indent=4, hanging=6)
    return lines


def _details(post: Post, now: datetime) -> Iterator[str]:
    if post.session_id is not None:
        yield _session(post, post.session_id)
    if post.error_code is not None:
        yield f"{post.error_code}: {clause(post.error_message or 'no message')}"
    if post.look_count and post.first_look_at and post.last_look_at:
        yield _looks(post, post.first_look_at, post.last_look_at, now)
    if post.collect_count:
        what = (post.last_collect or "").replace("_", " ")
        yield f"asked {times(post.collect_count)} for the transcript, last answer: {what}"
    if post.state is PostState.LOST:
        yield _searches(post, now)


def _session(post: Post, session_id: str) -> str:
    says = f"; ZenHire says {post.vendor_status}" if post.vendor_status else ""
    if post.dead_at is not None:
        because = _DEATHS.get(post.dead_because or "", post.dead_because)
        return f"session {session_id}{says}; dead since {moment(post.dead_at)}: {because}"
    until = f"; its link dies {moment(post.link_expires_at)}" if post.link_expires_at else ""
    return f"session {session_id}{says}{until}"


def _looks(post: Post, first: datetime, last: datetime, now: datetime) -> str:
    seen = (post.last_look or "nothing").replace("_", " ")
    failed = f" ({counted(post.look_failures, 'look')} in a row without a status)" if post.look_failures else ""
    if post.look_count == 1:
        return f"looked once, {ago(last, now)}: {seen}{failed}"
    return f"looked {times(post.look_count)} since {moment(first)}, last {ago(last, now)}: {seen}{failed}"


def _searches(post: Post, now: datetime) -> str:
    then = f"next search {due(post.next_search_at, now)}" if post.next_search_at else "no further search"
    if not post.search_count or post.last_search_at is None:
        return f"not yet searched for in ZenHire's list; {then}"
    return f"searched for {times(post.search_count)}, last {ago(post.last_search_at, now)}; {then}"
