"""
Run in a process of its own: how much memory each answer costs, and whether the client still works after it.

Arguments: the server's address, then `CASE:REQUEST:SECONDS`, the deadline last. Prints one JSON line for each.
"""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

from service.core.failures import Request
from service.zenhire.client import Ceilings
from tests.unit.zenhire.examples import client_to
from tests.unit.zenhire.test_client import CALLS, get_session

_STATUS = Path("/proc/self/status")


def megabytes(field: str) -> float:
    """`VmRSS` is what is in use now, `VmHWM` the most that ever was."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


def forget_the_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


async def measure(address: str, case: str, request: Request, within: timedelta) -> dict[str, object]:
    ceilings = Ceilings(deadline=within, artifact_deadline=within)
    async with client_to(f"http://{address}/{case}", ceilings) as client:
        forget_the_peak()
        before = megabytes("VmRSS")
        answer = await CALLS[request](client)
        grown = megabytes("VmHWM") - before
        later = [type(await get_session(client)).__name__ for _ in range(3)]
    return {"case": case, "answer": type(answer).__name__, "grown": grown, "then": later}


async def main(address: str, *names: str) -> None:
    for name in names:
        case, request, seconds = name.split(":")
        measured = await measure(address, case, Request(request), timedelta(seconds=float(seconds)))
        print(json.dumps(measured), flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
