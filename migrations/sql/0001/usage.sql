-- How the request budget is used, as the replicas count it, and what it is enough for.

create table zenhire.request_counts (
    account    text not null,
    minute     timestamptz not null,
    share      text not null, -- outcomes, starts, artifacts, nets
    sent       integer not null default 0,
    too_fast   integer not null default 0,
    unanswered integer not null default 0,
    primary key (account, minute, share)
);

create index request_counts_old on zenhire.request_counts (minute);

alter table zenhire.request_counts
    add constraint account_is_a_lower_case_name check (account ~ '^[a-z][a-z0-9_]{0,62}$'),
    add constraint share_is_known check (share in ('outcomes', 'starts', 'artifacts', 'nets')),
    add constraint counts_are_not_negative check (least(sent, too_fast, unanswered) >= 0);

-- What a setting is in the newest replica that runs; null where none has ever run.
create function zenhire.setting_in_force(variable text) returns text
    language sql stable set search_path = pg_catalog as $$
    select r.settings ->> setting_in_force.variable from zenhire.replicas r
    order by r.gone_at is null desc, r.started_at desc limit 1
$$;

-- The requests per minute that an account may send when nothing slows it down.
create function zenhire.limit_of(account text) returns integer
    language sql stable set search_path = pg_catalog as $$
    select coalesce(
        (select b.requests_per_minute from zenhire.request_budget b where b.account = limit_of.account),
        cast(zenhire.setting_in_force('SYNC_REQUESTS_PER_MINUTE') as integer), 400)
$$;

create view zenhire.request_usage as
select c.account, c.minute,
       sum(c.sent) as sent,
       l.per_minute as allowed,
       round(100.0 * sum(c.sent) / l.per_minute, 1) as percent,
       coalesce(sum(c.sent) filter (where c.share = 'outcomes'), 0) as for_outcomes,
       coalesce(sum(c.sent) filter (where c.share = 'starts'), 0) as for_starts,
       coalesce(sum(c.sent) filter (where c.share = 'artifacts'), 0) as for_artifacts,
       coalesce(sum(c.sent) filter (where c.share = 'nets'), 0) as for_nets,
       sum(c.too_fast) as too_fast,
       sum(c.unanswered) as unanswered
from zenhire.request_counts c
cross join lateral (select zenhire.limit_of(c.account) as per_minute offset 0) l
group by c.account, c.minute, l.per_minute;

-- Open invites by account: what waits, and for how long.
create view zenhire.waiting as
select account,
       count(*) filter (where status = 'pending' and has_come) as due,
       min(since) filter (where status = 'pending' and has_come) as due_since,
       count(*) filter (where status = 'pending' and not has_come) as later,
       min(start_after) filter (where status = 'pending' and not has_come) as next_start,
       count(*) filter (where status = 'starting') as starting,
       count(*) filter (where status = 'link_ready') as links_out,
       count(*) filter (where status = 'in_progress') as running,
       count(*) filter (where status = 'needs_review') as needs_review,
       count(*) filter (where status <> 'needs_review') as open,
       min(since) filter (where status <> 'needs_review' and has_come) as since
from zenhire.candidate_invites
cross join lateral (
    select start_after <= (select zenhire.clock()) as has_come, greatest(created_at, start_after) as since) t
where status in ('pending', 'starting', 'link_ready', 'in_progress', 'needs_review')
group by account;

-- What is to be known before it is too late: how soon a change at the vendor's can be seen with this many open sessions.
create view zenhire.capacity as
with
facts as (
    select a.account, zenhire.limit_of(a.account) as allowed, zenhire.pace_now(a) as pace,
           coalesce(h.status_filter, 'unknown') as status_filter, h.probed_at,
           coalesce(cast(zenhire.setting_in_force('SYNC_WATCH_INTERVAL_SECONDS') as double precision), 10) as every,
           (select count(*) from zenhire.interview_sessions s
            where s.account = a.account and s.next_look_at is not null) as open_sessions,
           (select count(*) from zenhire.interview_sessions s
            where s.account = a.account and s.vendor_status = 'active' and s.dead_at is null) as running,
           coalesce(h.peak, 0) as peak, case when h.status_filter = 'honoured' then h.look_every end as look_every,
           a.credits_left, round(a.credits_each * coalesce(w.links_out + w.running, 0))::bigint as credits_promised
    from zenhire.account_state a left join zenhire.list_state h on h.account = a.account
    left join zenhire.waiting w on w.account = a.account
),
-- without the list each open session is asked for in turn, beside those that run
rounds as (
    select *, greatest(allowed * pace - running * 60 / every, allowed * pace / 4) as looks_per_minute,
           make_interval(secs => 60 * every) as wanted_within
    from facts
),
promises as (
    select *,
           case when status_filter = 'honoured' then make_interval(secs => every + 2)
                else greatest(wanted_within,
                              make_interval(secs => 60 * open_sessions / looks_per_minute)) end as seen_within,
           case when status_filter = 'honoured' then null
                else ceil(1.25 * open_sessions / every + running * 60 / every)::integer end as limit_wanted
    from rounds
)
select account, open_sessions, running, peak, allowed, round(pace::numeric, 2) as pace, status_filter,
       date_trunc('second', seen_within) as seen_within,
       status_filter in ('ignored', 'refused', 'distrusted')
           and 1.25 * open_sessions / looks_per_minute > every as is_short,
       limit_wanted, wanted_within, look_every, credits_left, credits_promised,
       case when status_filter = 'honoured' then format(
                'ZenHire''s list shows what runs: a change is seen within %s, however many links are open.',
                zenhire.duration_in_words(seen_within))
            else format('%s open sessions are looked at one by one, since ZenHire''s list %s: a change is seen within %s.',
                to_char(open_sessions, 'FM999,999,999,990'),
                case status_filter when 'unknown' then 'has not been tried yet'
                    when 'refused' then 'refuses to be asked for one status'
                    when 'ignored' then 'cannot be asked for one status' else 'has been wrong' end,
                zenhire.duration_in_words(seen_within)) end as says,
       probed_at
from promises;

comment on table zenhire.request_counts is 'zenhire-sync: requests sent, counted by account, minute and share of the budget. A replica that is killed takes the counts of its last 5 s along. Kept for SYNC_RETAIN_CHECKS_DAYS.';
comment on column zenhire.request_counts.account is 'The account.';
comment on column zenhire.request_counts.minute is 'The minute in which they were counted, by its beginning.';
comment on column zenhire.request_counts.share is 'For what: outcomes (looks, and the list of what runs), starts (sessions and personas), artifacts (transcripts, recordings), nets (walks through the list, searches for lost posts, verify).';
comment on column zenhire.request_counts.sent is 'Requests handed to the wire.';
comment on column zenhire.request_counts.too_fast is 'Of these, answered with 429.';
comment on column zenhire.request_counts.unanswered is 'Of these, without any answer: timeouts and broken connections.';
comment on index zenhire.request_counts_pkey is 'One row for each account, minute and share.';
comment on index zenhire.request_counts_old is 'What is deleted after SYNC_RETAIN_CHECKS_DAYS.';
comment on function zenhire.setting_in_force(text) is 'What an environment variable is in the newest replica that runs, without secrets: select zenhire.setting_in_force(''SYNC_WATCH_INTERVAL_SECONDS'').';
comment on function zenhire.limit_of(text) is 'Requests per minute that an account may send when nothing slows it down: its own limit, or else SYNC_REQUESTS_PER_MINUTE.';
comment on view zenhire.request_usage is 'How much of the request budget was used, minute by minute: select * from zenhire.request_usage where minute > zenhire.clock() - interval ''1 hour'' order by account, minute.';
comment on column zenhire.request_usage.account is 'The account.';
comment on column zenhire.request_usage.minute is 'The minute, by its beginning.';
comment on column zenhire.request_usage.sent is 'Requests of all replicas in it.';
comment on column zenhire.request_usage.allowed is 'The account''s limit, as it is now.';
comment on column zenhire.request_usage.percent is 'sent as a part of allowed, in percent.';
comment on column zenhire.request_usage.for_outcomes is 'Of these, looks and lists of what runs.';
comment on column zenhire.request_usage.for_starts is 'Of these, new sessions and personas.';
comment on column zenhire.request_usage.for_artifacts is 'Of these, transcripts and recordings.';
comment on column zenhire.request_usage.for_nets is 'Of these, walks through the list, searches for lost posts, and verify.';
comment on column zenhire.request_usage.too_fast is 'Answered with 429: others use the key too, or the limit is lower than it is set here.';
comment on column zenhire.request_usage.unanswered is 'Without any answer.';

comment on view zenhire.capacity is 'How soon a change at ZenHire''s can be seen with so many open sessions, said before it is too late; one row per account.';
comment on column zenhire.capacity.account is 'The account.';
comment on column zenhire.capacity.open_sessions is 'Sessions that are watched.';
comment on column zenhire.capacity.running is 'Interviews that run now, as far as is known.';
comment on column zenhire.capacity.peak is 'The most interviews at once of the last day, where ZenHire''s list shows what runs.';
comment on column zenhire.capacity.allowed is 'Requests per minute that the account may send.';
comment on column zenhire.capacity.pace is 'The part of these that it sends at the most now: less than 1 for a while after ZenHire found it too fast.';
comment on column zenhire.capacity.status_filter is 'Whether ZenHire''s list shows what runs (honoured); see list_state.';
comment on column zenhire.capacity.seen_within is 'How soon a change can be seen: an interview that begins or ends, a link that dies.';
comment on column zenhire.capacity.is_short is 'Whether there are more open sessions than can be looked at as often as they should be, or soon will be; attention then shows it.';
comment on column zenhire.capacity.limit_wanted is 'The requests per minute with which each open session can be looked at as often as it should be; null where the list shows what runs.';
comment on column zenhire.capacity.wanted_within is 'How often an open session should be looked at where the list does not help: 60 times SYNC_WATCH_INTERVAL_SECONDS.';
comment on column zenhire.capacity.look_every is 'Where the list shows what runs: how far looks at a link that nobody has opened lie apart beneath that; null: see wanted_within.';
comment on column zenhire.capacity.credits_left is 'ZenHire credits that are left, as it told within the last hour or so; null: not known.';
comment on column zenhire.capacity.credits_promised is 'What the links that are out will cost if all are used, by what interviews cost lately; null: not known.';
comment on column zenhire.capacity.says is 'The same in words.';
comment on column zenhire.capacity.probed_at is 'When it was last found out what the list honours.';
