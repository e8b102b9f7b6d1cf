"""What a run of `verify` has found and how far it has come: all of it can be written down and read again."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any
from uuid import UUID

from service.core.findings import Finding, Kind, Level
from service.postgres.verify_runs import UNANSWERED, Saved

VENDOR = "vendor"  #: the part that asks the vendor

FINDINGS_KEPT_MAX = 1000  #: the counts go on


class Reach(StrEnum):
    """How far an account could be checked. The names are part of `verify --json` and stay."""

    WHOLE = "whole"  #: the list was walked to its end
    IN_PART = "in_part"  #: the list shows no way to its next page
    FAILED = "failed"
    NOTHING_KNOWN = "nothing_known"  #: no replica has ever worked for it


@dataclass(slots=True)
class State:
    """Grows while a run goes on."""

    position: dict[str, Any] = field(default_factory=dict)
    vendor: dict[str, dict[str, Any]] = field(default_factory=dict)  #: by account, as far as they are done
    unanswered: dict[str, dict[str, Any]] = field(default_factory=dict)  #: where the next run goes on, by account
    checked: Counter[str] = field(default_factory=Counter)
    counts: Counter[tuple[Level, Kind]] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    _keys: set[tuple[object, ...]] = field(default_factory=set)  #: of the findings that are kept
    _unsaved: bool = False

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if finding.key in self._keys:
                continue  # rows move from page to page while a list is read
            self.counts[finding.level, finding.kind] += 1
            if len(self.findings) < FINDINGS_KEPT_MAX:
                self.findings.append(finding)
                self._keys.add(finding.key)
                self._unsaved = True

    def drop(self, gone: Callable[[Finding], bool]) -> None:
        """Forget findings of an earlier moment that hold no more."""
        for finding in [finding for finding in self.findings if gone(finding)]:
            self.findings.remove(finding)
            self._keys.discard(finding.key)
            self.counts[finding.level, finding.kind] -= 1
            self._unsaved = True

    @property
    def total(self) -> int:
        return self.counts.total()

    @property
    def has_drift(self) -> bool:
        return any(count for (level, _), count in self.counts.items() if level == Level.DRIFT)

    def by_level(self) -> dict[str, dict[str, int]]:
        """The counts by level and kind, none of them zero."""
        found = {
            level: {kind: self.counts[level, kind] for kind in Kind if self.counts[level, kind]} for level in Level
        }
        return {str(level): {str(kind): count for kind, count in counts.items()} for level, counts in found.items()}

    def to_save(self) -> Saved:
        findings = [document_of(finding) for finding in self.findings] if self._unsaved else None
        self._unsaved = False
        unanswered = {UNANSWERED: self.unanswered} if self.unanswered else {}
        return Saved(
            position=self.position | unanswered,
            vendor=self.vendor,
            checked=dict(self.checked),
            counts=self.by_level(),
            findings=findings,
        )


def restored(saved: Saved) -> State:
    """What a run had come to; the accounts that could not be checked have their turn again."""
    counts = {
        (Level(level), Kind(kind)): count for level, kinds in saved.counts.items() for kind, count in kinds.items()
    }
    findings = [finding_of(document) for document in saved.findings or []]
    return State(
        position={name: value for name, value in saved.position.items() if name != UNANSWERED},
        vendor={name: part for name, part in saved.vendor.items() if part["reach"] != Reach.FAILED},
        unanswered=saved.position.get(UNANSWERED, {}),
        checked=Counter(saved.checked),
        counts=Counter(counts),
        findings=findings,
        _keys={finding.key for finding in findings},
    )


def document_of(finding: Finding) -> dict[str, Any]:
    """A finding as `verify --json` shows it and the run's row keeps it."""
    values = ((item.name, getattr(finding, item.name)) for item in fields(finding))
    return {name: str(value) if value is not None else None for name, value in values}


def finding_of(document: dict[str, Any]) -> Finding:
    ids = {name: UUID(document[name]) if document[name] else None for name in ("invite_id", "post_id")}
    return Finding(**document | ids | {"kind": Kind(document["kind"]), "level": Level(document["level"])})
