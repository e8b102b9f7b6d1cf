"""Four weeks of interviews, written at once and past every rule of the tables: for what only reads."""

import psycopg

from tests.support.database import Database

#: One invite in four minutes for 28 days, in three accounts and five roles; what became of each is drawn from its
#: number, so that every history is the same. The last days' invites are still open.
_HISTORY = """
-- the clock is asked once for each statement: between two of its rows a minute may begin
set local session_replication_role = replica; -- no trigger: the rows come as they would be in the end

create temporary table made on commit drop as
select md5('invite ' || n)::uuid as id, md5('post ' || n)::uuid as post_id, n,
       (select zenhire.clock()) - interval '28 days' + n * interval '28 days' / %(invites)s as created_at,
       (array['default', 'default', 'berlin', 'a_customer_with_a_long_name'])[1 + n %% 4] as account,
       (array['Night nurse', 'Nurse', 'Warehouse associate in the early shift', 'Barista', 'Курьер <b>'])[1 + n %% 5]
           as role_name,
       (array['en', 'de', 'pl'])[1 + n %% 3] as language,
       -- spread evenly over 0 to 1, and independent of one another
       ('x' || substr(md5('fate ' || n), 1, 7))::bit(28)::int / 268435456.0 as fate,
       ('x' || substr(md5('wait ' || n), 1, 7))::bit(28)::int / 268435456.0 as wait
from generate_series(1, %(invites)s) n;

insert into zenhire.candidate_invites (id, account, candidate_ref, role_name, language, consent_mode, created_at,
    start_after, status, link_number, session_id, candidate_link, link_expires_at, interview_started_at,
    interview_completed_at, status_changed_at, updated_at, error_code, error_message)
select id, account, 'candidate-' || n, role_name, language, 'explicit', created_at, created_at, status,
       case when has_link then 1 else 0 end,
       case when has_link then 'session-' || n end,
       case when has_link then 'https://interview.example/#t=secret-' || n end,
       case when has_link then created_at + interval '7 days' end, begun_at, completed_at,
       coalesce(completed_at + interval '1 second' * (2 + 10 * wait * wait), created_at), created_at,
       case when status in ('failed', 'expired', 'refused', 'needs_review') then 'A_TEST' end,
       case when status in ('failed', 'expired', 'refused', 'needs_review') then 'A test wanted this.' end
from (
    select *, status not in ('pending', 'refused') as has_link,
           case when status in ('completed', 'failed') then created_at + wait ^ 3 * interval '7 days' end as begun_at,
           case when status = 'completed' then created_at + wait ^ 3 * interval '7 days' + interval '12 minutes' end
               as completed_at
    from (
        select *, case when created_at + wait ^ 3 * interval '7 days' + interval '1 hour' > (select zenhire.clock())
                       then case when fate < 0.05 then 'pending' else 'link_ready' end
                       when fate < 0.62 then 'completed' when fate < 0.74 then 'failed' when fate < 0.96 then 'expired'
                       when fate < 0.985 then 'refused' when fate < 0.99 then 'needs_review'
                       else 'link_ready' end as status
        from made) drawn) fated;

insert into zenhire.interview_sessions (post_id, account, invite_id, link_number, post_number, state, posted_at,
    answered_at, session_id, link_expires_at, interview_started_at, completed_at)
select md5('post ' || i.candidate_ref)::uuid, i.account, i.id, 1, 1, 'published', i.created_at,
       i.created_at + interval '1 second', i.session_id, i.link_expires_at, i.interview_started_at,
       i.interview_completed_at
from zenhire.candidate_invites i where i.session_id is not null;

insert into zenhire.account_state (account, key_present) select distinct account, true from made;
insert into zenhire.request_budget (account, requests_per_minute) select distinct account, 100 from made;
insert into zenhire.request_counts (account, minute, share, sent)
select account, date_trunc('minute', (select zenhire.clock())) - n * interval '1 minute', share,
       floor(per_minute * (1.2 + sin(n / 229.0)))::int
from (values ('outcomes', 14), ('starts', 8), ('artifacts', 3), ('nets', 2)) s (share, per_minute)
cross join (select distinct account from made) a
cross join generate_series(0, 2879) n;
"""


def write_history(database: Database, *, invites: int) -> None:
    with psycopg.connect(database.url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(_HISTORY, {"invites": invites})
