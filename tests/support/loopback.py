"""No test reaches beyond this machine: a connection to anything but loopback fails at once, and says so."""

import ipaddress
import socket
import sys
from typing import Any


class ReachedOutsideError(RuntimeError):
    """A test tried to talk to another machine."""

    def __init__(self, where: object) -> None:
        super().__init__(f"tests talk to loopback only, and this one tried {where!r}")


def refuse_everything_else() -> None:
    """For the rest of this process; libpq does its own networking and is not seen here."""
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and arguments[0].family in {socket.AF_INET, socket.AF_INET6}:
        _check(arguments[1][0])
    elif event == "socket.getaddrinfo":
        _check(arguments[0])


def _check(said: str | bytes | None) -> None:
    host = said.decode() if isinstance(said, bytes) else said or ""
    try:
        is_here = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        is_here = host in {"", "localhost"} or host == socket.gethostname()
    if not is_here:
        raise ReachedOutsideError(host)
