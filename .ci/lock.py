"""Makes requirements.lock, or says whether it still fits pyproject.toml without asking any package index.

    python .ci/lock.py            resolve again; needs a package index
    python .ci/lock.py --check    compare only

The lock's first line carries a digest of everything in pyproject.toml that a resolution depends on.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path("pyproject.toml")
LOCK = Path("requirements.lock")
COMPILE = (
    *("uv", "pip", "compile", str(PYPROJECT), "--all-extras", "--group", "tools", "--quiet"),
    *(
        "--universal",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--no-annotate",
        "--no-header",
    ),
    *("--no-emit-package", "zenhire-sync", "--upgrade"),
)


def digest() -> str:
    pyproject = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    project = pyproject["project"]
    inputs = [
        *(project[key] for key in ("requires-python", "dependencies", "optional-dependencies")),
        *(pyproject[key] for key in ("build-system", "dependency-groups")),
    ]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def make() -> None:
    resolved = subprocess.run(COMPILE, check=True, capture_output=True, text=True).stdout
    head = f"# made by `make lock` from pyproject.toml, digest {digest()}\n"
    LOCK.write_text(head + resolved, encoding="utf-8")
    print(f"{LOCK}: {resolved.count('==')} packages")


def check() -> None:
    locked = re.search(r"digest ([0-9a-f]{64})", LOCK.read_text(encoding="utf-8"))
    if locked is None or locked[1] != digest():
        sys.exit(f"{LOCK} was not made from this {PYPROJECT}: run `make lock` and commit the result.")
    print(f"{LOCK} fits {PYPROJECT}")


if __name__ == "__main__":
    check() if sys.argv[1:] == ["--check"] else make()
