"""Profiles that come from outside: names, files, settings, and what is said when they are wrong."""

from pathlib import Path

import pytest

from sandbox.profile import Profile
from sandbox.profiles import BUILT_IN, ProfileError, built_in, changed, load, parse_settings
from tests.unit.sandbox.lab import PROMPT, Lab


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_profile_takes_a_candidate_to_the_end(name: str) -> None:
    lab = Lab()
    lab.platform.profile = changed(built_in(name), {"faults.rules": []})
    persona = lab.persona()
    assert lab.post(persona=persona, metadata={"sandbox_plan": PROMPT}).status == 201
    lab.wait(days=1)
    assert lab.ask("GET", "sessions").status == 200
    assert [session.status for session in lab.platform.truth().sessions] == ["completed"]


def test_settings_are_converted_and_keep_the_rest() -> None:
    text = ["speed=60", "listing.paging=cursor", "listing.filters=status, tags", "listing.playground_rows=yes"]
    profile = changed(Profile(), parse_settings(text))
    assert (profile.speed, profile.listing.paging, profile.listing.playground_rows) == (60.0, "cursor", True)
    assert profile.listing.filters == ("status", "tags")
    assert profile.errors == Profile().errors


def test_a_file_varies_a_built_in(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('base = "bare"\nspeed = 10\n[limits]\nconcurrency = 2\n[faults]\nrules = ["any:0.1"]\n')
    profile = load(str(file))
    assert (profile.speed, profile.limits.concurrency, profile.listing.paging) == (10, 2, "none")
    assert profile.faults.rules[0].probability == 0.1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"listing.paging": "scroll"}, "listing.paging: Input should be 'none', 'offset', 'page' or 'cursor'"),
        ({"listing.pageing": "offset"}, "no setting 'listing.pageing'; there are speed"),
        ({"limits.concurrency": "many", "speed": "fast"}, "speed: .*limits.concurrency: "),
        ({"speed": 0}, "speed: must be greater than 0"),
        ({"listing": "cursor"}, "listing"),
        ({"faults.rules": 3}, "a list of rules"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ProfileError, match=told):
        changed(Profile(), settings)


def test_unknown_names_and_broken_files_are_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("speed = = 1")
    with pytest.raises(ProfileError, match="there are likely, bare"):
        load("unlikely")
    with pytest.raises(ProfileError, match=r"broken\.toml"):
        load(str(broken))
    with pytest.raises(ProfileError, match=r"absent\.toml"):
        load(str(tmp_path / "absent.toml"))
    with pytest.raises(ProfileError, match=r"group\.name=value"):
        parse_settings(["speed"])
