"""The half of `verify` that asks the vendor: each account with a key, one after the other."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from service.operate.verify_account import AccountCheck
from service.operate.verify_ask import Asker
from service.operate.verify_sitting import Sitting
from service.operate.verify_state import VENDOR
from service.postgres.accounts import Accounts
from service.postgres.verify_vendor import VendorRows
from service.steps.desk import DeskMaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """Whom to ask, and how often."""

    keys: Mapping[str, SecretStr]
    make_desks: Callable[[AsyncEngine, asyncio.Event], DeskMaker]
    base_url: str
    requests_per_minute: int


class VendorChecks:
    """What an account's list cannot tell is said, and the others go on."""

    def __init__(self, engine: AsyncEngine, vendor: Vendor, accounts: Sequence[str] | None, sitting: Sitting) -> None:
        self._engine = engine
        self._vendor = vendor
        self._accounts = sorted(vendor.keys if accounts is None else set(accounts) & vendor.keys.keys())
        self._sitting = sitting

    async def all(self) -> None:
        maker = self._vendor.make_desks(self._engine, asyncio.Event())
        accounts = Accounts(self._engine, replica=uuid4(), base_url=self._vendor.base_url)
        async with AsyncExitStack() as stack:
            for account in self._accounts:
                if account in self._sitting.state.vendor:
                    continue  # done before the run was cut short
                check = AccountCheck(
                    rows=VendorRows(self._engine, account=account, run_id=self._sitting.run.id),
                    asker=Asker(
                        desk=await maker.make(account, self._vendor.keys[account], stack),
                        accounts=accounts,
                        requests_per_minute=self._vendor.requests_per_minute,
                    ),
                    sitting=self._sitting,
                    base_url=self._vendor.base_url,
                    part=VENDOR,
                )
                self._sitting.state.vendor[account] = await check.run()
                await self._sitting.keep(VENDOR)
