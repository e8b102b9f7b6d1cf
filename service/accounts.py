"""Accounts and their API keys: one key from the environment, or one file per account in a directory that may change
while the service runs.
"""

import re
from pathlib import Path

import structlog
from pydantic import SecretStr

from service.database_url import read_secret_file

DEFAULT_ACCOUNT = "default"

_ACCOUNT_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_API_KEY = re.compile(r"[\x21-\x7e]{1,1024}")

_log = structlog.get_logger()

Fingerprint = tuple[tuple[str, int, int, int], ...]


def check_api_key(key: str) -> str:
    """The key itself, or ValueError. Its prefix is the vendor's affair: older ones stay valid (contract §1)."""
    if _API_KEY.fullmatch(key) is None:
        raise ValueError("is not a key: it holds a space, a line break or a letter outside ASCII")
    return key


def read_keys(directory: Path) -> tuple[dict[str, SecretStr], dict[str, str]]:
    """The key of each account, and what is wrong with each file that gives none, by file name."""
    keys: dict[str, SecretStr] = {}
    wrong: dict[str, str] = {}
    for path in _key_files(directory):
        if _ACCOUNT_NAME.fullmatch(path.name) is None:
            wrong[path.name] = "is no account name: a letter a-z, then up to 62 of a-z, 0-9 and _"
            continue
        try:
            keys[path.name] = SecretStr(check_api_key(read_secret_file(path)))
        except ValueError as error:
            wrong[path.name] = str(error)
    return keys, wrong


class Accounts:
    """Which accounts have a key now. An account whose file is gone is simply not among them."""

    def __init__(self, *, api_key: SecretStr | None, keys_dir: Path | None) -> None:
        self._directory = keys_dir
        self._fingerprint: Fingerprint | None = None
        self._keys: dict[str, SecretStr] = {} if api_key is None else {DEFAULT_ACCOUNT: api_key}

    def current(self) -> dict[str, SecretStr]:
        """Cheap enough for each tick: files are read only after something in the directory has changed."""
        if self._directory is not None:
            fingerprint = _fingerprint(self._directory)
            if fingerprint != self._fingerprint:
                self._keys, wrong = read_keys(self._directory)
                self._fingerprint = fingerprint
                for name, reason in wrong.items():
                    _log.warning("account_key_unusable", file=name, reason=reason)
        return dict(self._keys)


def _key_files(directory: Path) -> list[Path]:
    # Names with a dot in front are no accounts: Kubernetes keeps `..data` and its like beside mounted secrets.
    try:
        return sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    except OSError:
        return []


def _fingerprint(directory: Path) -> Fingerprint:
    marks = []
    for path in _key_files(directory):
        try:
            stat = path.stat()
        except OSError:
            continue
        marks.append((path.name, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size))
    return tuple(marks)
