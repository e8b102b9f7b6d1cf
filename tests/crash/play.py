"""One cell, from the first invite to the last question."""

from tests.crash.cells import Cell, Fault
from tests.crash.endings import INVITES, Tally, check, wait_for_the_end
from tests.crash.faults import a_replica_at, strike
from tests.crash.stage import PATIENCE, SETTINGS, SETTINGS_FOR_A_STOP, Stage, a_stage, identity, leave_posts_behind
from tests.support.postgres import Server

#: A walk through the whole list may find first what a search is to find.
SWEPT = (
    "insert into zenhire.sweeps (account, next_at, finished_at)"
    " values ('default', zenhire.clock() + interval '1 hour', zenhire.clock())"
)

#: The running interviews are listed, without a probe before; and they last for some lists.
HONOURED = (
    "insert into zenhire.list_state (account, status_filter, next_probe_at)"
    " values ('default', 'honoured', zenhire.clock() + interval '1 day')"
)
LONGER = "completed opens_after=0 talks_for=3000 artifacts_after=0"


def play(cell: Cell, server: Server, template: str) -> Tally:
    """AssertionError, with the logs of all replicas, if the cell ends in any other way than it must."""
    own_postgres = cell.fault is Fault.POSTGRES_CRASH
    with a_stage(server, template, own_postgres=own_postgres, settings=_settings(cell)) as stage:
        try:
            return _play(cell, stage)
        except Exception as error:
            said = "\n\n".join(replica.text for replica in stage.replicas)
            raise AssertionError(f"{cell.name}: {error}\n{said}") from error


def _settings(cell: Cell) -> dict[str, str]:
    """What is taken over waits for a lease; nothing else that a stop must leave in order does."""
    waits_for_no_lease = cell.fault is Fault.STOPPED and cell.step.name != "take_over"
    return SETTINGS | SETTINGS_FOR_A_STOP if waits_for_no_lease else SETTINGS


def _play(cell: Cell, stage: Stage) -> Tally:
    for number in range(INVITES):
        stage.invite(number)
    _prepare(cell, stage)
    with a_replica_at(cell, stage) as at:
        strike(at)
        wait_for_the_end(stage)
        for replica in stage.replicas:
            if replica.is_running:
                identity(replica)  # a signal before it has come up would end it unheard
                assert replica.terminate(within=PATIENCE) == 0
        return check(at)


def _prepare(cell: Cell, stage: Stage) -> None:
    """What must have happened before the step in question has anything to do."""
    match cell.step.name:
        case "settle":
            stage.database.execute(SWEPT)
            stage.sandbox.console.set_faults(["lost_after@create_session:#1"])
        case "running":
            stage.database.execute(HONOURED)
            stage.sandbox.console.change_profile({"listing.filters": "status"})
            stage.sandbox.console.write_plan("candidate-*", LONGER)
        case "take_over":
            leave_posts_behind(stage)
        case _:
            pass
