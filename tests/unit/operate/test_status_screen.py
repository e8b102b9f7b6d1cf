from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from service.operate.show import as_text
from service.operate.status_facts import Attention, Precision, Replica, Status, Waiting
from service.operate.status_screen import ROWS_MAX, screen
from service.operate.waits import WaitReason
from service.operate.words import WIDTH
from tests.unit.operate.examples import NOW, a_status, an_account, some_figures, some_invites


def text_of(status: Status, **over: Any) -> str:
    text = as_text(screen(status, **over))
    assert all(len(line) <= WIDTH for line in text.splitlines()), text
    return text


def flat(status: Status) -> str:
    """Without the line breaks."""
    return " ".join(text_of(status).split())


def attention(number: int = 1) -> Any:
    row = Attention(
        since=NOW - timedelta(minutes=5),
        what="account",
        account="default",
        invite_id=None,
        code="PAUSED",
        why="Paused by anna: holidays.",
        statement="select zenhire.resume_account('default', 'the pause is over');",
    )
    return (row,) * number


def test_the_first_sentence_says_that_all_is_right() -> None:
    text = text_of(a_status(invites=some_invites(pending=3, completed=17)))
    assert text.startswith("All right: 20 invites (3 open), nothing needs a person.\n")
    assert "ATTENTION" not in text


def test_the_first_sentence_counts_what_needs_a_person() -> None:
    one = text_of(a_status(attention=attention(1), attention_count=1, invites=some_invites(completed=1)))
    assert one.startswith("1 thing needs a person: see ATTENTION. 1 invite (none open).\n")
    assert "     select zenhire.resume_account('default', 'the pause is over');\n" in one
    assert text_of(a_status(attention=attention(2), attention_count=2)).startswith("2 things need a person")


def test_a_long_list_is_cut_and_says_where_the_rest_is() -> None:
    text = text_of(a_status(attention=attention(100), attention_count=1_234))
    assert text.count("PAUSED:") == ROWS_MAX
    assert text.endswith("  and 1,224 more: select * from zenhire.attention;\n")


def test_attention_comes_first_where_the_end_may_be_cut_off() -> None:
    text = text_of(a_status(attention=attention(), attention_count=1), attention_first=True)
    assert text.index("ATTENTION\n") < text.index("INVITES")


def test_an_account_that_works_tells_how_soon_a_change_is_seen_and_was_and_what_it_used() -> None:
    figures = some_figures(
        outcomes=40, p50_seconds=Decimal("4.5"), p95_seconds=Decimal("9.8"), sent=140, pace=Decimal("0.70"), too_fast=3
    )
    said = flat(a_status(accounts=(an_account(),), figures=(figures,)))
    assert (
        "default: works; no look yet, no link yet A change is seen within 12 seconds. "
        "40 outcomes in the last day: half known within 4.5 s, 95 of 100 within 9.8 s. "
        "140 requests of 400 in the last minute; it goes at 70% of it, after a 429."
    ) in said


def test_what_has_not_happened_yet_is_not_told_in_numbers() -> None:
    said = flat(a_status(accounts=(an_account(),), figures=(some_figures(),)))
    assert said.endswith("no look yet, no link yet A change is seen within 12 seconds.")


def test_an_account_that_does_not_work_promises_nothing() -> None:
    said = flat(a_status(accounts=(an_account(key_present=False),), figures=(some_figures(sent=9),)))
    assert "seen within" not in said
    assert "9 requests" not in said


def test_numbers_that_are_not_counted_are_marked_as_such() -> None:
    about = text_of(a_status(invites=some_invites(Precision.ESTIMATED, completed=1_000_000, pending=5)))
    assert about.startswith("All right: about 1,000,005 invites (5 open),")
    assert "  completed     ~1,000,000" in about
    assert "~: from the table's statistics" in about
    at_least = text_of(a_status(invites=some_invites(Precision.AT_LEAST, completed=10_001)))
    assert at_least.startswith("All right: more than 10,001 invites")
    assert "  completed       >=10,001" in at_least


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (WaitReason.TIME, "their time has not come; the first in 20 s"),
        (WaitReason.NO_KEY, "no replica has a key for their account"),
        (WaitReason.PAUSED, "their account is paused"),
        (WaitReason.STOPPED, "their account is stopped (SOME_CODE); next probe in 20 s"),
        (
            WaitReason.TOLD_TO_WAIT,
            "their account waits: ZenHire asked it to, or could not be reached; it goes on in 20 s",
        ),
        (WaitReason.PERSONA, "their persona is being found or created (SOME_CODE); next try in 20 s"),
        (WaitReason.TURN, "no replica is running that would start them"),
    ],
)
def test_each_reason_to_wait_is_told_in_words(reason: WaitReason, said: str) -> None:
    waiting = Waiting(
        what="pending",
        account="default",
        reason=reason,
        count=3,
        since=NOW,
        code="SOME_CODE" if reason in {WaitReason.STOPPED, WaitReason.PERSONA} else None,
        next_at=None if reason in {WaitReason.NO_KEY, WaitReason.PAUSED} else NOW + timedelta(seconds=20),
    )
    assert f" 3 pending: {said} SESSIONS" in flat(a_status(waiting=(waiting,)))


def test_a_silent_replica_is_told_apart_from_a_live_one() -> None:
    common: dict[str, Any] = {
        "id": UUID(int=7),
        "host": "host-1",
        "pid": 7,
        "version": "0.1.0",
        "started_at": NOW,
        "leases": 3,
    }
    live = Replica(last_tick_at=NOW - timedelta(seconds=2), is_live=True, **common)
    text = text_of(a_status(replicas=(live,)))
    assert "  host-1, process 7, version 0.1.0: last tick 2 s ago, holds 3 leases\n" in text
    silent = Replica(last_tick_at=NOW - timedelta(minutes=9), is_live=False, **common)
    text = flat(a_status(replicas=(silent,), last_tick_at=silent.last_tick_at))
    assert "none is running; the last ticked 9 min ago: start one with `zenhire-sync run`" in text
    assert "SILENT, last tick 9 min ago" in text


def test_accounts_that_do_not_work_come_first_with_the_reason() -> None:
    broken = an_account(
        account="zeta",
        stop_code="VENDOR_FAILING",
        stop_message="5 different invites in a row got the same bad result",
        stop_scope="starts",
        stopped_at=NOW - timedelta(minutes=5),
        probe_at=NOW + timedelta(seconds=20),
    )
    text = text_of(a_status(accounts=(an_account(), broken)))
    assert text.index("  zeta: STOPPED, looks go on") < text.index("  default: works")
    assert "Stopped for 5 min: VENDOR_FAILING, 5 different invites" in text
    assert "Next probe in 20 s." in flat(a_status(accounts=(broken,)))
