"""${message}

Revision ${up_revision}, after ${down_revision | comma,n}.

The rules of a rolling deploy: while this runs, and for a while after, the release before it works on the same tables.
1. Only add: a table, a view, a function, a column that may be null or has a constant default. Nothing that the release
   before this one reads or writes is renamed, retyped or dropped here. To drop: stop using it in one release, raise
   `schema_info.oldest_program` and drop it in a later one.
2. A new constraint is added NOT VALID, and validated in a migration of its own.
3. An index on a table that may be large is built CONCURRENTLY, in a migration of its own (`op.get_context().autocommit_block()`).
4. Rows are rewritten in small batches by the service, never in one statement here: no transaction longer than a second.
5. A new column, view or function of schema zenhire gets its COMMENT here; a test asks for it.
6. Change `schema_info.oldest_program` only when an older program would do harm: it then refuses to start.
7. `zenhire.clock()` is the only clock.
"""

from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "op.execute()"}


def downgrade() -> None:
    ${downgrades if downgrades else "op.execute()"}
