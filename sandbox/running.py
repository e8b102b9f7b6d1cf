"""A sandbox for the length of a `with` block: in a thread of this process, or in a process of its own."""

import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.clock import SystemClock
from sandbox.console import Console
from sandbox.control_client import ControlClient
from sandbox.model import DEFAULT_KEY
from sandbox.platform import Platform
from sandbox.profile import Profile
from sandbox.server import Server, base_url, listen

_START_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSandbox:
    """A sandbox in a thread, and the model behind it, free to be asked and changed directly."""

    base_url: str
    platform: Platform
    console: Console
    key: str = DEFAULT_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxProcess:
    """A sandbox in its own process, and a client of its control surface."""

    base_url: str
    control: ControlClient
    process: subprocess.Popen[str]
    key: str = DEFAULT_KEY


@contextlib.contextmanager
def running_sandbox(platform: Platform | None = None, *, profile: Profile | None = None) -> Iterator[RunningSandbox]:
    """Serve this platform (or one with this profile, on the machine's clock) on a free loopback port."""
    platform = platform or Platform(profile or Profile(), SystemClock())
    sock = listen("127.0.0.1", 0)
    server = Server(platform)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    address = base_url(sock)
    thread.start()
    try:
        if not server.answering.wait(_START_SECONDS):
            raise TimeoutError(f"the sandbox did not answer within {_START_SECONDS} s")
        yield RunningSandbox(base_url=address, platform=platform, console=Console(platform))
    finally:
        server.stop()
        thread.join(_START_SECONDS)


@contextlib.contextmanager
def sandbox_process(arguments: Sequence[str] = ()) -> Iterator[SandboxProcess]:
    """Run `python -P -m sandbox` (no folder of the caller shadows it) with these arguments on a free loopback port."""
    command = [sys.executable, "-P", "-m", "sandbox", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = _printed_address(process)
            with ControlClient(address) as control:
                yield SandboxProcess(base_url=address, control=control, process=process)
        finally:
            process.terminate()


def _printed_address(process: subprocess.Popen[str]) -> str:
    """The line that the sandbox prints once it listens; end of file when it could not start."""
    line = process.stdout.readline() if process.stdout is not None else ""
    found = re.search(r"http://\S+/api/v1/interview", line)
    if found is None:
        raise RuntimeError(f"the sandbox did not start (exit {process.wait(_START_SECONDS)})")
    return found.group()
