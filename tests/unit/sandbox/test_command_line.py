"""The sandbox's command line: what it refuses, and how it says so."""

import argparse

import pytest

from sandbox import cli
from sandbox.server import listen


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return cli.run(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--profile", "unlikely"], 2, "no profile is called 'unlikely'"),
        (["--faults", "boom"], 2, "say how often"),
        (["--plan", "anna"], 2, "PATTERN=PLAN"),
        (["--plan", "anna=perhaps"], 2, "Write one of"),
        (["--set", "speed=0"], 2, "must be greater than 0"),
        (["--port", "99999"], 1, "cannot listen on 127.0.0.1:99999"),
    ],
)
def test_wrong_arguments_end_with_one_clear_line(
    arguments: list[str],
    code: int,
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(arguments) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert said.err.count("\n") == 1


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert run(["--port", str(port)]) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err


def test_the_built_in_profiles_are_listed_with_what_they_are_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--profiles"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split(maxsplit=1) == ["likely", "the contract's best inferences; where you start"]
    assert len(lines) == 6
