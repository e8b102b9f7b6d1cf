"""After the show: the count, three queries that a user would run, and the way in for whoever wants to look around."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow

from sandbox.postgres_binaries import NoPostgresProgramsError
from service.cli.demo.screen import WIDTH_MAX, tell
from service.cli.demo.stage import Stage
from service.cli.demo.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question, and the SQL that answers it."""

    question: str
    sql: LiteralString


QUERIES = (
    Query(
        question="Where is cand-20's interview?",
        sql="""\
select status, label, waiting_on, sentence
from zenhire.candidate_interviews where candidate_ref = 'cand-20';""",
    ),
    Query(
        question="Does anything need a person?",
        sql="select code, why, statement from zenhire.attention;",
    ),
    Query(
        question="What came of them? (the newest first)",
        sql="""\
select candidate_ref, status, duration_seconds as seconds,
       credits_charged as credits, transcript_state as transcript, error_code
from zenhire.results order by status_changed_at desc limit 6;""",
    ),
)

OWN_INVITE = """\
insert into zenhire.candidate_invites
  (candidate_ref, role_name, language, consent_mode)
  values ('me', 'Night nurse', 'en', 'explicit');
select * from zenhire.candidate_interviews where candidate_ref = 'me' \\gx"""


def tell_count(tally: Tally) -> None:
    tell("")
    tell(f"The sandbox's own count: {tally.sentence}.")
    tell(
        f"It made {tally.sessions} sessions. The service handed out the links of {tally.links_handed_out}, one at a "
        f"time for each candidate; the replies for {tally.lost_replies} were lost and nobody has their links."
    )


def tell_queries(database: psycopg.Connection[DictRow]) -> None:
    for query in QUERIES:
        tell(f"\n{query.question}\n")
        print(query.sql, flush=True)
        print(as_text(database.execute(query.sql).fetchall()), flush=True)


def tell_way_in(stage: Stage) -> None:
    """For a terminal, where everything stays until Ctrl-C."""
    try:
        psql = f"{stage.postgres.psql_path()} \\\n  '{stage.database_url}'"
    except NoPostgresProgramsError:
        psql = f"(any PostgreSQL client)\n  {stage.database_url}"
    tell("\nEverything still runs. Look around with\n")
    print(psql, flush=True)
    tell("\nand invite somebody of your own, whose interview is over in ten seconds:\n")
    print(OWN_INVITE, flush=True)
    tell("\nCtrl-C ends the service, the sandbox and PostgreSQL, and removes them.")


def as_text(rows: Sequence[DictRow]) -> str:
    """As psql would show it: one row by its columns, several as a table."""
    if not rows:
        return "(0 rows)"
    if len(rows) == 1:
        width = max(map(len, rows[0]))
        return "\n".join(f"  {name:<{width}} | {_cell(value)}"[:WIDTH_MAX] for name, value in rows[0].items())
    names = list(rows[0])
    cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(names))]
    lines = ["  " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    lines.insert(1, "  " + "-+-".join("-" * width for width in widths))
    return "\n".join(line.rstrip()[:WIDTH_MAX] for line in lines)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
