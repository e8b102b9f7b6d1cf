"""The matrix as a table for docs/reliability.md, with the counts of the run that made it."""

import os
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import fill

from service.steps.beats import Beat
from tests.crash.cells import STEPS, Cell, Fault, StepUnderTest
from tests.crash.endings import Tally
from tests.crash.takeover import TakeOver

PASSED, NO_CELL = "✓", "–"
WIDTH = 120

NOTE = """\
Each ✓ is one run. A real process, the service of `zenhire-sync run` with somebody who listens at its boundaries, stands
at the one that is named by what has just been done, while the fault happens; all other replicas are `zenhire-sync run`
itself. {no_cell} marks what cannot happen: a beat that commits nothing has no COMMIT to lose, and a request can be cut
only where one follows at once. `at COMMIT` is the COMMIT that ends the beat: it happens, and its
answer is lost with the connection. `paused` is SIGSTOP until another replica has taken over what it held (or, where it
held nothing, has done all the work), then SIGCONT. After `kill -9`, `SIGTERM` and `paused` another replica is started;
in all other cells nobody is, and the replica itself must find back."""

ENDING = """\
At the end of each cell, asked of the database and of the stand-in's own truth: every invite is `completed` and its
transcript stored; no candidate ever held two live links; each link was published once, and is the link of the session
that the row shows; each session at the vendor is tied to the post that its metadata names, published or an orphan; one
persona for one role; the history explains every status; no lease is left; `zenhire-sync verify` finds nothing in either
direction; no log holds an error but the exception that the cell asked for; an orderly stop lost no post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One cell as it was played; `failure` is empty where every promise held."""

    cell: Cell
    seconds: float
    tally: Tally
    failure: str

    def __str__(self) -> str:
        said = f"FAILED\n\n{self.failure}" if self.failure else "ok"
        return f"{self.cell.name}: {self.seconds:.0f} s, {said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Takeovers with one lease and one tick."""

    lease: float
    tick: float
    takeovers: Sequence[TakeOver]

    def as_row(self) -> str:
        kills = [taken.seconds for taken in self.takeovers]
        ends = [taken.after_the_lease for taken in self.takeovers]
        return (
            f"| {self.lease:g} s | {self.tick:g} s | {len(self.takeovers)} | {sum(t.posts for t in self.takeovers)} "
            f"| {statistics.median(kills):.2f} s | {max(kills):.2f} s | {self.lease + self.tick:g} s "
            f"| {statistics.median(ends):.2f} s | {max(ends):.2f} s | {sum(t.too_early for t in self.takeovers)} |"
        )


def cells_as_markdown(results: Sequence[Result]) -> str:
    return "\n\n".join(
        [
            _summary(results),
            "\n".join(_table({(result.cell.step.name, result.cell.beat, result.cell.fault) for result in results})),
            NOTE.format(no_cell=NO_CELL),
            ENDING,
        ]
    )


def _summary(results: Sequence[Result]) -> str:
    total = sum((result.tally for result in results), Tally())
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return fill(
        f"Run of {day}, {os.cpu_count()} cores, Python {platform.python_version()}: **{len(results)} cells, "
        f"{total.invites} invites, {total.replicas} real processes; 0 invites lost, 0 candidates with two live links, "
        f"0 sessions unaccounted for.** The vendor made {total.sessions} sessions: {total.published} were published, "
        f"{total.orphans} recorded as orphans. {total.lost_posts} posts stayed `lost`: nothing stands behind them at "
        f"the vendor, and they are searched for until their link would be dead. A cell took "
        f"{statistics.median(result.seconds for result in results):.0f} s (median), "
        f"{max(result.seconds for result in results):.0f} s at most.",
        width=WIDTH,
    )


def _table(passed: set[tuple[str, Beat, Fault]]) -> Iterator[str]:
    yield "| step | after | " + " | ".join(Fault) + " |"
    yield "|---|---|" + ":-:|" * len(Fault)
    for step in STEPS.values():
        for beat in step.beats:
            yield _row(step, beat, passed)


def _row(step: StepUnderTest, beat: Beat, passed: set[tuple[str, Beat, Fault]]) -> str:
    marks = [PASSED if (step.name, beat, fault) in passed else NO_CELL for fault in Fault]
    return f"| {step.name} | {beat} | " + " | ".join(marks) + " |"


def timing_as_markdown(timing: Timing) -> str:
    return f"""\
| lease | tick | kills | posts held | kill: p50 | max | lease + tick | lease's end: p50 | max | early |
|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
{timing.as_row()}"""
