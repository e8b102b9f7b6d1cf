"""What doctor tells of the vendor's unwritten rules: each that leaves a trace is seen where the trace is."""

from service.operate.assumptions import read_assumptions
from service.operate.snapshot import snapshot
from tests.support.database import Database
from tests.support.stages import as_service, invite_at

#: What leaves no trace in the database, because it is never asked for.
NEVER_ASKED = {"parts of a recording (Range)", "bodies of health and credits", "an outbound webhook"}

TRACES = """
update zenhire.interview_sessions set answered_at = posted_at, posted_at = zenhire.clock();
update zenhire.interview_sessions s set vendor_status = 'completed', collect_count = 2, collect_failures = 1,
    last_collect = 'UPSTREAM', interview_started_at = posted_at, completed_at = posted_at + interval '12 minutes'
from zenhire.candidate_invites i where i.id = s.invite_id and i.status = 'completed';
update zenhire.candidate_invites set candidate_survey_rating = 4, credits_charged = 12 where status = 'completed';
update zenhire.interview_sessions s set dead_at = zenhire.clock(), dead_because = 'a test', vendor_status = 'initiated',
    next_look_at = null, next_look_reason = null, reinvited_at = zenhire.clock()
from zenhire.candidate_invites i where i.id = s.invite_id and i.status = 'expired';
insert into zenhire.interview_sessions (account, invite_id, link_number, post_number, state, current, counted,
    session_id, link_expires_at, search_count, vendor_status)
select account, id, 1, 2, 'orphan', false, false, 'orphan-1', zenhire.clock(), 3, 'initiated'
from zenhire.candidate_invites where status = 'completed';
insert into zenhire.interview_sessions (account, invite_id, link_number, post_number, state, current, error_code)
select account, id, 1, 3, 'lost', false, 'INTERNAL_ERROR' from zenhire.candidate_invites where status = 'completed';
insert into zenhire.transcripts (post_id, account, session_id, invite_id, document, byte_count, sha256)
select s.post_id, s.account, s.session_id, s.invite_id, '{}', 2, sha256('{}') from zenhire.interview_sessions s
where s.vendor_status = 'completed';
insert into zenhire.list_state (account, status_filter, paging, ref_filter, ref_parameter, sort_order, page_rows,
    running)
values ('default', 'honoured', 'offset', 'honoured', 'candidateRef', 'newest_first', 20, 8);
insert into zenhire.unclaimed_sessions (account, session_id, finding, vendor_status)
values ('default', 'stranger-1', 'unknown_post', 'active');
insert into zenhire.personas (account, role_name, language, state, persona_id, next_try_at, ready_at, created_by_us)
values ('default', 'Nurse', 'en', 'ready', 'persona-7', null, zenhire.clock(), true);
insert into zenhire.invite_events (account, kind, reason, details)
values ('default', 'account_stopped', 'no credits', '{"code": "INSUFFICIENT_CREDITS"}');
insert into zenhire.request_counts (account, minute, share, sent, too_fast)
values ('default', date_trunc('minute', zenhire.clock()), 'outcomes', 9, 1);
insert into zenhire.account_state (account, vendor_ahead) values ('default', interval '1.5 s')
on conflict (account) do update set vendor_ahead = excluded.vendor_ahead;
"""


def seen_of(database: Database) -> dict[str, str]:
    with snapshot(database.url, command="doctor") as seen:
        return {one.topic: one.seen for one in read_assumptions(seen)}


def test_in_an_empty_database_nothing_was_seen(database: Database) -> None:
    assert set(seen_of(database).values()) == {""}


def test_every_rule_that_leaves_a_trace_is_seen_by_it(database: Database) -> None:
    for status in ("completed", "expired", "failed", "refused"):
        invite_at(database, status)
    with as_service(database) as connection:
        connection.execute("set local session_replication_role = replica")
        connection.execute(TRACES.encode())
    seen = seen_of(database)
    assert {topic for topic, what in seen.items() if not what} == NEVER_ASKED
    assert seen["list: asked for one candidate"] == "default: candidateRef"
    assert seen["list: paging, form and order"] == "default: offset, newest_first"
    assert seen["how long an interview may take"] == "00:12:00 was the longest"
    assert seen["what stops an account (401, 402, 403)"] == "INSUFFICIENT_CREDITS"
    assert seen["limit of requests, and for looks"] == "1 of 9 requests got 429"
