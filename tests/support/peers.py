"""The venv of those that the service is compared with: made once, by whichever test process comes first."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.report import ROOT


def peers_venv() -> Path:
    """Installed by now; the test is skipped where that cannot be done."""
    with (Path(sys.prefix) / "peers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = subprocess.run(
            ["make", f"VENV={sys.prefix}", "peers"], cwd=ROOT, capture_output=True, text=True, check=False
        )
    if made.returncode:
        pytest.skip(f"the peers cannot be installed here: {made.stderr[-300:]}")
    return ROOT / ".venv-peers"
