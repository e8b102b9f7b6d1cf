"""What a body may hold: the documented limits of the two POSTs, checked as the vendor would (contract §2.1, §2.2)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.profile import Errors
from sandbox.refusals import Refusal

CANDIDATE_REF_MAX = 256
_CONSENT_MODES = ("explicit", "integrator")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaRequest:
    role_name: str
    language: str
    system_prompt: str | None
    base_prompt_override: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    consent_mode: str
    candidate_ref: str | None
    metadata: dict[str, Any] | None
    tags: list[str] | None


class _Fields:
    """Reads fields one by one and keeps every complaint, so that one 400 tells them all."""

    def __init__(self, document: Any, errors: Errors) -> None:
        if not isinstance(document, dict):
            raise Refusal(400, errors.invalid_code, "The request body must be a JSON object")
        self._document = document
        self._errors = errors
        self._complaints: dict[str, list[str]] = {}

    def complain(self, name: str, message: str) -> None:
        self._complaints.setdefault(name, []).append(message)

    def text(self, name: str, longest: int | None, *, required: bool = False) -> str | None:
        value = self._document.get(name)
        if value is None and not required:
            return None
        if not isinstance(value, str) or (required and not value.strip()):
            self.complain(name, "is required" if required else "must be a string")
            return None
        if longest is not None and len(value) > longest:
            self.complain(name, f"must be at most {longest} characters")
        return value

    def read(self, name: str, parse: "Callable[[Any, _Fields], Any]") -> Any:
        value = self._document.get(name)
        return None if value is None else parse(value, self)

    def checked(self) -> None:
        if self._complaints:
            names = ", ".join(sorted(self._complaints))
            raise Refusal(
                400,
                self._errors.invalid_code,
                f"Invalid input: {names}",
                details={"fields": self._complaints},
            )


def parse_persona(document: Any, errors: Errors) -> PersonaRequest:
    fields = _Fields(document, errors)
    request = PersonaRequest(
        role_name=fields.text("role_name", 200, required=True) or "",
        language=fields.text("language", 64, required=True) or "",
        system_prompt=fields.text("system_prompt", 20_000),
        base_prompt_override=fields.text("base_prompt_override", None),
    )
    fields.checked()
    return request


def parse_session(document: Any, errors: Errors) -> SessionRequest:
    fields = _Fields(document, errors)
    consent = fields.text("consent_mode", None, required=True) or ""
    if consent and consent not in _CONSENT_MODES:
        fields.complain("consent_mode", f"must be one of {', '.join(_CONSENT_MODES)}")
    request = SessionRequest(
        consent_mode=consent,
        candidate_ref=_candidate_ref(fields, errors),
        metadata=fields.read("metadata", _metadata),
        tags=fields.read("tags", _tags_within if errors.excess_tags == "reject" else _tags_cut),
    )
    fields.checked()
    return request


def _candidate_ref(fields: _Fields, errors: Errors) -> str | None:
    if errors.long_candidate_ref == "reject":
        return fields.text("candidate_ref", CANDIDATE_REF_MAX)
    text = fields.text("candidate_ref", None)
    return None if text is None else text[:CANDIDATE_REF_MAX]


def _metadata(value: Any, fields: _Fields) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        fields.complain("metadata", "must be an object")
        return None
    if len(value) > 50:
        fields.complain("metadata", "must have at most 50 keys")
    for key, held in value.items():
        if len(key) > 40:
            fields.complain("metadata", f"key {key[:40]!r}… is longer than 40 characters")
        if not isinstance(held, str | int | float):  # a bool is an int
            fields.complain("metadata", f"value of {key!r} must be a string, a number or a boolean")
        elif isinstance(held, str) and len(held) > 500:
            fields.complain("metadata", f"value of {key!r} is longer than 500 characters")
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")) > 8192:
        fields.complain("metadata", "must be at most 8 KB in all")
    return value or None


def _tags_within(value: Any, fields: _Fields) -> list[str] | None:
    tags = _tags(value, fields)
    if len(tags) > 20:
        fields.complain("tags", "must be at most 20 distinct tags")
    return tags or None


def _tags_cut(value: Any, fields: _Fields) -> list[str] | None:
    return _tags(value, fields)[:20] or None


def _tags(value: Any, fields: _Fields) -> list[str]:
    """Trimmed and without repetitions, as the sibling module documents it."""
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        fields.complain("tags", "must be an array of strings")
        return []
    tags = list(dict.fromkeys(tag.strip() for tag in value))
    if not all(1 <= len(tag) <= 40 for tag in tags):
        fields.complain("tags", "each tag must have 1 to 40 characters")
    return tags
