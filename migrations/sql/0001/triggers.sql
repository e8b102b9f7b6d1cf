-- The rules that look at more than one row, or at who writes.
--
-- Who writes? Whoever has set `zenhire.writer`: the service says `service` for its connections, the control functions
-- say it for themselves (`erase` for erase_candidate alone). Without the mark it is the ATS. The mark is no protection
-- against ill will, but against every honest mistake; rights are what keeps roles apart.

-- The columns of candidate_invites that the service writes, each with the value that an INSERT must leave it.
create function zenhire.service_columns() returns jsonb
    language sql immutable parallel safe set search_path = pg_catalog as $$
    select '{
        "status": "pending", "version": 0, "session_id": null, "candidate_link": null, "link_expires_at": null,
        "link_number": 0, "interview_started_at": null, "interview_completed_at": null, "duration_seconds": null,
        "credits_charged": null, "candidate_survey_rating": null, "transcript_state": "none", "recording_state": "none",
        "error_code": null, "error_message": null, "status_changed_at": null, "updated_at": null, "erased_at": null
    }'::jsonb
$$;

-- The legal moves of an invite; service/core/model.py has the same table, and a test compares the two.
create function zenhire.may_move(from_status text, to_status text) returns boolean
    language sql immutable parallel safe set search_path = pg_catalog as $$
    select coalesce(to_status = any (case from_status
        when 'pending' then array['starting', 'cancelled', 'completed']
        when 'starting' then array['link_ready', 'pending', 'refused', 'needs_review', 'cancelled', 'completed']
        when 'link_ready' then array['in_progress', 'completed', 'failed', 'expired', 'pending', 'cancelled']
        when 'in_progress' then array['completed', 'failed', 'pending', 'cancelled']
        when 'failed' then array['completed', 'link_ready', 'in_progress', 'pending']
        when 'expired' then array['completed', 'link_ready', 'in_progress', 'pending']
        when 'cancelled' then array['pending']
        when 'refused' then array['pending', 'completed']
        when 'needs_review' then array['pending', 'cancelled', 'completed']
    end), false)
$$;

-- The keys whose values differ.
create function zenhire.changed_keys(before jsonb, after jsonb) returns text[]
    language sql immutable parallel safe set search_path = pg_catalog as $$
    select coalesce(array_agg(key order by key), '{}')
    from jsonb_each(after) as written (key, value) where value is distinct from before -> key
$$;

-- Refuses a write to a column of candidate_invites, and says what to do instead.
create function zenhire.refuse_column(column_name text, why text, hint text) returns void
    language plpgsql set search_path = pg_catalog as $$
begin
    raise exception 'column "%" of zenhire.candidate_invites %', column_name, why
        using errcode = 'check_violation', schema = 'zenhire', table = 'candidate_invites', column = column_name,
              hint = hint;
end
$$;

create function zenhire.refuse_service_column(column_name text) returns void
    language plpgsql set search_path = pg_catalog as $$
begin
    perform zenhire.refuse_column(column_name, 'is written by zenhire-sync', case column_name
        when 'status' then 'Leave it out. To end an invite: select zenhire.cancel_invite(id, reason).'
        when 'erased_at' then 'Leave it out. To erase a candidate: select zenhire.erase_candidate(account, candidate_ref, reason).'
        else 'Leave it out.' end);
end
$$;

-- INSERT: the ATS leaves the service's columns alone.
create function zenhire.check_invite_insert() returns trigger
    language plpgsql set search_path = pg_catalog as $$
declare
    given jsonb;
begin
    if coalesce(current_setting('zenhire.writer', true), '') <> 'service' then
        given := to_jsonb(new);
        if not given @> zenhire.service_columns() then
            perform zenhire.refuse_service_column(wrong.key)
            from jsonb_each(zenhire.service_columns()) as wrong where given -> wrong.key is distinct from wrong.value;
        end if;
    end if;
    new.updated_at := coalesce(new.updated_at, zenhire.clock());
    new.status_changed_at := coalesce(new.status_changed_at, new.updated_at);
    return new;
end
$$;
create trigger check_insert before insert on zenhire.candidate_invites
    for each row execute function zenhire.check_invite_insert();

-- What the ATS may not change: the service's columns, and once the invite has started most of its own.
create function zenhire.check_ats_update(before zenhire.candidate_invites, after zenhire.candidate_invites) returns void
    language plpgsql set search_path = pg_catalog as $$
declare
    changed text[] := zenhire.changed_keys(to_jsonb(before), to_jsonb(after));
    of_service text[] := array(select key from unnest(changed) as key where zenhire.service_columns() ? key);
    fixed text[] := array(
        select key from unnest(changed) as key
        where key not in ('priority', 'stop_after', 'max_links', 'link_sent_at', 'seen_version'));
begin
    if cardinality(of_service) > 0 then
        perform zenhire.refuse_service_column(case when 'status' = any (of_service) then 'status' else of_service[1] end);
    elsif before.erased_at is not null then
        perform zenhire.refuse_column(changed[1], 'of an erased invite can no longer be changed',
            'Only seen_version may be set.');
    elsif cardinality(fixed) > 0 and (before.status <> 'pending'
            or exists (select from zenhire.interview_sessions s where s.invite_id = before.id)) then
        perform zenhire.refuse_column(fixed[1], 'can no longer be changed: the invite has started',
            'Only priority, stop_after, max_links, link_sent_at and seen_version may be changed now. '
            'To begin anew: select zenhire.cancel_invite(id, reason), then insert another invite.');
    end if;
end
$$;

-- What the service may not change: the ATS's columns, except those that an erasure blanks.
create function zenhire.check_service_update(
    before zenhire.candidate_invites, after zenhire.candidate_invites, writer text) returns void
    language plpgsql set search_path = pg_catalog as $$
declare
    of_ats text[];
begin
    if row(before.account, before.request_key, before.candidate_ref, before.persona_id, before.role_name,
           before.language, before.consent_mode, before.metadata, before.tags, before.start_after, before.stop_after,
           before.priority, before.max_links, before.link_sent_at, before.seen_version)
       is distinct from
       row(after.account, after.request_key, after.candidate_ref, after.persona_id, after.role_name,
           after.language, after.consent_mode, after.metadata, after.tags, after.start_after, after.stop_after,
           after.priority, after.max_links, after.link_sent_at, after.seen_version) then
        of_ats := array(
            select key from unnest(zenhire.changed_keys(to_jsonb(before), to_jsonb(after))) as key
            where not zenhire.service_columns() ? key
              and not (writer = 'erase' and key in ('candidate_ref', 'metadata', 'tags')));
        if cardinality(of_ats) > 0 then
            perform zenhire.refuse_column(of_ats[1], 'is written by the ATS', 'zenhire-sync leaves it alone.');
        end if;
    end if;
end
$$;

-- UPDATE: each side keeps to its columns, the status to its moves; the version counts every change.
create function zenhire.check_invite_update() returns trigger
    language plpgsql set search_path = pg_catalog as $$
declare
    writer text := coalesce(current_setting('zenhire.writer', true), '');
    unseen zenhire.candidate_invites;
begin
    if row(new.id, new.created_at) is distinct from row(old.id, old.created_at) then
        perform zenhire.refuse_column(
            case when new.id is distinct from old.id then 'id' else 'created_at' end, 'never changes', 'Leave it out.');
    end if;
    if writer in ('service', 'erase') then
        new.version := old.version;
        new.updated_at := old.updated_at;
        new.status_changed_at := old.status_changed_at;
        perform zenhire.check_service_update(old, new, writer);
    end if;
    -- the ATS's own mark is no change that it would have to be told of
    unseen := new;
    unseen.seen_version := old.seen_version;
    if unseen is not distinct from old then
        return new;
    end if;
    if writer not in ('service', 'erase') then
        perform zenhire.check_ats_update(old, new);
    end if;
    new.version := old.version + 1;
    new.updated_at := zenhire.clock();
    if new.status <> old.status then
        if not zenhire.may_move(old.status, new.status) then
            raise exception 'an invite cannot go from % to %', old.status, new.status
                using errcode = 'check_violation', schema = 'zenhire', table = 'candidate_invites', column = 'status',
                      constraint = 'status_moves_by_the_table_of_moves',
                      hint = 'zenhire.may_move(from, to) has the table of moves.';
        end if;
        new.status_changed_at := new.updated_at;
    end if;
    return new;
end
$$;
create trigger check_update before update on zenhire.candidate_invites
    for each row execute function zenhire.check_invite_update();

-- How many links, and until when, decides what a dead link leads to: a look that began before the ATS changed its mind
-- counts no more, and the next one decides.
create function zenhire.drop_looks() returns trigger
    language plpgsql set search_path = pg_catalog as $$
begin
    update zenhire.interview_sessions s set lease_token = null, lease_until = null, lease_holder = null
    where s.invite_id = new.id and s.state = 'published' and s.lease_token is not null;
    return null;
end
$$;
create trigger drop_looks after update of max_links, stop_after on zenhire.candidate_invites
    for each row when (new.max_links <> old.max_links or new.stop_after is distinct from old.stop_after)
    execute function zenhire.drop_looks();

-- DELETE: only what has never left the ATS's hands.
create function zenhire.check_invite_delete() returns trigger
    language plpgsql set search_path = pg_catalog as $$
begin
    if old.status = 'pending'
       and not exists (select from zenhire.interview_sessions s where s.invite_id = old.id) then
        return old;
    end if;
    raise exception 'invite % cannot be deleted: it has started', old.id
        using errcode = 'restrict_violation', schema = 'zenhire', table = 'candidate_invites',
              constraint = 'only_an_invite_that_never_started_is_deleted',
              hint = 'To end it: select zenhire.cancel_invite(id, reason). '
                     'To remove what is known of the candidate: select zenhire.erase_candidate(account, candidate_ref, reason).';
end
$$;
create trigger check_delete before delete on zenhire.candidate_invites
    for each row execute function zenhire.check_invite_delete();

-- TRUNCATE would drop invites whose links are out.
create function zenhire.refuse_truncate() returns trigger
    language plpgsql set search_path = pg_catalog as $$
begin
    raise exception 'table %.% is never truncated', tg_table_schema, tg_table_name
        using errcode = 'restrict_violation', schema = tg_table_schema, table = tg_table_name,
              hint = 'To start afresh: drop schema zenhire cascade, then run zenhire-sync migrate.';
end
$$;
create trigger refuse_truncate before truncate on zenhire.candidate_invites
    for each statement execute function zenhire.refuse_truncate();
create trigger refuse_truncate before truncate on zenhire.invite_events
    for each statement execute function zenhire.refuse_truncate();

-- A post is the only trace of a session that costs money and of a link that is out: it is never deleted.
create function zenhire.refuse_delete() returns trigger
    language plpgsql set search_path = pg_catalog as $$
begin
    raise exception 'rows of %.% are never deleted', tg_table_schema, tg_table_name
        using errcode = 'restrict_violation', schema = tg_table_schema, table = tg_table_name,
              hint = 'To end an invite: select zenhire.cancel_invite(id, reason).';
end
$$;
create trigger refuse_delete before delete on zenhire.interview_sessions
    for each row execute function zenhire.refuse_delete();
create trigger refuse_truncate before truncate on zenhire.interview_sessions
    for each statement execute function zenhire.refuse_truncate();

-- INSERT wakes the service; the payload is empty, the table has the truth.
create function zenhire.notify_invites() returns trigger
    language plpgsql set search_path = pg_catalog as $$
begin
    perform pg_notify('zenhire_invites', '');
    return null;
end
$$;
create trigger notify_invites after insert on zenhire.candidate_invites
    for each statement execute function zenhire.notify_invites();

-- Every new version tells the ATS, in the same transaction: which invite, which version, which status, nothing else.
create function zenhire.notify_change() returns trigger
    language plpgsql set search_path = pg_catalog as $$
begin
    perform pg_notify('zenhire_changes',
        json_build_object('invite_id', new.id, 'version', new.version, 'status', new.status)::text);
    return null;
end
$$;
create trigger notify_change after update on zenhire.candidate_invites
    for each row when (new.version <> old.version) execute function zenhire.notify_change();

-- A change of status and its event are one transaction: COMMIT fails without the event.
create function zenhire.require_event() returns trigger
    language plpgsql set search_path = pg_catalog as $$
begin
    if not exists (
        select from zenhire.invite_events e
        where e.invite_id = new.id and e.version = new.version and e.to_status = new.status) then
        raise exception 'invite % went from % to % (version %) without an event',
            new.id, old.status, new.status, new.version
            using errcode = 'check_violation', schema = 'zenhire', table = 'candidate_invites',
                  constraint = 'a_change_of_status_has_its_event',
                  hint = 'Insert the event into zenhire.invite_events in the same transaction.';
    end if;
    return null;
end
$$;
create constraint trigger a_change_of_status_has_its_event after update on zenhire.candidate_invites
    deferrable initially deferred
    for each row when (new.status <> old.status) execute function zenhire.require_event();

-- The history is only added to; an erasure may blank what an event says, not that it happened. Only the history of an
-- invite that was erased may go, and forget_invites puts a line in its place.
create function zenhire.keep_event() returns trigger
    language plpgsql set search_path = pg_catalog as $$
declare
    blanked zenhire.invite_events := old;
begin
    blanked.reason := null;
    blanked.details := '{}';
    if tg_op = 'UPDATE' and coalesce(current_setting('zenhire.writer', true), '') = 'erase' and new is not distinct from blanked then
        return new;
    end if;
    if tg_op = 'DELETE' and coalesce(current_setting('zenhire.writer', true), '') = 'erase' and exists (
        select from zenhire.candidate_invites i where i.id = old.invite_id and i.erased_at is not null) then
        return old;
    end if;
    raise exception 'zenhire.invite_events is only added to'
        using errcode = 'restrict_violation', schema = 'zenhire', table = 'invite_events',
              hint = 'To remove what is known of a candidate: select zenhire.erase_candidate(account, candidate_ref, reason).';
end
$$;
create trigger keep_event before update or delete on zenhire.invite_events
    for each row execute function zenhire.keep_event();
