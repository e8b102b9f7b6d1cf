from datetime import timedelta
from typing import Any

import pytest

from service.core.model import InviteStatus, PostState
from service.operate.explain_next import sentences, what_is_next
from service.operate.waits import WaitReason
from tests.unit.operate.examples import NOW, a_invite, a_post, a_record, an_account

SOON = NOW + timedelta(seconds=20)


def pending(reason: WaitReason, **over: Any) -> Any:
    return a_invite(status=InviteStatus.PENDING, link_number=0, has_link=False, wait_reason=reason, **over)


STOPPED = an_account(
    stop_code="INVALID_API_KEY",
    stop_message="the vendor answered 401 INVALID_API_KEY: The key is unknown.",
    stop_scope="everything",
    stopped_at=NOW - timedelta(minutes=5),
    probe_at=SOON,
)
WHY_STOPPED = "Stopped for 5 min: the vendor answered 401 INVALID_API_KEY: The key is unknown. Next probe in 20 s."


def test_an_open_link_is_looked_at_next_with_the_reason_on_the_row() -> None:
    assert sentences(a_record(a_invite(), a_post())) == [
        "The candidate may open the link until 2026-11-29 12:00 UTC (in 6 days).",
        "Next look in 42 s because the link is new.",
    ]


def test_a_link_that_has_run_out_waits_for_its_last_look() -> None:
    invite = a_invite(link_expires_at=NOW - timedelta(seconds=1))
    assert sentences(a_record(invite, a_post()))[0] == "The link has run out; a last look decides whether it was used."


def test_a_further_link_is_announced_while_one_is_allowed() -> None:
    said = sentences(a_record(a_invite(max_links=2), a_post()))
    assert said[-1] == "If this link dies without a result, it gets link 2 of 2."


def test_looks_of_a_stopped_account_wait_and_the_account_says_why() -> None:
    said = sentences(a_record(a_invite(status=InviteStatus.IN_PROGRESS), a_post(), account=STOPPED))
    assert said == [f"Next look in 42 s because the link is new. But account default does not work. {WHY_STOPPED}"]


def test_without_a_replica_that_is_said_first() -> None:
    silent = a_record(a_invite(), a_post(), last_tick_at=NOW - timedelta(minutes=5))
    assert sentences(silent)[0].startswith("No replica is running (the last ticked 5 min ago): nothing happens")
    assert "none has ever run" in sentences(a_record(a_invite(), last_tick_at=None))[0]


def test_a_finished_invite_does_not_need_a_replica() -> None:
    done = a_invite(status=InviteStatus.COMPLETED)
    assert sentences(a_record(done, a_post(next_look_at=None), last_tick_at=None)) == ["Nothing more: it is completed."]


@pytest.mark.parametrize(
    ("invite", "account", "said"),
    [
        (
            pending(WaitReason.TIME, start_after=NOW + timedelta(hours=3), wait_until=NOW + timedelta(hours=3)),
            an_account(),
            "Waits for its time: no link before 2026-11-23 15:00 UTC (in 3 h).",
        ),
        (
            pending(WaitReason.NO_KEY),
            None,
            "Waits: account default does not work. No replica has ever had a key for it.",
        ),
        (
            pending(WaitReason.PAUSED),
            an_account(paused_at=NOW - timedelta(hours=2), paused_by="anna", pause_reason="holidays"),
            "Waits: account default does not work. Paused 2 h ago by anna: holidays.",
        ),
        (
            pending(WaitReason.STOPPED),
            STOPPED,
            f"Waits: account default does not work. {WHY_STOPPED}",
        ),
        (
            pending(WaitReason.TOLD_TO_WAIT, wait_until=SOON),
            an_account(waits_until=SOON),
            "Waits: ZenHire asked account default to wait, or could not be reached; it goes on in 20 s.",
        ),
        (
            pending(WaitReason.PERSONA, role_name="Nurse", language="en"),
            an_account(),
            "Waits for its persona: one for role “Nurse” in language “en” is being found or created.",
        ),
        (
            pending(
                WaitReason.PERSONA,
                role_name="Nurse",
                language="en",
                persona_error_code="NO_ANSWER",
                persona_error="no reply",
                wait_until=SOON,
            ),
            an_account(),
            "Waits for its persona, for role “Nurse” in language “en”: NO_ANSWER, no reply. Next try in 20 s.",
        ),
        (
            pending(WaitReason.TURN),
            an_account(),
            "Waits for its turn: the link is asked for as soon as the request budget allows.",
        ),
    ],
)
def test_a_pending_invite_says_what_it_waits_for(invite: Any, account: Any, said: str) -> None:
    assert sentences(a_record(invite, account=account)) == [said]


def test_an_invite_that_wants_its_second_link_and_has_a_time_limit_says_both() -> None:
    invite = pending(WaitReason.TURN, stop_after=NOW + timedelta(days=3))
    again = a_record(a_invite(**{**_values(invite), "link_number": 1}))
    assert sentences(again)[1:] == [
        "It is to get link 2; the one before is dead.",
        "Without a link by 2026-11-26 12:00 UTC (in 3 days) it is cancelled.",
    ]


def _values(of: Any) -> dict[str, Any]:
    return {name: getattr(of, name) for name in of.__dataclass_fields__}


@pytest.mark.parametrize(
    ("post", "begins"),
    [
        (
            a_post(state=PostState.POSTING, lease_until=SOON, session_id=None, next_look_at=None),
            "ZenHire is being asked for the link, since 60 s ago.",
        ),
        (
            a_post(state=PostState.POSTING, lease_until=NOW, session_id=None, next_look_at=None),
            "The replica that asked for the link stopped before the answer was stored; another takes over now.",
        ),
        (
            a_post(state=PostState.LOST, repost_at=SOON, session_id=None, next_look_at=None),
            "The link is asked for again in 20 s, because 1 post had an unknown result.",
        ),
    ],
)
def test_a_starting_invite_says_where_its_post_is(post: Any, begins: str) -> None:
    invite = a_invite(status=InviteStatus.STARTING, link_number=0, has_link=False)
    (said,) = sentences(a_record(invite, post))
    assert said.startswith(begins)


def test_a_completed_invite_waits_for_its_transcript_and_a_late_survey() -> None:
    post = a_post(next_collect_at=SOON, last_collect="not_ready", next_look_reason="the candidate may still answer")
    assert sentences(a_record(a_invite(status=InviteStatus.COMPLETED), post)) == [
        "The transcript is asked for in 20 s because ZenHire has not made it yet.",
        "Next look in 42 s because the candidate may still answer.",
    ]


def test_a_cancelled_invite_says_that_its_link_still_works() -> None:
    said = sentences(a_record(a_invite(status=InviteStatus.CANCELLED), a_post()))
    assert said[0] == "Nothing more by itself: it is cancelled."
    assert said[1].startswith("ZenHire cannot revoke a link: its link works until 2026-11-29 12:00 UTC.")


def test_a_refused_invite_offers_the_statement_that_tries_again() -> None:
    invite = a_invite(status=InviteStatus.REFUSED, error_code="PERSONA_NOT_FOUND", link_number=0)
    lines = [line.text for line in what_is_next(a_record(invite))]
    assert lines == [
        "  Nothing more by itself: ZenHire refused it (PERSONA_NOT_FOUND).",
        "  A person must decide. Once the cause is mended, this tries again:",
        "    select zenhire.retry_invite('00000000-0000-0000-0000-000000000001',",
        "      'the cause is mended');",
    ]


def test_after_its_time_to_stop_no_invite_is_promised_a_link() -> None:
    refused = a_invite(status=InviteStatus.REFUSED, error_code="PERSONA_NOT_FOUND", link_number=0, stop_after=NOW)
    assert sentences(a_record(refused)) == [
        "Nothing more by itself: ZenHire refused it (PERSONA_NOT_FOUND).",
        "It wants no link after 2026-11-23 12:00 UTC: set its stop_after first, to try again.",
    ]
    assert not any("retry_invite" in line.text for line in what_is_next(a_record(refused)))
    for stop_after, promised in ((SOON, True), (NOW, False)):
        said = sentences(a_record(a_invite(max_links=2, stop_after=stop_after), a_post()))
        assert any("it gets link 2 of 2" in line for line in said) is promised
