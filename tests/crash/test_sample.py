"""A sample of the matrix in which each step and each fault appears; `make crash-matrix` plays all of it."""

import pytest
from sqlalchemy import TextClause

from service.postgres import apply, budget, claims, personas, running, sweeps
from service.steps.beats import Beat
from tests.crash.cells import STEPS, Cell, Fault, all_cells, cell_of
from tests.crash.play import play
from tests.support.postgres import Server

SAMPLE = [
    cell_of("start", Beat.ANSWERED, Fault.KILLED),
    cell_of("start", Beat.CLAIMED, Fault.STOPPED),
    cell_of("start", Beat.WRITTEN, Fault.COMMIT_LOST),
    cell_of("start", Beat.ANSWERED, Fault.PAUSED),
    cell_of("start", Beat.CLAIMED, Fault.VENDOR_CUT_AFTER),
    cell_of("take_over", Beat.CLAIMED, Fault.KILLED),
    cell_of("personas", Beat.INTENDED, Fault.COMMIT_LOST),
    cell_of("personas", Beat.ANSWERED, Fault.EXCEPTION),
    cell_of("watch", Beat.ANSWERED, Fault.POSTGRES_CRASH),
    cell_of("watch", Beat.CLAIMED, Fault.VENDOR_CUT_BEFORE),
    cell_of("collect", Beat.ANSWERED, Fault.POSTGRES_CUT),
    cell_of("settle", Beat.WRITTEN, Fault.STOPPED),
    cell_of("sweep", Beat.ANSWERED, Fault.KILLED),
    cell_of("running", Beat.ANSWERED, Fault.KILLED),
]


@pytest.mark.long
@pytest.mark.parametrize("cell", SAMPLE, ids=lambda cell: cell.name)
def test_every_promise_holds_after(cell: Cell, postgres_server: Server, migrated_template: str) -> None:
    tally = play(cell, postgres_server, migrated_template)
    assert tally.published == tally.invites


def test_each_step_and_each_fault_is_in_the_sample() -> None:
    assert {cell.step.name for cell in SAMPLE} == set(STEPS)
    assert {cell.fault for cell in SAMPLE} == set(Fault)
    assert len(SAMPLE) < len(list(all_cells()))


def test_every_aim_is_a_part_of_a_statement_of_the_services() -> None:
    statements = [
        value.text
        for module in (apply, budget, claims, personas, running, sweeps)
        for name in vars(module).values()
        for value in (name.values() if isinstance(name, dict) else [name])
        if isinstance(value, TextClause)
    ]
    aims = [aim for step in STEPS.values() for aim in step.commits.values()]
    texts = [aim.text for aim in aims] + [aim.after.text for aim in aims if aim.after is not None]
    assert [part for part in texts if not any(part in statement for statement in statements)] == []
    assert [part for part in texts if " :" in part] == []  # on the wire a parameter has another name
