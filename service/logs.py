"""One pipeline for our own log events and those of libraries: static event names with fields, one line each, and no
secret in any of them.
"""

import logging
import logging.config
import sys
from collections.abc import MutableMapping
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from structlog.typing import Processor

from service.masking import HIDDEN, mask

#: Fields that are never shown, whoever logs them. Links and transcripts are the candidate's, metadata is the ATS's.
FORBIDDEN_FIELDS = frozenset(
    {
        "api_key",
        "authorization",
        "body",
        "candidate_link",
        "conninfo",
        "database_url",
        "document",
        "dsn",
        "headers",
        "key",
        "link",
        "metadata",
        "password",
        "secret",
        "tags",
        "token",
        "transcript",
        "x_api_key",
    },
)
_FORBIDDEN_ENDINGS = ("_api_key", "_link", "_password", "_secret", "_token")
_OUR_PACKAGES = ("service", "sandbox")
_MAX_DEPTH = 6


def configure(level: str, log_format: str) -> None:
    """Send everything to stdout, each line at once. Libraries speak from WARNING on: their INFO is ours, told twice."""
    ours = level.upper()
    libraries = logging.getLevelName(max(logging.getLevelName(ours), logging.WARNING))
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "one_line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": _shared(),
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        hide_secrets,
                        _renderer(log_format),
                    ],
                },
            },
            "handlers": {"stdout": {"()": _Stdout, "stream": sys.stdout, "formatter": "one_line"}},
            "root": {"handlers": ["stdout"], "level": libraries},
            "loggers": {package: {"level": ours} for package in _OUR_PACKAGES},
        },
    )
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


class _Stdout(logging.StreamHandler[Any]):
    """Where a line cannot be written, Python would print the raw event, secrets and all, to stderr."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base class's name
        sys.stderr.write(f"a log line of {record.name} could not be written: {mask(str(sys.exception()))}\n")


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last processor before rendering: makes every value plain and every secret unreadable."""
    return {str(name): _plain(value, name=str(name), depth=0) for name, value in event.items()}


def _plain(value: object, *, name: str, depth: int) -> Any:
    if _is_forbidden(name) and value is not None:
        return HIDDEN
    match value:
        case None | bool() | int() | float():
            return value
        case timedelta():
            return value.total_seconds()
        case datetime() | date():
            return value.isoformat()
        case dict() if depth < _MAX_DEPTH:
            return {mask(str(key)): _plain(item, name=str(key), depth=depth + 1) for key, item in value.items()}
        case list() | tuple() | set() | frozenset() if depth < _MAX_DEPTH:
            return [_plain(item, name="", depth=depth + 1) for item in value]
        case _:
            return mask(str(value))


def _is_forbidden(name: str) -> bool:
    plain = name.lower().replace("-", "_")
    return plain in FORBIDDEN_FIELDS or plain.endswith(_FORBIDDEN_ENDINGS)


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _renderer(log_format: str) -> Processor:
    if log_format == "console":
        return structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(),
            exception_formatter=structlog.dev.plain_traceback,
        )
    return structlog.processors.JSONRenderer()
