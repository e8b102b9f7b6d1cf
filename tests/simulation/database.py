"""The simulation's own hold of its database: a clock and ids that follow the run, and a record of every change."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]

#: Time and ids are the run's: `zenhire.clock()` says what the run has told the connection, and ids are counted. Every
#: change of a row is kept, past the service's own history, with who made it.
PREPARE = """
create schema simulation;
create sequence simulation.ids;
create function simulation.gen_random_uuid() returns uuid language sql volatile as
    $$select md5(nextval('simulation.ids')::text)::uuid$$;
create or replace function zenhire.clock() returns timestamptz language sql volatile as
    $$select current_setting('simulation.now')::timestamptz$$;
alter table zenhire.interview_sessions alter column post_id set default simulation.gen_random_uuid();
alter table zenhire.personas alter column id set default simulation.gen_random_uuid();

create unlogged table simulation.changes (
    id bigint generated always as identity primary key,
    transaction_id bigint not null default txid_current(),
    at timestamptz not null default current_setting('simulation.now')::timestamptz,
    who text not null default current_setting('simulation.who'),
    of_table text not null,
    before jsonb,
    after jsonb not null
);
create function simulation.keep_change() returns trigger language plpgsql as $$
begin
    insert into simulation.changes (of_table, before, after)
    values (tg_table_name, case when tg_op = 'UPDATE' then to_jsonb(old) - 'vendor_object' end,
            to_jsonb(new) - 'vendor_object');
    return null;
end
$$;
create trigger z_keep_change after insert or update on zenhire.candidate_invites
    for each row execute function simulation.keep_change();
create trigger z_keep_change after insert or update on zenhire.interview_sessions
    for each row execute function simulation.keep_change();
create trigger z_keep_change after update on zenhire.request_budget
    for each row when (new.paused_until <> old.paused_until) execute function simulation.keep_change();
"""

#: Statistics that come when they like would change plans, and with them the order of rows.
QUIET = """
select format('alter table %I.%I set (autovacuum_enabled = false)', schemaname, tablename)
from pg_tables where schemaname in ('zenhire', 'simulation')
"""

TABLES = """
select string_agg(format('%I.%I', schemaname, tablename), ', ') as names from pg_tables
where schemaname in ('zenhire', 'simulation') and tablename not in ('schema_info', 'alembic_version')
"""


NEW_CHANGES = """
select c.id, case c.of_table
    when 'candidate_invites' then
        format('  %%s: %%s -> %%s', after ->> 'candidate_ref', coalesce(before ->> 'status', 'new'), after ->> 'status')
    when 'interview_sessions' then format('  post %%s of %%s: %%s -> %%s%%s', left(after ->> 'post_id', 8),
        (select i.candidate_ref from zenhire.candidate_invites i where i.id::text = after ->> 'invite_id'),
        coalesce(before ->> 'state', 'nothing'), after ->> 'state',
        case when after ->> 'lease_token' is distinct from before ->> 'lease_token' then case
            when after ->> 'lease_token' is null then ', its lease ends' else ', leased' end end)
    else format('  the account waits until %%s', after ->> 'paused_until') end as what
from simulation.changes c
where c.id > %s and (before is null or c.of_table <> 'candidate_invites' or before ->> 'status' <> after ->> 'status')
order by c.id
"""


class SimulatedDatabase:
    """Acts of people and of the ATS, each a transaction of its own; `changes` is the record of everything."""

    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(PREPARE)
            for (statement,) in connection.execute(QUIET).fetchall():
                connection.execute(statement)
            dbname = psycopg.sql.Identifier(connection.info.dbname)
            path = "alter database {} set search_path = simulation, pg_catalog, public"
            connection.execute(psycopg.sql.SQL(path).format(dbname))
        self._connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)
        self._other = psycopg.connect(url, row_factory=dict_row)
        (names,) = self._connection.execute(TABLES).fetchone().values()  # type: ignore[union-attr] # one row, always
        self._told = 0
        self._truncate = f"truncate {names} restart identity cascade".encode()

    def close(self) -> None:
        self._connection.close()
        self._other.close()

    def begin(self, now: datetime) -> None:
        """Empty tables, past the triggers that refuse it."""
        self._connection.execute("set session_replication_role = replica")
        self._connection.execute(self._truncate)
        self._connection.execute("alter sequence simulation.ids restart")
        self._connection.execute("set session_replication_role = origin")
        self._connection.execute("set lock_timeout = '2s'")
        self._told = 0
        self.tell(now, "simulation")

    def tell(self, now: datetime, who: str) -> None:
        """What time it is for the acts that follow, and whose they are."""
        self._connection.execute(
            "select set_config('simulation.now', %s, false), set_config('simulation.who', %s, false)",
            (now.isoformat(), who),
        )

    def fetch(self, query: LiteralString, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        return self._connection.execute(query, parameters or None).fetchall()

    def execute(self, statement: LiteralString, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        return self._connection.execute(statement, parameters or None).rowcount

    def in_one_transaction(self, statements: Iterable[LiteralString], parameters: Mapping[str, Any]) -> None:
        with self._connection.transaction():
            for statement in statements:
                self._connection.execute(statement, parameters if "%(" in statement else None)

    def new_changes(self) -> list[str]:
        """In words, what has changed since the last call."""
        rows = self.fetch(NEW_CHANGES, (self._told,))
        self._told = rows[-1]["id"] if rows else self._told
        return [row["what"] for row in rows if row["what"] is not None]

    def lock_invite(self, invite_id: object) -> None:
        """The ATS begins a transaction with this row, and leaves it open until `unlock`."""
        self._other.execute("select from zenhire.candidate_invites where id = %s for update", (invite_id,))

    def unlock(self) -> None:
        self._other.rollback()
