"""docs/reliability.md speaks of what is there."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.report import RELIABILITY, ROOT, replace_section


def test_every_test_that_the_page_names_exists() -> None:
    page = RELIABILITY.read_text(encoding="utf-8")
    tests = subprocess.run(
        ["grep", "-rhoE", r"def test_\w+", "tests"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    named = set(re.findall(r"`(test_\w+)`", page))
    assert {name for name in named if f"def {name}\n" not in tests} == set()


def test_every_make_target_that_the_page_names_exists() -> None:
    named = set(re.findall(r"\bmake\s+([a-z][a-z-]*)", " ".join(_code_of(RELIABILITY.read_text(encoding="utf-8")))))
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert "crash-matrix" in named  # the page is read as it is written
    assert named - targets == set()


def _code_of(page: str) -> list[str]:
    """What stands between backticks, in a line or as a block of its own: prose may "make" anything."""
    blocks = re.findall(r"^```.*?^```", page, re.MULTILINE | re.DOTALL)
    return blocks + re.findall(r"`[^`]+`", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL))


def test_a_section_is_replaced_between_its_marks_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- one -->\nold\n<!-- /one -->\nafter\n", encoding="utf-8")
    replace_section(page, "one", "new\n")
    assert page.read_text(encoding="utf-8") == "before\n<!-- one -->\nnew\n<!-- /one -->\nafter\n"
    with pytest.raises(ValueError, match="has no marks <!-- two -->"):
        replace_section(page, "two", "new")
