"""What a campaign has played, kept seed by seed, so that a long one can be interrupted and taken up again."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# What decides how a seed goes: the service, its schema, the vendor's model, and the simulation.
PLAYED_CODE = ("service", "migrations", "sandbox", "tests/simulation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """What is kept of a run, and goes from one process to another."""

    seed: int
    findings: list[str]
    counts: Counter[str]
    passed: timedelta
    took: float  # seconds of its process


class Journal:
    """A file with a line for each seed. Its name carries the code's fingerprint: another code begins another file."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or ROOT / "build"
        folder.mkdir(exist_ok=True)
        self.path = folder / f"simulation-{fingerprint_of_the_code()}.jsonl"

    def read(self) -> Iterator[Short]:
        """All seeds that this code has played; a last line that was cut off by a crash does not count."""
        if not self.path.exists():
            return
        for line in self.path.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                yield _short_of(json.loads(line))

    def add(self, short: Short) -> None:
        with self.path.open("a+") as file:
            file.write(f"{json.dumps(_row_of(short))}\n")


def _row_of(short: Short) -> dict[str, Any]:
    return {
        "seed": short.seed,
        "findings": short.findings,
        "counts": dict(short.counts),
        "passed": short.passed.total_seconds(),
        "took": short.took,
    }


def _short_of(row: dict[str, Any]) -> Short:
    return Short(
        seed=row["seed"],
        findings=row["findings"],
        counts=Counter(row["counts"]),
        passed=timedelta(seconds=row["passed"]),
        took=row["took"],
    )


def fingerprint_of_the_code() -> str:
    files = [
        file for part in PLAYED_CODE for file in sorted((ROOT / part).rglob("*")) if file.suffix in {".py", ".sql"}
    ]
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:12]
