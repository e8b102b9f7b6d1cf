"""What really happened at the platform, for those who check a client's story against it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sandbox.model import Client, Link, Session, Source, Status

Come = Literal["by_themselves", "when_sent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTruth:
    """One candidate link that was ever made."""

    url: str
    minted_at: datetime
    expires_at: datetime
    reply_lost: bool  #: its only telling never reached the client
    in_hand_from: datetime | None  #: since when a candidate could use it; None: nobody has it
    opened_at: datetime | None
    died_at: datetime | None  #: None: it works

    @property
    def is_live(self) -> bool:
        """Works, and somebody has it."""
        return self.in_hand_from is not None and self.died_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTruth:
    """One session with all its links, the newest last."""

    id: str
    client: str
    persona_id: str
    candidate_ref: str | None
    metadata: Mapping[str, Any]
    source: Source
    status: Status
    plan: str | None  #: how its candidate means to end it; None: no candidate
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    timed_out: bool
    credit_charged: int | None
    links: tuple[LinkTruth, ...]

    @property
    def reply_lost(self) -> bool:
        """The client was never told of this session."""
        return self.links[0].reply_lost

    def name(self, of: str) -> str | None:
        """What this session counts under: `candidate_ref`, or `metadata.` and a key."""
        if of == "candidate_ref":
            return self.candidate_ref
        value = self.metadata.get(of.removeprefix("metadata."))
        return None if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """All sessions of all clients at one moment, and every request by endpoint and outcome."""

    at: datetime
    sessions: tuple[SessionTruth, ...]
    answers: Mapping[tuple[str, str], int]

    def lost(self) -> tuple[SessionTruth, ...]:
        """Sessions that were made and never told."""
        return tuple(session for session in self.sessions if session.reply_lost)

    def by_id(self) -> dict[str, SessionTruth]:
        return {session.id: session for session in self.sessions}

    def session_of_link(self) -> dict[str, str]:
        """Each link that was ever made, with the id of its session."""
        return {link.url: session.id for session in self.sessions for link in session.links}

    def live_links(self, of: str = "candidate_ref") -> Counter[str]:
        """How many links that work each candidate holds now."""
        live: Counter[str] = Counter()
        for session in self.sessions:
            name = session.name(of)
            if name is not None:
                live[name] += sum(link.is_live for link in session.links)
        return live

    def most_links_at_once(self, of: str = "candidate_ref") -> dict[str, int]:
        """The most links that worked at one time in one candidate's hands, over all of history."""
        spans: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)
        for session in self.sessions:
            name = session.name(of)
            if name is not None:
                spans[name] += [edge for link in session.links for edge in _edges(link, self.at)]
        return {name: _highest(edges) for name, edges in spans.items()}

    def summary(self, of: str = "candidate_ref") -> dict[str, Any]:
        """The sandbox's own count."""
        most = self.most_links_at_once(of)
        return {
            "at": self.at.isoformat(),
            "sessions": len(self.sessions),
            "by_status": dict(Counter(session.status.value for session in self.sessions)),
            "by_source": dict(Counter(session.source.value for session in self.sessions)),
            "replies_lost": len(self.lost()),
            "candidates": len(most),
            "candidates_with_two_links_at_once": sorted(name for name, count in most.items() if count > 1),
            "live_links": self.live_links(of).total(),
            "timed_out": sum(session.timed_out for session in self.sessions),
            "credits_charged": sum(session.credit_charged or 0 for session in self.sessions),
            "answers": answers_by_endpoint(self.answers),
        }


def truth_of(
    clients: Iterable[Client],
    answers: Mapping[tuple[str, str], int],
    *,
    come: Come,
    now: datetime,
) -> Truth:
    return Truth(
        at=now,
        sessions=tuple(session_truth(session, come, now) for session in sessions_of(clients)),
        answers=dict(answers),
    )


def sessions_of(clients: Iterable[Client]) -> Iterator[Session]:
    return (client.sessions[number] for client in clients for number in range(len(client.sessions)))


def session_truth(session: Session, come: Come, now: datetime) -> SessionTruth:
    return SessionTruth(
        id=session.id,
        client=session.client.name,
        persona_id=session.persona.id,
        candidate_ref=session.candidate_ref,
        metadata=session.metadata or {},
        source=session.source,
        status=session.status,
        plan=None if session.plan is None else session.plan.ending.value,
        created_at=session.created_at,
        started_at=session.started_at,
        ended_at=session.ended_at,
        timed_out=session.timed_out,
        credit_charged=session.credit_charged,
        links=tuple(_link_truth(link, come, now) for link in session.links),
    )


def answers_by_endpoint(answers: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    nested: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (endpoint, outcome), count in sorted(answers.items()):
        nested[endpoint][outcome] = count
    return dict(nested)


def _link_truth(link: Link, come: Come, now: datetime) -> LinkTruth:
    told = None if come == "when_sent" else link.told_at
    return LinkTruth(
        url=link.url,
        minted_at=link.minted_at,
        expires_at=link.expires_at,
        reply_lost=link.reply_lost,
        in_hand_from=link.sent_at or told,
        opened_at=link.opened_at,
        died_at=link.died_at(now),
    )


def _edges(link: LinkTruth, now: datetime) -> list[tuple[datetime, int]]:
    if link.in_hand_from is None or (link.died_at is not None and link.died_at <= link.in_hand_from):
        return []  # nobody ever held it, or it was dead when it was handed over
    ended = link.died_at or now
    # An end sorts before a beginning at the same instant: one link taking over from another is no overlap.
    return [(link.in_hand_from, 1), (ended, -1)] if ended > link.in_hand_from else [(link.in_hand_from, 1)]


def _highest(edges: list[tuple[datetime, int]]) -> int:
    at_once = highest = 0
    for _, change in sorted(edges):
        at_once += change
        highest = max(highest, at_once)
    return highest
