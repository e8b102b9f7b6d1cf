"""What a candidate is going to do: drawn from the profile's mix, or written down beforehand by a test or a demo.

A plan is text such as `completed`, `failed talks_for=90`, `never`, or `never|completed` (the second link fares
otherwise). It is looked for in the platform's script (patterns of candidate_ref), then in the session's metadata under
`sandbox_plan`, then behind a `~` in the candidate_ref itself (`anna-7~never`). Numbers are seconds of the vendor's
world.
"""

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, get_args

from sandbox.profile import CandidateMix, TranscriptText

METADATA_KEY = "sandbox_plan"
SUFFIX_MARK = "~"


class Ending(StrEnum):
    """How a session ends (contract §3)."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"  #: runs into the interview budget
    NEVER = "never"  #: the link is never opened
    FAILS_UNOPENED = "fails_unopened"  #: from initiated straight to failed: nobody says that it cannot happen


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One candidate's behaviour with one link. Spans are of the vendor's world, undivided by `speed`."""

    ending: Ending
    opens_after: timedelta
    talks_for: timedelta
    artifacts_after: timedelta
    rating: int | None = None  #: the candidate's answer to the survey, 1 to 5
    feedback_after: timedelta = timedelta()
    transcript_text: TranscriptText | None = None  #: None: as the profile has it
    recording: bool = True
    transcript: bool = True


class Script:
    """Patterns of candidate_ref (`*` and `?`) with the plan that goes with each; the first match counts."""

    def __init__(self, plans: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        self._plans = list(plans.items() if isinstance(plans, Mapping) else plans)
        for _, text in self._plans:
            check_plan(text)

    def put(self, pattern: str, text: str) -> None:
        """A later line goes before earlier ones."""
        check_plan(text)
        self._plans.insert(0, (pattern, text))

    def find(self, candidate_ref: str) -> str | None:
        return next((text for pattern, text in self._plans if fnmatchcase(candidate_ref, pattern)), None)


def written_plan(script: Script, candidate_ref: str | None, metadata: Mapping[str, Any] | None) -> str | None:
    """The text that decides about this candidate, if there is one. Text that is no plan is a candidate's own affair."""
    if candidate_ref is not None and (text := script.find(candidate_ref)) is not None:
        return text
    told = (metadata or {}).get(METADATA_KEY)
    suffix = candidate_ref.rpartition(SUFFIX_MARK)[2] if candidate_ref and SUFFIX_MARK in candidate_ref else None
    return next((text for text in (told, suffix) if isinstance(text, str) and _is_plan(text)), None)


def draw_plan(mix: CandidateMix, dice: random.Random) -> Plan:
    """What this candidate does when nobody wrote anything down. Always rolls the same number of dice."""
    ending, opens, talks, answers, late, rating = (dice.random() for _ in range(6))
    answered = answers < mix.feedback
    return Plan(
        ending=_drawn_ending(mix, ending),
        opens_after=timedelta(seconds=-math.log(1 - opens) * mix.opens_after_seconds),
        talks_for=timedelta(seconds=mix.talks_for_seconds * (0.5 + talks)),
        artifacts_after=timedelta(seconds=mix.artifacts_after_seconds),
        rating=1 + int(rating * 5) if answered else None,
        feedback_after=timedelta(seconds=mix.feedback_late_seconds if late < mix.feedback_late else 0),
    )


def _drawn_ending(mix: CandidateMix, roll: float) -> Ending:
    shares = (
        (mix.never, Ending.NEVER),
        (mix.fail, Ending.FAILED),
        (mix.time_out, Ending.TIMED_OUT),
        (mix.fail_unopened, Ending.FAILS_UNOPENED),
    )
    for share, ending in shares:
        if roll < share:
            return ending
        roll -= share
    return Ending.COMPLETED


def apply_text(drawn: Plan, text: str, attempt: int) -> Plan:
    """The drawn plan as the text changes it; `attempt` counts the candidate's links from 0, the last part repeats."""
    parts = text.split("|")
    ending, *options = parts[min(attempt, len(parts) - 1)].split()
    plan = replace(drawn, ending=Ending(ending))
    for option in options:
        name, _, value = option.partition("=")
        plan = _with_option(plan, name, value)
    return plan


def check_plan(text: str) -> None:
    """Raise ValueError, with what is allowed, unless the text is a plan."""
    blank = Plan(ending=Ending.NEVER, opens_after=timedelta(), talks_for=timedelta(), artifacts_after=timedelta())
    try:
        for attempt in range(text.count("|") + 1):
            apply_text(blank, text, attempt)
    except ValueError as problem:
        raise ValueError(
            f"plan {text!r}: {problem}. Write one of {', '.join(Ending)}, then options such as opens_after=60 "
            "talks_for=600 artifacts_after=5 rating=4 feedback_after=30 text=nul recording=no transcript=no",
        ) from None


def _is_plan(text: str) -> bool:
    try:
        check_plan(text)
    except ValueError:
        return False
    return True


def _with_option(plan: Plan, name: str, value: str) -> Plan:
    match name:
        case "opens_after" | "talks_for" | "artifacts_after" | "feedback_after":
            spans: dict[str, Any] = {name: timedelta(seconds=float(value))}
            return replace(plan, **spans)
        case "rating":
            return replace(plan, rating=None if value == "none" else int(value))
        case "recording" | "transcript":
            wishes: dict[str, Any] = {name: value != "no"}
            return replace(plan, **wishes)
        case "text" if value in get_args(TranscriptText):
            return replace(plan, transcript_text=value)  # type: ignore[arg-type] # the guard says which
        case _:
            raise ValueError(f"unknown option {name}={value}")
