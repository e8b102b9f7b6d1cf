"""What a replica's heartbeat writes down of its accounts."""

from sqlalchemy import event

from tests.integration.one_replica import one_replica
from tests.support.database import Database

KEYS = "select account, key_present from zenhire.account_state order by account"


async def test_what_is_written_down_already_costs_one_statement(database: Database) -> None:
    async with one_replica(database) as replica:
        said: list[str] = []
        event.listen(replica.engine.sync_engine, "before_cursor_execute", lambda *given: said.append(given[2]))
        await replica.accounts.register(["default"])
        assert len(said) == 1


async def test_a_key_that_comes_or_goes_is_written_down(database: Database) -> None:
    async with one_replica(database) as replica:
        for keys in (["default", "other"], ["other"], ["default"]):
            await replica.accounts.register(keys)
            rows = database.fetch(KEYS)
            assert [row["account"] for row in rows if row["key_present"]] == keys
        assert database.fetch_value("select count(*) from zenhire.request_budget") == 2
