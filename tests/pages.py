"""`python -m tests.pages`: what the database says of itself, into docs/schema.md."""

from collections.abc import Iterator

from tests.support.database import Database
from tests.support.migrated import migrated_server
from tests.support.report import ROOT, replace_section

SCHEMA = ROOT / "docs" / "schema.md"

_RELATIONS = """
select c.oid, c.relname as name, obj_description(c.oid, 'pg_class') as comment
from pg_class c where c.relnamespace = 'zenhire'::regnamespace and c.relkind = %(kind)s order by c.relname
"""

_COLUMNS = """
select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
       col_description(a.attrelid, a.attnum) as comment
from pg_attribute a where a.attrelid = %(oid)s and a.attnum > 0 and not a.attisdropped order by a.attnum
"""

_INDEXES = """
select c.relname as name, obj_description(c.oid, 'pg_class') as comment
from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = %(oid)s order by c.relname
"""

_FUNCTIONS = """
select p.proname || '(' || pg_get_function_arguments(p.oid) || ')' as name, pg_get_function_result(p.oid) as result,
       obj_description(p.oid, 'pg_proc') as comment
from pg_proc p
where p.pronamespace = 'zenhire'::regnamespace and p.prorettype <> 'trigger'::regtype order by p.proname
"""


def tables(database: Database, kind: str) -> str:
    """Each table (`kind` r) or view (v) with its columns."""
    return "\n".join(_relation_lines(database, kind))


def _relation_lines(database: Database, kind: str) -> Iterator[str]:
    for relation in database.fetch(_RELATIONS, {"kind": kind}):
        yield from (f"### {relation['name']}", "", _cell(relation["comment"]), "")
        yield from ("| column | type | what it is |", "|---|---|---|")
        for column in database.fetch(_COLUMNS, {"oid": relation["oid"]}):
            required = ", not null" if column["required"] else ""
            yield f"| `{column['name']}` | {column['type']}{required} | {_cell(column['comment'])} |"
        indexes = database.fetch(_INDEXES, {"oid": relation["oid"]})
        if indexes:
            yield from ("", "| index | what it is for |", "|---|---|")
            yield from (f"| `{index['name']}` | {_cell(index['comment'])} |" for index in indexes)
        yield ""


def functions(database: Database) -> str:
    head = ["| function | gives | what it does |", "|---|---|---|"]
    rows = database.fetch(_FUNCTIONS)
    return "\n".join(head + [f"| `{row['name']}` | {_cell(row['result'])} | {_cell(row['comment'])} |" for row in rows])


def _cell(text: str | None) -> str:
    """Part of a line, and of a table's cell."""
    if text is None:
        raise ValueError("something in schema zenhire has no COMMENT")
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    with migrated_server() as (server, name):
        database = Database(server.url_of(name))
        replace_section(SCHEMA, "tables", tables(database, "r"))
        replace_section(SCHEMA, "views", tables(database, "v"))
        replace_section(SCHEMA, "functions", functions(database))


if __name__ == "__main__":
    main()
