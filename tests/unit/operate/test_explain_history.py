import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from service.core import model
from service.operate import explain_history
from service.operate.explain_facts import Happening
from service.operate.explain_history import in_words
from tests.unit.operate.examples import NOW, a_invite, a_post

SQL = Path(__file__).parents[3] / "migrations" / "sql" / "0001"
CORE = Path(model.__file__).parent


def happening(kind: str, **over: Any) -> Happening:
    values: dict[str, Any] = {"at": NOW, "post_id": None, "to_status": None, "reason": None, "actor": "operator"}
    return Happening(kind=kind, **values | over)


def told(*happenings: Happening) -> list[str]:
    return [line.text for line in explain_history.history(a_invite(), [a_post()], happenings)]


def test_every_event_that_the_program_writes_has_its_sentence() -> None:
    core = "".join(module.read_text() for module in CORE.glob("*.py"))
    kinds = set(re.findall(r'kind="(\w+)"', core))
    functions = "".join((SQL / name).read_text() for name in ("functions.sql", "new_links.sql"))
    kinds |= set(re.findall(r"'(invite_\w+)', invite\.status", functions))
    kinds |= set(re.findall(r"wait_for_turn\(invite, '(\w+)'", functions))
    kinds |= set(re.findall(r"invite\.id, '(\w+)', \w+\.reason", functions))
    kinds |= {"start_claimed", "stop_after_passed", "account_stopped", "late_session_recorded"}
    assert {
        "link_published",
        "search_ended",
        "invite_cancelled",
        "invite_retried",
        "new_link_wanted",
        "look_wanted",
    } <= kinds
    assert kinds <= explain_history._SENTENCES.keys()


def test_a_kind_of_a_later_version_is_told_by_its_name() -> None:
    assert in_words(happening("link_{0}_renewed", reason="so it is"), None) == "link {0} renewed: so it is"


def test_a_reason_is_told_with_its_code_once() -> None:
    refused = happening("invite_refused", reason="No such persona.", details={"code": "PERSONA_NOT_FOUND"})
    assert in_words(refused, None) == "ZenHire refused it: No such persona (PERSONA_NOT_FOUND)"
    named = happening("invite_refused", reason="got PERSONA_NOT_FOUND", details={"code": "PERSONA_NOT_FOUND"})
    assert in_words(named, None) == "ZenHire refused it: got PERSONA_NOT_FOUND"


def test_an_erased_event_still_tells_that_it_happened() -> None:
    erased = happening("transcript_stored", reason=None, details={})
    assert in_words(erased, None) == "the transcript is stored (? bytes)"


def test_an_event_names_its_link_and_post_and_where_the_invite_went() -> None:
    claimed = happening("start_claimed", post_id=UUID(int=2), to_status="starting")
    assert in_words(claimed, a_post(link_number=2, post_number=3)) == "asked ZenHire for link 2, post 3 → starting"


def test_what_repeats_itself_is_told_once_with_its_number_and_last_time() -> None:
    rounds = []
    for number in range(41):
        at, post = NOW + timedelta(minutes=number), UUID(int=number)
        rounds.append(happening("start_claimed", at=at, post_id=post, to_status="starting"))
        rounds.append(happening("post_not_made", at=at, post_id=post, to_status="pending", reason="told to wait"))
    lines = told(*rounds, happening("invite_cancelled", reason="no longer needed", to_status="cancelled"))
    assert len(lines) == 6
    assert lines[2:4] == [
        "  2026-11-23 12:00:00  no session was made, it waits again: told to wait →",
        "                       pending",
    ]
    assert lines[4] == "  2026-11-23 12:40:00  the same again, for the 41st time"
    assert lines[5].endswith("cancelled by operator: no longer needed → cancelled")


def test_a_claim_without_an_answer_yet_is_told() -> None:
    lines = told(happening("start_claimed", post_id=UUID(int=2), to_status="starting"))
    assert lines == [
        "  2026-11-23 11:00:00  inserted",
        "  2026-11-23 12:00:00  asked ZenHire for link 1 → starting",
    ]
