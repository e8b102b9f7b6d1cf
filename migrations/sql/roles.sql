-- The roles of schema zenhire, for a database that lets us make roles: `zenhire-sync migrate --with-roles` runs this,
-- `--print-roles` prints it. Safe to run again, and to be run after each migration. Nobody can log in as one of them:
-- grant them to the users whom you have: grant zenhire_ats to my_ats_user;

do $$
declare
    wanted text;
begin
    foreach wanted in array array['zenhire_ats', 'zenhire_operator', 'zenhire_reader', 'zenhire_service'] loop
        begin
            execute format('create role %I nologin', wanted);
        exception when duplicate_object or unique_violation then
            null; -- it is there already, or another migration makes it at this moment
        end;
    end loop;
end
$$;

comment on role zenhire_ats is 'zenhire-sync: inserts invites, writes the ATS''s columns, reads links and outcomes, cancels.';
comment on role zenhire_operator is 'zenhire-sync: reads the views, acts through the functions; sees no transcript.';
comment on role zenhire_reader is 'zenhire-sync: reads the views, but for links, transcripts and metadata.';
comment on role zenhire_service is 'zenhire-sync: what the service itself needs; migrations are the owner''s.';

grant usage on schema zenhire to zenhire_ats, zenhire_operator, zenhire_reader, zenhire_service;

-- Functions that only compute, or that the rules of the tables ask. They do nothing that their caller may not do.
grant execute on all functions in schema zenhire to zenhire_ats, zenhire_operator, zenhire_reader, zenhire_service;
revoke execute on function
    zenhire.retry_invite(uuid, text), zenhire.retry_all(text, text, text), zenhire.new_link(uuid, text, boolean),
    zenhire.look_now(uuid, text), zenhire.pause_account(text, text), zenhire.resume_account(text, text),
    zenhire.set_account_limit(text, integer, text), zenhire.erase_candidate(text, text, text)
    from zenhire_ats, zenhire_reader, zenhire_service;
revoke execute on function zenhire.cancel_invite(uuid, text) from zenhire_reader, zenhire_service;
revoke execute on function zenhire.explain_invite(uuid) from zenhire_service;
revoke execute on function zenhire.forget_invites(interval, integer) from zenhire_ats, zenhire_operator, zenhire_reader;

-- The ATS: its own columns, and everything that it is to read.
grant select, delete on zenhire.candidate_invites to zenhire_ats;
grant insert (id, account, request_key, candidate_ref, persona_id, role_name, language, consent_mode, metadata, tags,
              start_after, stop_after, priority, max_links, link_sent_at, seen_version, created_at)
    on zenhire.candidate_invites to zenhire_ats;
grant update (account, request_key, candidate_ref, persona_id, role_name, language, consent_mode, metadata, tags,
              start_after, stop_after, priority, max_links, link_sent_at, seen_version)
    on zenhire.candidate_invites to zenhire_ats;
grant select on zenhire.results, zenhire.candidate_interviews, zenhire.timeline to zenhire_ats;

-- Whoever reads: no link, no transcript, no metadata.
grant select on zenhire.attention, zenhire.service_status, zenhire.candidate_interviews, zenhire.timeline,
                zenhire.backlog, zenhire.capacity, zenhire.outcome_lag, zenhire.request_usage, zenhire.waiting,
                zenhire.invites, zenhire.posts, zenhire.waits, zenhire.invite_counts, zenhire.session_counts,
                zenhire.accounts, zenhire.last_hour
    to zenhire_reader, zenhire_operator;
grant select (invite_id, account, request_key, candidate_ref, status, version, link_number, session_id,
              interview_started_at, interview_completed_at, duration_seconds, credits_charged,
              candidate_survey_rating, transcript_state, recording_state, recording_place, error_code, error_message,
              status_changed_at)
    on zenhire.results to zenhire_reader, zenhire_operator;

-- Operators: what they look invites up by, and what the statements of `attention` change.
grant select (id, account, request_key, candidate_ref, persona_id, role_name, language, status, version, priority,
              start_after, stop_after, max_links, link_number, error_code, error_message, status_changed_at, created_at)
    on zenhire.candidate_invites to zenhire_operator;
grant select on zenhire.account_state, zenhire.list_state, zenhire.replicas, zenhire.leases, zenhire.request_budget,
                zenhire.personas, zenhire.sweeps, zenhire.unclaimed_sessions, zenhire.verify_runs
    to zenhire_operator;
grant select (post_id, account, invite_id, link_number, post_number, state, current, session_id, vendor_status,
              next_search_at, dead_at, dead_because), update (dead_because)
    on zenhire.interview_sessions to zenhire_operator;
grant update (accepted_at) on zenhire.unclaimed_sessions to zenhire_operator;
grant update (matches, state, next_try_at, error_code, error_message) on zenhire.personas to zenhire_operator;
grant update (next_probe_at) on zenhire.list_state to zenhire_operator;

-- The service: every table, but it drops, truncates and changes none, and deletes only what is its own.
grant select, insert, update on all tables in schema zenhire to zenhire_service;
revoke insert, update on zenhire.schema_info, zenhire.alembic_version from zenhire_service;
grant delete on zenhire.account_streaks, zenhire.request_counts, zenhire.transcripts, zenhire.verify_sightings,
                zenhire.verify_runs, zenhire.replicas
    to zenhire_service;
