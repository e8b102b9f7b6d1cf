"""Writes what became of a role and language; only the holder of the lease decides."""

from enum import StrEnum
from typing import assert_never
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.model import PersonaClaim
from service.core.personas import RefusePersona, TryLater, UsePersona
from service.postgres.engine import execute, fetch, transaction

#: One intent of an account at a time, so that two replicas do not both pass the day's limit.
LOCK_ACCOUNT = text("select from zenhire.request_budget where account = :account for update")

#: The intent: committed before the persona is asked for. Repeats of one persona count once.
INTEND = text("""
with lately as (
    select count(*) as personas from zenhire.personas
    where account = :account and id <> :row_id and posted_at > zenhire.clock() - interval '1 day'
),
intended as (
    update zenhire.personas p set posts = posts + 1, posted_at = zenhire.clock()
    from lately l
    where p.id = :row_id and p.lease_token = :token and p.lease_until > (select zenhire.clock())
      and l.personas < :per_day
    returning p.id
)
select l.personas >= :per_day as too_many, exists (select from intended) as intended from lately l
""")

READY = text("""
with ready as (
    update zenhire.personas
    set state = 'ready', persona_id = :persona_id, matches = :matches, created_by_us = :created,
        ready_at = zenhire.clock(), next_try_at = null, failures = 0, error_code = null, error_message = null,
        lease_token = null, lease_until = null, lease_holder = null
    where id = :row_id and lease_token = :token
    returning account
)
insert into zenhire.invite_events (account, kind, details, replica)
select account, 'persona_ready', jsonb_build_object('persona_id', cast(:persona_id as text), 'matches', :matches,
       'created', :created), :replica
from ready returning account
""")

REFUSED = text("""
with refused as (
    update zenhire.personas
    set state = 'refused', error_code = :code, error_message = :message, next_try_at = null,
        lease_token = null, lease_until = null, lease_holder = null
    where id = :row_id and lease_token = :token
    returning account
)
insert into zenhire.invite_events (account, kind, reason, details, replica)
select account, 'persona_refused', :message, jsonb_build_object('code', cast(:code as text)), :replica
from refused returning account
""")

LATER = text("""
update zenhire.personas
set next_try_at = :at, error_code = :code, error_message = :message, failures = failures + cast(:counts as integer),
    lease_token = null, lease_until = null, lease_holder = null
where id = :row_id and lease_token = :token
returning id
""")


#: The vendor says that it does not know this persona: it is looked up again before the next invite needs it.
DOUBT = text("""
update zenhire.personas set state = 'wanted', next_try_at = zenhire.clock()
where account = :account and persona_id = :persona_id and state = 'ready'
""")


class Intent(StrEnum):
    """What became of the wish to create a persona."""

    COMMITTED = "committed"
    TOO_MANY = "too_many"
    LEASE_PASSED = "lease_passed"


class PersonaRows:
    """Writes `zenhire.personas` for one replica."""

    def __init__(self, engine: AsyncEngine, *, replica: UUID) -> None:
        self._engine = engine
        self._replica = replica

    async def intend(self, claim: PersonaClaim, *, per_day: int) -> Intent:
        """Commit the intent to create, unless the day's limit is reached or the lease has passed to another."""
        given = {"account": claim.account, "row_id": claim.row_id, "token": claim.token, "per_day": per_day}
        async with transaction(self._engine) as connection:
            await connection.execute(LOCK_ACCOUNT, {"account": claim.account})
            row = (await connection.execute(INTEND, given)).one()
        if row.too_many:
            return Intent.TOO_MANY
        return Intent.COMMITTED if row.intended else Intent.LEASE_PASSED

    async def doubt(self, account: str, persona_id: str) -> None:
        """Look this persona up again, if it is one of ours."""
        await execute(self._engine, DOUBT, {"account": account, "persona_id": persona_id})

    async def write(self, claim: PersonaClaim, choice: UsePersona | RefusePersona | TryLater) -> bool:
        """Write a choice; False: the lease has passed to another, who decides."""
        held = {"row_id": claim.row_id, "token": claim.token}
        match choice:
            case UsePersona():
                given = {"persona_id": choice.persona_id, "matches": choice.matches, "created": choice.created}
                return bool(await fetch(self._engine, READY, held | given | {"replica": self._replica}))
            case RefusePersona():
                given = {"code": choice.code, "message": choice.message}
                return bool(await fetch(self._engine, REFUSED, held | given | {"replica": self._replica}))
            case TryLater():
                later = {"at": choice.at, "code": choice.code, "message": choice.message, "counts": int(choice.counts)}
                return bool(await fetch(self._engine, LATER, held | later))
        assert_never(choice)
