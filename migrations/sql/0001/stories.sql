-- What `zenhire-sync status` and `zenhire-sync explain` tell, for whoever has psql alone.

-- Every invite without its link, metadata and tags; of a pending one also what it waits for, in the order in which the
-- service itself would find out.
create view zenhire.invites as
select i.id, i.account, i.request_key, i.candidate_ref, i.persona_id, i.role_name, i.language, i.status,
       i.status_changed_at, i.created_at, i.start_after, i.stop_after, i.priority, i.max_links, i.link_number,
       i.link_sent_at, i.candidate_link is not null as has_link, i.link_expires_at, i.interview_started_at,
       i.interview_completed_at, i.duration_seconds, i.credits_charged, i.candidate_survey_rating, i.transcript_state, i.recording_state,
       i.error_code, i.error_message, i.erased_at, w.wait_reason,
       case w.wait_reason
           when 'time' then i.start_after
           when 'stopped' then case when not a.needs_person then a.probe_at end
           when 'told_to_wait' then b.paused_until
           when 'persona' then p.next_try_at end as wait_until,
       case w.wait_reason when 'stopped' then a.stop_code when 'persona' then p.error_code end as wait_code,
       case w.wait_reason when 'stopped' then a.stop_message when 'persona' then p.error_message end as wait_message
from zenhire.candidate_invites i
left join zenhire.account_state a on a.account = i.account
left join zenhire.request_budget b on b.account = i.account
left join zenhire.personas p on i.persona_id is null and p.account = i.account
     and zenhire.persona_key(p.role_name, p.language) = zenhire.persona_key(i.role_name, i.language)
cross join (select zenhire.clock() as now) c
cross join lateral (
    select case
        when i.status <> 'pending' then null
        when i.start_after > c.now then 'time'
        when not coalesce(a.key_present, false) then 'no_key'
        when a.paused_at is not null then 'paused'
        when a.stop_code is not null then 'stopped'
        when b.paused_until > c.now then 'told_to_wait'
        when i.persona_id is null and coalesce(p.state, 'wanted') = 'wanted' then 'persona'
        else 'turn' end as wait_reason
) w;

-- Each post for an invite, and the session that it made, without the link and what ZenHire says of the candidate.
create view zenhire.posts as
select post_id, account, invite_id, link_number, post_number, state, origin, current, posted_at, answered_at, repost_at,
       error_code, error_message, session_id, link_expires_at, vendor_status, status_seen_at, interview_started_at,
       completed_at, dead_at, dead_because, next_look_at, next_look_reason, look_count, look_failures, first_look_at, last_look_at, last_look,
       next_collect_at, collect_count, last_collect, next_search_at, search_count, last_search_at, lease_until
from zenhire.interview_sessions;

-- What open work waits for, in groups.
create view zenhire.waits as
select 'pending' as what, account, wait_reason as reason, count(*) as count,
       min(greatest(created_at, start_after)) as since, min(wait_until) as next_at, max(wait_code) as code
from zenhire.invites where status = 'pending' group by account, wait_reason
union all
select 'starting', account, 'on_its_way', count(*), min(posted_at), null, null
from zenhire.interview_sessions where state = 'posting' group by account
union all
select 'starting', account, 'lost_post', count(*), min(answered_at), min(repost_at), max(error_code)
from zenhire.interview_sessions where repost_at is not null group by account
union all
select 'transcript', account, coalesce(last_collect, 'new'), count(*), min(completed_at), min(next_collect_at), null
from zenhire.interview_sessions where next_collect_at is not null group by account, coalesce(last_collect, 'new')
order by what, account, count desc;

-- What autovacuum noted last; no row is read.
create function zenhire.finished_estimates() returns table (status text, invites bigint)
    language sql stable security definer set search_path = pg_catalog as $$
    select share.status, round(share.part * c.reltuples)::bigint
    from pg_class c
    join pg_stats s on s.schemaname = 'zenhire' and s.tablename = 'candidate_invites' and s.attname = 'status'
    cross join unnest(s.most_common_vals::text::text[], s.most_common_freqs) as share (status, part)
    where c.oid = 'zenhire.candidate_invites'::regclass and c.reltuples > 0
      and share.status in ('completed', 'failed', 'expired', 'cancelled', 'refused')
$$;

-- The last events by their number, so that an hour with many of them costs no more than one with few: then it is shorter.
create view zenhire.last_hour as
with
newest as materialized (
    select at, account, kind, to_status, invite_id from zenhire.invite_events order by id desc limit 10000
),
hour as (select zenhire.clock() - interval '1 hour' as begins),
told as (
    select case when count(*) = 10000 and min(at) > (select begins from hour) then min(at)
                else (select begins from hour) end as since
    from newest
)
select t.since, n.account, n.kind, n.to_status, n.invite_id, n.at from told t join newest n on n.at > t.since;

-- How many invites stand in each status. Finished ones are counted up to 10,000, and beyond that told by statistics.
create view zenhire.invite_counts as
with
statuses as (
    select status, rank > 5 as is_final, rank
    from unnest(array['pending', 'starting', 'link_ready', 'in_progress', 'needs_review', 'completed', 'failed',
                      'expired', 'cancelled', 'refused']) with ordinality s (status, rank)
),
hour as (
    select coalesce((select min(since) from zenhire.last_hour), zenhire.clock() - interval '1 hour') as begins
),
open as (
    select status, count(*) as invites,
           count(*) filter (where status_changed_at > (select begins from hour)) as last_hour
    from zenhire.candidate_invites
    where status in ('pending', 'starting', 'link_ready', 'in_progress', 'needs_review') group by status
),
counted as (
    select status, count(*) as invites
    from (select status from zenhire.candidate_invites
          where status in ('completed', 'failed', 'expired', 'cancelled', 'refused') limit 10001) finished
    group by status
),
estimated as (select status, invites from zenhire.finished_estimates()),
known as (
    select case when coalesce((select sum(invites) from counted), 0) <= 10000 then 'exact'
                when coalesce((select sum(invites) from estimated), 0) > 10000 then 'estimated'
                else 'at_least' end as how
),
lately as (
    select to_status, count(distinct invite_id) as invites from zenhire.last_hour
    where to_status is not null group by to_status
)
select s.status,
       coalesce(case when not s.is_final then o.invites when k.how = 'estimated' then e.invites else c.invites end, 0)
           as invites,
       case when s.is_final then k.how else 'exact' end as precision,
       coalesce(case when s.is_final then l.invites else o.last_hour end, 0) as last_hour,
       h.begins as since
from statuses s
cross join known k
cross join hour h
left join open o on o.status = s.status
left join counted c on c.status = s.status
left join estimated e on e.status = s.status
left join lately l on l.to_status = s.status
order by s.rank;

-- Sessions that are watched and searched for, by account.
create view zenhire.session_counts as
select coalesce(w.account, q.account, e.account) as account,
       coalesce(w.watched, 0) as watched, coalesce(w.orphans_watched, 0) as orphans_watched,
       coalesce(w.looks_due, 0) as looks_due, w.next_look_at,
       coalesce(q.lost_posts_searched, 0) as lost_posts_searched, q.next_search_at,
       coalesce(e.posts_lost_lately, 0) as posts_lost_lately,
       coalesce(e.orphans_recorded_lately, 0) as orphans_recorded_lately
from (
    select account, count(*) filter (where state <> 'orphan') as watched,
           count(*) filter (where state = 'orphan') as orphans_watched,
           count(*) filter (where next_look_at <= (select zenhire.clock())) as looks_due,
           min(next_look_at) as next_look_at
    from zenhire.interview_sessions where next_look_at is not null group by account
) w
full join (
    select account, count(*) as lost_posts_searched, min(next_search_at) as next_search_at
    from zenhire.interview_sessions where next_search_at is not null group by account
) q using (account)
full join (
    -- each of the first three is the end of one post with an unknown result
    select account, count(*) filter (where kind in ('post_lost', 'probe_lost', 'review_needed')) as posts_lost_lately,
           count(*) filter (where kind = 'orphan_recorded') as orphans_recorded_lately
    from zenhire.last_hour group by account
) e using (account);

-- Whether each account works, and if not, since when and why. One whose invites wait and that no replica has ever had a
-- key for stands here too.
create view zenhire.accounts as
select account, coalesce(a.key_present, false) as key_present, a.paused_at, a.paused_by, a.pause_reason, a.stop_code,
       a.stop_message, a.stop_scope, a.stopped_at, coalesce(a.needs_person, false) as needs_person,
       case when a.stop_code is not null and not a.needs_person then a.probe_at end as probe_at,
       a.last_look_at, a.last_link_at, case when b.paused_until > zenhire.clock() then b.paused_until end as waits_until,
       a.vendor_ahead
from (select account from zenhire.account_state union select account from zenhire.waiting) known
left join zenhire.account_state a using (account)
left join zenhire.request_budget b using (account)
order by account;

-- The invites that a person may mean: by id, else by request_key, else by candidate_ref, newest first. The indexes begin
-- with the account; a walk from each account to the next finds them all.
create function zenhire.find_invites(what text) returns table (invite_id uuid, found_by text, created_at timestamptz)
    language sql stable set search_path = pg_catalog as $$
    with recursive accounts as (
        select min(i.account) as account from zenhire.candidate_invites i
        union all
        select (select min(i.account) from zenhire.candidate_invites i where i.account > a.account)
        from accounts a where a.account is not null
    ),
    by_id as (
        select i.id, 'id' as found_by, i.created_at from zenhire.candidate_invites i
        where find_invites.what ~* '^\s*[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\s*$'
          and i.id = case when find_invites.what ~* '^\s*[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\s*$'
                          then trim(find_invites.what)::uuid end
    ),
    by_key as (
        select i.id, 'request_key', i.created_at from accounts a
        join zenhire.candidate_invites i on i.account = a.account and i.request_key = find_invites.what
        where not exists (select from by_id)
    ),
    by_candidate as (
        select i.id, 'candidate_ref', i.created_at from accounts a
        join zenhire.candidate_invites i on i.account = a.account and i.candidate_ref = find_invites.what
        where not exists (select from by_id) and not exists (select from by_key)
    )
    select f.* from (
        select * from by_id union all select * from by_key union all select * from by_candidate
    ) f (id, found_by, created_at)
    order by f.created_at desc, f.id
$$;
