"""The only reader of the environment: one frozen value with every setting, or one message with every problem."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from service.accounts import check_api_key, read_keys
from service.database_url import load_database_url, read_secret
from service.masking import mask
from service.problems import Problem, SettingsError
from service.settings_fields import SECRETS, Settings, allowed_values, floor_of, variable_names

__all__ = ["NOT_YET", "Settings", "SettingsError", "load"]

#: Part of the public interface, and not in this version. Refused rather than ignored: a retention rule that is
#: silently not kept would be a lie.
NOT_YET = (
    "SYNC_RECORDINGS_URL",
    "SYNC_HTTP_PORT",
    "SYNC_RETAIN_TRANSCRIPTS_DAYS",
    "SYNC_RETAIN_RECORDINGS_DAYS",
    "SYNC_RETAIN_LINKS_DAYS",
)

# Kubernetes puts such variables into a pod for every Service of its namespace, also for one named `zenhire-sync`.
_SERVICE_LINK = re.compile(r".*_SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)|.*_PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_[A-Z]+)?")
_KEY_ALLOWED = (
    "allowed is one of ZENHIRE_API_KEY, ZENHIRE_API_KEY_FILE (a file that holds the key) "
    "and ZENHIRE_API_KEYS_DIR (a directory with one file per account)"
)


def load(environ: Mapping[str, str], *, needs_key: bool = True) -> Settings:
    """The settings, or SettingsError with all that is wrong. An empty variable counts as unset, as in compose files."""
    problems = [*_names_problems(environ)]
    values: dict[str, Any] = {
        variable: value.strip()
        for variable in variable_names().values()
        if variable not in SECRETS and (value := environ.get(variable, "")).strip()
    }
    values |= {"DATABASE_URL": "postgresql://", **_read_secrets(environ, problems)}
    settings, rejected = _validate(values)
    problems += rejected
    wrong = {problem.variable for problem in problems}
    later = [*_keys_problems(settings, environ, needs_key=needs_key), *_cross_checks(settings, wrong)]
    problems += [problem for problem in later if problem.variable not in wrong]
    if problems:
        raise SettingsError(problems)
    return settings


def _names_problems(environ: Mapping[str, str]) -> Iterator[Problem]:
    known = {*variable_names().values(), *(f"{secret}_FILE" for secret in SECRETS)}
    for name in sorted(environ):
        if not name.upper().startswith(("SYNC_", "ZENHIRE_")) or name in known or _is_service_link(name, environ[name]):
            continue
        if name in NOT_YET:
            if environ[name].strip():
                yield Problem(variable=name, wrong="is not available in this version", allowed="unset it")
            continue
        near = get_close_matches(name.upper(), known, n=1, cutoff=0.75)
        hint = f"did you mean {near[0]}?" if near else "unset it, or look up the name in the table of settings"
        yield Problem(variable=name, wrong="is not a setting", allowed=hint)


def _is_service_link(name: str, value: str) -> bool:
    is_address = name.endswith("_PORT") and value.startswith(("tcp://", "udp://", "sctp://"))
    return is_address or _SERVICE_LINK.fullmatch(name) is not None


def _read_secrets(environ: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    values = {}
    try:
        values["DATABASE_URL"] = load_database_url(environ)
    except SettingsError as error:
        problems += error.problems
    try:
        key = read_secret(environ, "ZENHIRE_API_KEY")
        if key is not None:
            values["ZENHIRE_API_KEY"] = check_api_key(key)
    except SettingsError as error:
        problems += error.problems
    except ValueError as error:
        problems.append(Problem(variable="ZENHIRE_API_KEY", wrong=str(error), allowed="allowed is the key as issued"))
    return values


def _validate(values: dict[str, Any]) -> tuple[Settings, list[Problem]]:
    """The settings with each rejected value replaced by its default, so that the rest can still be checked."""
    try:
        return Settings.model_validate(values), []
    except ValidationError as error:
        rejected = [_rejection(detail) for detail in error.errors(include_url=False)]
        names = {problem.variable for problem in rejected}
        return Settings.model_validate({name: values[name] for name in values.keys() - names}), rejected


def _rejection(detail: Any) -> Problem:
    variable, kind, value = str(detail["loc"][0]), str(detail["type"]), detail["input"]
    field = next(field for field in Settings.model_fields.values() if field.validation_alias == variable)
    shown = f"{value.total_seconds():g}" if isinstance(value, timedelta) else repr(mask(str(value))[:60])
    match kind:
        case "value_error":  # the value itself is not shown: an address may hold a login
            wrong = str(detail["ctx"]["error"])
        case "greater_than_equal":
            wrong = f"{shown} is too small"
        case "less_than_equal":
            wrong = f"{shown} is too large"
        case _:
            wrong = f"{shown} is not understood"
    return Problem(variable=variable, wrong=wrong, allowed=f"allowed is {allowed_values(field)}")


def _keys_problems(settings: Settings, environ: Mapping[str, str], *, needs_key: bool) -> Iterator[Problem]:
    variable, directory = "ZENHIRE_API_KEYS_DIR", settings.api_keys_dir
    has_key = any(environ.get(name, "").strip() for name in ("ZENHIRE_API_KEY", "ZENHIRE_API_KEY_FILE"))
    if directory is None:
        if needs_key and not has_key:
            yield Problem(variable="ZENHIRE_API_KEY", wrong="is not set", allowed=_KEY_ALLOWED)
        return
    if has_key:
        yield Problem(variable=variable, wrong="is set, and ZENHIRE_API_KEY too", allowed=_KEY_ALLOWED)
    if not directory.is_dir():
        yield Problem(variable=variable, wrong=f"{directory} is not a directory", allowed=_KEY_ALLOWED)
        return
    keys, wrong = read_keys(directory)
    for name, reason in wrong.items():
        yield Problem(variable=variable, wrong=f"file {name!r}: {reason}", allowed="mend or remove the file")
    if not keys and not wrong:
        allowed = "put in one file per account, named like the account"
        yield Problem(variable=variable, wrong=f"{directory} holds no key", allowed=allowed)


def _cross_checks(settings: Settings, wrong: set[str]) -> Iterator[Problem]:
    """Rules between settings. A rule that rests on a rejected value would mislead, so it is left out."""
    if not {"SYNC_LEASE_SECONDS", "SYNC_HTTP_TIMEOUT_SECONDS"} & wrong and settings.http_timeout >= settings.lease / 2:
        allowed = "allowed is less than half of SYNC_LEASE_SECONDS, so that a slow request cannot outlive its lease"
        yield Problem(
            variable="SYNC_HTTP_TIMEOUT_SECONDS",
            wrong=f"{settings.http_timeout.total_seconds():g} is too long for a lease "
            f"of {settings.lease.total_seconds():g}",
            allowed=allowed,
        )
    if not {"ZENHIRE_BASE_URL", "SYNC_ALLOW_HTTP"} & wrong:
        yield from _plain_http(settings)
    if not {"ZENHIRE_BASE_URL", "SYNC_UNSAFE_FAST"} & wrong:
        yield from _floors(settings)


def _plain_http(settings: Settings) -> Iterator[Problem]:
    parts = urlsplit(settings.base_url)
    if parts.scheme == "http" and not settings.allow_http and not _is_loopback(parts.hostname or ""):
        allowed = "allowed is https://; for a sandbox on another host set SYNC_ALLOW_HTTP=true"
        yield Problem(
            variable="ZENHIRE_BASE_URL", wrong="is plain http, which shows the key to the network", allowed=allowed
        )


def _floors(settings: Settings) -> Iterator[Problem]:
    host = (urlsplit(settings.base_url).hostname or "").rstrip(".")
    if settings.unsafe_fast and (host == "zenhire.ai" or host.endswith(".zenhire.ai")):
        wrong = f"is not for the vendor's real host {host}"
        yield Problem(variable="SYNC_UNSAFE_FAST", wrong=wrong, allowed="unset it, or use the sandbox")
    if settings.unsafe_fast:
        return
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, timedelta) and value.total_seconds() < floor_of(field):
            yield Problem(
                variable=str(field.validation_alias),
                wrong=f"{value.total_seconds():g} is too small",
                allowed=f"allowed is {allowed_values(field)} (less only for the sandbox, with SYNC_UNSAFE_FAST=true)",
            )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
