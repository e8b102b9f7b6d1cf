"""What `verify` shows: 80 columns for a person, names that stay for programs, and how far a long run has come."""

import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from service.core.findings import Finding, Kind, Level
from service.operate.progress import Progress
from service.operate.show import as_text
from service.operate.verify_report import Report, as_document, screen
from service.operate.verify_state import FINDINGS_KEPT_MAX, Reach, State, restored

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
STATEMENT = "update zenhire.interview_sessions set next_collect_at = zenhire.clock() where post_id = '0' and true;"


def a_finding(kind: Kind = Kind.LOOK_OVERDUE, level: Level = Level.DRIFT, number: int = 1) -> Finding:
    return Finding(
        kind=kind,
        level=level,
        account="default",
        what="The look was due at 2026-11-23 07:00 UTC, and nobody has looked since: something does not do its work.",
        invite_id=UUID(int=number),
        session_id="a-session",
        mended_by="watch",
        statement=STATEMENT if level == Level.DRIFT else None,
    )


def a_report(*findings: Finding, failure: str | None = None, vendor: Reach | None = Reach.WHOLE) -> Report:
    state = State()
    state.checked.update(invites=1234, posts=2345, transcripts=1)
    state.add(findings)
    if vendor is not None:
        counts = {"sessions": 2346, "pages": 24, "not_ours": 3, "looks": 0, "requests": 25}
        state.vendor["default"] = {"reach": str(vendor), "why": "the list shows no way to its next page", **counts}
    return Report(
        run_id=UUID(int=7),
        scope="database and ZenHire, all accounts",
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=4),
        resumed=False,
        state=state,
        failure=failure,
    )


def shown(report: Report) -> str:
    text = as_text(screen(report))
    assert all(len(line) <= 80 for line in text.splitlines()), text
    return text


@pytest.mark.parametrize(
    ("findings", "failure", "code"),
    [
        ([], None, 0),
        ([a_finding(level=Level.IN_PROGRESS), a_finding(level=Level.NOTE)], None, 0),
        ([a_finding()], None, 3),
        ([a_finding()], "account default: ZenHire could not be reached", 3),
        ([a_finding(level=Level.NOTE)], "account default: ZenHire could not be reached", 1),
    ],
)
def test_drift_counts_before_failure_and_the_rest_not_at_all(
    findings: list[Finding], failure: str | None, code: int
) -> None:
    assert a_report(*findings, failure=failure).exit_code == code


def test_a_clean_run_says_so_and_what_it_has_checked() -> None:
    text = shown(a_report())
    assert text.startswith("Clean: everything fits.\n")
    assert "database: 1,234 invites, 2,345 posts, 1 transcript\n" in text
    assert "2,346 sessions of its list, 25 requests, 3 of them not ours; the whole list" in " ".join(text.split())


def test_counts_come_first_and_each_finding_has_what_mends_it() -> None:
    findings = [a_finding(), a_finding(Kind.FINAL_THERE, Level.IN_PROGRESS), a_finding(Kind.NOT_LISTED, Level.NOTE)]
    text = shown(a_report(*findings))
    assert text.startswith("Drift: 1 thing does not fit.\n")
    assert "  look_overdue                          1              -        -\n" in text
    assert text.index("FOUND") < text.index("DRIFT:") < text.index("IN PROGRESS:") < text.index("NOTES")
    assert "  1. look_overdue: invite 00000000-0000-0000-0000-000000000001, session" in text
    assert "After this statement the step watch mends it:\n     update zenhire.interview_sessions" in text
    assert "The step watch mends it, once it gets to it." in text


def test_a_part_that_is_unproven_is_not_called_whole() -> None:
    assert "NOT the whole list: the list shows no way" in " ".join(shown(a_report(vendor=Reach.IN_PART)).split())
    assert "ZenHire was not asked" in shown(a_report(vendor=None))


def test_of_many_findings_the_first_are_shown_and_all_are_counted() -> None:
    report = a_report(*(a_finding(number=number) for number in range(FINDINGS_KEPT_MAX + 500)))
    text = shown(report)
    assert "Drift: 1,500 things do not fit." in text
    assert "and 1,480 more: --json has them" in text
    document = as_document(report)
    assert (len(document["findings"]), document["findings_left_off"]) == (1000, 500)


def test_the_document_has_names_that_stay() -> None:
    document = as_document(a_report(a_finding()))
    assert document.keys() == {
        "schema", "run_id", "exit_code", "clean", "failure", "scope", "started_at", "finished_at", "resumed", "checked",
        "vendor", "counts", "findings", "findings_left_off",
    }  # fmt: skip
    assert (document["schema"], document["counts"]["drift"]) == (1, {"look_overdue": 1})
    assert document["findings"][0] == {
        "kind": "look_overdue",
        "level": "drift",
        "account": "default",
        "what": a_finding().what,
        "invite_id": str(UUID(int=1)),
        "post_id": None,
        "session_id": "a-session",
        "mended_by": "watch",
        "statement": STATEMENT,
    }


def test_a_state_that_was_written_down_is_the_same_again() -> None:
    state = a_report(a_finding(), a_finding(Kind.NOT_LISTED, Level.NOTE)).state
    again = restored(state.to_save())
    assert (again.findings, again.by_level(), again.checked) == (state.findings, state.by_level(), state.checked)


class TestProgress:
    def test_a_pipe_gets_a_line_now_and_then(self) -> None:
        at = [0.0]
        stream = io.StringIO()
        progress = Progress(stream, lambda: at[0])
        for second in range(25):
            at[0] = float(second)
            progress.note(f"{second} done", part=second / 25)
        progress.clear()
        assert stream.getvalue() == "10 done\n20 done\n"

    def test_a_terminal_has_one_line_that_moves_and_goes(self) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        at = [0.0]
        stream = Terminal()
        progress = Progress(stream, lambda: at[0])
        for second in (1, 2):
            at[0] = float(second)
            progress.note(f"{second} done", part=second / 4)
        progress.say("Something else.")
        assert "\r[#####---------------] 1 done" in stream.getvalue()
        assert "\r[##########----------] 2 done" in stream.getvalue()
        assert "\n" not in stream.getvalue().partition("Something")[0]
        assert stream.getvalue().endswith("\rSomething else.\n")
