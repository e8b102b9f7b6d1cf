"""Every setting of this version: its variable, meaning, unit, default and bounds. `service.settings` fills them."""

import hashlib
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo

from service.core.model import Policy
from service.database_url import redact_database_url

VENDOR_URL = "https://platform.zenhire.ai/api/v1/interview"
SECRETS = ("DATABASE_URL", "ZENHIRE_API_KEY")


def _parse_seconds(value: object) -> object:
    if isinstance(value, str):
        if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,6})?", value) is None:
            raise ValueError("is not a number of seconds")
        return timedelta(seconds=float(value))
    return value


def _check_base_url(url: str) -> str:
    """Without echoing it: a URL with a login in it would be a secret."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("does not start with https://")
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("has a wrong host or port") from None
    if not host or not re.fullmatch(r"[\x21-\x7e]+", url):
        raise ValueError("has no host, or holds a space or a letter outside ASCII")
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError("holds a login, a query or a fragment")
    return url.rstrip("/")


Duration = Annotated[timedelta, BeforeValidator(_parse_seconds)]
Choice = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["json", "console"]


def _setting(variable: str, meaning: str, default: Any = ..., **bounds: Any) -> Any:
    return Field(default, validation_alias=variable, description=meaning, **bounds)


def _seconds(variable: str, meaning: str, default: float, *, floor: float, most: float) -> Any:
    """`floor` holds unless SYNC_UNSAFE_FAST is on; below 10 ms nothing is sensible."""
    return Field(
        timedelta(seconds=default),
        validation_alias=variable,
        description=meaning,
        ge=timedelta(milliseconds=10),
        le=timedelta(seconds=most),
        json_schema_extra={"floor": floor},
    )


class Settings(BaseModel):
    """Every setting of this version; made by `load`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: SecretStr = _setting(
        "DATABASE_URL",
        "`postgresql://user:password@host:port/database`; options of libpq (`?sslmode=require`) work",
    )
    api_key: SecretStr | None = _setting("ZENHIRE_API_KEY", "the key of account `default`", None)
    api_keys_dir: Path | None = _setting(
        "ZENHIRE_API_KEYS_DIR",
        "instead of the key, for many accounts: a directory with one file per account, file name = account, "
        "file content = key; noticed when changed",
        None,
    )
    base_url: Annotated[str, AfterValidator(_check_base_url)] = _setting(
        "ZENHIRE_BASE_URL",
        "the vendor's interview API; plain http is refused unless the host is loopback or `SYNC_ALLOW_HTTP=true`",
        VENDOR_URL,
    )
    requests_per_minute: int = _setting(
        "SYNC_REQUESTS_PER_MINUTE",
        "per account, shared by all replicas; the vendor's default limit is 500, and others use the key too",
        400,
        ge=1,
        le=100_000,
    )
    concurrency: int = _setting(
        "SYNC_CONCURRENCY",
        "requests in flight per replica for one account, of each kind; for all accounts together four times as many",
        16,
        ge=1,
        le=256,
    )
    http_timeout: Duration = _seconds(
        "SYNC_HTTP_TIMEOUT_SECONDS",
        "whole request and answer (not artifacts); must be less than half of the lease",
        10,
        floor=1,
        most=300,
    )
    start_interval: Duration = _seconds(
        "SYNC_START_INTERVAL_SECONDS",
        "how often invites are looked for when no notification arrives",
        5,
        floor=1,
        most=3_600,
    )
    watch_interval: Duration = _seconds(
        "SYNC_WATCH_INTERVAL_SECONDS",
        "how often running interviews are looked at",
        10,
        floor=10,
        most=3_600,
    )
    lease: Duration = _seconds(
        "SYNC_LEASE_SECONDS",
        "after this a dead replica's work is taken over",
        30,
        floor=5,
        most=3_600,
    )
    start_posts: int = _setting(
        "SYNC_START_POSTS",
        "posts with an unknown result for one link before a person is asked",
        10,
        ge=1,
        le=100,
    )
    settle_after: Duration = _seconds(
        "SYNC_SETTLE_SECONDS",
        "first search for what a lost post left behind; later ones at doubling distances until the link would be dead",
        60,
        floor=10,
        most=86_400,
    )
    expiry_grace: Duration = _seconds(
        "SYNC_EXPIRY_GRACE_SECONDS",
        "after `link_expires_at`, before a last look declares the link dead",
        3_600,
        floor=60,
        most=604_800,
    )
    new_personas_per_day: int = _setting(
        "SYNC_NEW_PERSONAS_PER_DAY",
        "per account; more is a mistake in the data and goes to `attention`",
        20,
        ge=0,
        le=1_000,
    )
    db_connections: int = _setting("SYNC_DB_CONNECTIONS", "per replica, LISTEN included", 8, ge=2, le=100)
    transcripts: bool = _setting("SYNC_TRANSCRIPTS", "store transcripts", default=True)
    retain_checks_days: int = _setting(
        "SYNC_RETAIN_CHECKS_DAYS",
        "how long counts of requests, runs of `verify` and rows of replicas that are gone are kept",
        30,
        ge=1,
        le=3_650,
    )
    retain_outcomes_days: int | None = _setting(
        "SYNC_RETAIN_OUTCOMES_DAYS",
        "how long what is known of a final invite is kept: then it is erased as by `erase_candidate`, and its history"
        " goes; that there was the request stays, so that it is never sent again; unset: for ever",
        None,
        ge=30,
        le=36_500,
    )
    log_level: Annotated[LogLevel, Choice] = _setting("SYNC_LOG_LEVEL", "what is logged", "info")
    log_format: Annotated[LogFormat, Choice] = _setting("SYNC_LOG_FORMAT", "one JSON object per line, or text", "json")
    allow_http: bool = _setting(
        "SYNC_ALLOW_HTTP",
        "for the sandbox: plain http elsewhere than loopback",
        default=False,
    )
    unsafe_fast: bool = _setting(
        "SYNC_UNSAFE_FAST",
        "for the sandbox: durations below their least value; refused for the vendor's real host",
        default=False,
    )

    def policy(self) -> Policy:
        """What the pure core needs to know."""
        return Policy(
            watch_interval=self.watch_interval,
            settle_after=self.settle_after,
            expiry_grace=self.expiry_grace,
            posts_per_link=self.start_posts,
            personas_per_day=self.new_personas_per_day,
            transcripts=self.transcripts,
        )

    def redacted(self) -> dict[str, Any]:
        """Every variable's value in force, fit for the replicas table, and a short hash to compare replicas by."""
        values = {variable: _shown(getattr(self, name)) for name, variable in variable_names().items()}
        values["DATABASE_URL"] = redact_database_url(self.database_url.get_secret_value())
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
        return {**values, "hash": digest[:12]}


def allowed_values(field: FieldInfo) -> str:
    """The field's type and bounds in words, for messages and for the table of settings."""
    choices = get_args(field.annotation)
    if field.annotation is bool:
        return "true or false"
    if field.annotation is int or int in choices:
        return f"a whole number from {_bound(field, 'ge')} to {_bound(field, 'le')}"
    if field.annotation is timedelta:
        return f"a number of seconds from {floor_of(field):g} to {_bound(field, 'le').total_seconds():.10g}"
    if choices and all(isinstance(choice, str) for choice in choices):
        return ", ".join(map(str, choices[:-1])) + f" or {choices[-1]}"
    return "an address like https://host/path" if field.annotation is str else ""


def floor_of(field: FieldInfo) -> float:
    """The least number of seconds without SYNC_UNSAFE_FAST."""
    extra = field.json_schema_extra
    return float(str(extra["floor"])) if isinstance(extra, dict) else 0.0


def _bound(field: FieldInfo, name: str) -> Any:
    return next(getattr(item, name) for item in field.metadata if hasattr(item, name))


def variable_names() -> dict[str, str]:
    """Field name to environment variable."""
    return {name: str(field.validation_alias) for name, field in Settings.model_fields.items()}


def _shown(value: object) -> str | float | bool | None:
    match value:
        case timedelta():
            return value.total_seconds()
        case SecretStr():
            return "set"
        case None | bool() | int() | float():
            return value
        case _:
            return str(value)
