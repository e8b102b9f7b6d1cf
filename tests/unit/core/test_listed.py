"""Who mends what the vendor's list and the database do not agree on, and from when on it is drift."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.core import comparing
from service.core.comparing import Known, KnownPost
from service.core.findings import Finding, Kind, Level
from service.core.listed import Disagreement, Sweeping, Unclaimed, judge
from service.core.model import InviteStatus, PostState, SessionOrigin
from service.core.observations import Sighting

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SOON = Sweeping(began_at=NOW - 5 * HOUR, next_at=NOW + MINUTE)


def a_post(**over: Any) -> KnownPost:
    names: dict[str, Any] = dict.fromkeys(KnownPost.__dataclass_fields__)
    values = {
        "post_id": UUID(int=1),
        "account": "default",
        "invite_id": UUID(int=2),
        "state": PostState.PUBLISHED,
        "origin": SessionOrigin.POST,
        "invite_status": InviteStatus.LINK_READY,
        "session_id": "a-session",
    }
    return KnownPost(**names | values | over)


def judged(
    what: comparing.Finding,
    post: KnownPost | None,
    *,
    sweeping: Sweeping = SOON,
    made_at: datetime = NOW - 2 * HOUR,
    unclaimed: Unclaimed | None = None,
) -> Finding:
    case = Disagreement(
        account="default",
        what=what,
        seen=Sighting(session_id="a-session", status="completed", created_at=made_at),
        known=Known(by_id=post),
        sweeping=sweeping,
        unclaimed=unclaimed,
    )
    return judge(case, now=NOW)


@pytest.mark.parametrize("what", comparing.Finding)
def test_every_disagreement_has_its_kind_and_its_words(what: comparing.Finding) -> None:
    finding = judged(what, a_post())
    assert finding.kind == Kind(what.value)
    assert "{" not in finding.what
    assert finding.what.endswith(".")


@pytest.mark.parametrize(
    ("late", "level"), [(-MINUTE, Level.IN_PROGRESS), (MINUTE, Level.IN_PROGRESS), (2 * HOUR, Level.DRIFT)]
)
@pytest.mark.parametrize(
    ("what", "column", "step"),
    [
        (comparing.Finding.FINAL_THERE, "next_look_at", "watch"),
        (comparing.Finding.WENT_BACK, "next_look_at", "watch"),
        (comparing.Finding.LOST_POST_FOUND, "next_search_at", "settle"),
    ],
)
def test_a_step_that_comes_by_itself_may_be_an_hour_late(
    what: comparing.Finding, column: str, step: str, late: timedelta, level: Level
) -> None:
    finding = judged(what, a_post(**{column: NOW - late}))
    assert (finding.level, finding.mended_by, finding.statement) == (level, step, None)


def test_what_no_step_comes_to_waits_for_the_sweep() -> None:
    finding = judged(comparing.Finding.ALIVE_AGAIN, a_post())
    assert (finding.level, finding.mended_by, finding.statement) == (Level.IN_PROGRESS, "sweep", None)


@pytest.mark.parametrize(
    "sweeping", [Sweeping(), Sweeping(began_at=NOW - 9 * HOUR, next_at=NOW - 2 * HOUR)], ids=["never", "late"]
)
def test_a_sweep_that_does_not_come_is_drift_and_has_its_statement(sweeping: Sweeping) -> None:
    finding = judged(comparing.Finding.ALIVE_AGAIN, a_post(), sweeping=sweeping, made_at=NOW - 9 * HOUR)
    assert finding.level == Level.DRIFT
    assert finding.statement is not None
    assert "set next_look_at = zenhire.clock()" in finding.statement


def test_what_a_sweep_has_passed_over_is_drift() -> None:
    passed = Sweeping(began_at=NOW - HOUR, next_at=NOW + MINUTE)
    assert judged(comparing.Finding.TWICE_MADE, a_post(), sweeping=passed).level == Level.DRIFT
    walking = Sweeping(began_at=NOW - HOUR, next_at=NOW + MINUTE, is_walking=True)
    assert judged(comparing.Finding.TWICE_MADE, a_post(), sweeping=walking).level == Level.IN_PROGRESS
    # a status may have changed since
    assert judged(comparing.Finding.FINAL_THERE, a_post(), sweeping=passed).level == Level.IN_PROGRESS


@pytest.mark.parametrize(("is_accepted", "level"), [(False, Level.DRIFT), (True, Level.NOTE)])
def test_what_belongs_to_nobody_is_drift_until_a_person_accepts_it(is_accepted: bool, level: Level) -> None:
    finding = judged(comparing.Finding.UNKNOWN_POST, None, unclaimed=Unclaimed(is_accepted=is_accepted))
    assert (finding.level, finding.statement is None) == (level, is_accepted)
