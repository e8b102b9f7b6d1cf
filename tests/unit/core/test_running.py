"""What a list of running interviews tells."""

from datetime import timedelta
from uuid import UUID

import pytest

from service.core.comparing import Known, KnownPost
from service.core.model import Policy, PostState
from service.core.observations import Sighting
from service.core.running import RunningList, decide_running, is_after_a_gap
from tests.unit.core.examples import NOW, a_known

POST = UUID(int=2)


def listed(post: KnownPost | None) -> tuple[RunningList, list[Known]]:
    seen = Sighting(session_id="session-1", status="active", created_at=NOW - timedelta(hours=1))
    return RunningList(sightings=(seen,), listed_at=NOW), [Known(by_id=post)]


@pytest.mark.parametrize("vendor_status", ["initiated", None])
def test_an_interview_that_was_not_known_to_run_has_begun(vendor_status: str | None) -> None:
    running, known = listed(a_known(vendor_status=vendor_status))
    findings = decide_running(running, known, account="default")
    assert (list(findings.begun), findings.others.count) == ([POST], 0)


@pytest.mark.parametrize(
    "post",
    [
        a_known(vendor_status="active"),
        a_known(vendor_status="completed", dead_at=NOW, dead_because="completed"),
        a_known(vendor_status="initiated", status_seen_at=NOW + timedelta(seconds=1)),  # a look was sent after the list
        a_known(vendor_status="initiated", state=PostState.POSTING),
    ],
)
def test_what_is_known_or_newer_leads_to_nothing(post: KnownPost) -> None:
    running, known = listed(post)
    findings = decide_running(running, known, account="default")
    assert (findings.begun, findings.others.count) == ({}, 0)


def test_a_dead_session_that_runs_gets_a_look_and_is_not_taken_from_the_list() -> None:
    running, known = listed(a_known(vendor_status="failed", dead_at=NOW - timedelta(hours=1), dead_because="failed"))
    findings = decide_running(running, known, account="default")
    assert (findings.begun, [look.post_id for look in findings.others.looks]) == ({}, [POST])


def test_more_than_two_ticks_between_two_lists_are_a_gap() -> None:
    running, _ = listed(None)
    assert is_after_a_gap(running, None, policy=Policy())
    assert not is_after_a_gap(running, NOW - timedelta(seconds=20), policy=Policy())
    assert is_after_a_gap(running, NOW - timedelta(seconds=23), policy=Policy())
