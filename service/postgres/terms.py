"""Terms: what must be single in an account goes on under a lease with a name, one term after another."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

#: The first part of a claim: the lease is taken or kept. A new holder, or one whose time was over, begins a new term.
HELD = """
held as (
    insert into zenhire.leases as l (name, holder, term, until)
    values (:lease_name, :holder, 1, zenhire.clock() + :lease)
    on conflict (name) do update set
        term = l.term + case when l.holder = excluded.holder and l.until > zenhire.clock() then 0 else 1 end,
        holder = excluded.holder, until = excluded.until
    where l.holder = excluded.holder or l.until <= zenhire.clock()
    returning term
)"""

HOLD_TERM = text("""
update zenhire.leases set until = zenhire.clock() + :keep
where name = :lease_name and holder = :holder and term = :term
returning term
""")


async def hold_term(
    connection: AsyncConnection, *, lease_name: str, holder: UUID, term: int, keep: timedelta = timedelta(0)
) -> bool:
    """Lock the lease until the end of the transaction, to keep or (by default) to end it; False: the term is over."""
    given = {"lease_name": lease_name, "holder": holder, "term": term, "keep": keep}
    return (await connection.execute(HOLD_TERM, given)).one_or_none() is not None
