"""Every command that the documents name for a proof or a figure is run as it stands there, with smaller numbers."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.peers import peers_venv
from tests.support.report import ROOT

PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]

#: The beginning of each command, and what follows it here.
SMALLER = {
    "make bench": "QUICK=1 ONLY='claims peers'",
    "make crash-matrix": "ONLY='start.claimed, kill -9'",
    "make docs": "",
    "make explore": "",
    "make fuzz": "CASES=200 SEED=7 WRITE=1",
    "make simulate": "SEEDS=2",
    "make simulate SEED": "SEED=7",
    "make soak": "MINUTES=0.4",
    "python -m benchmarks": "--quick --rounds 1 --links 20 --inserts 3",
    "python -m benchmarks.budget_use": "--replicas 2 --minutes 0.1",
    "python -m benchmarks.outcome_lag": "--open 200 --cap 8 --minutes 0.6 --talk 8",
    "python -m benchmarks.resources": "--open 50 100 --minutes 0.05 --idle 2 --invites 5 --beside 50",
    "python -m benchmarks.peers": "--quick --links 10",
    "python -m benchmarks.scaling": "--links 20 --replicas 1 --accounts 1 --idle 2",
    "python -m benchmarks.table_size": "100 200",
    "python -m benchmarks.verify_size": "10 20",
    "python -m benchmarks.whole": "--quick --only budget claims",
    "python -m tests.roles": "",
}
COMPARE_WITH_PEERS = {"make bench", "python -m benchmarks.peers"}
#: These are the developer's daily ones, or have a test that looks at what they show.
RUN_ELSEWHERE = {"make demo", "make test", "make check"}
#: A soak of seconds says nothing of what is level after minutes.
TOO_SHORT = re.compile(r"(?m)^BROKEN: not level.*$")


def named_commands() -> Iterator[str]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for code in (*re.findall(r"`([^`\n]+)`", text), *re.findall(r"(?ms)^```sh\n(.*?)^```", text)):
            yield from re.findall(r"(?m)^(make [a-z-]+(?: SEED(?==))?|python -m [\w.]+)", code)


def test_every_command_that_is_named_is_run_by_a_test() -> None:
    assert set(named_commands()) == set(SMALLER) | RUN_ELSEWHERE


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the commands write their figures into the documents."""
    copy = tmp_path_factory.mktemp("copy") / "project"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    return copy


@pytest.mark.long
@pytest.mark.parametrize("begins", SMALLER)
def test_it_does_what_it_says(copy: Path, begins: str) -> None:
    program, *rest = shlex.split(f"{begins.removesuffix(' SEED')} {SMALLER[begins]}")
    if begins in COMPARE_WITH_PEERS and not (copy / ".venv-peers").exists():
        (copy / ".venv-peers").symlink_to(peers_venv())
    venv = Path(sys.prefix)  # is the project's own, so nothing is installed again
    runs = ["make", f"VENV={venv}"] if program == "make" else [str(venv / "bin" / "python")]
    ended = subprocess.run([*runs, *rest], cwd=copy, capture_output=True, text=True, timeout=570, check=False)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0 or TOO_SHORT.search(said), said
    assert "BROKEN" not in TOO_SHORT.sub("", said), said
