"""The wheel is a whole installation: two packages, the migrations inside, and a program that runs from anywhere."""

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dist = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [BIN / "hatchling", "build", "--target", "wheel", "--directory", dist],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`zenhire-sync` of an environment that holds our wheel, and finds its dependencies where they are already."""
    home = tmp_path_factory.mktemp("installation")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    site_packages = next((home / "lib").glob("python3*/site-packages"))
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True, env=quiet_environment())
    # One line is one directory: the .pth files in it, such as this checkout's own, are not followed.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return home / "bin" / "zenhire-sync"


def quiet_environment() -> dict[str, str]:
    return {"PATH": os.defpath, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "LANG": "C.UTF-8"}


def run(program: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *arguments], cwd=cwd, env=quiet_environment(), capture_output=True, text=True, check=False
    )


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_adds_two_packages_and_nothing_else(wheel: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    tops = {name.partition("/")[0] for name in names_in(wheel)}
    assert tops == {"service", "sandbox", f"zenhire_sync-{version}.dist-info"}


def test_the_wheel_holds_every_migration(wheel: Path) -> None:
    wanted = {
        f"service/migrations/{path.relative_to(ROOT / 'migrations')}"
        for path in (ROOT / "migrations").rglob("*")
        if path.suffix in {".py", ".sql"} and "__pycache__" not in path.parts
    }
    assert wanted
    assert wanted <= set(names_in(wheel))


def test_an_installation_of_the_wheel_runs_from_another_directory(program: Path, tmp_path: Path) -> None:
    said = run(program, "--help", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert "run the service" in said.stdout


def test_an_installation_of_the_wheel_uses_its_own_code_and_migrations(program: Path, tmp_path: Path) -> None:
    python = program.with_name("python")
    where = run(python, "-c", "import service, sandbox; print(service.__file__, sandbox.__file__)", cwd=tmp_path)
    assert [Path(name).is_relative_to(program.parents[1]) for name in where.stdout.split()] == [True, True]
    said = run(program, "migrate", "--print-sql", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert "create table zenhire.candidate_invites" in said.stdout
