"""The invites of a run as an ATS writes them, and what a post says that a bare client sends in their place."""

from typing import Any
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb

from service.core.marks import INVITE_MARK, POST_MARK

ROLE = {"role_name": "Nurse", "language": "en"}
METADATA = {"requisition": "R-1042", "branch": "North"}
TAGS = ["spring", "night-shift"]
CONSENT = "explicit"

INSERT = """
insert into zenhire.candidate_invites (candidate_ref, role_name, language, consent_mode, metadata, tags)
select %(prefix)s || g, %(role_name)s, %(language)s, %(consent)s, %(metadata)s, %(tags)s
from generate_series(1, %(count)s) g
"""


def insert(database: psycopg.Connection[Any], prefix: str, count: int) -> None:
    """In one statement and so in one transaction."""
    given = {"prefix": prefix, "count": count, "consent": CONSENT, "metadata": Jsonb(METADATA), "tags": TAGS, **ROLE}
    database.execute(INSERT, given)


def body(candidate_ref: str) -> dict[str, Any]:
    """The same fields and sizes as in the service's own posts, marks included."""
    marks = {INVITE_MARK: f"{uuid4()}/1", POST_MARK: str(uuid4())}
    return {"consent_mode": CONSENT, "candidate_ref": candidate_ref, "metadata": METADATA | marks, "tags": TAGS}
