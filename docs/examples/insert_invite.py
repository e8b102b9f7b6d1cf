"""Ask for an interview from application code: one INSERT, safe to repeat, in the transaction of your own writes."""

from typing import Any

import psycopg

INSERT = """
insert into zenhire.candidate_invites
    (request_key, candidate_ref, role_name, language, consent_mode, metadata, stop_after, max_links)
values (%(request_key)s, %(candidate_ref)s, %(role_name)s, %(language)s, 'explicit', %(metadata)s, %(stop_after)s, 2)
on conflict (account, request_key) do nothing
returning id
"""


class NotAccepted(Exception):
    """The row can never work; the message names the rule and says what it wants."""


def ask_for_interview(connection: psycopg.Connection[Any], **request: Any) -> bool:
    """
    True if the invite is new, False if this request was made before.

    Nothing is committed here: the invite exists when your own transaction does.
    """
    request = {"metadata": "{}", "stop_after": None} | request
    connection.execute("savepoint invite")  # a refused row does not spoil your transaction
    try:
        is_new = connection.execute(INSERT, request).fetchone() is not None
        connection.execute("release savepoint invite")
    except (psycopg.errors.IntegrityError, psycopg.errors.DataError) as error:
        connection.execute("rollback to savepoint invite")
        hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
        raise NotAccepted(f"{error.diag.message_primary}{hint}") from error
    return is_new
