"""How a soak must end, asked of the database and of the vendor's own truth; nothing here believes the service."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import LiteralString

from sandbox.truth import Truth
from tests.soak.world import World
from tests.support.database import Database
from tests.support.processes import Process

UNFINISHED = """
select count(*) from zenhire.candidate_invites
where status not in ('completed', 'failed', 'expired') or transcript_state = 'waiting'
"""
WITHOUT_THEIR_EVENT = """
select count(*) from zenhire.candidate_invites i
where i.status is distinct from (
    select e.to_status from zenhire.invite_events e
    where e.invite_id = i.id and e.to_status is not null order by e.id desc limit 1)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What came of it all."""

    invites: int
    by_status: dict[str, int]
    sessions: int
    second_links: int
    posts: dict[str, int]  #: by state
    replies_lost: int
    lost: int
    two_links: tuple[str, ...]
    unaccounted: int


def unfinished(world: World) -> tuple[int, int]:
    """Invites without their end, sessions that no row knows of."""
    return world.database.fetch_value(UNFINISHED), len(_unaccounted(world))


def ending(world: World) -> Ending:
    truth = world.sandbox.platform.truth()
    database = world.database
    by_status = _counts(database, "select status as name, count(*) as n from zenhire.candidate_invites group by 1")
    return Ending(
        invites=world.inserted,
        by_status=by_status,
        sessions=len(truth.sessions),
        second_links=database.fetch_value(
            "select count(*) from zenhire.interview_sessions where state = 'published' and link_number = 2"
        ),
        posts=_counts(database, "select state as name, count(*) as n from zenhire.interview_sessions group by 1"),
        replies_lost=len(truth.lost()),
        lost=world.inserted - sum(by_status.values()) + database.fetch_value(UNFINISHED),
        two_links=_candidates_with_two_links(truth),
        unaccounted=len(_unaccounted(world)),
    )


def broken_promises(world: World, end: Ending, processes: Sequence[Process]) -> Iterator[str]:
    """Each in words; none is as it must be."""
    if end.lost:
        yield f"{end.lost} invites are lost, or have not reached their end: {end.by_status}"
    if end.two_links:
        yield f"candidates with two live links at once: {', '.join(end.two_links[:5])}"
    if end.unaccounted:
        yield f"{end.unaccounted} sessions of the vendor's stand in no row"
    if held := world.database.fetch_value(
        "select count(*) from zenhire.interview_sessions where lease_token is not null"
    ):
        yield f"{held} leases outlive the replicas"
    if without := world.database.fetch_value(WITHOUT_THEIR_EVENT):
        yield f"{without} invites have a status that their history does not explain"
    yield from (f"a replica logged an error: {event}" for process in processes for event in _errors(process))


def _errors(process: Process) -> Iterator[dict[str, object]]:
    return (event for event in process.events() if event.get("level") in {"error", "critical"})


def _candidates_with_two_links(truth: Truth) -> tuple[str, ...]:
    """With the life of each of their links, so that what went wrong can be seen afterwards."""
    names = {name for name, most in truth.most_links_at_once("candidate_ref").items() if most > 1}
    return tuple(f"{name} ({_lives(truth, name)})" for name in sorted(names))


def _lives(truth: Truth, candidate_ref: str) -> str:
    links = (link for session in truth.sessions if session.candidate_ref == candidate_ref for link in session.links)
    return "; ".join(f"made {link.minted_at}, held {link.in_hand_from}, dead {link.died_at}" for link in links)


def _unaccounted(world: World) -> set[str]:
    rows = world.database.fetch("select session_id from zenhire.interview_sessions where session_id is not null")
    return {session.id for session in world.sandbox.platform.truth().sessions} - {row["session_id"] for row in rows}


def _counts(database: Database, query: LiteralString) -> dict[str, int]:
    return {row["name"]: row["n"] for row in database.fetch(query)}
