"""What is done to the replica that stands at the boundary, and what must be seen of it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from service.steps.beats import Beat
from tests.crash.cells import Cell, Fault
from tests.crash.crossing import Crossing, a_crossing
from tests.crash.doomed import RAISE
from tests.crash.stage import LOOK_EVERY, PATIENCE, Stage, identity, is_there, leased
from tests.support.processes import Process
from tests.support.waiting import eventually

#: Boundaries at which the replica holds rows.
HOLDING = frozenset({Beat.CLAIMED, Beat.LISTED, Beat.INTENDED, Beat.ANSWERED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The replica, where it stands, and everything around it."""

    cell: Cell
    stage: Stage
    doomed: Process
    crossing: Crossing


@contextmanager
def a_replica_at(cell: Cell, stage: Stage) -> Iterator[Moment]:
    """A replica on its way to the boundary, where it will be held."""
    is_commit = cell.fault is Fault.COMMIT_LOST
    ripe = stage.proxy.aimed.is_set if is_commit else partial(_is_ripe, cell, stage)
    with a_crossing(None if is_commit else cell.beat, ripe=ripe, patience=PATIENCE) as crossing:
        doomed = stage.start_doomed(cell.step.name, crossing)
        yield Moment(cell=cell, stage=stage, doomed=doomed, crossing=crossing)


def _is_ripe(cell: Cell, stage: Stage) -> bool:
    """A look is worth a fault once it brings an outcome; any other step has something to do as soon as it has rows."""
    return cell.step.name != "watch" or stage.candidates_are_done()


def strike(at: Moment) -> None:
    """Let the fault happen where it is due, and see to it that somebody is there to go on with the work."""
    if at.cell.fault is not Fault.COMMIT_LOST:
        eventually(lambda: is_there(at.crossing, at.doomed), within=PATIENCE)
    _STRIKES[at.cell.fault](at)


def _kill(at: Moment) -> None:
    at.doomed.kill()
    at.stage.start_replica()


def _stop(at: Moment) -> None:
    at.doomed.signal(signal.SIGTERM)
    at.doomed.wait_for_line("service_stopping", within=PATIENCE)
    at.crossing.go_on()
    assert at.doomed.wait(within=PATIENCE) == 0
    assert at.doomed.events("service_stopped")[0]["drained"] is True
    assert not leased(at.stage.database, identity(at.doomed))
    at.stage.start_replica()


def _raise(at: Moment) -> None:
    at.crossing.go_on(RAISE)
    at.doomed.wait_for_line("InjectedError", within=PATIENCE)


def _crash_postgres(at: Moment) -> None:
    postgres = at.stage.own_postgres
    assert postgres is not None
    postgres.crash()
    at.crossing.go_on()
    postgres.restart()


def _cut_postgres(at: Moment) -> None:
    assert at.stage.proxy.cut() > 0
    at.crossing.go_on()


def _lose_commit(at: Moment) -> None:
    """The replica passes no boundary of the step before the aim is taken. (It reserves before it comes to one.)"""
    if at.cell.beat is not Beat.RESERVED:
        eventually(lambda: _is_ripe(at.cell, at.stage), within=PATIENCE, every=LOOK_EVERY)
    at.stage.proxy.lose_answer(at.cell.step.commits[at.cell.beat])
    eventually(at.stage.proxy.answer_lost.is_set, within=PATIENCE, every=LOOK_EVERY)


def _cut_vendor(at: Moment) -> None:
    kind = "lost_before" if at.cell.fault is Fault.VENDOR_CUT_BEFORE else "lost_after"
    endpoint = at.cell.step.requests[at.cell.beat]
    before = _answers(at, endpoint, kind)
    at.stage.sandbox.console.set_faults([f"{kind}@{endpoint}:#1"])
    at.crossing.go_on()
    eventually(lambda: _answers(at, endpoint, kind) > before, within=PATIENCE, every=LOOK_EVERY)


def _answers(at: Moment, endpoint: str, kind: str) -> int:
    return at.stage.sandbox.platform.truth().answers.get((endpoint, kind), 0)


def _pause(at: Moment) -> None:
    """Frozen until another has what it held; where it held nothing, until the other has done all there is to do."""
    at.doomed.signal(signal.SIGSTOP)
    at.stage.start_replica()
    goes_on = _has_passed_on if at.cell.beat in HOLDING else _is_done_without
    eventually(lambda: goes_on(at), within=PATIENCE, every=LOOK_EVERY)
    at.doomed.signal(signal.SIGCONT)
    at.crossing.go_on()


def _has_passed_on(at: Moment) -> bool:
    held: int = at.stage.database.fetch_value(
        """
        select (select count(*) from zenhire.interview_sessions where lease_holder = %(id)s::uuid)
             + (select count(*) from zenhire.personas where lease_holder = %(id)s::uuid)
             + (select count(*) from zenhire.leases
                where holder = %(id)s::uuid and name like %(step)s || ':%%')
        """,
        {"id": identity(at.doomed), "step": at.cell.step.name},
    )
    return held == 0


def _is_done_without(at: Moment) -> bool:
    open_invites: int = at.stage.database.fetch_value(
        "select count(*) from zenhire.candidate_invites where status <> 'completed'"
    )
    return open_invites == 0


_STRIKES: dict[Fault, Callable[[Moment], None]] = {
    Fault.KILLED: _kill,
    Fault.STOPPED: _stop,
    Fault.EXCEPTION: _raise,
    Fault.POSTGRES_CRASH: _crash_postgres,
    Fault.POSTGRES_CUT: _cut_postgres,
    Fault.COMMIT_LOST: _lose_commit,
    Fault.VENDOR_CUT_BEFORE: _cut_vendor,
    Fault.VENDOR_CUT_AFTER: _cut_vendor,
    Fault.PAUSED: _pause,
}
