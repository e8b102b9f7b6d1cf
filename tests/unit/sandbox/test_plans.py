"""Plans: written down in three places, drawn from a seed otherwise."""

from collections import Counter

import pytest

from sandbox.plans import Script, check_plan
from tests.unit.sandbox.lab import Lab


def ending_of(lab: Lab, session: str) -> str | None:
    return lab.platform.truth().by_id()[session].plan


def test_a_plan_is_found_in_the_script_then_in_metadata_then_behind_the_mark() -> None:
    lab = Lab(plans={"scripted*": "failed"})
    assert ending_of(lab, lab.mint("scripted~never", metadata={"sandbox_plan": "timed_out"})) == "failed"
    assert ending_of(lab, lab.mint("free~never", metadata={"sandbox_plan": "timed_out"})) == "timed_out"
    assert ending_of(lab, lab.mint("free~fails_unopened")) == "fails_unopened"


def test_text_that_is_no_plan_is_the_candidates_own_affair() -> None:
    lab = Lab({"candidates.never": 0, "candidates.fail": 0, "candidates.time_out": 0})
    assert ending_of(lab, lab.mint("anna~smith", metadata={"sandbox_plan": "as we agreed"})) == "completed"


def test_the_second_link_of_a_candidate_may_fare_otherwise() -> None:
    lab = Lab(plans={"anna": "never|failed|completed"})
    endings = [ending_of(lab, lab.mint("anna")) for _ in range(4)]
    assert endings == ["never", "failed", "completed", "completed"]


def test_a_link_that_was_never_told_uses_up_no_part_of_the_plan() -> None:
    lab = Lab({"faults.rules": "lost_after@create_session:#1"}, plans={"anna": "never|completed"})
    persona = lab.persona()
    lab.post("anna", persona=persona)
    assert ending_of(lab, lab.mint("anna", persona=persona)) == "never"
    assert lab.platform.truth().lost()[0].plan is None


def test_what_a_candidate_does_does_not_depend_on_the_order_of_arrival() -> None:
    names = [f"c{number}" for number in range(60)]

    def endings(order: list[str]) -> dict[str | None, str | None]:
        lab = Lab(seed=7)
        persona = lab.persona()
        for name in order:
            lab.mint(name, persona=persona)
        return {session.candidate_ref: session.plan for session in lab.platform.truth().sessions}

    assert endings(names) == endings(names[::-1])


def test_the_mix_is_the_profiles() -> None:
    lab = Lab({"candidates.never": 0.5, "candidates.fail": 0.2, "candidates.time_out": 0.0})
    persona = lab.persona()
    for number in range(400):
        lab.mint(f"c{number}", persona=persona)
    plans = Counter(session.plan for session in lab.platform.truth().sessions)
    assert 160 < plans["never"] < 240
    assert 50 < plans["failed"] < 110
    assert plans["timed_out"] == 0


@pytest.mark.parametrize("text", ["", "perhaps", "completed talks=3", "completed rating=lots", "never|maybe"])
def test_a_plan_that_makes_no_sense_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="Write one of completed, failed"):
        check_plan(text)


def test_later_lines_of_a_script_go_before_earlier_ones() -> None:
    script = Script({"*": "never"})
    script.put("anna", "failed")
    assert (script.find("anna"), script.find("bert")) == ("failed", "never")
