"""How much memory a process has, and has had."""

from pathlib import Path


def most_memory(pid: int) -> int:
    """In MiB so far. The kernel's own figure for a child (`ru_maxrss`) counts what its parent had when it forked."""
    return round(_kibibytes(pid, "VmHWM") / 1024)


def memory_now(pid: int) -> float:
    """What is resident, in MiB."""
    return _kibibytes(pid, "VmRSS") / 1024


def _kibibytes(pid: int, name: str) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:")), 0)
