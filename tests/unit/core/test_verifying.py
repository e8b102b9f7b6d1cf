"""What `verify` says of one invite, without a database: the history above all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.findings import Kind, Level
from service.core.model import INVITE_MOVES, ArtifactState, InviteStatus, Policy, PostState, SessionOrigin
from service.core.verifying import HISTORY_ACCEPTED, InviteFacts, Moved, PostFacts, check_invite

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INVITE, POST = UUID(int=1), UUID(int=2)


def a_post(**over: Any) -> PostFacts:
    values: dict[str, Any] = {
        "post_id": POST,
        "state": PostState.PUBLISHED,
        "origin": SessionOrigin.POST,
        "current": True,
        "session_id": "a-session",
        "link_expires_at": NOW + timedelta(days=7),
        "vendor_status": "initiated",
        "next_look_at": NOW + timedelta(minutes=1),
    }
    rest = (
        "dead_at", "dead_because", "superseded", "reinvited", "lease_until", "repost_at", "next_search_at",
        "next_collect_at", "has_transcript", "has_recording",
    )  # fmt: skip
    nothing: dict[str, Any] = dict.fromkeys(rest)
    return PostFacts(**nothing | values | over)


def an_invite(status: InviteStatus, *moves: Moved, **over: Any) -> InviteFacts:
    values: dict[str, Any] = {
        "invite_id": INVITE,
        "account": "default",
        "status": status,
        "version": moves[-1].version if moves else 0,
        "session_id": None,
        "interview_completed_at": None,
        "transcript_state": ArtifactState.NONE,
        "recording_state": ArtifactState.NONE,
        "is_erased": False,
        "account_is_paused": False,
        "posts": (),
        "moves": moves,
    }
    return InviteFacts(**values | over)


def ways_of(statuses: list[InviteStatus]) -> tuple[Moved, ...]:
    """The history of an invite that has been in these statuses, one version apart."""
    pairs = pairwise(statuses)
    return tuple(
        Moved(kind="moved", from_status=before, to_status=after, version=number)
        for number, (before, after) in enumerate(pairs, start=1)
    )


@st.composite
def histories(draw: st.DrawFn) -> list[InviteStatus]:
    statuses = [InviteStatus.PENDING]
    for _ in range(draw(st.integers(0, 8))):
        reached = sorted(INVITE_MOVES[statuses[-1]])
        if not reached:
            break
        statuses.append(draw(st.sampled_from(reached)))
    return statuses


def history_findings(invite: InviteFacts) -> list[Kind]:
    found = check_invite(invite, now=NOW, policy=Policy())
    return [one.kind for one in found if one.kind in {Kind.EVENT_MISSING, Kind.HISTORY_BROKEN}]


@given(histories())
def test_every_way_by_the_table_of_moves_explains_its_end(statuses: list[InviteStatus]) -> None:
    assert history_findings(an_invite(statuses[-1], *ways_of(statuses))) == []


@given(histories(), st.integers(0, 7))
def test_a_history_that_lacks_a_line_explains_nothing(statuses: list[InviteStatus], number: int) -> None:
    moves = ways_of(statuses)
    if number >= len(moves):
        return
    shorter = moves[:number] + moves[number + 1 :]
    before = moves[number].from_status
    closes = number + 1 < len(moves) and moves[number + 1].from_status == before
    assert closes or len(history_findings(an_invite(statuses[-1], *shorter))) == 1


@given(histories(), st.sampled_from(InviteStatus))
def test_what_a_person_has_accepted_is_judged_no_more(statuses: list[InviteStatus], now: InviteStatus) -> None:
    moves = ways_of(statuses)
    accepted = Moved(kind=HISTORY_ACCEPTED, from_status=now, to_status=now, version=len(moves) + 1)
    assert history_findings(an_invite(now, *moves, accepted)) == []


@pytest.mark.parametrize("versions", [(1, 1), (2, 1), (0, 1)])
def test_versions_grow(versions: tuple[int, int]) -> None:
    moves = ways_of([InviteStatus.PENDING, InviteStatus.STARTING, InviteStatus.PENDING])
    wrong = [replace(move, version=version) for move, version in zip(moves, versions, strict=True)]
    assert history_findings(an_invite(InviteStatus.PENDING, *wrong, version=9)) == [Kind.HISTORY_BROKEN]


class TestLinks:
    def two(self, **over: Any) -> list[Level]:
        posts = (a_post(current=False, session_id="older", post_id=UUID(int=3), **over), a_post())
        moves = ways_of([InviteStatus.PENDING, InviteStatus.STARTING, InviteStatus.LINK_READY])
        invite = an_invite(InviteStatus.LINK_READY, *moves, posts=posts, session_id="a-session")
        found = check_invite(invite, now=NOW, policy=Policy())
        assert {one.kind for one in found} <= {Kind.TWO_LIVE_LINKS}
        return [one.level for one in found]

    def test_two_that_nobody_wanted_are_drift(self) -> None:
        assert self.two() == [Level.DRIFT]

    @pytest.mark.parametrize("wanted", ["superseded", "reinvited"])
    def test_two_that_somebody_wanted_are_a_note(self, wanted: str) -> None:
        assert self.two(**{wanted: True}) == [Level.NOTE]

    def test_a_dead_one_is_none(self) -> None:
        assert self.two(dead_at=NOW, dead_because="failed", next_look_at=None) == []

    def test_a_session_of_the_consoles_may_be_the_invites(self) -> None:
        posts = (a_post(state=PostState.ORPHAN, origin=SessionOrigin.CONSOLE),)
        moves = ways_of([InviteStatus.PENDING, InviteStatus.STARTING, InviteStatus.LINK_READY])
        invite = an_invite(InviteStatus.LINK_READY, *moves, posts=posts, session_id="a-session")
        assert check_invite(invite, now=NOW, policy=Policy()) == ()
