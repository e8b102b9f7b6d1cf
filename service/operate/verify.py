"""`verify`: whether database and vendor tell the same story, and the database one that holds together."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.model import Policy
from service.operate.verify_database import INVITES, TRANSCRIPTS, DatabaseChecks
from service.operate.verify_progress import Progress
from service.operate.verify_report import Report
from service.operate.verify_sitting import Sitting
from service.operate.verify_state import State, restored
from service.operate.words import moment
from service.postgres.engine import DatabaseLost, create_engine
from service.postgres.verify import VerifyRows, known_accounts
from service.postgres.verify_runs import CutShort, VerifyRun, VerifyRuns

BEAT_EVERY = 1.0
#: A process that has not written for this long is taken for dead; one that only was slow notices, and stops.
SILENT_FOR = timedelta(seconds=4)
CONNECTIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is to be checked."""

    database_url: str
    policy: Policy
    accounts: Sequence[str] | None = None  #: None: all
    keys: frozenset[str] = frozenset()  #: accounts with a key
    fresh: bool = False  #: take up no run that was cut short

    @property
    def scope(self) -> str:
        """Only a run of the same scope goes on where another one was cut short."""
        return f"database, {', '.join(self.accounts) if self.accounts else 'all accounts'}"


class UnknownAccounts(Exception):
    """Accounts that nobody has heard of: a typing mistake would look like a clean run."""


async def verify(options: Options, progress: Progress) -> Report:
    """One run, to its end."""
    engine = create_engine(options.database_url, connections=CONNECTIONS, application_name="zenhire-sync verify")
    try:
        await _refuse_unknown(engine, options)
        runs = VerifyRuns(engine, runner=uuid4(), host=socket.gethostname())
        run, state, resumed = await _begin(runs, options, progress)
        sitting = Sitting(run=run, state=state, policy=options.policy, progress=progress)
        checks = DatabaseChecks(VerifyRows(engine, accounts=options.accounts), sitting)
        async with _beating(run):
            if resumed:
                await _forget_what_came_right(checks, state)
            await _check(checks, sitting)
        return await _finish(sitting, options, resumed=resumed)
    finally:
        await engine.dispose()


async def _refuse_unknown(engine: AsyncEngine, options: Options) -> None:
    unknown = set(options.accounts or ()) - options.keys - set(await known_accounts(engine, options.accounts or ()))
    if unknown:
        names = ", ".join(sorted(unknown))
        raise UnknownAccounts(
            f"there is no account {names}: it has neither a key nor an invite; see `zenhire-sync status`"
        )


async def _begin(runs: VerifyRuns, options: Options, progress: Progress) -> tuple[VerifyRun, State, bool]:
    found = None if options.fresh else await runs.cut_short(options.scope)
    if found is not None and (taken := await _take_over(runs, found, progress)) is not None:
        return *taken, True
    return await runs.begin(options.scope), State(), False


async def _take_over(runs: VerifyRuns, found: CutShort, progress: Progress) -> tuple[VerifyRun, State] | None:
    if found.silent_for < SILENT_FOR:
        await asyncio.sleep((SILENT_FOR - found.silent_for).total_seconds())
    taken = await runs.take_over(found)
    began = moment(found.started_at)
    if taken is None:
        progress.say(f"Another verify, begun at {began}, is at work; this one begins anew.")
        return None
    run, saved = taken
    progress.say(f"A run begun at {began} was cut short; going on where it was (--fresh begins anew).")
    return run, restored(saved)


async def _forget_what_came_right(checks: DatabaseChecks, state: State) -> None:
    hold = await checks.still_hold(state.findings)
    state.drop(lambda finding: finding.key not in hold)


async def _check(checks: DatabaseChecks, sitting: Sitting) -> None:
    """Each part in turn, from the one in which the run was cut short."""
    parts = {INVITES: checks.invites, TRANSCRIPTS: checks.transcripts}
    names = [*parts]
    for name in names[names.index(sitting.state.position.get("part", INVITES)) :]:
        await parts[name]()


async def _finish(sitting: Sitting, options: Options, *, resumed: bool) -> Report:
    sitting.progress.clear()
    state = sitting.state
    code = Report.code(state, failure=None)
    finished_at: datetime = await sitting.run.finish(code, None)
    return Report(
        run_id=sitting.run.id,
        scope=options.scope,
        started_at=sitting.run.started_at,
        finished_at=finished_at,
        resumed=resumed,
        state=state,
        failure=None,
    )


@asynccontextmanager
async def _beating(run: VerifyRun) -> AsyncIterator[None]:
    """Lets others see that this process lives, also while it waits for a request slot."""

    async def beat() -> None:
        while True:
            with suppress(DatabaseLost):
                await run.beat()
            await asyncio.sleep(BEAT_EVERY)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
