-- The only source of time. Tests replace its body; nothing else in the schema or the service reads a clock.
create function zenhire.clock() returns timestamptz language sql volatile as 'select clock_timestamp()';

create table zenhire.candidate_invites (
    id                      uuid primary key default gen_random_uuid(),
    account                 text not null default 'default',
    request_key             text,
    candidate_ref           text not null,
    persona_id              text,
    role_name               text,
    language                text,
    consent_mode            text not null,
    metadata                jsonb not null default '{}',
    tags                    text[] not null default '{}',
    start_after             timestamptz not null default zenhire.clock(),
    stop_after              timestamptz,
    priority                smallint not null default 0,
    max_links               smallint not null default 1,
    link_sent_at            timestamptz,
    seen_version            bigint not null default 0,
    created_at              timestamptz not null default zenhire.clock(),
    -- From here on the service writes.
    status                  text not null default 'pending',
    version                 bigint not null default 0,
    session_id              text,
    candidate_link          text,
    link_expires_at         timestamptz,
    link_number             smallint not null default 0,
    interview_started_at    timestamptz,
    interview_completed_at  timestamptz,
    duration_seconds        integer,
    credits_charged         integer,
    candidate_survey_rating smallint,
    transcript_state        text not null default 'none',
    recording_state         text not null default 'none',
    error_code              text,
    error_message           text,
    status_changed_at       timestamptz not null, -- these two are filled in by a trigger: with a default it could not
    updated_at              timestamptz not null, -- tell whether the ATS wrote them
    erased_at               timestamptz
);

create table zenhire.interview_sessions (
    post_id              uuid primary key default gen_random_uuid(),
    account              text not null,
    invite_id            uuid not null references zenhire.candidate_invites (id),
    link_number          smallint not null,
    post_number          integer not null,
    state                text not null default 'posting',
    current              boolean not null default true,
    counted              boolean not null default true,
    origin               text not null default 'post', -- post, console
    persona_id           text,
    posted_at            timestamptz not null default zenhire.clock(),
    answered_at          timestamptz,
    repost_at            timestamptz,
    error_code           text,
    error_message        text,
    -- What the vendor made of it.
    session_id           text,
    link_expires_at      timestamptz,
    vendor_status        text,
    status_seen_at       timestamptz,
    step_back_seen_at    timestamptz,
    reinvited_at         timestamptz,
    superseded_at        timestamptz,
    interview_started_at timestamptz,
    completed_at         timestamptz,
    vendor_object        jsonb,
    dead_at              timestamptz,
    dead_because         text,
    -- Looks: counted here, one row for all of them.
    next_look_at         timestamptz,
    next_look_reason     text,
    look_count           integer not null default 0,
    look_failures        integer not null default 0,
    first_look_at        timestamptz,
    last_look_at         timestamptz,
    last_look            text,
    unlisted_at          timestamptz, -- a list of running interviews did not show it, and should have
    -- The transcript.
    next_collect_at      timestamptz,
    collect_count        integer not null default 0,
    collect_failures     integer not null default 0,
    last_collect         text,
    -- Searches for what a lost post left behind.
    next_search_at       timestamptz,
    search_count         integer not null default 0,
    last_search_at       timestamptz,
    -- The lease: only writes that carry the token count.
    lease_token          uuid,
    lease_until          timestamptz,
    lease_holder         uuid
);

create table zenhire.invite_events (
    id          bigint generated always as identity primary key,
    at          timestamptz not null default zenhire.clock(),
    account     text not null,
    invite_id   uuid,
    post_id     uuid,
    kind        text not null,
    from_status text,
    to_status   text,
    version     bigint,
    reason      text,
    details     jsonb not null default '{}',
    actor       text not null default session_user,
    replica     uuid
);

create table zenhire.transcripts (
    post_id     uuid primary key references zenhire.interview_sessions (post_id),
    account     text not null,
    session_id  text not null,
    invite_id   uuid not null,
    document    jsonb,
    body        bytea,
    byte_count  integer not null,
    sha256      bytea not null,
    document_sha256 bytea, -- jsonb keeps neither blanks nor order: the vendor's own hash cannot be had from it again
    stored_at   timestamptz not null default zenhire.clock()
);

create table zenhire.recordings (
    post_id      uuid primary key references zenhire.interview_sessions (post_id),
    account      text not null,
    session_id   text not null,
    invite_id    uuid not null,
    place        text not null,
    content_type text,
    byte_count   bigint not null,
    sha256       bytea not null,
    stored_at    timestamptz not null default zenhire.clock()
);

-- What makes two wishes for a persona the same: role and language, but for case and blanks around them.
create function zenhire.persona_key(role_name text, language text) returns text
    language sql immutable parallel safe set search_path = pg_catalog as $$
    select lower(regexp_replace(role_name, '^\s+|\s+$', '', 'g')) || chr(10)
           || lower(regexp_replace(language, '^\s+|\s+$', '', 'g'))
$$;

create table zenhire.personas (
    id            uuid primary key default gen_random_uuid(),
    account       text not null,
    role_name     text not null,
    language      text not null,
    state         text not null default 'wanted', -- wanted, ready, refused
    persona_id    text,
    matches       integer not null default 0,
    created_by_us boolean not null default false,
    posts         integer not null default 0,
    posted_at     timestamptz,
    next_try_at   timestamptz default zenhire.clock(),
    failures      integer not null default 0,
    error_code    text,
    error_message text,
    wanted_at     timestamptz not null default zenhire.clock(),
    ready_at      timestamptz,
    lease_token   uuid,
    lease_until   timestamptz,
    lease_holder  uuid
);

create table zenhire.request_budget (
    account             text primary key,
    requests_per_minute integer,       -- null: the service's setting
    next_slot_at        timestamptz not null default '-infinity',
    paused_until        timestamptz not null default '-infinity',
    waits               integer not null default 0,
    waiting_since       timestamptz,
    wait_reason         text,
    -- When each share is owed its next slot: it then goes before those that have had more than their floor.
    outcomes_owed_at    timestamptz not null default '-infinity',
    starts_owed_at      timestamptz not null default '-infinity',
    artifacts_owed_at   timestamptz not null default '-infinity',
    nets_owed_at        timestamptz not null default '-infinity'
);

create table zenhire.account_state (
    account              text primary key,
    base_url             text,
    client_id            text,
    key_present          boolean not null default true,
    paused_at            timestamptz,
    paused_by            text,
    pause_reason         text,
    stop_code            text,
    stop_message         text,
    stop_scope           text,
    stop_lane            text,
    stopped_at           timestamptz,
    needs_person         boolean not null default false, -- no probe may clear this stop
    probe_at             timestamptz,
    probe_seconds        integer,
    blamed_personas      text[] not null default '{}', -- their invites are refused, and others not
    last_look_at         timestamptz, -- last successful look
    last_link_at         timestamptz,
    pace                 double precision not null default 1, -- of the limit, as it was at slowed_at
    slowed_at            timestamptz, -- when ZenHire found the account too fast
    credits_left         integer, -- as ZenHire told last; below zero once more was used than there was
    credits_each         double precision, -- what an interview has cost lately
    credits_asked_at     timestamptz,
    vendor_ahead         interval, -- by how much ZenHire's clock is ahead of ours
    updated_at           timestamptz not null default zenhire.clock()
);

-- The part of its limit at which an account goes now: less for a while after ZenHire found it too fast.
create function zenhire.pace_now(state zenhire.account_state) returns double precision
    language sql stable parallel safe set search_path = pg_catalog as $$
    select case when state.slowed_at is null then 1
                else least(1, state.pace
                              + 0.05 * greatest(extract(epoch from zenhire.clock() - state.slowed_at), 0) / 60) end
$$;

-- The same bad answer, one lane of one account, no success between: five different invites make it the account's trouble.
create table zenhire.account_streaks (
    account    text not null,
    lane       text not null,
    code       text not null,
    invite_ids uuid[] not null,
    persona_ids text[] not null default '{}', -- of refusals: whose they were
    since      timestamptz not null default zenhire.clock(),
    primary key (account, lane)
);

create table zenhire.leases (
    name   text primary key,
    holder uuid not null,
    term   bigint not null,
    until  timestamptz not null
);

create table zenhire.replicas (
    id               uuid primary key,
    host             text not null,
    pid              integer not null,
    version          text not null,
    settings         jsonb not null,
    started_at       timestamptz not null default zenhire.clock(),
    last_tick_at     timestamptz not null default zenhire.clock(),
    gone_at          timestamptz,
    waited_seconds   double precision not null default 0, -- this and the next: between its last two ticks
    core_used        double precision not null default 0,
    overloaded_since timestamptz
);

create table zenhire.schema_info (
    singleton      boolean primary key default true,
    oldest_program text not null,
    changed_at     timestamptz not null default zenhire.clock()
);

insert into zenhire.schema_info (oldest_program) values ('0.1.0');

-- The claims.
create index candidate_invites_to_start on zenhire.candidate_invites (account, priority desc, start_after, id)
    where status = 'pending';
create index candidate_invites_to_stop on zenhire.candidate_invites (stop_after)
    where status = 'pending' and stop_after is not null;
create unique index candidate_invites_request_key on zenhire.candidate_invites (account, request_key);
create index candidate_invites_candidate_ref on zenhire.candidate_invites (account, candidate_ref);
create index candidate_invites_unseen on zenhire.candidate_invites (updated_at) where version > seen_version;
create index candidate_invites_to_forget on zenhire.candidate_invites (status_changed_at)
    where erased_at is null and status in ('completed', 'failed', 'expired', 'cancelled');
create index candidate_invites_refused on zenhire.candidate_invites (account, error_code, status_changed_at)
    where status = 'refused';
create index candidate_invites_open on zenhire.candidate_invites (account, status)
    where status in ('pending', 'starting', 'link_ready', 'in_progress', 'needs_review');

create unique index interview_sessions_one_current on zenhire.interview_sessions (invite_id) where current;
create unique index interview_sessions_one_published_per_link
    on zenhire.interview_sessions (invite_id, link_number) where state = 'published';
create unique index interview_sessions_session_id on zenhire.interview_sessions (account, session_id);
create unique index interview_sessions_post_number on zenhire.interview_sessions (invite_id, link_number, post_number);
create index interview_sessions_to_repost on zenhire.interview_sessions (account, repost_at)
    where repost_at is not null;
create index interview_sessions_abandoned on zenhire.interview_sessions (lease_until) where state = 'posting';
create index interview_sessions_to_look on zenhire.interview_sessions (account, next_look_at)
    where next_look_at is not null;
create index interview_sessions_running on zenhire.interview_sessions (account)
    where vendor_status = 'active' and dead_at is null;
create index interview_sessions_to_collect on zenhire.interview_sessions (account, next_collect_at)
    where next_collect_at is not null;
create index interview_sessions_to_search on zenhire.interview_sessions (account, next_search_at)
    where next_search_at is not null;
create index interview_sessions_never_settled on zenhire.interview_sessions (account, dead_at)
    where state = 'lost' and next_search_at is null and dead_at is not null and dead_because <> 'accepted';
create index interview_sessions_stray on zenhire.interview_sessions (account, status_seen_at)
    where state = 'orphan' and vendor_status in ('active', 'completed') and dead_because is distinct from 'accepted';
create index interview_sessions_overlapping on zenhire.interview_sessions (invite_id)
    where (state = 'published' or origin = 'console') and dead_at is null
      and (not current or reinvited_at is not null);
create index interview_sessions_missing on zenhire.interview_sessions (account, invite_id)
    where look_failures >= 5;
create index interview_sessions_newest on zenhire.interview_sessions (account, posted_at);
create index interview_sessions_held on zenhire.interview_sessions (lease_holder) where lease_holder is not null;
create unique index personas_one_per_role_and_language
    on zenhire.personas (account, zenhire.persona_key(role_name, language));
create index personas_to_resolve on zenhire.personas (account, next_try_at) where next_try_at is not null;
create index invite_events_of_invite on zenhire.invite_events (invite_id, id);
create index invite_events_of_account on zenhire.invite_events (account, id) where invite_id is null;
