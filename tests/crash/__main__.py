"""`python -m tests.crash`: the whole matrix, several cells at once; its result goes into docs/reliability.md."""

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

from service.postgres.migrate import upgrade
from tests.crash.cells import Cell, all_cells
from tests.crash.endings import Tally
from tests.crash.play import play
from tests.crash.report import Result, Timing, cells_as_markdown, timing_as_markdown
from tests.crash.stage import SETTINGS, a_stage
from tests.crash.takeover import BUSY, TakeOver, kill_one_of_two
from tests.support.loopback import refuse_everything_else
from tests.support.postgres import VARIABLE, Server, running_server, source_from
from tests.support.report import RELIABILITY, replace_section

Work = TypeVar("Work")
Done = TypeVar("Done")

TAKEOVERS = 20
LEASE, TICK = 30.0, 5.0  #: seconds, as the service is shipped: what a busy machine adds does not drown them


def main() -> int:
    arguments = _arguments()
    refuse_everything_else()
    with _a_template() as (server, template):
        if arguments.part != "takeovers" and not _play_cells(server, template, arguments.only, arguments.jobs):
            return 1
        if arguments.part != "cells" and not arguments.only:
            replace_section(RELIABILITY, "takeover", timing_as_markdown(_timing(LEASE, TICK, server, template)))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--jobs", type=int, default=4, help="cells at once (default: 4; they wait more than they work)")
    parser.add_argument("--only", default="", help="only cells whose name holds this; writes no document")
    parser.add_argument("--part", choices=["cells", "takeovers"], help="one half only (default: both)")
    return parser.parse_args()


def _play_cells(server: Server, template: str, only: str, jobs: int) -> bool:
    """Whether there were any, and every promise held in all of them; only the whole matrix goes into the document."""
    cells = [cell for cell in all_cells() if only in cell.name]
    results = _all(cells, lambda cell: _played(cell, server, template), jobs=jobs)
    failed = [result for result in results if result.failure]
    _say(f"\n{len(results)} cells, {len(failed)} failed; {sum((result.tally for result in results), Tally())}")
    if results and not failed and not only:
        replace_section(RELIABILITY, "crash-matrix", cells_as_markdown(results))
    return bool(results) and not failed


@contextmanager
def _a_template() -> Iterator[tuple[Server, str]]:
    with running_server(source_from(os.environ.get(VARIABLE, ""))) as server, server.database() as template:
        upgrade(server.url_of(template))
        yield server, template


def _all(work: Sequence[Work], do: Callable[[Work], Done], *, jobs: int) -> list[Done]:
    """All of it, `jobs` at once; what an interrupt leaves in work ends itself."""
    with ThreadPoolExecutor(jobs) as pool:
        try:
            futures = [pool.submit(do, one) for one in work]
            for number, future in enumerate(as_completed(futures), 1):
                _say(f"[{number:3}/{len(work)}] {future.result()}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _played(cell: Cell, server: Server, template: str) -> Result:
    began = time.monotonic()
    try:
        tally, failure = play(cell, server, template), ""
    except Exception:  # noqa: BLE001 - told at the end, and the other cells go on
        tally, failure = Tally(), traceback.format_exc()
    return Result(cell=cell, seconds=time.monotonic() - began, tally=tally, failure=failure)


def _timing(lease: float, tick: float, server: Server, template: str) -> Timing:
    _say(f"\nTakeovers with a lease of {lease:g} s and a tick of {tick:g} s:")
    clock = {
        "SYNC_LEASE_SECONDS": f"{lease:g}",
        "SYNC_START_INTERVAL_SECONDS": f"{tick:g}",
        "SYNC_HTTP_TIMEOUT_SECONDS": f"{lease / 3:g}",
    }

    def measured(_number: int) -> TakeOver:
        with a_stage(server, template, settings=SETTINGS | BUSY | clock) as stage:
            return kill_one_of_two(stage)

    return Timing(lease=lease, tick=tick, takeovers=_all(range(TAKEOVERS), measured, jobs=4))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
