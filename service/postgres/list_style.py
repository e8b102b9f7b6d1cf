"""What is known of the vendor's list beside its statuses; who finds it out is `running`."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.probing import ListStyle, Paging, RefFilter, SortOrder
from service.postgres.engine import fetch, transaction

STYLE = text("select paging, ref_filter, ref_parameter, sort_order from zenhire.list_state where account = :account")

#: An answer has contradicted it: until the next probe, which is due, the list counts as one that cannot be asked so.
DOUBT_REF_FILTER = text("""
update zenhire.list_state
set ref_filter = 'ignored', ref_parameter = null, next_probe_at = zenhire.clock(),
    evidence = evidence || jsonb_build_object('candidate', 'others came')
where account = :account and ref_filter = 'honoured'
""")


class ListStyles:
    """The styles of all accounts' lists."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, account: str) -> ListStyle:
        """What is known of this account's list."""
        for row in await fetch(self._engine, STYLE, {"account": account}):
            return ListStyle(
                paging=Paging(row["paging"]),
                ref_filter=RefFilter(row["ref_filter"]),
                ref_parameter=row["ref_parameter"],
                sort_order=SortOrder(row["sort_order"]),
            )
        return ListStyle()

    async def doubt_ref_filter(self, account: str) -> None:
        """The list was asked for one candidate, and has shown another."""
        async with transaction(self._engine) as connection:
            await connection.execute(DOUBT_REF_FILTER, {"account": account})
