"""How much memory a process has had."""

from pathlib import Path


def most_memory(pid: int) -> int:
    """In MiB so far. The kernel's own figure for a child (`ru_maxrss`) counts what its parent had when it forked."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)
