"""Reads a whole schema from the catalogue, so that two can be compared."""

import psycopg

_DEFINITIONS = """
select 'column ' || a.attrelid::regclass || '.' || a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
                 col_description(a.attrelid, a.attnum))
from pg_attribute a join pg_class c on c.oid = a.attrelid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where c.relnamespace = to_regnamespace('zenhire') and a.attnum > 0 and not a.attisdropped
union all
select 'constraint ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
from pg_constraint where connamespace = to_regnamespace('zenhire')
union all
select 'relation ' || oid::regclass,
       concat_ws(' ', relkind, obj_description(oid, 'pg_class'),
                 case relkind when 'i' then pg_get_indexdef(oid) when 'v' then pg_get_viewdef(oid) end)
from pg_class where relnamespace = to_regnamespace('zenhire')
union all
select 'function ' || oid::regprocedure,
       pg_get_functiondef(oid) || coalesce(obj_description(oid, 'pg_proc'), '')
from pg_proc where pronamespace = to_regnamespace('zenhire')
union all
select 'trigger ' || tgrelid::regclass || '.' || tgname,
       pg_get_triggerdef(t.oid) || coalesce(obj_description(t.oid, 'pg_trigger'), '')
from pg_trigger t join pg_class c on c.oid = tgrelid
where relnamespace = to_regnamespace('zenhire') and not tgisinternal
"""


def definitions(database_url: str) -> dict[str, str]:
    """Every object of schema zenhire by its name, with what defines it and its comment."""
    with psycopg.connect(database_url) as connection:
        return dict(connection.execute(_DEFINITIONS))


def other_objects(database_url: str) -> list[str]:
    """What stands outside of schema zenhire and is neither the system's nor an extension that every database has."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            """
            select 'schema ' || nspname from pg_namespace
            where nspname not in ('zenhire', 'public', 'information_schema') and nspname not like 'pg\\_%'
            union all select 'relation ' || oid::regclass from pg_class where relnamespace = 'public'::regnamespace
            union all select 'function ' || oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace
            union all select 'extension ' || extname from pg_extension where extname <> 'plpgsql'
            """
        )
        return [row[0] for row in rows]
