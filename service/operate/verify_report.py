"""What a run of `verify` came to: for a person at a terminal of 80 columns, and for programs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from service.core.findings import Finding, Kind, Level
from service.operate.show import Line, Tone, paragraph, statement
from service.operate.verify_state import Reach, State, document_of
from service.operate.words import counted, moment, span

CLEAN, FAILED, DRIFT = 0, 1, 3
SCHEMA = 1  #: of the JSON document; grows when a name changes or goes
SHOWN_MAX = 20  #: of each level; --json has the rest

_TITLES = {
    Level.DRIFT: "DRIFT: will not mend itself, or is overdue",
    Level.IN_PROGRESS: "IN PROGRESS: the service mends it by itself",
    Level.NOTE: "NOTES",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run that is over."""

    run_id: UUID
    scope: str
    started_at: datetime
    finished_at: datetime
    resumed: bool
    state: State
    failure: str | None  #: why a part could not be carried out

    @staticmethod
    def code(state: State, *, failure: str | None) -> int:
        """Drift that was found counts, also where the rest could not be carried out."""
        if state.has_drift:
            return DRIFT
        return CLEAN if failure is None else FAILED

    @property
    def exit_code(self) -> int:
        return self.code(self.state, failure=self.failure)


def as_document(report: Report) -> dict[str, Any]:
    """One document for programs. Names stay; new ones may come."""
    return {
        "schema": SCHEMA,
        "run_id": str(report.run_id),
        "exit_code": report.exit_code,
        "clean": report.exit_code == CLEAN,
        "failure": report.failure,
        "scope": report.scope,
        "started_at": report.started_at.isoformat(),
        "finished_at": report.finished_at.isoformat(),
        "resumed": report.resumed,
        "checked": dict(report.state.checked),
        "vendor": report.state.vendor,
        "counts": report.state.by_level(),
        "findings": [document_of(finding) for finding in report.state.findings],
        "findings_left_off": report.state.total - len(report.state.findings),
    }


def screen(report: Report) -> list[Line]:
    """Counts first, then each finding with what mends it."""
    return [
        *_headline(report),
        *_checked(report),
        *_counts(report.state),
        *(line for level in Level for line in _level(report, level)),
    ]


def _headline(report: Report) -> list[Line]:
    drift = sum(report.state.by_level()[Level.DRIFT].values())
    what = "1 thing does not fit" if drift == 1 else f"{drift:,} things do not fit"
    lines = []
    if drift:
        lines += paragraph(f"Drift: {what}.", tone=Tone.BAD)
    if report.failure is not None:
        lines += paragraph(f"Not all could be checked: {report.failure}", tone=Tone.BAD)
    if not lines:
        lines += paragraph("Clean: everything fits.", tone=Tone.GOOD)
    took = span(report.finished_at - report.started_at)
    resumed = ", taken up where it was cut short" if report.resumed else ""
    lines += paragraph(f"Run {report.run_id}, begun {moment(report.started_at)}{resumed}, {took}.")
    return lines


def _checked(report: Report) -> list[Line]:
    checked: Mapping[str, int] = report.state.checked
    parts = [counted(checked.get(name, 0), name.removesuffix("s")) for name in ("invites", "posts", "transcripts")]
    lines = [Line(), Line("CHECKED", Tone.TITLE)]
    lines += paragraph(f"database: {', '.join(parts)}", indent=2, hanging=4)
    for account, part in report.state.vendor.items():
        lines += paragraph(f"ZenHire, account {account}: {_reach(part)}", indent=2, hanging=4)
    if not report.state.vendor:
        lines += paragraph("ZenHire was not asked", indent=2, hanging=4)
    return lines


def _reach(part: Mapping[str, Any]) -> str:
    asked = f"{counted(part['sessions'], 'session')} of its list, {counted(part['requests'], 'request')}"
    others = f", {part['not_ours']:,} of them not ours" if part["not_ours"] else ""
    match part["reach"]:
        case Reach.WHOLE:
            return f"{asked}{others}; the whole list"
        case Reach.NOTHING_KNOWN:
            return f"not asked, {part['why']}"
        case Reach.IN_PART:
            return f"{asked}{others}; NOT the whole list: {part['why']}"
        case _:
            return f"{asked}{others}; then it FAILED: {part['why']}"


def _counts(state: State) -> list[Line]:
    if not state.total:
        return []
    lines = [Line(), Line(f"{'FOUND':<32}{'drift':>9}{'in progress':>15}{'notes':>9}", Tone.TITLE)]
    for kind in Kind:
        numbers = [state.counts[level, kind] for level in Level]
        if any(numbers):
            drift, in_progress, note = (f"{number:,}" if number else "-" for number in numbers)
            lines.append(Line(f"  {kind:<30}{drift:>9}{in_progress:>15}{note:>9}"))
    return lines


def _level(report: Report, level: Level) -> Iterator[Line]:
    total = sum(report.state.by_level()[level].values())
    if not total:
        return
    found = sorted((one for one in report.state.findings if one.level == level), key=_order)
    yield Line()
    yield Line(_TITLES[level], Tone.TITLE)
    for number, finding in enumerate(found[:SHOWN_MAX], start=1):
        yield from _finding(number, finding)
    left = total - min(len(found), SHOWN_MAX)
    if left:
        where = f"select findings from zenhire.verify_runs where id = '{report.run_id}';"
        yield Line(f"  and {left:,} more: --json has them, as has")
        yield from statement(where, indent=5)


def _order(finding: Finding) -> int:
    return [*Kind].index(finding.kind)


def _finding(number: int, finding: Finding) -> list[Line]:
    tone = Tone.BAD if finding.level == Level.DRIFT else Tone.PLAIN
    lines = paragraph(f"{number}. {finding.kind}: {_whose(finding)}", indent=2, hanging=5, tone=tone)
    lines += paragraph(finding.what, indent=5)
    lines += paragraph(_who_mends(finding), indent=5)
    if finding.statement is not None:
        lines += statement(finding.statement, indent=5)
    return lines


def _whose(finding: Finding) -> str:
    names: Sequence[tuple[str, object]] = (("invite", finding.invite_id), ("session", finding.session_id))
    told = [f"{name} {value}" for name, value in names if value is not None]
    if finding.session_id is None and finding.post_id is not None:
        told.append(f"post {finding.post_id}")
    return ", ".join(told) if told else f"account {finding.account}"


def _who_mends(finding: Finding) -> str:
    step = finding.mended_by
    match finding.statement, step:
        case None, None:
            return "Nothing mends this by itself: a person must look." if finding.level == Level.DRIFT else ""
        case None, _:
            return f"The step {step} mends it, once it gets to it."
        case _, None:
            return "This statement mends it:"
        case _:
            return f"After this statement the step {step} mends it:"
