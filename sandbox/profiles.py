"""Named vendors, and profiles that come from outside: a TOML file, or settings such as `listing.paging=cursor`."""

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.faults import FaultKind, FaultRule, Faults, parse_rule
from sandbox.profile import Errors, Limits, Listing, Profile, Shapes


class Named(NamedTuple):
    """A built-in profile and one sentence on what it is for."""

    profile: Profile
    about: str


BUILT_IN: Mapping[str, Named] = {
    "likely": Named(Profile(), "the contract's best inferences; where you start"),
    "bare": Named(
        Profile(
            shapes=Shapes(session_id_field="both", override_on_create=False, recording_length_header=False),
            listing=Listing(paging="none", filters=(), marks=()),
            errors=Errors(envelope="interview", not_ready_status=404),
        ),
        "the list endpoint shows the newest 20 and ignores every parameter",
    ),
    "speech": Named(
        Profile(
            listing=Listing(
                paging="page",
                case="camel",
                filters=("status", "candidate_ref", "created_after"),
                several_statuses="refused",
                marks=("total",),
                marks_under="pagination",
            ),
            limits=Limits(requests_per_minute=500, poll_spacing_seconds=10),
        ),
        "as the sibling module for speech is documented: camelCase filters, 500 requests a minute, 10 s between looks",
    ),
    "deepmatch": Named(
        Profile(
            shapes=Shapes(empty_collections="empty", transcript="array", timeout_shown="error"),
            listing=Listing(paging="cursor", envelope="items", unknown_parameters="reject", order="oldest"),
            errors=Errors(
                envelope="deepmatch",
                not_found_code="REQUEST_NOT_FOUND",
                unauthorized="unauthenticated",
                not_ready_status=425,
                malformed_id="invalid",
            ),
            limits=Limits(requests_per_minute=500, retry_after="date", reinvite="new", after_expiry="failed"),
        ),
        "as the sibling module for CV matching is documented: cursor paging, oldest first, unknown parameters refused",
    ),
    "old": Named(
        Profile(
            shapes=Shapes(session_id_field="session_id", timeout_shown="error_code", transcript_text="nul"),
            listing=Listing(paging="offset", envelope="", marks=(), metadata_syntax="pair", playground_rows=True),
            errors=Errors(
                unauthorized="permission",
                inactive_client_status=403,
                credit_details="cost_available",
                not_ready_status=400,
                excess_tags="truncate",
            ),
            limits=Limits(reinvite="new", retry_after="absent"),
        ),
        "the older field names, a list that is a bare array, refused keys answered with 403",
    ),
    "rough": Named(
        Profile(
            shapes=Shapes(transcript_text="surrogate"),
            limits=Limits(requests_per_minute=500),
            faults=Faults(
                latency_seconds=0.02,
                latency_jitter_seconds=0.05,
                rules=(FaultRule(kind=FaultKind.ANY, probability=1 / 3),),
            ),
        ),
        "a third of all answers broken, late or lost",
    ),
}


class ProfileError(ValueError):
    """A profile from outside that cannot be used, with every problem named."""


def built_in(name: str) -> Profile:
    if name not in BUILT_IN:
        raise ProfileError(f"no profile is called {name!r}; there are {', '.join(BUILT_IN)}, or give a .toml file")
    return BUILT_IN[name].profile


def load(name_or_file: str) -> Profile:
    """A built-in by its name, or a TOML file: its key `base` names the built-in it varies (default: likely)."""
    if not name_or_file.endswith(".toml"):
        return built_in(name_or_file)
    try:
        document = tomllib.loads(Path(name_or_file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ProfileError(f"profile {name_or_file}: {problem}") from problem
    base = built_in(str(document.pop("base", "likely")))
    return changed(base, dict(_flat(document)))


def parse_settings(settings: Iterable[str]) -> dict[str, Any]:
    """`["listing.paging=cursor"]` as `{"listing.paging": "cursor"}`."""
    parsed: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ProfileError(f"setting {setting!r}: write it as group.name=value")
        parsed[name] = value
    return parsed


def changed(profile: Profile, settings: Mapping[str, Any]) -> Profile:
    """The profile with settings by dotted name. Strings are converted; every problem is told at once."""
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - tests and benchmarks need no such import

    document = dataclasses.asdict(profile)
    for name, value in settings.items():
        _put(document, name, value)
    try:
        made = TypeAdapter(Profile).validate_python(document)
    except ValidationError as problem:
        lines = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in problem.errors()]
        raise ProfileError("profile: " + "; ".join(lines)) from None
    if made.speed <= 0:
        raise ProfileError("profile: speed: must be greater than 0")
    return made


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _put(document: dict[str, Any], dotted: str, value: Any) -> None:
    *groups, name = dotted.split(".")
    place: Any = document
    for group in groups:
        place = place.get(group) if isinstance(place, dict) else None
    if not isinstance(place, dict) or name not in place:
        known = ", ".join(key for key, _ in _flat(document))
        raise ProfileError(f"profile: there is no setting {dotted!r}; there are {known}")
    place[name] = _converted(dotted, place[name], value)


def _converted(dotted: str, old: Any, value: Any) -> Any:
    if dotted == "faults.rules":
        return _fault_rules(value)
    if isinstance(old, (list, tuple)) and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _fault_rules(value: Any) -> list[Any]:
    rules = value.split() if isinstance(value, str) else value
    if not isinstance(rules, (list, tuple)):
        raise ProfileError("profile: faults.rules: a list of rules such as 'lost_after@create_session:#3'")
    try:
        return [dataclasses.asdict(parse_rule(rule)) if isinstance(rule, str) else rule for rule in rules]
    except ValueError as problem:
        raise ProfileError(f"profile: faults.rules: {problem}") from None
