"""The table of looks: within its bounds, for every state of a session."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.cadence import (
    Known,
    first_listed_look,
    link_is_over,
    look_again_after_failure,
    look_again_for_missing,
    net_period,
    next_list_of_ended,
    next_list_of_running,
    next_look,
    next_search,
    wait_for_artifact,
)
from service.core.model import Policy, VendorStatus
from tests.unit.core.examples import NOW, POLICY, jitters, times

intervals = st.timedeltas(min_value=timedelta(seconds=0.2), max_value=timedelta(hours=1))
knowns = st.builds(
    Known,
    vendor_status=st.sampled_from([*VendorStatus, "paused"]),
    link_made_at=times,
    link_expires_at=times,
    interview_started_at=st.none() | times,
    rated=st.booleans(),
    seen_before=st.booleans(),
    look_every=st.none() | st.timedeltas(min_value=timedelta(hours=1), max_value=timedelta(days=7)),
)


def known(status: str, **over: object) -> Known:
    values: dict[str, object] = {
        "vendor_status": status,
        "link_made_at": NOW - timedelta(hours=2),
        "link_expires_at": NOW + timedelta(days=6),
        "interview_started_at": None,
        "rated": False,
        "seen_before": True,
    }
    return Known(**values | over)  # type: ignore[arg-type]


@given(knowns, times, intervals, jitters)
def test_no_look_falls_before_the_interval_nor_beyond_its_row(
    what: Known, now: datetime, interval: timedelta, jitter: float
) -> None:
    look = next_look(what, now=now, policy=Policy(watch_interval=interval), jitter=jitter)
    if look is not None:
        most = max(interval * 30_240, what.look_every or interval)
        assert now + interval <= look.at <= now + most
        assert look.reason


@given(knowns, times, jitters)
def test_only_an_ended_session_is_left_alone(what: Known, now: datetime, jitter: float) -> None:
    if next_look(what, now=now, policy=POLICY, jitter=jitter) is None:
        assert what.vendor_status in {VendorStatus.COMPLETED, VendorStatus.FAILED}


@given(st.timedeltas(timedelta(0), timedelta(hours=2)), jitters)
def test_a_dying_link_is_looked_at_when_its_time_is_over(ahead: timedelta, jitter: float) -> None:
    death = NOW + ahead
    what = known("initiated", link_expires_at=death - POLICY.expiry_grace)
    look = next_look(what, now=NOW, policy=POLICY, jitter=jitter)
    assert look is not None
    assert look.at <= max(death, NOW + POLICY.watch_interval * 60)
    assert link_is_over(death - POLICY.expiry_grace, death, POLICY)


@pytest.mark.parametrize(
    ("what", "seconds", "reason"),
    [
        (known("active", interview_started_at=NOW), 10, "the interview runs"),
        (known("active", interview_started_at=NOW - timedelta(hours=3)), 60, "the interview runs longer than usual"),
        (known("initiated", link_made_at=NOW), 60, "the link is new"),
        (known("initiated"), 600, "nobody has opened the link yet"),
        (known("initiated", link_expires_at=NOW + timedelta(minutes=50)), 300, "the link dies soon"),
        (known("completed", seen_before=False), 3600, "the candidate may still answer the survey"),
        (known("failed", seen_before=False), 3600, "the console may still re-invite the candidate"),
        (known("paused"), 300, "the vendor shows a status that is not in its documentation"),
    ],
)
def test_the_table(what: Known, seconds: int, reason: str) -> None:
    look = next_look(what, now=NOW, policy=POLICY, jitter=0)
    assert look is not None
    assert (look.at - NOW, look.reason) == (timedelta(seconds=seconds), reason)


@pytest.mark.parametrize("what", [known("completed"), known("completed", rated=True, seen_before=False)])
def test_a_session_with_nothing_more_to_tell_is_never_looked_at(what: Known) -> None:
    assert next_look(what, now=NOW, policy=POLICY, jitter=0) is None


@given(st.integers(1, 10_000), jitters)
def test_failures_are_asked_again_within_their_ceilings(failures: int, jitter: float) -> None:
    plain = look_again_after_failure(failures, now=NOW, policy=POLICY, jitter=jitter)
    missing = look_again_for_missing(failures, now=NOW, policy=POLICY, jitter=jitter)
    assert NOW + POLICY.watch_interval <= plain.at <= NOW + POLICY.watch_interval * 60
    assert NOW + POLICY.watch_interval <= missing.at <= NOW + POLICY.watch_interval * 360


@given(st.integers(0, 10_000), times, times)
def test_searches_lie_ahead_and_at_doubling_distances(searches: int, posted_at: datetime, now: datetime) -> None:
    assert next_search(searches, posted_at, now=now, policy=POLICY) > now
    first = next_search(0, NOW, now=NOW, policy=POLICY) - NOW
    assert next_search(3, NOW, now=NOW, policy=POLICY) - NOW == first * 8


@given(st.timedeltas(timedelta(0), timedelta(days=3)), jitters)
def test_an_artifact_is_waited_for_longer_the_later_it_is(since: timedelta, jitter: float) -> None:
    at = wait_for_artifact(NOW, NOW - since, policy=POLICY, jitter=jitter)
    assert NOW + POLICY.watch_interval * 0.8 <= at <= NOW + POLICY.watch_interval * 60


LISTED = (
    ("active", timedelta(hours=1), "the interview is on the list of those that run"),
    ("initiated", timedelta(hours=84), "the list of running interviews tells when it begins"),
    ("failed", timedelta(days=1), "the console may still re-invite the candidate"),
)


@pytest.mark.parametrize(("status", "wait", "reason"), LISTED)
def test_where_the_list_shows_what_runs_looks_are_a_net(status: str, wait: timedelta, reason: str) -> None:
    what = known(status, link_expires_at=NOW + timedelta(days=6), seen_before=False, look_every=timedelta(hours=84))
    look = next_look(what, now=NOW, policy=Policy(), jitter=0.0)
    assert look is not None
    assert (look.at - NOW, look.reason) == (wait, reason)


@pytest.mark.parametrize("status", ["initiated", "failed"])
def test_no_net_lies_beyond_the_death_of_the_link(status: str) -> None:
    policy = Policy()
    what = known(status, link_expires_at=NOW + timedelta(hours=5), look_every=timedelta(hours=84))
    look = next_look(what, now=NOW, policy=policy, jitter=0.0)
    assert look is not None
    assert look.at == NOW + timedelta(hours=5) + policy.expiry_grace


def test_the_first_look_at_a_listed_session_is_a_net_too() -> None:
    every = timedelta(hours=100)
    look = first_listed_look(NOW + timedelta(days=7), every=every, now=NOW, policy=Policy(), jitter=0.0)
    assert look.at == NOW + every


@pytest.mark.parametrize(
    ("open_sessions", "per_minute", "period"),
    [
        (0, 400, timedelta(hours=84)),
        (100_000, 400, timedelta(hours=84)),
        (150_000, 400, timedelta(minutes=7500)),
        (10_000_000, 400, timedelta(days=7)),
        (1000, 1, timedelta(days=7)),
    ],
)
def test_looks_beneath_the_list_take_a_twentieth_of_the_limit(
    open_sessions: int, per_minute: int, period: timedelta
) -> None:
    assert net_period(open_sessions, per_minute, policy=Policy()) == period


def test_lists_follow_one_another_at_the_interval_and_what_has_ended_every_minute() -> None:
    policy = Policy()
    assert next_list_of_running(NOW, now=NOW, policy=policy) == NOW + timedelta(seconds=10)
    assert next_list_of_running(NOW, now=NOW + timedelta(hours=1), policy=policy) == NOW + timedelta(hours=1)
    assert next_list_of_ended(NOW, now=NOW, policy=policy) == NOW + timedelta(minutes=1)
