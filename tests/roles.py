"""`python -m tests.roles`: what each role may do, as the database says it, into docs/security.md."""

from service.postgres.migrate import make_roles
from tests.support.database import Database
from tests.support.migrated import migrated_server
from tests.support.report import ROOT, replace_section

SECURITY = ROOT / "docs" / "security.md"
ROLES = ("zenhire_ats", "zenhire_operator", "zenhire_reader", "zenhire_service")
VERBS = {"r": "SELECT", "i": "INSERT", "u": "UPDATE", "d": "DELETE"}

_TABLES = """
select c.relname as name,
       case when has_table_privilege(%(role)s, c.oid, %(verb)s) then 'all'
            when %(verb)s <> 'DELETE' and has_any_column_privilege(%(role)s, c.oid, %(verb)s) then 'some' end as may
from pg_class c where c.relnamespace = 'zenhire'::regnamespace and c.relkind in ('r', 'v') order by c.relkind, c.relname
"""

_FUNCTIONS = """
select p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as name,
       has_function_privilege(%(role)s, p.oid, 'EXECUTE') as may
from pg_proc p
where p.pronamespace = 'zenhire'::regnamespace and p.prorettype <> 'trigger'::regtype order by p.proname
"""


def matrix(database: Database) -> str:
    """A row for each table, view and function, a column for each role."""
    rights: dict[str, dict[str, str]] = {}
    for role in ROLES:
        for letter, verb in VERBS.items():
            for row in database.fetch(_TABLES, {"role": role, "verb": verb}):
                shown = {"all": letter, "some": f"({letter})", None: ""}[row["may"]]
                rights.setdefault(row["name"], dict.fromkeys(ROLES, ""))[role] += shown
        for row in database.fetch(_FUNCTIONS, {"role": role}):
            rights.setdefault(row["name"], dict.fromkeys(ROLES, ""))[role] = "x" if row["may"] else ""
    head = ["| object | " + " | ".join(ROLES) + " |", "|---|" + "---|" * len(ROLES)]
    return "\n".join(
        head + [f"| `{name}` | " + " | ".join(may[role] for role in ROLES) + " |" for name, may in rights.items()]
    )


def main() -> None:
    with migrated_server() as (server, name):
        url = server.url_of(name)
        make_roles(url)
        replace_section(SECURITY, "roles", matrix(Database(url=url)))


if __name__ == "__main__":
    main()
