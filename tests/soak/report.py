"""A soak in words: for the terminal, and for docs/reliability.md."""

import platform
from collections.abc import Mapping

from tests.soak.play import CLEAN, UNCHECKED, Result
from tests.soak.schedule import Blow


def as_markdown(result: Result) -> str:
    end, blows = result.ending, result.blows
    minutes = result.schedule.seconds / 60
    begin, over = result.schedule.storm
    rows = [
        ("length", f"{minutes:g} minutes, and {result.drained_in:.0f} s until the last invite had its end"),
        ("invites", f"{end.invites}: {_counts(end.by_status)}"),
        ("second links", str(end.second_links)),
        ("sessions made at the vendor", f"{end.sessions}, of {end.replies_lost} the reply was lost"),
        ("posts", _counts(end.posts)),
        ("replicas", f"{result.replicas}, two at a time: {blows[Blow.KILL]} × kill -9, {blows[Blow.STOP]} × SIGTERM"),
        ("replicas frozen (SIGSTOP) for longer than a lease", str(blows[Blow.PAUSE])),
        ("crashes of Postgres", str(blows[Blow.CRASH])),
        ("answers that were 429 or broken", f"{result.faulty_answers}, in a storm of {over - begin:.0f} s"),
        ("runs of `verify`", _verified(result.verified)),
        ("**invites lost**", f"**{end.lost}**"),
        ("**candidates with two live links**", f"**{len(end.two_links)}**"),
        ("**sessions not accounted for**", f"**{end.unaccounted}**"),
    ]
    lines = [
        f"`make soak MINUTES={minutes:g}` on Python {platform.python_version()}:",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
        "",
        "| | after the warm-up | at the end | most |",
        "|---|---|---|---|",
        *(f"| {level.name} | {level.warm:.4g} | {level.last:.4g} | {level.most:.4g} |" for level in result.levels),
    ]
    return "\n".join(lines)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))


def _verified(verified: Mapping[int, int]) -> str:
    words = {CLEAN: "clean", UNCHECKED: "not through, because of a crash or the storm"}
    return ", ".join(f"{count} {words.get(code, f'ended with {code}')}" for code, count in sorted(verified.items()))
