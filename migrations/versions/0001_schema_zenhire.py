"""Schema zenhire: tables, rules, triggers, the control functions, the views and the comments.

The SQL stands in `migrations/sql/0001`, in files that `psql` can read, executed in the order below.
"""

from pathlib import Path

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / revision
UPGRADE = (
    "tables.sql",
    "checks.sql",
    "lists.sql",
    "triggers.sql",
    "functions.sql",
    "new_links.sql",
    "usage.sql",
    "acts_on_many.sql",
    "views.sql",
    "figures.sql",
    "explain.sql",
    "stories.sql",
    "comments.sql",
    "figures_comments.sql",
    "stories_comments.sql",
    "verify.sql",
    "rights.sql",
)


def upgrade() -> None:
    for name in UPGRADE:
        run_file(name)


def downgrade() -> None:
    """Refuse while rows exist; `env.py` drops the schema once the version is struck out."""
    run_file("refuse_downgrade.sql")


def run_file(name: str) -> None:
    sql = (SQL / name).read_text(encoding="utf-8")
    if context.is_offline_mode():
        op.get_context().impl.static_output(f"-- {name}\n{sql}")
    else:
        # Without parameters the driver sends the whole file as it is: several statements, no % or : escaped.
        op.get_bind().exec_driver_sql(sql, execution_options={"no_parameters": True})
