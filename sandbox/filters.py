"""The filters of `GET /sessions`: names, case and syntax are the profile's, for no page tells them (contract §2.3)."""

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.model import Session, Status
from sandbox.profile import Errors, Listing
from sandbox.refusals import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list request asks for. Marks are keys of the register's index; all must be borne."""

    statuses: frozenset[str] | None = None
    marks: tuple[Hashable, ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None

    def fits(self, session: Session) -> bool:
        if self.statuses is not None and session.status not in self.statuses:
            return False
        borne = marks_of(session) if self.marks else ()
        return all(mark in borne for mark in self.marks)


def marks_of(session: Session) -> list[Hashable]:
    """Everything a session can be found by."""
    marks: list[Hashable] = [("persona_id", session.persona.id)]
    if session.candidate_ref is not None:
        marks.append(("candidate_ref", session.candidate_ref))
    marks += [("metadata", key, metadata_text(value)) for key, value in (session.metadata or {}).items()]
    marks += [("tags", tag) for tag in session.tags or ()]
    if session.source != "requests":
        marks.append(("source", session.source))
    return marks


def metadata_text(value: Any) -> str:
    """How a metadata value is written in a query: booleans and numbers as in JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def parse_filters(
    parameters: Sequence[tuple[str, str]],
    listing: Listing,
    errors: Errors,
) -> tuple[Filters, list[str]]:
    """The filters that this vendor honours, and the names of the parameters it does not know."""
    reader = _Reader(listing, errors)
    unknown = [name for name, value in parameters if not reader.take(name, value)]
    return reader.filters(), unknown


class _Reader:
    def __init__(self, listing: Listing, errors: Errors) -> None:
        self._listing = listing
        self._errors = errors
        self._statuses: list[str] = []
        self._asked_status = False
        self._marks: list[Hashable] = []
        self._dates: dict[str, datetime] = {}

    def filters(self) -> Filters:
        return Filters(
            statuses=frozenset(self._statuses) if self._asked_status else None,
            marks=tuple(dict.fromkeys(self._marks)),
            created_after=self._dates.get("created_after"),
            created_before=self._dates.get("created_before"),
        )

    def take(self, name: str, value: str) -> bool:
        """Whether this parameter means anything here."""
        metadata = self._metadata(name, value)
        if metadata is not None:
            self._marks += metadata
            return True
        for known in self._listing.filters:
            if name == self._spelled(known):
                self._take_known(known, value)
                return known != "metadata"
        return False

    def _spelled(self, known: str) -> str:
        if known == "tags":
            return self._listing.tag_parameter
        if self._listing.case == "snake":
            return known
        first, *others = known.split("_")
        return first + "".join(other.capitalize() for other in others)

    def _take_known(self, known: str, value: str) -> None:
        match known:
            case "status":
                self._take_status(value)
            case "candidate_ref" | "persona_id":
                self._marks.append((known, value))
            case "tags":
                self._marks += [("tags", tag.strip()) for tag in value.split(",")]
            case "created_after" | "created_before":
                self._take_date(known, value)
            case _:  # metadata in another syntax than this vendor's
                pass

    def _take_status(self, value: str) -> None:
        statuses = value.split(",") if self._listing.several_statuses == "comma" else [value]
        known = [status for status in statuses if status in set(Status)]
        if len(known) < len(statuses) and self._listing.bad_values == "reject":
            raise Refusal(400, "INVALID_STATUS", f"status must be one of {', '.join(Status)}")
        if self._asked_status and self._listing.several_statuses != "repeated":
            self._statuses.clear()
        if known:
            self._asked_status = True
            self._statuses += known

    def _take_date(self, known: str, value: str) -> None:
        try:
            # A "+" that was not percent-encoded arrives as a space.
            read = datetime.fromisoformat(value.replace(" ", "+"))
        except ValueError:
            if self._listing.bad_values == "reject":
                raise Refusal(400, "INVALID_DATE", f"{self._spelled(known)} must be an ISO 8601 date") from None
            return
        self._dates[known] = read if read.tzinfo is not None else read.replace(tzinfo=UTC)

    def _metadata(self, name: str, value: str) -> list[Hashable] | None:
        """The pairs asked for, where the parameter is a metadata filter in this vendor's syntax; else None."""
        if "metadata" not in self._listing.filters:
            return None
        match self._listing.metadata_syntax:
            case "bracket" if name.startswith("metadata[") and name.endswith("]"):
                return [("metadata", name[len("metadata[") : -1], value)]
            case "dot" if name.startswith("metadata."):
                return [("metadata", name[len("metadata.") :], value)]
            case "pair" if name == "metadata":
                key, _, wanted = value.partition(":")
                return [("metadata", key, wanted)]
            case "json" if name == "metadata":
                return self._json_pairs(value)
            case _:
                return None

    def _json_pairs(self, value: str) -> list[Hashable]:
        try:
            pairs = dict(json.loads(value).items())
        except (ValueError, AttributeError):
            if self._listing.bad_values == "reject":
                raise Refusal(400, self._errors.invalid_code, "metadata must be a JSON object") from None
            return []
        return [("metadata", key, metadata_text(wanted)) for key, wanted in pairs.items()]
