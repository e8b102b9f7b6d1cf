"""
`doctor`: what was tried before anything is trusted, what was found, and what to do.

It asks the vendor two harmless questions for each account, and creates nothing.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg
from pydantic import SecretStr

from service.accounts import Accounts
from service.core.failures import Meaning, Request, WaitAccount, WaitRow, classify
from service.core.limits import Share
from service.core.observations import Failure
from service.database_url import database_place
from service.operate.assumptions import Assumption, read_assumptions
from service.operate.snapshot import Snapshot, snapshot
from service.operate.verify_ask import NoAnswer, in_words
from service.operate.words import counted
from service.postgres.migrate import MigrationFailed, check
from service.settings import Settings
from service.steps.desk import vendor_client

OLDEST_POSTGRES = 14
CLOCKS_APART_SECONDS = 5.0


class Mark(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "FAILED"
    NOT_TRIED = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was tried."""

    what: str
    mark: Mark
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything that was tried, and what is known of what the vendor has not written down."""

    checks: tuple[Check, ...]
    assumptions: tuple[Assumption, ...]

    @property
    def failed(self) -> bool:
        return any(one.mark is Mark.FAILED for one in self.checks)


class _Unhurried:
    """Two requests need no budget: they fit into what the service leaves free of the limit."""

    async def acquire(self, _share: Share, _send_before: float) -> bool:
        return True


def examine(settings: Settings) -> Diagnosis:
    """Try everything, also what comes after a failure, as far as it can be tried."""
    checks = [Check(what="settings", mark=Mark.OK, found="every variable is allowed")]
    url = settings.database_url.get_secret_value()
    checks += _database(url)
    assumptions: tuple[Assumption, ...] = ()
    if all(one.mark is not Mark.FAILED for one in checks):
        with snapshot(url, command="doctor") as seen:
            checks += _service(seen)
            assumptions = read_assumptions(seen)
    keys = Accounts(api_key=settings.api_key, keys_dir=settings.api_keys_dir).current()
    if not keys:
        checks.append(
            Check(what="key", mark=Mark.FAILED, found="no account has a key", todo="see ZENHIRE_API_KEYS_DIR")
        )
    for account, key in sorted(keys.items()):
        checks += asyncio.run(_vendor(settings, account, key))
    return Diagnosis(checks=tuple(checks), assumptions=assumptions)


def _database(url: str) -> Iterator[Check]:
    place = database_place(url)
    try:
        state = check(url)
    except MigrationFailed as error:
        todo = "check DATABASE_URL, and that Postgres runs and lets this host in"
        yield Check(what="database", mark=Mark.FAILED, found=str(error), todo=todo)
        return
    with psycopg.connect(url, connect_timeout=5, application_name="zenhire-sync doctor") as connection:
        version = connection.info.server_version // 10_000
    old = version < OLDEST_POSTGRES
    yield Check(
        what="database",
        mark=Mark.FAILED if old else Mark.OK,
        found=f"PostgreSQL {version} at {place}",
        todo=f"PostgreSQL {OLDEST_POSTGRES} or newer is needed" if old else "",
    )
    yield Check(what="schema", mark=Mark.OK if state.may_run else Mark.FAILED, found=state.sentence)


def _service(seen: Snapshot) -> Iterator[Check]:
    (service,) = seen.rows("select state, says from zenhire.service_status where what = 'service'")
    running = service["state"] == "running"
    yield Check(
        what="service",
        mark=Mark.OK if running else Mark.WARNING,
        found=service["says"],
        todo="" if running else "start it: zenhire-sync run",
    )
    (needs,) = seen.rows("select count(*) as rows from zenhire.attention where code <> 'NO_REPLICA'")
    yield Check(
        what="attention",
        mark=Mark.WARNING if needs["rows"] else Mark.OK,
        found=f"{counted(needs['rows'], 'thing')} need a person" if needs["rows"] else "nothing needs a person",
        todo="zenhire-sync status" if needs["rows"] else "",
    )
    for row in seen.rows("""
        select a.account, a.vendor_ahead, a.stop_code, a.last_link_at, c.credits_left, c.credits_promised
        from zenhire.account_state a join zenhire.capacity c on c.account = a.account order by 1"""):
        yield _credits(row)
        yield from _clock(row)


def _credits(row: Mapping[str, Any]) -> Check:
    what = f"credits of {row['account']}"
    if row["stop_code"] == "INSUFFICIENT_CREDITS":
        return Check(what=what, mark=Mark.FAILED, found="ZenHire says that there are not enough", todo="buy some")
    if row["credits_left"] is not None:
        return _balance(what, row["credits_left"], row["credits_promised"])
    if row["last_link_at"] is not None:
        return Check(what=what, mark=Mark.OK, found=f"enough for a link on {row['last_link_at']:%Y-%m-%d %H:%M} UTC")
    return Check(what=what, mark=Mark.NOT_TRIED, found="the service asks for them once links are out")


def _balance(what: str, left: int, promised: int | None) -> Check:
    if promised is None:
        return Check(what=what, mark=Mark.OK, found=f"{left:,} left")
    short = promised > left
    found = f"{left:,} left, and the links that are out may cost {promised:,}"
    return Check(what=what, mark=Mark.WARNING if short else Mark.OK, found=found, todo="buy some" if short else "")


def _clock(row: Mapping[str, Any]) -> Iterator[Check]:
    if row["vendor_ahead"] is not None:
        apart = abs(row["vendor_ahead"].total_seconds())
        far = apart > CLOCKS_APART_SECONDS
        yield Check(
            what=f"clocks of {row['account']}",
            mark=Mark.WARNING if far else Mark.OK,
            found=f"the database's and ZenHire's are {apart:.0f} s apart",
            todo="is the database's host kept in time (NTP)?" if far else "",
        )


async def _vendor(settings: Settings, account: str, key: SecretStr) -> list[Check]:
    deadline = settings.http_timeout
    async with vendor_client(settings.base_url, key, slots=_Unhurried(), deadline=deadline) as client:
        send_before = asyncio.get_running_loop().time() + deadline.total_seconds()
        personas = await client.list_personas({}, send_before=send_before)
        if isinstance(personas, Failure):
            return [_refusal(f"key of {account}", classify(Request.PERSONA_LIST, personas))]
        found = f"works: {counted(len(personas.personas), 'persona')} on the first page"
        key_works = Check(what=f"key of {account}", mark=Mark.OK, found=found)
        sessions = await client.list_sessions({}, send_before=send_before)
        if isinstance(sessions, Failure):
            return [key_works, _refusal(f"sessions of {account}", classify(Request.LIST, sessions))]
        found = f"may be listed: {counted(len(sessions.sightings), 'session')} on the first page"
        return [key_works, Check(what=f"sessions of {account}", mark=Mark.OK, found=found)]


def _refusal(what: str, meaning: Meaning) -> Check:
    failure = in_words(meaning)
    if isinstance(meaning, WaitAccount | WaitRow):
        return Check(what=what, mark=Mark.WARNING, found=str(failure), todo="try again later")
    away = isinstance(failure, NoAnswer)
    todo = (
        "check ZENHIRE_BASE_URL, and that this host can reach it"
        if away
        else "is it the right key, and active in ZenHire's console?"
    )
    return Check(what=what, mark=Mark.FAILED, found=str(failure), todo=todo)
