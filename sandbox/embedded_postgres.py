"""A PostgreSQL server of its own for the demo and the tests; never for production.

It lives in one temporary directory and listens on loopback with a random password. A keeper process (a few lines of
shell) holds the other end of a pipe to us: when the pipe closes, because `close` was called or because this process
died in whatever way, the keeper stops the server and removes the directory. So nothing stays behind, even after a
`kill -9`.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.postgres_binaries import Binaries, find_binaries, find_psql

_SUPERUSER = "postgres"
_START_ATTEMPTS = 5
_START_SECONDS = 60
_PARENT_LENGTH_MAX = 60  # the kernel allows 107 bytes for a socket's path, and our own names need some

# $1 is pg_ctl, $2 the directory. The loop covers a death in the middle of initdb or of the start.
_KEEPER = """
cat >/dev/null
for attempt in 1 2 3 4 5; do
    "$1" stop --pgdata "$2/data" --mode immediate --wait >/dev/null 2>&1
    rm -rf "$2" 2>/dev/null && exit 0
    sleep 1
done
"""

_SETTINGS = """
listen_addresses = '127.0.0.1'
max_connections = 200
unix_socket_directories = '{directory}'
"""

# Not synchronous_commit: what was committed must survive `crash`, if not a power cut.
_FORGETFUL = """
fsync = off
full_page_writes = off
max_wal_size = 128MB
"""
_MEMORY = Path("/dev/shm")  # noqa: S108 - a private directory is made in it
_MEMORY_BYTES_MIN = 2 * 1024**3


class EmbeddedPostgresError(RuntimeError):
    """The server could not be prepared or started; the message carries what PostgreSQL said."""


class EmbeddedPostgres:
    """Starts on entering, gone without a trace on leaving; `durable=False` trades safety at a power cut for speed."""

    def __init__(self, *, durable: bool = True, binaries: Binaries | None = None) -> None:
        self.binaries = binaries or find_binaries()
        self._durable = durable
        self._password = secrets.token_urlsafe(16)
        self._owner = _owner()
        self._programs = self.binaries
        self._directory: Path | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._port = 0

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self._start_on_a_free_port()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        return self._port

    def url(self, dbname: str = "postgres") -> str:
        """Address over TCP in libpq's form, with the password in it."""
        return f"postgresql://{_SUPERUSER}:{self._password}@127.0.0.1:{self._port}/{dbname}"

    def psql_path(self) -> Path:
        return find_psql(self.binaries)

    def crash(self) -> None:
        """Every connection breaks at once and nothing is flushed; `restart` then goes through crash recovery."""
        self._control("stop", "--mode", "immediate")

    def stop(self) -> None:
        """An orderly end of the server; its data stay for `restart`."""
        self._control("stop", "--mode", "fast")

    def restart(self) -> None:
        """Starts the server again after `stop` or `crash`, at the same address."""
        self._control("start", "--log", str(self.directory / "log"))

    def close(self) -> None:
        """Stops the server and removes everything; harmless when done already."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        if keeper.stdin:
            keeper.stdin.close()
        keeper.wait()
        self._directory = None

    @property
    def directory(self) -> Path:
        """Where everything lives while the server runs."""
        if self._directory is None:
            raise EmbeddedPostgresError("The embedded PostgreSQL is not running: use it as a context manager.")
        return self._directory

    def _prepare(self) -> None:
        needs_copy = self._owner is not None and not _others_can_reach(self.binaries.directory)
        # Memory is no place for programs: it is often mounted `noexec`.
        self._directory = _fresh_directory(self._owner, in_memory=not self._durable and not needs_copy)
        if needs_copy:
            self._programs = self._copied_programs()
        self._keeper = self._start_keeper()
        password_file = self.directory / "password"
        password_file.write_text(self._password, encoding="ascii")
        self._hand_over(password_file)
        self._run(
            *(
                "initdb",
                "--pgdata",
                str(self.directory / "data"),
                "--username",
                _SUPERUSER,
                "--pwfile",
                str(password_file),
            ),
            *(
                "--auth-local",
                "trust",
                "--auth-host",
                "scram-sha-256",
                "--encoding",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ),
        )
        password_file.unlink()
        settings = _SETTINGS.format(directory=self.directory) + ("" if self._durable else _FORGETFUL)
        with (self.directory / "data" / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(settings)

    def _copied_programs(self) -> Binaries:
        """For when the account that runs the server cannot reach where its programs are installed."""
        place = self.directory / "installation"
        copy = self.binaries.copied_to(place)
        for path in (place, *place.rglob("*")):
            self._hand_over(path)
        return copy

    def _start_keeper(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C in the terminal must reach us and not the keeper.
        return subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "embedded-postgres-keeper", self._programs.program("pg_ctl"), self.directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=self.directory.parent,
            user=self._owner and self._owner.pw_uid,
            group=self._owner and self._owner.pw_gid,
        )

    def _start_on_a_free_port(self) -> None:
        for attempt in range(1, _START_ATTEMPTS + 1):
            self._port = _free_port()
            with (self.directory / "data" / "postgresql.auto.conf").open("w", encoding="utf-8") as configuration:
                configuration.write(f"port = {self._port}\n")
            try:
                self.restart()
            except EmbeddedPostgresError as error:
                # Between finding the port and using it somebody else may have taken it.
                if attempt == _START_ATTEMPTS or "Address already in use" not in str(error):
                    raise
            else:
                return

    def _control(self, action: str, *arguments: str) -> None:
        data = str(self.directory / "data")
        self._run(
            "pg_ctl", action, "--pgdata", data, "--wait", "--timeout", str(_START_SECONDS), "--silent", *arguments
        )

    def _run(self, program: str, *arguments: str) -> None:
        said_path = self.directory / f"{program}.out"
        # Into a file and not a pipe: the server inherits it and would keep a pipe open for as long as it lives.
        with said_path.open("wb") as said:
            done = subprocess.run(
                [self._programs.program(program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env={"PATH": os.defpath, "LC_ALL": "C"},  # none of the caller's PGPORT, PGDATA, PGOPTIONS
                user=self._owner and self._owner.pw_uid,
                group=self._owner and self._owner.pw_gid,
                extra_groups=[] if self._owner else None,
                check=False,
            )
        if done.returncode:
            raise EmbeddedPostgresError(
                f"{program} failed: {_last_words(said_path)} {_last_words(self.directory / 'log')}".strip()
            )

    def _hand_over(self, path: Path) -> None:
        if self._owner:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid, follow_symlinks=False)


def _owner() -> pwd.struct_passwd | None:
    """Who runs the server: PostgreSQL refuses root, so root lends it to `nobody`; all others run it as themselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _fresh_directory(owner: pwd.struct_passwd | None, *, in_memory: bool) -> Path:
    parent = Path(tempfile.gettempdir())
    if in_memory and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _MEMORY_BYTES_MIN:
        parent = _MEMORY  # making a database is hundreds of small files: up to twenty times faster than on a disk
    elif len(str(parent)) > _PARENT_LENGTH_MAX or (owner and not _others_can_reach(parent)):
        parent = Path("/tmp")  # noqa: S108 - a private directory is made in it
    directory = Path(tempfile.mkdtemp(prefix="zenhire-postgres-", dir=parent))
    if owner:
        os.chown(directory, owner.pw_uid, owner.pw_gid)
    return directory


def _others_can_reach(path: Path) -> bool:
    resolved = path.resolve()
    return all(step.stat().st_mode & 0o001 for step in (resolved, *resolved.parents))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _last_words(path: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8", errors="replace")[-2000:].strip()
    return ""
