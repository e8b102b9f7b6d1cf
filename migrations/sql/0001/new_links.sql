-- The control plane, continued: further links for invites that have ended without a result, and looks out of turn.

-- Whether a candidate may hold a link of this session that works: one that was published, or that the console sent.
create function zenhire.link_works(session zenhire.interview_sessions) returns boolean
    language sql immutable parallel safe set search_path = pg_catalog as $$
    select session.dead_at is null and session.session_id is not null
       and (session.state = 'published'
            or session.state = 'orphan' and (session.vendor_status = 'active' or session.reinvited_at is not null))
$$;

-- Whether a link of the invite works beside which no operator wants another: the claim of posts asks.
create function zenhire.has_working_link(invite_id uuid) returns boolean
    language sql stable parallel safe cost 10000 set search_path = pg_catalog as $$ -- the last thing to be asked
    select exists (select from zenhire.interview_sessions s
                   where s.invite_id = has_working_link.invite_id and s.superseded_at is null and zenhire.link_works(s))
$$;

-- Refuses a further link, and says what to do instead.
create function zenhire.refuse_new_link(invite zenhire.candidate_invites, force boolean) returns void
    language plpgsql set search_path = pg_catalog as $$
declare
    working zenhire.interview_sessions;
    finished text;
    why text;
    instead text;
begin
    select s.* into working from zenhire.interview_sessions s
    where s.invite_id = invite.id and zenhire.link_works(s) order by s.link_expires_at desc limit 1;
    select s.session_id into finished from zenhire.interview_sessions s
    where s.invite_id = invite.id and s.vendor_status = 'completed' order by s.completed_at desc limit 1;
    if invite.status not in ('failed', 'expired', 'cancelled') then
        why := format('it is %s since %s', invite.status, zenhire.in_words(invite.status_changed_at));
        instead := case
            when invite.status in ('needs_review', 'refused') then 'To try again: select zenhire.retry_invite(id, reason).'
            when invite.status in ('link_ready', 'in_progress') then
                'It has a link. To end it first: select zenhire.cancel_invite(id, reason).'
            when invite.status = 'completed' then 'It has its outcome. For another interview insert another invite.'
            else 'It gets its link by itself: select sentence from zenhire.candidate_interviews.' end;
    elsif invite.erased_at is not null then
        why := 'its candidate was erased';
        instead := 'Insert another invite.';
    elsif invite.stop_after <= zenhire.clock() then
        why := 'it wants no link after ' || zenhire.in_words(invite.stop_after);
        instead := 'Set its stop_after to a later time, or to null, first.';
    elsif finished is not null and not force then
        why := format('its interview was finished all the same (session %s)', finished);
        instead := 'The outcome is in zenhire.interview_sessions. For another link all the same: force => true.';
    elsif working.session_id is not null and not force then
        why := format('a link of it works until %s, as far as is known', zenhire.in_words(working.link_expires_at));
        instead := case
            when working.reinvited_at is not null then 'ZenHire''s console has sent it to the candidate.'
            when working.link_expires_at <= zenhire.clock() then
                'It has run out, but a candidate who waits may still get in; a look will tell.'
            else 'Send that one again: candidate_link.' end
            || ' For a second one beside it: force => true.';
    else
        return;
    end if;
    raise exception 'invite % gets no new link: %', invite.id, why
        using errcode = 'object_not_in_prerequisite_state', hint = instead;
end
$$;

-- Asks for one more link, whatever max_links says: from failed, expired or cancelled.
create function zenhire.new_link(id uuid, reason text, force boolean default false) returns text
    language plpgsql set search_path = pg_catalog set zenhire.writer = 'service' as $$
declare
    invite zenhire.candidate_invites;
    working text[];
begin
    perform zenhire.require_reason(reason);
    invite := zenhire.lock_invite(id);
    perform zenhire.refuse_new_link(invite, coalesce(force, false));
    with superseded as (
        update zenhire.interview_sessions s set superseded_at = zenhire.clock()
        where s.invite_id = invite.id and zenhire.link_works(s)
        returning s.session_id
    )
    select array_agg(s.session_id) into working from superseded s;
    perform zenhire.wait_for_turn(invite, 'new_link_wanted', reason, jsonb_strip_nulls(jsonb_build_object(
        'link_number', invite.link_number + 1, 'force', coalesce(force, false), 'still_working', to_jsonb(working))));
    return format('Invite %s waits for its turn, for link %s.', invite.id, invite.link_number + 1)
        || case when working is null then '' else format(
               ' An earlier link of it still works (session %s): then the candidate has two, until one of them is dead.',
               array_to_string(working, ', ')) end;
end
$$;

-- Has the vendor asked at once. A look on its way is worth nothing any more; a post on its way goes on.
create function zenhire.look_now(id uuid, reason text) returns text
    language plpgsql set search_path = pg_catalog set zenhire.writer = 'service' as $$
declare
    invite zenhire.candidate_invites;
    looked_at integer;
begin
    perform zenhire.require_reason(reason);
    invite := zenhire.lock_invite(id);
    if invite.erased_at is not null then
        raise exception 'invite % is not looked at: its candidate was erased', invite.id
            using errcode = 'object_not_in_prerequisite_state', hint = 'Its sessions are in ZenHire''s console.';
    end if;
    update zenhire.interview_sessions s
    set next_look_at = greatest(zenhire.clock(), s.last_look_at + interval '10 seconds'),
        next_look_reason = 'somebody asked for it', lease_token = null, lease_until = null, lease_holder = null
    where s.invite_id = invite.id and s.state in ('published', 'orphan');
    get diagnostics looked_at = row_count;
    if looked_at = 0 then
        raise exception 'invite % has no session to look at: it is %', invite.id, invite.status
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'What it waits for: select sentence from zenhire.candidate_interviews where invite_id = …';
    end if;
    insert into zenhire.invite_events (account, invite_id, kind, reason, details)
    values (invite.account, invite.id, 'look_wanted', look_now.reason, jsonb_build_object('sessions', looked_at));
    return format('ZenHire is asked about %s session(s) of invite %s within seconds, if its account works.',
                  looked_at, invite.id);
end
$$;
