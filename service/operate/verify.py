"""`verify`: whether database and vendor tell the same story, and the database one that holds together."""

# ruff: noqa: PLC0415 - what speaks HTTP is imported when it is needed

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.findings import ASKED
from service.core.model import Policy
from service.operate.progress import Progress
from service.operate.verify_database import INVITES, TRANSCRIPTS, DatabaseChecks
from service.operate.verify_report import Report
from service.operate.verify_sitting import Sitting
from service.operate.verify_state import VENDOR, Reach, State, restored
from service.operate.words import moment
from service.postgres.engine import DatabaseLost, create_engine
from service.postgres.verify import VerifyRows, known_accounts
from service.postgres.verify_runs import CutShort, VerifyRun, VerifyRuns
from service.postgres.verify_vendor import forget_sightings

if TYPE_CHECKING:
    from service.operate.verify_vendor import Vendor, VendorChecks

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
    vendor: "Vendor | None" = None  #: None: the database alone
    fresh: bool = False  #: take up no run that was cut short or left without an answer

    @property
    def scope(self) -> str:
        """Only a run of the same scope goes on where another one was cut short."""
        what = "database" if self.vendor is None else "database and ZenHire"
        return f"{what}, {', '.join(sorted(self.accounts)) if self.accounts else 'all accounts'}"

    @property
    def keys(self) -> frozenset[str]:
        """Accounts with a key."""
        return frozenset() if self.vendor is None else frozenset(self.vendor.keys)


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
            await _check(checks, _vendor_checks(engine, options, sitting), sitting)
        await forget_sightings(engine, None if state.unanswered else run.id)
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
    if found.finished_at is None and found.silent_for < SILENT_FOR:
        await asyncio.sleep((SILENT_FOR - found.silent_for).total_seconds())
    taken = await runs.take_over(found)
    began = moment(found.started_at)
    if taken is None:
        progress.say(f"Another verify, begun at {began}, is at work; this one begins anew.")
        return None
    run, saved = taken
    how = "was cut short" if found.finished_at is None else "ended without an answer of ZenHire's"
    progress.say(f"A run begun at {began} {how}; going on where it was (--fresh begins anew).")
    return run, restored(saved)


async def _forget_what_came_right(checks: DatabaseChecks, state: State) -> None:
    hold = await checks.still_hold([finding for finding in state.findings if finding.kind not in ASKED])
    state.drop(lambda finding: finding.kind not in ASKED and finding.key not in hold)


def _vendor_checks(engine: AsyncEngine, options: Options, sitting: Sitting) -> "VendorChecks | None":
    if options.vendor is None:
        return None
    from service.operate.verify_vendor import VendorChecks

    return VendorChecks(engine, options.vendor, options.accounts, sitting)


async def _check(checks: DatabaseChecks, vendor: "VendorChecks | None", sitting: Sitting) -> None:
    """Each part in turn, from the one in which the run was cut short."""
    parts = {INVITES: checks.invites, TRANSCRIPTS: checks.transcripts}
    if vendor is not None:
        parts[VENDOR] = vendor.all
    names = [*parts]
    for name in names[names.index(sitting.state.position.get("part", INVITES)) :]:
        await parts[name]()


async def _finish(sitting: Sitting, options: Options, *, resumed: bool) -> Report:
    sitting.progress.clear()
    state = sitting.state
    failure = _failure(state, options)
    finished_at = await sitting.run.finish(Report.code(state, failure=failure), failure)
    return Report(
        run_id=sitting.run.id,
        scope=options.scope,
        started_at=sitting.run.started_at,
        finished_at=finished_at,
        resumed=resumed,
        state=state,
        failure=failure,
    )


def _failure(state: State, options: Options) -> str | None:
    """What could not be carried out, though it was to be."""
    without_key = set(options.accounts or ()) - options.keys if options.vendor is not None else set()
    failed = {name: part["why"] for name, part in state.vendor.items() if part["reach"] == Reach.FAILED}
    failed |= dict.fromkeys(without_key, "there is no key for it")
    return "; ".join(f"account {name}: {why}" for name, why in sorted(failed.items())) or None


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
