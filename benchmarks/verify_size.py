"""
How `zenhire-sync verify` stands up to size: `python -m benchmarks.verify_size 100000`.

Several sizes show what grows with them: `python -m benchmarks.verify_size 1000 20000`. Each run of `verify` is a
process of its own, and each size has a database and a vendor of its own.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.filled import fill
from benchmarks.memory import most_memory
from benchmarks.stage import PROGRAM, settings_of
from sandbox.clock import SystemClock
from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.platform import Platform
from sandbox.profile import CandidateMix, Profile
from sandbox.running import RunningSandbox, running_sandbox
from service.core.limits import slot_interval
from service.operate.verify_ask import SHARE
from service.postgres.migrate import upgrade

PAUSE_SECONDS = 0.2
PER_MINUTE = 400  #: the service's default; the run itself goes as fast as it can


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of `verify`."""

    sessions: int
    command: str
    seconds: float
    mebibytes: int


def main(sizes: Sequence[int]) -> None:
    measured = [one for sessions in sizes for one in _measure(sessions)]
    print(f"\n{'sessions':>10}  {'command':<22}  {'seconds':>7}  {'MiB at most':>11}")
    for one in sorted(measured, key=lambda one: (one.command, one.sessions)):
        print(f"{one.sessions:>10,}  {one.command:<22}  {one.seconds:>7.1f}  {one.mebibytes:>11}")


def _measure(sessions: int) -> list[Measured]:
    platform = Platform(Profile(candidates=CandidateMix(come="when_sent")), SystemClock())
    with EmbeddedPostgres(durable=False) as postgres, running_sandbox(platform) as sandbox:
        upgrade(postgres.url())
        fill(postgres.url(), platform, sandbox.key, sessions)
        return [_measured(postgres.url(), sandbox, sessions, *arguments) for arguments in ((), ("--database-only",))]


def _measured(database_url: str, sandbox: RunningSandbox, sessions: int, *arguments: str) -> Measured:
    command = " ".join(("verify", *arguments))
    report, seconds, mebibytes = _run(database_url, sandbox, *arguments)
    _report(command, report, seconds, mebibytes)
    return Measured(sessions=sessions, command=command, seconds=seconds, mebibytes=mebibytes)


def _run(database_url: str, sandbox: RunningSandbox, *arguments: str) -> tuple[dict[str, Any], float, int]:
    """The report, the seconds, and the most memory in MiB."""
    environ = settings_of(database_url, sandbox, SYNC_REQUESTS_PER_MINUTE="100000")
    began = time.monotonic()
    command = [str(PROGRAM), "verify", "--json", *arguments]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=environ, stdout=said)
        mebibytes = 0
        while process.poll() is None:
            mebibytes = max(mebibytes, most_memory(process.pid))
            time.sleep(PAUSE_SECONDS)
        said.seek(0)
        return json.load(said), time.monotonic() - began, mebibytes


def _report(what: str, report: dict[str, Any], seconds: float, mebibytes: int) -> None:
    checked = ", ".join(f"{count:,} {name}" for name, count in report["checked"].items())
    print(f"{what}: exit {report['exit_code']}, {checked}; {seconds:.1f} s as fast as it goes, {mebibytes} MiB at most")
    for account, part in report["vendor"].items():
        minutes = part["requests"] * SHARE * slot_interval(PER_MINUTE).total_seconds() / 60
        print(
            f"  account {account}: {part['sessions']:,} sessions, {part['requests']:,} requests: "
            f"{minutes:.1f} minutes at SYNC_REQUESTS_PER_MINUTE={PER_MINUTE}"
        )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [100_000])
