"""Rules of this repository that no linter knows. Each finding names file, line and what is wrong."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
CORE_FUNCTION_LINES_MAX = 40
THIS_FILE = Path("tests/unit/test_house_rules.py")
HOME_OF_THE_CLOCK = "create function zenhire.clock()"

SQL_CLOCKS = re.compile(
    r"\b(now\s*\(\s*\)|(clock|statement|transaction)_timestamp\b|current_(timestamp|date|time)\b|localtime(stamp)?\b)",
    re.IGNORECASE,
)
MAY_READ_THE_ENVIRONMENT = {
    Path("service/__main__.py"): "hands it to the command line, which hands it to the settings",
    Path("service/settings.py"): "is the reader",
    Path("service/cli/demo/screen.py"): "TERM tells what the terminal can show",
    Path("service/cli/demo/stage.py"): "libpq would read what is meant for other servers",
}
ELSEWHERE = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|registry\.npmjs|docker\.io|ghcr\.io|quay\.io)|(?<![\w.])/(work|opt|root|home)/\w"
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b|\bissue #?\d+\b")


@cache
def files() -> tuple[Path, ...]:
    """What git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if said.returncode:
        pytest.skip("not a git checkout, so nobody can say which files belong to the repository")
    names = (Path(name) for name in said.stdout.split("\0") if name)
    return tuple(sorted({name for name in names if (ROOT / name).is_file()}))


def text_of(path: Path) -> str:
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def python(*tops: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in files():
        if path.suffix == ".py" and path.parts[0] in tops:
            yield path, ast.parse(text_of(path))


def lines(path: Path) -> Iterator[tuple[int, str]]:
    yield from enumerate(text_of(path).splitlines(), 1)


def assert_none(found: Iterator[str], rule: str) -> None:
    findings = list(found)
    assert not findings, f"{rule}:\n" + "\n".join(findings)


def docstring_lines(node: ast.AST) -> int:
    text = ast.get_docstring(node, clean=False) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None
    return len(text.splitlines()) if text else 0


def is_environment(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "getenv"):
            return True
        case ast.ImportFrom(module="os", names=names):
            return any(name.name in {"environ", "getenv"} for name in names)
        case _:
            return False


def sql_in_files() -> Iterator[tuple[Path, int, str]]:
    for path in files():
        if path.suffix == ".sql" and path.parts[0] in {"service", "migrations"}:
            for number, line in lines(path):
                yield path, number, line.partition("--")[0]


def sql_in_code() -> Iterator[tuple[Path, int, str]]:
    """Every text that is no docstring: any of them may be SQL."""
    for path, tree in python("service", "migrations"):
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
                for offset, line in enumerate(node.value.splitlines()):
                    yield path, node.lineno + offset, line.partition("--")[0]


def test_time_comes_from_the_schemas_own_clock() -> None:
    assert_none(
        (
            f"{path}:{number}: {line.strip()}"
            for path, number, line in (*sql_in_files(), *sql_in_code())
            if SQL_CLOCKS.search(line) and HOME_OF_THE_CLOCK not in line
        ),
        "SQL takes the time from zenhire.clock() alone, so that tests can stop it",
    )


def test_only_the_settings_read_the_environment() -> None:
    assert_none(
        (
            f"{path}:{getattr(node, 'lineno', 0)}"
            for path, tree in python("service", "sandbox", "migrations")
            if path not in MAY_READ_THE_ENVIRONMENT
            for node in ast.walk(tree)
            if is_environment(node)
        ),
        f"the environment is read by {', '.join(map(str, MAY_READ_THE_ENVIRONMENT))} only",
    )


def test_functions_are_short() -> None:
    def too_long() -> Iterator[str]:
        for path, tree in python("service", "sandbox", "benchmarks", "migrations"):
            limit = CORE_FUNCTION_LINES_MAX if path.parts[:2] == ("service", "core") else FUNCTION_LINES_MAX
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    size = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring_lines(node)
                    if size > limit:
                        yield f"{path}:{node.lineno}: {node.name} has {size} lines, allowed are {limit}"

    assert_none(too_long(), "a function fits on a screen")


def test_files_are_short() -> None:
    assert_none(
        (
            f"{path}: {count} lines, allowed are {FILE_LINES_MAX}"
            for path, _tree in python("service", "sandbox", "benchmarks")
            if (count := text_of(path).count("\n")) > FILE_LINES_MAX
        ),
        "a file has one subject",
    )


def test_tests_wait_for_conditions_and_never_sleep() -> None:
    assert_none(
        (
            f"{path}:{node.lineno}"
            for path, tree in python("tests")
            if path.parts[1] != "support"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "sleep"
        ),
        "wait with tests.support.waiting, which has a deadline; a stand-in that is slow on purpose uses its `pace`",
    )


def test_nothing_names_a_registry_or_a_path_of_one_machine() -> None:
    assert_none(
        (
            f"{path}:{number}: {line.strip()}"
            for path in files()
            if path != THIS_FILE
            for number, line in lines(path)
            if ELSEWHERE.search(line)
        ),
        "the repository works behind any package index and in any directory",
    )


def test_nothing_is_left_unfinished() -> None:
    assert_none(
        (
            f"{path}:{number}: {line.strip()}"
            for path in files()
            if path != THIS_FILE
            for number, line in lines(path)
            if UNFINISHED.search(line)
        ),
        "notes about work to do live elsewhere",
    )


def test_the_changelog_tells_about_this_version() -> None:
    version = tomllib.loads(text_of(Path("pyproject.toml")))["project"]["version"]
    changelog = Path("CHANGELOG.md")
    assert changelog in files(), "there is no CHANGELOG.md"
    headings = [line for _number, line in lines(changelog) if line.startswith("## ")]
    assert any(version in heading for heading in headings), f"CHANGELOG.md has no heading for {version}: {headings}"
