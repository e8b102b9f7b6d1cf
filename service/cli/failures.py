"""What a person is told when a command fails: one sentence and a next step, never a traceback or a password."""

import traceback
from collections.abc import Iterator, Mapping

from service.database_url import database_place, load_database_url
from service.masking import mask
from service.problems import SettingsError

#: By SQLSTATE. A class (its first two characters) counts where the whole code is not listed.
_NEXT_STEPS = {
    "3F000": "the database has no schema zenhire yet; run `zenhire-sync migrate`",
    "42P01": "the database has no table of zenhire-sync's, or not all; run `zenhire-sync migrate`",
    "42703": "the database's schema does not fit this program; run `zenhire-sync migrate --check`",
    "42883": "the database's schema does not fit this program; run `zenhire-sync migrate --check`",
    "42501": "the database role lacks a right; grant it, or use the role that ran the migrations",
    "57014": "the database took too long to answer; look for a long lock in pg_locks and try again",
    "55P03": "the database took too long to answer; look for a long lock in pg_locks and try again",
}


def sentence_for(error: BaseException, environ: Mapping[str, str]) -> str:
    """The innermost database error explains most; anything else is named as what it is."""
    chain = [*_chain(error)]
    for cause in chain:
        state = getattr(cause, "sqlstate", None)
        if state in _NEXT_STEPS:
            return f"{_NEXT_STEPS[state]} ({_first_line(cause)})"
    for cause in chain:
        if _is_unreachable(cause):
            return _unreachable(chain[-1], environ)
    if environ.get("SYNC_LOG_LEVEL", "").strip().lower() == "debug":
        return mask("".join(traceback.format_exception(error)))
    return f"failed: {type(error).__name__}: {_first_line(error)}; SYNC_LOG_LEVEL=debug shows where"


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = getattr(current, "orig", None) or current.__cause__


def _is_unreachable(error: BaseException) -> bool:
    # By name: importing the drivers only to recognise their errors would slow down every command.
    return type(error).__name__ == "DatabaseLost" or any(
        kind.__name__ == "OperationalError" and kind.__module__.startswith(("psycopg", "sqlalchemy"))
        for kind in type(error).__mro__
    )


def _unreachable(error: BaseException, environ: Mapping[str, str]) -> str:
    try:
        place = database_place(load_database_url(environ))
    except SettingsError:
        place = "the database"
    reason = _first_line(error).rpartition("failed: ")[2]
    return f"no database at {place}: {reason}; check DATABASE_URL, and that Postgres runs and lets this host in"


def _first_line(error: BaseException) -> str:
    lines = mask(str(error)).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__
