"""`DATABASE_URL` and how secrets are read: apart from the settings, so that commands that need only the database
(the health check runs every few seconds) do not pay for the rest.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode

from service.problems import Problem, SettingsError

VARIABLE = "DATABASE_URL"
ALLOWED = "allowed is postgresql://user:password@host:port/database (or DATABASE_URL_FILE, a file that holds it)"

_MAX_SECRET_BYTES = 65_536
_SECRET_OPTIONS = frozenset({"password", "sslpassword", "oauth_client_secret"})
_URL = re.compile(
    r"(?:postgresql|postgres)://(?:(?P<login>[^@/?]*)@)?(?P<hosts>[^@/?]*)(?:/(?P<name>[^@/?]*))?(?:\?(?P<options>.*))?",
)
_HOST = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]*))?")


def load_database_url(environ: Mapping[str, str]) -> str:
    """The checked `DATABASE_URL`, always in the form `postgresql://…`; raises SettingsError."""
    text = read_secret(environ, VARIABLE)
    if text is None:
        raise SettingsError([Problem(variable=VARIABLE, wrong="is not set", allowed=ALLOWED)])
    wrong = _what_is_wrong(text)
    if wrong is not None:
        raise SettingsError([Problem(variable=VARIABLE, wrong=wrong, allowed=ALLOWED)])
    return re.sub("^postgres:", "postgresql:", text)


def read_secret(environ: Mapping[str, str], variable: str) -> str | None:
    """A secret from its variable or from the file that its `_FILE` twin names; None when neither is set."""
    direct = environ.get(variable, "").strip()
    path = environ.get(f"{variable}_FILE", "").strip()
    if direct and path:
        wrong = f"is set, and {variable}_FILE too"
        raise SettingsError([Problem(variable=variable, wrong=wrong, allowed="allowed is one of the two")])
    if not path:
        return direct or None
    try:
        return read_secret_file(Path(path))
    except ValueError as error:
        allowed = "allowed is a readable file that holds nothing but the value"
        raise SettingsError([Problem(variable=f"{variable}_FILE", wrong=str(error), allowed=allowed)]) from None


def read_secret_file(path: Path) -> str:
    """The file's content without the newline at its end; ValueError says why there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SECRET_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise ValueError(f"cannot read {path} ({reason})") from None
    if len(content) > _MAX_SECRET_BYTES:
        raise ValueError(f"{path} is too large to be a secret")
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    if not text:
        raise ValueError(f"{path} is empty")
    return text


def redact_database_url(url: str) -> str:
    """The URL without any password: fit for the replicas table."""
    match = _URL.fullmatch(url)
    if match is None:
        return "postgresql://"
    user = (match["login"] or "").partition(":")[0]
    options = [pair for pair in parse_qsl(match["options"] or "") if pair[0].lower() not in _SECRET_OPTIONS]
    return "".join(
        [
            "postgresql://",
            f"{user}@" if user else "",
            match["hosts"],
            f"/{match['name']}" if match["name"] else "",
            f"?{urlencode(options)}" if options else "",
        ],
    )


def database_place(url: str) -> str:
    """Where the database is, for an error message: `db.example:5432, database ats`."""
    match = _URL.fullmatch(url)
    if match is None:
        return "the database"
    options = dict(parse_qsl(match["options"] or ""))
    host = match["hosts"] or options.get("host") or "local socket"
    if ":" not in host and not host.startswith(("/", "local")):
        host = f"{host}:{options.get('port', '5432')}"
    name = unquote(match["name"] or "") or options.get("dbname")
    return f"{unquote(host)}, database {name}" if name else unquote(host)


def _what_is_wrong(url: str) -> str | None:
    """A reason without any part of the URL in it: a stray `@` or `/` can make a password look like a host."""
    if not url.startswith(("postgresql://", "postgres://")):
        return "does not start with postgresql:// or postgres://"
    if any(character.isspace() or not character.isprintable() for character in url):
        return "holds a space or a control character"
    match = _URL.fullmatch(url)
    if match is None or re.search("%(?![0-9A-Fa-f]{2})", url):
        return "cannot be read; in user and password write @ as %40, / as %2F, ? as %3F, % as %25"
    for host in match["hosts"].split(","):
        place = _HOST.fullmatch(host)
        if place is None or (place["port"] and not 1 <= int(place["port"]) <= 65_535):
            return "has a wrong port or host; in user and password write @ as %40, / as %2F, : as %3A"
    return None
