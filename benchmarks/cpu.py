"""
CPU seconds of a process and all that it started.

Elapsed time says how fast a machine was at that moment; CPU seconds hardly depend on what else runs on it.
"""

import os
from collections import defaultdict
from pathlib import Path

_PROC = Path("/proc")


def cpu_seconds(pid: int) -> float | None:
    """User and system seconds so far, of descendants too, the ended ones included; None where the system hides them."""
    times, children = _processes()
    if pid not in times:
        return None
    total, waiting = 0.0, [pid]
    while waiting:
        process = waiting.pop()
        total += times[process]
        waiting += children[process]
    return total


def _processes() -> tuple[dict[int, float], dict[int, list[int]]]:
    times: dict[int, float] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    ticks = os.sysconf("SC_CLK_TCK")
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            # The name before the last bracket may hold blanks; what follows are numbers (proc(5)).
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        pid = int(path.parent.name)
        children[int(fields[1])].append(pid)
        times[pid] = sum(map(int, fields[11:15])) / ticks
    return times, children
