"""A database and a vendor that agree on many open sessions, without the hours that it takes to make them one by one."""

from collections.abc import Sequence

import psycopg

from sandbox.platform import Platform

FILL = """
set session_replication_role = replica;
create temp table made (number serial, invite_id uuid, post_id uuid, session_id text);
copy made (invite_id, post_id, session_id) from stdin
"""

ROWS = """
insert into zenhire.account_state (account) values ('default');
insert into zenhire.candidate_invites (id, candidate_ref, persona_id, consent_mode, status, version, session_id,
    candidate_link, link_expires_at, link_number, status_changed_at, updated_at)
select invite_id, 'candidate-' || number, 'persona', 'explicit', 'link_ready', 2, session_id, 'https://x/#t=x',
    zenhire.clock() + interval '7 days', 1, zenhire.clock(), zenhire.clock() from made;
insert into zenhire.interview_sessions (post_id, account, invite_id, link_number, post_number, state, session_id,
    link_expires_at, vendor_status, next_look_at, next_look_reason)
select post_id, 'default', invite_id, 1, 1, 'published', session_id, zenhire.clock() + interval '7 days', 'initiated',
    zenhire.clock() + interval '10 minutes', 'the link is new' from made;
insert into zenhire.invite_events (account, invite_id, kind, from_status, to_status, version)
select 'default', invite_id, m.kind, m.before, m.after, m.version from made
cross join (values ('start_claimed', 'pending', 'starting', 1), ('link_published', 'starting', 'link_ready', 2))
    as m (kind, before, after, version)
order by made.number, m.version;
analyze
"""


def fill(database_url: str, platform: Platform, key: str, sessions: int) -> Sequence[str]:
    """Open sessions, each with its invite and its history; the links, in the order they were made."""
    found = platform.keys[key]
    persona = platform.create_persona(found, {"role_name": "Nurse", "language": "en"})
    links: list[str] = []
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        *before, copy = FILL.strip().split(";\n")
        for statement in before:
            cursor.execute(statement.encode())
        with cursor.copy(copy.encode()) as rows:
            for _ in range(sessions):
                invite_id, post_id = platform.world.new_id(), platform.world.new_id()
                marks = {"zenhire_sync_invite": f"{invite_id}/1", "zenhire_sync_post": post_id}
                asked = {"consent_mode": "explicit", "candidate_ref": f"candidate-{invite_id}", "metadata": marks}
                session = platform.create_session(found, persona.id, asked)
                links.append(session.link.url)
                rows.write_row((invite_id, post_id, session.id))
        cursor.execute(ROWS.encode())
    return links
