"""The count at the end: what the database says, held against what the sandbox knows to be true."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from service.cli.demo.stage import Stage

_INVITES = "select candidate_ref, session_id, candidate_link from zenhire.candidate_invites order by candidate_ref"
_POSTS = "select state, session_id from zenhire.interview_sessions"
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Two stories that must be one."""

    candidates: int
    links_handed_out: int
    with_two_links: tuple[str, ...]  #: candidates who at some moment held two links that worked
    wrong_links: tuple[str, ...]  #: candidates whose row holds a link that the sandbox made for another session
    lost_posts: int
    orphans: int
    lost_replies: int  #: sessions that the sandbox made and could not tell of
    sessions: int

    @property
    def is_right(self) -> bool:
        return not self.with_two_links and not self.wrong_links and self.lost_posts == self.orphans == self.lost_replies

    @property
    def sentence(self) -> str:
        two = ", ".join(self.with_two_links) or "none"
        return (
            f"{self.candidates} candidates, {two} with two links; "
            f"{self.lost_posts} lost posts, {self.orphans} orphans on record"
        )


def take_count(stage: Stage) -> Tally:
    """Ask both sides now."""
    return count(
        stage.database.execute(_INVITES).fetchall(),
        stage.database.execute(_POSTS).fetchall(),
        stage.sandbox.control.sessions(),
    )


def count(
    invites: Iterable[Mapping[str, Any]], posts: Iterable[Mapping[str, Any]], truth: Iterable[Mapping[str, Any]]
) -> Tally:
    """`invites` and `posts` from the database; `truth` is every session as the sandbox knows it."""
    rows, posts, sessions = list(invites), list(posts), {session["id"]: session for session in truth}
    published = {post["session_id"] for post in posts if post["state"] == "published"}
    held: dict[str, list[tuple[datetime, datetime]]] = {row["candidate_ref"]: [] for row in rows}
    for session in sessions.values():
        spans = held.setdefault(session["candidate_ref"], [])
        for link in session["links"]:
            # In somebody's hands: the service published it, or the sandbox knows that it was told.
            if session["id"] in published or link["in_hand_from"] is not None:
                spans.append(_span(link))
    states = [post["state"] for post in posts]
    return Tally(
        candidates=len(held),
        links_handed_out=len(published & sessions.keys()),
        with_two_links=tuple(sorted(ref for ref, spans in held.items() if _overlap(spans))),
        wrong_links=tuple(row["candidate_ref"] for row in rows if not _is_its_own(row, sessions)),
        lost_posts=states.count("lost") + states.count("orphan"),
        orphans=states.count("orphan"),
        lost_replies=sum(session["links"][0]["reply_lost"] for session in sessions.values()),
        sessions=len(sessions),
    )


def _span(link: Mapping[str, Any]) -> tuple[datetime, datetime]:
    died_at = link["died_at"]
    return datetime.fromisoformat(link["minted_at"]), _FOR_EVER if died_at is None else datetime.fromisoformat(died_at)


def _overlap(spans: list[tuple[datetime, datetime]]) -> bool:
    ordered = sorted(spans)
    return any(later[0] < earlier[1] for earlier, later in pairwise(ordered))


def _is_its_own(row: Mapping[str, Any], sessions: Mapping[str, Mapping[str, Any]]) -> bool:
    """The link in the row is one that was made for the session in the row, for this candidate."""
    if row["candidate_link"] is None:
        return True
    session = sessions.get(row["session_id"])
    return (
        session is not None
        and session["candidate_ref"] == row["candidate_ref"]
        and row["candidate_link"] in {link["url"] for link in session["links"]}
    )
