-- How the work stands: what waits, how soon outcomes were known, and who works.

create view zenhire.backlog as
select a.account,
       coalesce(a.due, 0) as due, a.due_since,
       coalesce(a.later, 0) as later, a.next_start,
       coalesce(a.starting, 0) as starting,
       coalesce(a.links_out, 0) as links_out,
       coalesce(a.running, 0) as running,
       coalesce(a.needs_review, 0) as needs_review,
       (select count(*) from zenhire.interview_sessions s
        where s.account = a.account and s.next_collect_at is not null) as transcripts_waiting,
       (select count(*) from zenhire.interview_sessions s
        where s.account = a.account and s.next_search_at is not null) as lost_posts_searched,
       a.works,
       case when a.works then make_interval(secs => round(60.0 * coalesce(a.due, 0) / l.per_minute)) end as links_within
from (
    select account, w.due, w.due_since, w.later, w.next_start, w.starting, w.links_out, w.running, w.needs_review,
           coalesce(s.key_present and s.paused_at is null and s.stop_code is null, false) as works
    from zenhire.account_state s full join zenhire.waiting w using (account)
) a
cross join lateral (select zenhire.limit_of(a.account) as per_minute offset 0) l;

create index candidate_invites_completed on zenhire.candidate_invites (status_changed_at) where status = 'completed';

-- Both clocks are wrong in their own way: what the vendor's is ahead by is taken from its answers.
create function zenhire.lag_seconds(known_at timestamptz, completed_at timestamptz, vendor_ahead interval)
    returns double precision language sql immutable parallel safe
    return greatest(extract(epoch from known_at - completed_at + coalesce(vendor_ahead, interval '0')), 0);

create view zenhire.outcome_lag as
with
seen as (
    select i.account, p.period, p.rank,
           zenhire.lag_seconds(i.status_changed_at, i.interview_completed_at, a.vendor_ahead) as lag
    from (values ('last hour', interval '1 hour', 1), ('last day', interval '1 day', 2),
                 ('last 7 days', interval '7 days', 3)) p (period, length, rank)
    cross join lateral (
        -- a range with both its ends: of one with a single end the planner thinks a third of the table
        select account, status_changed_at, interview_completed_at from zenhire.candidate_invites
        where status = 'completed' and interview_completed_at is not null
          and status_changed_at > (select zenhire.clock()) - p.length and status_changed_at <= (select zenhire.clock())
        offset 0) i
    left join zenhire.account_state a on a.account = i.account
)
select account, period, count(*) as outcomes,
       round(percentile_cont(0.5) within group (order by lag)::numeric, 1) as p50_seconds,
       round(percentile_cont(0.95) within group (order by lag)::numeric, 1) as p95_seconds,
       round(percentile_cont(0.99) within group (order by lag)::numeric, 1) as p99_seconds,
       round(max(lag)::numeric, 1) as worst_seconds
from seen group by account, period, rank
order by account, rank;

-- The service as a whole, then each replica, each account, and the schema: one sentence each.
create view zenhire.service_status as
with
now as (select zenhire.clock() as now),
replicas as (
    select r.*, case when r.gone_at is not null then 'gone'
                     when r.last_tick_at < now.now - interval '60 seconds' then 'silent'
                     else 'running' end as state,
           -- leases are named running:<account> and sweep:<account>
           (select string_agg(format(case kind when 'running' then '%s list(s) of what runs' else '%s walk(s)' end, number),
                              ', ' order by kind)
            from (select split_part(name, ':', 1) as kind, count(*) as number from zenhire.leases
                  where holder = r.id and until > now.now group by kind) l) as holds,
           (select count(*) from zenhire.interview_sessions s
            where s.lease_holder = r.id and s.lease_until > now.now) as rows_held
    from zenhire.replicas r cross join now
    where coalesce(r.gone_at, r.last_tick_at) > now.now - interval '1 day'
),
live as (
    select count(*) as replicas, count(distinct settings ->> 'hash') as settings, count(distinct version) as versions,
           min(started_at) as since from replicas where state = 'running'
),
progress as (
    select max(greatest(last_look_at, last_link_at)) as last_at from zenhire.account_state
),
everything as (
    select 1 as rank, 'service' as what, 'zenhire-sync' as name,
           case when live.replicas = 0 then 'silent' else 'running' end as state,
           coalesce(live.since, (select max(last_tick_at) from zenhire.replicas)) as since,
           case when live.replicas = 0 then 'No replica has ticked for 60 s.'
                else format('%s replica(s) run%s%s; ZenHire last answered a look or a start %s.', live.replicas,
                    case when live.versions > 1 then ', of different versions' else '' end,
                    case when live.settings > 1 then ', with different settings' else '' end,
                    coalesce('at ' || zenhire.in_words(progress.last_at), 'never')) end as says,
           jsonb_build_object('attention', (select count(*) from zenhire.attention),
                              'last_tick_at', (select max(last_tick_at) from zenhire.replicas)) as details
    from live cross join progress
    union all
    select 2, 'replica', id::text, state, case state when 'running' then started_at else coalesce(gone_at, last_tick_at) end,
           format('%s on %s (process %s) holds %s row(s)%s.', version, host, pid, rows_held,
                  coalesce(', ' || holds, '')),
           jsonb_build_object('version', version, 'host', host, 'pid', pid, 'started_at', started_at,
                              'last_tick_at', last_tick_at, 'rows_held', rows_held, 'core_used', core_used,
                              'waited_seconds', waited_seconds, 'settings', settings)
    from replicas
    union all
    select 3, 'account', a.account,
           case when not a.key_present then 'no key' when a.stop_code is not null then 'stopped'
                when a.paused_at is not null then 'paused'
                when b.paused_until > now.now then 'waits' else 'works' end,
           coalesce(a.stopped_at, a.paused_at, b.waiting_since, a.updated_at),
           concat_ws(' ', a.stop_message, a.pause_reason, case when b.paused_until > now.now then b.wait_reason end, c.says),
           jsonb_build_object('requests_per_minute', c.allowed, 'pace', c.pace, 'open_sessions', c.open_sessions,
                              'running', c.running, 'peak', c.peak, 'seen_within_seconds', extract(epoch from c.seen_within))
    from zenhire.account_state a
    left join zenhire.request_budget b on b.account = a.account
    left join zenhire.capacity c on c.account = a.account
    cross join now
    union all
    select 4, 'schema', v.version_num, 'present', s.changed_at,
           format('Revision %s; the oldest program that runs on it is %s.', v.version_num, s.oldest_program), '{}'
    from zenhire.schema_info s cross join zenhire.alembic_version v
)
select what, name, state, since, says, details from everything order by rank, state <> 'running', since desc;
