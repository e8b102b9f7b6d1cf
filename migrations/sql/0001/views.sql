-- What people read. No view costs more the more invites are finished.

create view zenhire.attention as
with
waiting as (select * from zenhire.waiting),
-- nothing works while no replica does
silent as (
    select coalesce(
               (select max(last_tick_at) from zenhire.replicas),
               (select min(since) from waiting)) as since
),
no_replica as (
    select 1 as rank, since, 'replica' as what, null::text as account, null::uuid as invite_id, 'NO_REPLICA' as code,
           'No replica has ticked for 60 s: start the service (zenhire-sync run) or look at its log.' as why,
           null::text as statement
    from silent where since < (select zenhire.clock()) - interval '60 seconds'
),
-- an account that a person paused, that stopped by itself, or that nobody has a key for
accounts as (
    select 2 as rank, a.paused_at as since, 'account' as what, a.account, null::uuid, 'PAUSED',
           format('Paused by %s: %s. %s invite(s) wait.', a.paused_by, a.pause_reason, coalesce(w.due, 0)),
           format('select zenhire.resume_account(%L, %L);', a.account, 'the pause is over')
    from zenhire.account_state a left join waiting w using (account)
    where a.paused_at is not null
    union all
    select 2, a.stopped_at, 'account', a.account, null, a.stop_code,
           format('%s (%s). %s invite(s) wait.%s', rtrim(coalesce(a.stop_message, 'The account stopped'), '.'),
                  case a.stop_scope when 'starts' then 'no new links; looks go on' else 'no request is sent' end,
                  coalesce(w.due, 0),
                  case when a.needs_person then ' A person must accept it.'
                       else ' A probe asks again by itself, once the cause is mended.' end),
           format('select zenhire.resume_account(%L, %L);', a.account, case a.stop_code
               when 'BASE_URL_CHANGED' then 'the new base URL is right'
               when 'CLIENT_CHANGED' then 'the new client is right'
               else 'the cause is mended' end)
    from zenhire.account_state a left join waiting w using (account)
    where a.stop_code is not null
    union all
    select 2, b.waiting_since, 'account', b.account, null, 'VENDOR_WAITS',
           format('No request of this account has been answered as asked since %s: %s. It is tried again by itself; is '
                  'ZENHIRE_BASE_URL right? %s invite(s) wait.', zenhire.in_words(b.waiting_since),
                  coalesce(b.wait_reason, 'ZenHire asks to wait'), coalesce(w.due, 0)),
           null
    from zenhire.request_budget b left join waiting w using (account)
    where b.waiting_since < (select zenhire.clock()) - interval '1 minute'
    union all
    select 2, coalesce(w.since, a.updated_at), 'account', w.account, null, 'NO_KEY',
           format('No replica has a key for this account, and %s invite(s) are open (%s of them due): give it one.',
                  w.open, w.due),
           null
    from waiting w left join zenhire.account_state a using (account)
    where not coalesce(a.key_present, false) and w.open > 0 and (a.account is not null or w.due > 0)
),
-- a person must decide
invites as (
    select 3 as rank, i.status_changed_at, 'invite', i.account, i.id, i.error_code,
           coalesce(i.error_message, 'A person must decide.'),
           case when i.stop_after <= (select zenhire.clock())
                then format('select zenhire.cancel_invite(%L, %L);', i.id, 'too late for a link')
                else format('select zenhire.retry_invite(%L, %L);', i.id, 'looked at, try again') end
    from zenhire.candidate_invites i
    where i.status = 'needs_review'
),
-- looks at a session of an open invite tell nothing, again and again
missing as (
    select 4 as rank, s.last_look_at, 'session', s.account, s.invite_id,
           case when s.last_look = 'missing' then 'SESSION_MISSING' else 'SESSION_UNREADABLE' end,
           case when s.last_look = 'missing' then format(
                    'ZenHire has answered %s times that it does not know session %s: another client''s key, or deleted '
                    'there. Its link may be dead.', s.look_failures, s.session_id)
                else format('%s looks in a row at session %s told nothing (%s).', s.look_failures, s.session_id, s.last_look) end,
           format('select zenhire.cancel_invite(%L, %L);', s.invite_id, 'ZenHire tells nothing of its session')
    from zenhire.interview_sessions s
    join zenhire.candidate_invites i on i.id = s.invite_id
    where s.look_failures >= 5 and s.current
      and i.status in ('pending', 'starting', 'link_ready', 'in_progress', 'needs_review')
),
-- a session whose link was never published, and that somebody uses: the console sent its link
strays as (
    select 5 as rank, s.status_seen_at, 'session', s.account, s.invite_id, 'ORPHAN_IN_USE',
           format('Session %s is %s, but its link was never published: somebody was re-invited from ZenHire''s console.',
                  s.session_id, s.vendor_status),
           case when s.vendor_status = 'completed' then format(
               'update zenhire.interview_sessions set dead_because = %L where post_id = %L;', 'accepted', s.post_id) end
    from zenhire.interview_sessions s
    where s.state = 'orphan' and s.origin = 'post' and s.vendor_status in ('active', 'completed')
      and s.dead_because is distinct from 'accepted'
),
-- a link that works beside the invite's newest one, or that the console sent where nobody follows it
beside as (
    select 5 as rank, coalesce(s.reinvited_at, s.superseded_at, i.status_changed_at), 'session', s.account, s.invite_id,
           case when other.session_id is null then 'CONSOLE_REINVITED' else 'TWO_LIVE_LINKS' end,
           case when other.session_id is not null then format(
                    'Links of sessions %s and %s both work: %s. Whichever interview is finished first counts.',
                    s.session_id, other.session_id, case when s.reinvited_at is null
                        then 'a second one was asked for by new_link with force'
                        else 'ZenHire''s console re-invited the candidate to the first' end)
                else format(
                    'ZenHire''s console has sent the candidate a fresh link of session %s, though the invite is %s. '
                    'No other link is made while it works.', s.session_id, i.status) end,
           format('update zenhire.interview_sessions set dead_because = %L where post_id = %L and dead_at is null;',
                  'accepted', s.post_id)
    from zenhire.interview_sessions s
    join zenhire.candidate_invites i on i.id = s.invite_id
    left join lateral (
        select o.session_id from zenhire.interview_sessions o
        where o.invite_id = s.invite_id and o.post_id <> s.post_id and zenhire.link_works(o) limit 1) other on true
    where (s.state = 'published' or s.origin = 'console') and s.dead_at is null
      and (not s.current or s.reinvited_at is not null)
      and (not s.current or i.status not in ('link_ready', 'in_progress'))
      and (other.session_id is not null or s.reinvited_at is not null)
      and s.dead_because is distinct from 'accepted'
),
-- sessions in ZenHire's list that no post of this database made
unclaimed as (
    select 6 as rank, min(u.found_at), 'account', u.account, null::uuid, 'UNKNOWN_POSTS',
           format('%s session(s) in ZenHire''s list carry the mark of posts that this database does not have, the newest '
                  'is %s: another database works with the same client, or this one was restored from a backup.',
                  count(*), (array_agg(u.session_id order by u.found_at desc))[1]),
           format('update zenhire.unclaimed_sessions set accepted_at = zenhire.clock() where account = %L '
                  'and finding = %L and accepted_at is null;', u.account, 'unknown_post')
    from zenhire.unclaimed_sessions u
    where u.finding = 'unknown_post' and u.accepted_at is null
    group by u.account
    union all
    select 5, u.found_at, 'session', u.account, u.invite_id, 'LIKELY_REINVITE',
           format('Session %s (%s) was made in ZenHire''s console for the candidate of this invite, whose link is dead. '
                  'It does not carry the invite''s mark, so it is not followed.', u.session_id, u.vendor_status),
           format('update zenhire.unclaimed_sessions set accepted_at = zenhire.clock() where account = %L '
                  'and session_id = %L;', u.account, u.session_id)
    from zenhire.unclaimed_sessions u
    where u.finding = 'likely_reinvite' and u.accepted_at is null
),
-- posts of which nobody will ever know whether they made a session
unsettled as (
    select 6 as rank, min(s.dead_at), 'session', s.account, null::uuid, 'POSTS_NEVER_SETTLED',
           format('%s post(s) had an unknown result, and ZenHire''s list never showed what they made. Nobody holds '
                  'their links, and those have died.', count(*)),
           format('update zenhire.interview_sessions set dead_because = %L where account = %L and state = %L '
                  'and next_search_at is null and dead_at is not null and dead_because <> %1$L;',
                  'accepted', s.account, 'lost')
    from zenhire.interview_sessions s
    where s.state = 'lost' and s.next_search_at is null and s.dead_at is not null and s.dead_because <> 'accepted'
    group by s.account
),
-- more open sessions than can be looked at as often as they should be, where the vendor's list does not help
short as (
    select 6 as rank, c.probed_at, 'account' as what, c.account, null::uuid, 'CAPACITY',
           c.says || format(' With %s requests per minute it would be %s.', c.limit_wanted,
                            zenhire.duration_in_words(c.wanted_within)),
           format('select zenhire.set_account_limit(%L, %s, %L);', c.account, c.limit_wanted, 'ZenHire raised our limit')
    from zenhire.capacity c where c.is_short
),
-- replicas that have had more to do than they get done, for a while
overloaded as (
    select 6 as rank, r.overloaded_since, 'replica' as what, null::text, null::uuid, 'OVERLOADED',
           format('Replica %s on %s has more to do than it gets done: it used %s%% of a core, and work waited %s s for its '
                  'turn, so links and outcomes come later. Start another replica, or set a longer '
                  'SYNC_WATCH_INTERVAL_SECONDS; if its core is not used up, the database or ZenHire answers slowly.',
                  left(r.id::text, 8), r.host, round(100 * r.core_used), round(r.waited_seconds)),
           null
    from zenhire.replicas r
    where r.overloaded_since < (select zenhire.clock()) - interval '1 minute' and r.gone_at is null
      and r.last_tick_at >= (select zenhire.clock()) - interval '60 seconds'
),
-- the vendor checks the balance when a session is made and holds nothing back: links can be worth more than is left
credits as (
    select 6 as rank, a.credits_asked_at, 'account' as what, c.account, null::uuid, 'CREDITS',
           format('%s credits are left, and the links that are out may cost %s: once the balance is used up no new link is '
                  'made. Buy credits; the balance is asked for every hour.',
                  c.credits_left, c.credits_promised),
           null
    from zenhire.capacity c join zenhire.account_state a on a.account = c.account
    where c.credits_promised > c.credits_left
),
-- as many interviews as the vendor lets run at once: whoever comes now is not let in
door as (
    select 6 as rank, h.full_since, 'account' as what, h.account, null::uuid, 'DOOR',
           format('%s interviews have run at once since %s, and never more than %s within a day: ZenHire lets only so '
                  'many run at once (8, unless it gave you more), and holds off candidates who come meanwhile. Ask ZenHire '
                  'for more, or send fewer links at a time.', h.running, zenhire.in_words(h.full_since), h.peak),
           null
    from zenhire.list_state h where h.full_since < (select zenhire.clock()) - interval '5 minutes'
),
personas as (
    select 7 as rank, coalesce(p.ready_at, p.posted_at, p.wanted_at), 'persona', p.account, null::uuid,
           case when p.state = 'ready' then 'SEVERAL_PERSONAS' else p.error_code end,
           case when p.state = 'ready' then format(
                    '%s active personas serve role "%s" in "%s"; %s is used. Delete the others in the console, or accept it.',
                    p.matches, p.role_name, p.language, p.persona_id)
                else format('No persona for role "%s" in "%s": %s.', p.role_name, p.language,
                            rtrim(coalesce(p.error_message, p.error_code), '.')) end,
           case when p.state = 'ready' then format('update zenhire.personas set matches = 1 where id = %L;', p.id)
                when p.state = 'refused' then format(
                    'update zenhire.personas set state = %L, next_try_at = zenhire.clock(), error_code = null, '
                    'error_message = null where id = %L;', 'wanted', p.id) end
    from zenhire.personas p
    where p.state = 'ready' and p.matches > 1 or p.state = 'refused' or p.error_code = 'TOO_MANY_NEW_PERSONAS'
       or p.state = 'wanted' and p.failures >= 3
)
select since, what, account, invite_id, code, why, statement
from (
    select * from no_replica union all select * from accounts union all select * from invites
    union all select * from missing union all select * from strays union all select * from beside
    union all select * from unsettled union all select * from unclaimed union all select * from short
    union all select * from overloaded union all select * from door union all select * from credits
    union all select * from personas
) everything
order by rank, since;

create view zenhire.candidate_interviews as
select i.candidate_ref, i.account, i.request_key, i.id as invite_id,
       coalesce(i.role_name, 'persona ' || i.persona_id) as role,
       status,
       case status
           when 'pending' then case when i.link_number > 0 then 'waits for another link' else 'waits for its link' end
           when 'starting' then 'the link is being made'
           when 'link_ready' then 'link ready, interview not started'
           when 'in_progress' then 'interview running'
           when 'completed' then 'interview finished'
           when 'failed' then 'interview did not finish'
           when 'expired' then 'link ran out unused'
           when 'cancelled' then 'cancelled'
           when 'refused' then 'no link could be made'
           when 'needs_review' then 'a person must look at this'
       end as label,
       case
           when status = 'pending' and start_after > now then 'nobody'
           when status = 'pending' and is_held then 'operator'
           when status in ('pending', 'starting') and w.session_id is not null then 'candidate'
           when status in ('pending', 'starting') then 'us'
           when status = 'link_ready' and is_unsent then 'ats'
           when status in ('link_ready', 'in_progress') then 'candidate'
           when status = 'completed' and 'waiting' in (transcript_state, recording_state) then 'vendor'
           when status = 'needs_review' then 'operator'
           else 'nobody'
       end as waiting_on,
       case
           when status = 'pending' and start_after > now
               then 'The link is wanted no earlier than ' || zenhire.in_words(start_after) || '.'
           when status = 'pending' and is_held then case
               when paused_at is not null then 'The account is paused.'
               when stop_code is not null then 'The account is stopped (' || stop_code || ').'
               else 'Nobody has a key for the account.' end || ' Links are made as soon as it works again.'
           when status in ('pending', 'starting') and w.session_id is not null
               then 'A link that ZenHire''s console has sent still works; the next one is asked for once it is dead.'
           when status = 'pending' and i.link_number > 0 then 'The link before is dead; a fresh one is asked for in turn.'
           when status = 'pending' then 'The link is asked for in turn.'
           when status = 'starting' and repost_at is not null
               then 'ZenHire gave no clear answer; the link is asked for again.'
           when status = 'starting' then 'ZenHire is being asked for the link.'
           when status = 'link_ready' and i.link_expires_at <= now
               then 'The link has run out; a last look decides whether it was used.'
           when status = 'link_ready' and i.candidate_link is null then i.error_message
           when status = 'link_ready' and is_unsent then 'The link is there; the ATS has not yet marked it as seen or sent.'
           when status = 'link_ready' then 'The candidate has not started the interview, as far as is known.'
           when status = 'in_progress' then 'The candidate is in the interview, or has just left it.'
           when status = 'completed' and 'waiting' in (transcript_state, recording_state)
               then 'The interview is over; ZenHire has not handed out everything yet.'
           when status = 'completed' then 'The interview is over and its outcome is here.'
           when status = 'cancelled' and w.vendor_status = 'completed' then coalesce(i.error_message || ' ', '')
               || 'The interview was finished all the same; its outcome is kept with session ' || w.session_id || '.'
           when status = 'cancelled' and w.vendor_status = 'active' then coalesce(i.error_message || ' ', '')
               || 'The candidate is in the interview all the same (session ' || w.session_id || ').'
           when status = 'cancelled' and w.session_id is not null and w.link_expires_at > now
               then coalesce(i.error_message || ' ', '') || 'ZenHire cannot revoke its link, which works until '
                    || zenhire.in_words(w.link_expires_at) || '.'
           else coalesce(i.error_message, 'Nothing more happens by itself.')
       end || coalesce(' Another open invite (' || twin.id || ') asks for the same interview of this candidate.', '')
           as sentence,
       case
           when status = 'pending' and start_after > now then start_after
           when status = 'pending' and is_held then probe_at
           when status in ('pending', 'starting', 'cancelled') and w.vendor_status is distinct from 'completed'
                and w.session_id is not null then w.link_expires_at
           when status = 'starting' then repost_at
           when status = 'link_ready' then i.link_expires_at
           when status = 'in_progress' then next_look_at
           when status = 'completed' and transcript_state = 'waiting' then next_collect_at
       end as next_at,
       twin.id as twin_id
from zenhire.candidate_invites i
left join zenhire.interview_sessions s on s.invite_id = i.id and s.current
left join zenhire.account_state a on a.account = i.account
-- what the candidate of an invite that shows no link may still do, or has done, with an earlier one
left join lateral (
    select o.session_id, o.vendor_status, o.link_expires_at from zenhire.interview_sessions o
    where o.invite_id = i.id
      and (i.status = 'cancelled' and (zenhire.link_works(o) or o.vendor_status = 'completed')
           or i.status in ('pending', 'starting') and o.superseded_at is null and zenhire.link_works(o))
    order by o.vendor_status = 'completed' desc, o.vendor_status = 'active' desc, o.link_expires_at desc
    limit 1) w on true
-- two of them are most often a mistake of the ATS's: the candidate gets two links, and is asked twice
left join lateral (
    select t.id from zenhire.candidate_invites t
    where t.account = i.account and t.candidate_ref = i.candidate_ref and t.id <> i.id
      and coalesce(t.persona_id, zenhire.persona_key(t.role_name, t.language))
          = coalesce(i.persona_id, zenhire.persona_key(i.role_name, i.language))
      and t.status in ('pending', 'starting', 'link_ready', 'in_progress', 'needs_review')
      and i.status in ('pending', 'starting', 'link_ready', 'in_progress', 'needs_review')
    order by t.created_at, t.id limit 1) twin on true
cross join (select zenhire.clock() as now) c
cross join lateral (
    select a.account is null or not a.key_present or a.paused_at is not null or a.stop_code is not null as is_held,
           -- without either mark of the ATS's nobody knows whether the candidate has the link, the newest of them
           i.candidate_link is not null and (i.link_sent_at is null or i.link_sent_at < s.answered_at) and i.seen_version < i.version as is_unsent
) f;

create view zenhire.results as
select i.id as invite_id, i.account, i.request_key, i.candidate_ref, i.status, i.version, i.link_number, i.session_id,
       i.interview_started_at, i.interview_completed_at, i.duration_seconds, i.credits_charged,
       i.candidate_survey_rating, i.transcript_state, t.document as transcript, i.recording_state,
       r.place as recording_place, i.error_code, i.error_message, i.status_changed_at
from zenhire.candidate_invites i
left join zenhire.interview_sessions s on s.account = i.account and s.session_id = i.session_id
left join zenhire.transcripts t on t.post_id = s.post_id
left join zenhire.recordings r on r.post_id = s.post_id;
