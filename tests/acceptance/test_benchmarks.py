"""The benchmark runs, checks its own work, and says what it found."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.peers import peers_venv

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_the_lag_of_outcomes_is_measured_on_real_parts() -> None:
    sizes = ("--open", "200", "--cap", "8", "--minutes", "0.6", "--talk", "8")
    done = run(*sizes, module="benchmarks.outcome_lag")
    assert done.returncode == 0, done.stderr
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    lags, requests = (line.split() for line in done.stdout.splitlines() if line.strip().startswith("200"))
    assert int(lags[2]) > 5
    assert requests[5:7] == ["0", "0"]  # no 429, and no outcome that is missing


@pytest.mark.long
@pytest.mark.parametrize("away", ["vendor", "database", "service"])
def test_after_an_outage_lags_count_from_the_recovery(away: str) -> None:
    sizes = ("--open", "200", "--cap", "8", "--minutes", "0.6", "--talk", "20", "--outage-minutes", "0.2")
    done = run(*sizes, "--outage", away, module="benchmarks.outcome_lag", within=300)
    assert done.returncode == 0, done.stderr
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert f"outage: {away}, 0.2 minutes" in done.stdout
    lags, requests = (line.split() for line in done.stdout.splitlines() if line.strip().startswith("200"))
    assert int(lags[2]) >= 2
    assert requests[6] == "0"  # missing
    assert "MISSED" not in done.stdout


@pytest.mark.long
def test_what_a_replica_needs_is_measured_on_real_parts() -> None:
    sizes = ("--open", "50", "100", "--minutes", "0.05", "--idle", "5", "--invites", "5", "--beside", "50")
    done = run(*sizes, "--statements", module="benchmarks.resources", within=500)
    assert done.returncode == 0, done.stderr
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    figures = {line[:36].strip(): line[36:].split() for line in done.stdout.splitlines()}
    assert 20 < float(figures["100 open sessions"][0]) < 200
    assert all(float(figures[idle][0]) > 0.5 for idle in ("nothing open", "50 open, nobody comes"))
    assert all(int(bytes_.replace(",", "")) > 1000 for bytes_ in figures["all"])


@pytest.mark.long
def test_the_use_of_the_limit_is_measured_on_real_parts() -> None:
    done = run("--replicas", "2", "--minutes", "0.1", module="benchmarks.budget_use")
    assert done.returncode == 0, done.stderr
    figures = {line[:30].strip(): line[30:].split()[0] for line in done.stdout.splitlines()[1:]}
    assert int(figures["requests sent"].replace(",", "")) > 10
    assert figures["answers of 429"] == "0"


@pytest.mark.long
def test_what_the_size_of_the_tables_costs_is_measured() -> None:
    done = run("1000", "3000", module="benchmarks.table_size")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith(("claim of 100", "attention", "backlog"))]
    assert len(rows) == 4
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


@pytest.mark.long
def test_the_service_is_measured_beside_others(tmp_path: Path) -> None:
    python = peers_venv() / "bin" / "python"
    sizes = ("--links", "10", "--starts", "60", "--json", str(tmp_path / "found.json"))
    done = run("--quick", *sizes, "--python", str(python), module="benchmarks.peers", within=570)
    assert done.returncode == 0, done.stderr
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    found = json.loads((tmp_path / "found.json").read_text())
    starters = {"zenhire-sync", "naive", "procrastinate", "pgqueuer"}
    assert set(found["links_per_second"]) == set(found["after_kill"]) == starters
    assert set(found["outcomes"]) == starters | {"dlt"}
    for name, (lags,) in found["outcomes"].items():
        assert (name, lags["missing"], lags["refused"]) == (name, 0, 0)
    for name, (left,) in found["after_kill"].items():
        assert (name, left["without_link"]) == (name, 0)
    assert found["after_kill"]["zenhire-sync"][0]["unknown"] == 0


@pytest.mark.long
def test_every_figure_stands_in_one_table() -> None:
    done = run("--quick", "--only", "links", "claims", "lags", module="benchmarks.whole", within=300)
    assert done.returncode == 0, done.stderr
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    figures = {line[:30].strip(): line[30:].split() for line in done.stdout.splitlines()[3:]}
    assert figures["against a bare loop"][:2] == ["≥", "0.75"]
    assert float(figures["p50, 200 open, 8 talk, s"][2]) > 1
    assert len(figures) == 12
    assert not {"met", "MISSED"} & set(done.stdout.split())


def test_without_the_peers_it_says_how_they_are_installed(tmp_path: Path) -> None:
    done = run("--python", str(tmp_path / "python"), module="benchmarks.peers")
    assert done.returncode == 2
    assert "`make peers`" in done.stderr


def run(*arguments: str, module: str = "benchmarks", within: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=within, check=False)


def test_a_quick_run_measures_on_real_parts_and_judges_nothing(tmp_path: Path) -> None:
    done = run("--quick", "--links", "20", "--inserts", "3", "--json", str(tmp_path / "found.json"))
    assert done.returncode == 0, done.stderr
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert "MISSED" not in done.stdout
    found = json.loads((tmp_path / "found.json").read_text())
    rates = found["links_per_second"]
    assert [len(rates[side]) for side in ("service", "bare_loop", "bare_loop_narrow")] == [1, 1, 1]
    assert all(one["links"] == 20 and one["links_per_second"] > 0 for one in rates["service"] + rates["bare_loop"])
    assert rates["met"] is None
    assert found["insert_to_link_seconds"]["p99"] >= found["insert_to_link_seconds"]["p50"]
    assert found["links_verified"] == 1 + 5 + 20 + 3  # the first, the warm-up, the round, the single inserts


def test_a_size_that_is_no_number_is_named() -> None:
    done = run("--links", "none")
    assert done.returncode == 2
    assert "--links: 'none' is not a whole number from 1" in done.stderr
