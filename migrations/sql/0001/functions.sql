-- The control plane. Each function checks, refuses with a message and a hint, and writes an event with session_user,
-- time and reason. It locks the invite first and then its sessions, as the service does, and takes away the lease under
-- which a replica may be in the middle of a step: what that replica then brings changes nothing any more.

-- Refuses an act without a reason: the history would not say why.
create function zenhire.require_reason(reason text) returns void
    language plpgsql set search_path = pg_catalog as $$
begin
    if reason is null or reason !~ '\S' then
        raise exception 'a reason is needed' using errcode = 'invalid_parameter_value',
            hint = 'Say in a few words why: it stands in zenhire.invite_events.';
    end if;
end
$$;

-- The point in time as an answer shows it.
create function zenhire.in_words(at timestamptz) returns text
    language sql stable parallel safe set search_path = pg_catalog as $$
    select to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'
$$;

-- A duration as a sentence shows it.
create function zenhire.duration_in_words(duration interval) returns text
    language sql immutable parallel safe set search_path = pg_catalog as $$
    select case when s < 120 then ceil(s) || ' seconds'
                when s < 7200 then ceil(s / 60) || ' minutes'
                when s < 172800 then ceil(s / 3600) || ' hours'
                else ceil(s / 86400) || ' days' end
    from (select extract(epoch from duration) as s) d
$$;

-- Locks an invite and then its sessions; the invite as it stands.
create function zenhire.lock_invite(invite_id uuid) returns zenhire.candidate_invites
    language plpgsql set search_path = pg_catalog as $$
declare
    invite zenhire.candidate_invites;
begin
    select i.* into invite from zenhire.candidate_invites i where i.id = lock_invite.invite_id for update;
    if not found then
        raise exception 'there is no invite %', coalesce(invite_id::text, 'NULL') using errcode = 'no_data_found',
            hint = 'Look it up: select id, status from zenhire.candidate_invites where candidate_ref = …';
    end if;
    perform from zenhire.interview_sessions s where s.invite_id = invite.id order by s.post_id for update;
    return invite;
end
$$;

-- Takes the lease of an invite's sessions away and repeats no post. A post on its way keeps a lease that is over and
-- nobody's: the service finds it as it finds a dead replica's, and counts it as lost.
create function zenhire.take_leases(invite_id uuid) returns void
    language sql set search_path = pg_catalog as $$
    update zenhire.interview_sessions s
    set repost_at = null,
        lease_token = case when s.state = 'posting' then gen_random_uuid() end,
        lease_until = case when s.state = 'posting' then zenhire.clock() end,
        lease_holder = case when s.state = 'posting' then s.lease_holder end
    where s.invite_id = take_leases.invite_id and (s.lease_token is not null or s.repost_at is not null)
$$;

-- Cancels a locked invite: the move, its event, the leases. The caller has checked the status.
create function zenhire.cancel_locked(invite zenhire.candidate_invites, reason text) returns void
    language plpgsql set search_path = pg_catalog as $$
declare
    new_version bigint;
begin
    perform zenhire.take_leases(invite.id);
    update zenhire.candidate_invites i
    set status = 'cancelled', error_code = 'CANCELLED', error_message = 'Cancelled: ' || cancel_locked.reason
    where i.id = invite.id
    returning i.version into new_version;
    insert into zenhire.invite_events (account, invite_id, kind, from_status, to_status, version, reason)
    values (invite.account, invite.id, 'invite_cancelled', invite.status, 'cancelled', new_version, cancel_locked.reason);
end
$$;

-- Ends an invite that is not final yet. The vendor cannot revoke a link, so the answer says what it still can do.
create function zenhire.cancel_invite(id uuid, reason text) returns text
    language plpgsql set search_path = pg_catalog set zenhire.writer = 'service' as $$
declare
    invite zenhire.candidate_invites;
begin
    perform zenhire.require_reason(reason);
    invite := zenhire.lock_invite(id);
    if not zenhire.may_move(invite.status, 'cancelled') then
        raise exception 'invite % cannot be cancelled: it is % since %',
            invite.id, invite.status, zenhire.in_words(invite.status_changed_at)
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'Only pending, starting, link_ready, in_progress and needs_review can be cancelled.';
    end if;
    perform zenhire.cancel_locked(invite, reason);
    return case
        when invite.status = 'in_progress' then format(
            'Invite %s is cancelled. ZenHire cannot stop the interview that runs: it may be finished and cost credits. '
            'Its outcome is then kept with the session; the invite stays cancelled.', invite.id)
        when invite.status = 'link_ready' and invite.link_expires_at > zenhire.clock() then format(
            'Invite %s is cancelled. ZenHire cannot revoke its link: it works until %s, and an interview through it '
            'may still cost credits. Its outcome is then kept with the session; the invite stays cancelled.',
            invite.id, zenhire.in_words(invite.link_expires_at))
        when invite.status = 'link_ready' then format(
            'Invite %s is cancelled. Its link ran out on %s; should ZenHire have let a candidate in before, the outcome '
            'is kept with the session.', invite.id, zenhire.in_words(invite.link_expires_at))
        when invite.status = 'starting' then format(
            'Invite %s is cancelled. ZenHire may still make a session of a request on its way; nobody gets its link.',
            invite.id)
        else format('Invite %s is cancelled. No link of it is out.', invite.id)
    end;
end
$$;

-- Sends a locked invite back to `pending`, to be asked for its next link: the move, its event, the leases.
create function zenhire.wait_for_turn(
    invite zenhire.candidate_invites, kind text, reason text, details jsonb default '{}') returns void
    language plpgsql set search_path = pg_catalog as $$
declare
    new_version bigint;
begin
    perform zenhire.take_leases(invite.id);
    -- the posts so far no longer count against the limit of lost posts of this link
    update zenhire.interview_sessions s set counted = false
    where s.invite_id = invite.id and s.link_number = invite.link_number + 1 and s.counted;
    -- its persona is looked up again: it may have been refused, or be gone at the vendor
    update zenhire.personas p
    set state = 'wanted', next_try_at = zenhire.clock(), failures = 0, error_code = null, error_message = null
    where p.state in ('refused', 'ready') and p.account = invite.account
      and zenhire.persona_key(p.role_name, p.language) = zenhire.persona_key(invite.role_name, invite.language);
    update zenhire.candidate_invites i
    set status = 'pending', session_id = null, candidate_link = null, link_expires_at = null,
        interview_started_at = null, error_code = null, error_message = null
    where i.id = invite.id
    returning i.version into new_version;
    insert into zenhire.invite_events (account, invite_id, kind, from_status, to_status, version, reason, details)
    values (invite.account, invite.id, wait_for_turn.kind, invite.status, 'pending', new_version,
            wait_for_turn.reason, wait_for_turn.details);
    perform pg_notify('zenhire_invites', '');
end
$$;

-- Tries again for the same link: from needs_review (too many lost posts, say) or refused (the cause is mended).
create function zenhire.retry_invite(id uuid, reason text) returns text
    language plpgsql set search_path = pg_catalog set zenhire.writer = 'service' as $$
declare
    invite zenhire.candidate_invites;
begin
    perform zenhire.require_reason(reason);
    invite := zenhire.lock_invite(id);
    if invite.status not in ('needs_review', 'refused') then
        raise exception 'invite % cannot be retried: it is % since %',
            invite.id, invite.status, zenhire.in_words(invite.status_changed_at)
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'Only needs_review and refused can be retried; what is pending or starting goes on by itself. '
                         'What is failed, expired or cancelled gets another link: select zenhire.new_link(id, reason).';
    elsif invite.erased_at is not null then
        raise exception 'invite % cannot be retried: its candidate was erased', invite.id
            using errcode = 'object_not_in_prerequisite_state', hint = 'Insert another invite.';
    elsif invite.stop_after <= zenhire.clock() then
        raise exception 'invite % cannot be retried: it wants no link after %',
            invite.id, zenhire.in_words(invite.stop_after)
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'Set its stop_after to a later time, or to null, first.';
    end if;
    perform zenhire.wait_for_turn(invite, 'invite_retried', reason);
    return format('Invite %s waits for its turn again, for link %s.', invite.id, invite.link_number + 1);
end
$$;

-- Stops new links of an account; sessions go on being watched.
create function zenhire.pause_account(account text, reason text) returns text
    language plpgsql set search_path = pg_catalog set zenhire.writer = 'service' as $$
declare
    known zenhire.account_state;
begin
    perform zenhire.require_reason(reason);
    if account is null
       or not exists (select from zenhire.account_state s where s.account = pause_account.account)
       and not exists (select from zenhire.candidate_invites i where i.account = pause_account.account) then
        raise exception 'there is no account %', coalesce(account, 'NULL') using errcode = 'no_data_found',
            hint = 'Known accounts: select account from zenhire.account_state.';
    end if;
    insert into zenhire.account_state (account) values (pause_account.account) on conflict do nothing;
    select s.* into known from zenhire.account_state s where s.account = pause_account.account for update;
    if known.paused_at is not null then
        raise exception 'account % is paused already, since % by %',
            known.account, zenhire.in_words(known.paused_at), known.paused_by
            using errcode = 'object_not_in_prerequisite_state', hint = 'To end the pause: select zenhire.resume_account(account, reason).';
    end if;
    update zenhire.account_state s
    set paused_at = zenhire.clock(), paused_by = session_user, pause_reason = pause_account.reason,
        updated_at = zenhire.clock()
    where s.account = known.account;
    insert into zenhire.invite_events (account, kind, reason)
    values (known.account, 'account_paused', pause_account.reason);
    return format('Account %s is paused: it starts no new links. Links that are out work on, and are watched.',
                  known.account);
end
$$;

-- Ends a pause and a stop. A changed base URL or client is accepted: the service records the new one.
create function zenhire.resume_account(account text, reason text) returns text
    language plpgsql set search_path = pg_catalog set zenhire.writer = 'service' as $$
declare
    known zenhire.account_state;
begin
    perform zenhire.require_reason(reason);
    select s.* into known from zenhire.account_state s where s.account = resume_account.account for update;
    if not found then
        raise exception 'there is no account %', coalesce(account, 'NULL') using errcode = 'no_data_found',
            hint = 'Known accounts: select account from zenhire.account_state.';
    elsif known.paused_at is null and known.stop_code is null then
        raise exception 'account % is neither paused nor stopped', known.account
            using errcode = 'object_not_in_prerequisite_state', hint = 'See what needs a person: select * from zenhire.attention.';
    end if;
    update zenhire.account_state s
    set paused_at = null, paused_by = null, pause_reason = null,
        stop_code = null, stop_message = null, stop_scope = null, stop_lane = null, stopped_at = null,
        needs_person = false, probe_at = null, probe_seconds = null, blamed_personas = '{}',
        base_url = case when known.stop_code = 'BASE_URL_CHANGED' then null else s.base_url end,
        client_id = case when known.stop_code = 'CLIENT_CHANGED' then null else s.client_id end,
        updated_at = zenhire.clock()
    where s.account = known.account;
    delete from zenhire.account_streaks k where k.account = known.account;
    insert into zenhire.invite_events (account, kind, reason, details)
    values (known.account, 'account_resumed', resume_account.reason,
            jsonb_strip_nulls(jsonb_build_object('stop_code', known.stop_code, 'paused_at', known.paused_at)));
    perform pg_notify('zenhire_invites', '');
    return format('Account %s starts links again.%s', known.account, case known.stop_code
        when 'BASE_URL_CHANGED' then ' The new base URL is accepted.'
        when 'CLIENT_CHANGED' then ' The new client is accepted.'
        else '' end || case when known.key_present then '' else ' It has no key yet: no replica can work for it.' end);
end
$$;

-- Blanks what the sessions and the history hold of an erased invite.
create function zenhire.erase_traces(invite_id uuid) returns void
    language plpgsql set search_path = pg_catalog as $$
begin
    delete from zenhire.transcripts t
    using zenhire.interview_sessions s
    where s.invite_id = erase_traces.invite_id and t.post_id = s.post_id;
    update zenhire.interview_sessions s
    -- a lost post is still searched for: what it left behind must be on record, without what tells of the candidate
    set vendor_object = null, error_message = null, next_look_at = null, next_collect_at = null
    where s.invite_id = erase_traces.invite_id;
    update zenhire.invite_events e set reason = null, details = '{}'
    where e.invite_id = erase_traces.invite_id and (e.reason is not null or e.details <> '{}');
end
$$;

-- Blanks a final invite, its sessions and its history; who calls it writes as 'erase'.
create function zenhire.erase_invite(invite_id uuid) returns void
    language plpgsql set search_path = pg_catalog as $$
begin
    update zenhire.candidate_invites i
    set erased_at = zenhire.clock(), candidate_ref = 'erased', metadata = '{}', tags = '{}',
        candidate_link = null, error_message = null,
        transcript_state = case when i.transcript_state = 'none' then 'none' else 'unavailable' end,
        recording_state = case when i.recording_state = 'waiting' then 'unavailable' else i.recording_state end
    where i.id = erase_invite.invite_id;
    perform zenhire.erase_traces(erase_invite.invite_id);
end
$$;

-- Removes what is known of a candidate; that there were invites, and what came of them, stays.
create function zenhire.erase_candidate(account text, candidate_ref text, reason text) returns text
    language plpgsql set search_path = pg_catalog set zenhire.writer = 'erase' as $$
declare
    invite zenhire.candidate_invites;
    invite_ids uuid[];
    invite_id uuid;
begin
    perform zenhire.require_reason(reason);
    invite_ids := array(
        select i.id from zenhire.candidate_invites i
        where i.account = erase_candidate.account and i.candidate_ref = erase_candidate.candidate_ref
          and i.erased_at is null
        order by i.id);
    if cardinality(invite_ids) = 0 then
        raise exception 'account % has no invite of this candidate', coalesce(account, 'NULL')
            using errcode = 'no_data_found', hint = 'Check the account and the candidate_ref; both are compared letter by letter.';
    end if;
    foreach invite_id in array invite_ids loop
        invite := zenhire.lock_invite(invite_id);
        if zenhire.may_move(invite.status, 'cancelled') then
            perform zenhire.cancel_locked(invite, 'the candidate was erased');
        else
            perform zenhire.take_leases(invite.id);
        end if;
        perform zenhire.erase_invite(invite.id);
    end loop;
    insert into zenhire.invite_events (account, kind, reason, details)
    values (erase_candidate.account, 'candidate_erased', erase_candidate.reason,
            jsonb_build_object('invites', cardinality(invite_ids)));
    return format(
        'Erased from %s invite(s). ZenHire keeps its own copy of %s session(s), and %s recording(s) stay where they are: '
        'select session_id from zenhire.interview_sessions where invite_id = any (%L); '
        'select place from zenhire.recordings where invite_id = any (%L).',
        cardinality(invite_ids),
        (select count(*) from zenhire.interview_sessions s where s.invite_id = any (invite_ids) and s.session_id is not null),
        (select count(*) from zenhire.recordings r join zenhire.interview_sessions s using (post_id)
         where s.invite_id = any (invite_ids)),
        invite_ids, invite_ids);
end
$$;

-- Erases what has been final for so long, and takes its history away but for one line. That there was the request, and
-- what came of it, stays: the same request is never sent again. What anybody may still have to do with is left alone.
create function zenhire.forget_invites(kept interval, at_most integer) returns integer
    language plpgsql set search_path = pg_catalog set zenhire.writer = 'erase' as $$
declare
    invite_ids uuid[] := array(
        select i.id from zenhire.candidate_invites i
        where i.status in ('completed', 'failed', 'expired', 'cancelled') and i.erased_at is null
          and i.status_changed_at < (select zenhire.clock()) - kept
          and not exists (
              select from zenhire.interview_sessions s
              where s.invite_id = i.id
                and (s.lease_token is not null
                     or num_nonnulls(s.next_look_at, s.next_collect_at, s.next_search_at, s.repost_at) > 0))
        order by i.status_changed_at
        limit at_most
        for update of i skip locked);
    invite_id uuid;
begin
    foreach invite_id in array invite_ids loop
        perform zenhire.erase_invite(invite_id);
    end loop;
    delete from zenhire.invite_events e where e.invite_id = any (invite_ids);
    insert into zenhire.invite_events (account, invite_id, kind, from_status, to_status, version)
    select i.account, i.id, 'history_forgotten', i.status, i.status, i.version
    from zenhire.candidate_invites i where i.id = any (invite_ids);
    return cardinality(invite_ids);
end
$$;
