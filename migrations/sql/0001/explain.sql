-- One invite's life, for people; and what there is in this schema.

-- Everything that happened to an invite, with the looks that found nothing as one row for each session.
create view zenhire.timeline as
select i.id as invite_id, i.account, i.candidate_ref, i.created_at as at, 'inserted' as what,
       'The ATS wrote the invite.' as says, null::text as who, 0::bigint as event_id, null::uuid as post_id,
       null::text as to_status, null::text as reason, null::jsonb as details
from zenhire.candidate_invites i
union all
select e.invite_id, e.account, i.candidate_ref, e.at, e.kind,
       concat_ws(': ', initcap(split_part(e.kind, '_', 1))
                       || replace(substr(e.kind, length(split_part(e.kind, '_', 1)) + 1), '_', ' ')
                       || case when e.to_status is distinct from e.from_status
                               then format(' (%s → %s)', e.from_status, e.to_status) else '' end,
                 e.reason),
       case when e.replica is null then e.actor else 'replica ' || left(e.replica::text, 8) end, e.id, e.post_id,
       e.to_status, e.reason, e.details
from zenhire.invite_events e join zenhire.candidate_invites i on i.id = e.invite_id
union all
select s.invite_id, s.account, i.candidate_ref, s.last_look_at, 'looks',
       format('Looked %s time(s) at session %s since %s; ZenHire says %s.%s', s.look_count, s.session_id,
              zenhire.in_words(s.first_look_at), coalesce(s.vendor_status, 'nothing yet'),
              case when s.next_look_at is not null then format(
                  ' Next look %s: %s.', zenhire.in_words(s.next_look_at), s.next_look_reason) else '' end),
       null, null, s.post_id, null, null, null
from zenhire.interview_sessions s join zenhire.candidate_invites i on i.id = s.invite_id
where s.look_count > 0 and s.last_look_at is not null;

-- An invite's story as text: how it stands, what happened, what needs a person.
create function zenhire.explain_invite(id uuid) returns text
    language plpgsql stable set search_path = pg_catalog as $$
declare
    now record;
    story text;
    needs text;
begin
    select c.*, i.error_code, coalesce(' Next: ' || zenhire.in_words(c.next_at) || '.', '') as next into now
    from zenhire.candidate_interviews c join zenhire.candidate_invites i on i.id = c.invite_id
    where c.invite_id = explain_invite.id;
    if not found then
        raise exception 'there is no invite %', coalesce(id::text, 'NULL') using errcode = 'no_data_found',
            hint = 'Look it up: select invite_id, label from zenhire.candidate_interviews where candidate_ref = …';
    end if;
    select string_agg(to_char(t.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || '  ' || t.says
                      || coalesce(' [' || t.who || ']', ''), chr(10) order by t.at, t.event_id nulls last) into story
    from zenhire.timeline t where t.invite_id = explain_invite.id;
    select string_agg('Needs a person: ' || a.why || coalesce(chr(10) || '    ' || a.statement, ''), chr(10)) into needs
    from zenhire.attention a
    where a.invite_id = explain_invite.id
       or a.account = now.account and a.what = 'account' and now.status in ('pending', 'starting');
    return concat_ws(chr(10),
        format('Invite %s of candidate %s%s, account %s: %s (%s).', now.invite_id, now.candidate_ref,
               coalesce(', request ' || now.request_key, ''), now.account, now.label,
               now.status || coalesce(', ' || now.error_code, '')),
        now.sentence || case now.waiting_on when 'nobody' then '' else ' Waits for: ' || now.waiting_on || '.' end || now.next,
        needs, '', story);
end
$$;

-- What there is for people in this schema, with an example of each.
create function zenhire.help() returns table (name text, example text, says text)
    language sql stable set search_path = pg_catalog as $$
    select h.name, h.example,
           case when h.name like '%(%' then (
                    select obj_description(p.oid, 'pg_proc') from pg_proc p
                    where p.pronamespace = 'zenhire'::regnamespace and p.proname = split_part(h.name, '(', 1))
                else obj_description(to_regclass('zenhire.' || h.name), 'pg_class') end
    from (values
        ('attention', 'select since, what, code, why, statement from zenhire.attention;'),
        ('service_status', 'select what, name, state, says from zenhire.service_status;'),
        ('candidate_interviews', 'select label, waiting_on, sentence from zenhire.candidate_interviews where candidate_ref = ''C-17'';'),
        ('timeline', 'select at, says, who from zenhire.timeline where candidate_ref = ''C-17'' order by at;'),
        ('invites', 'select id, status, wait_reason, wait_until from zenhire.invites where request_key = ''application-4711'';'),
        ('posts', 'select link_number, post_number, state, session_id, vendor_status from zenhire.posts where invite_id = (select invite_id from zenhire.find_invites(''C-17'') limit 1);'),
        ('results', 'select * from zenhire.results where request_key = ''application-4711'';'),
        ('backlog', 'select * from zenhire.backlog;'),
        ('invite_counts', 'select status, invites, last_hour from zenhire.invite_counts;'),
        ('waits', 'select what, account, reason, count, since, next_at from zenhire.waits;'),
        ('accounts', 'select account, key_present, stop_code, stop_message from zenhire.accounts;'),
        ('session_counts', 'select * from zenhire.session_counts;'),
        ('capacity', 'select account, says from zenhire.capacity;'),
        ('outcome_lag', 'select * from zenhire.outcome_lag;'),
        ('request_usage', 'select * from zenhire.request_usage where minute > zenhire.clock() - interval ''1 hour'';'),
        ('candidate_invites', 'insert into zenhire.candidate_invites (request_key, candidate_ref, role_name, language, consent_mode) values (''application-4711'', ''C-17'', ''Nurse'', ''en'', ''explicit'') on conflict do nothing;'),
        ('find_invites(what)', 'select invite_id, found_by from zenhire.find_invites(''C-17'');'),
        ('explain_invite(id)', 'select zenhire.explain_invite(id) from zenhire.candidate_invites where candidate_ref = ''C-17'';'),
        ('cancel_invite(id, reason)', 'select zenhire.cancel_invite(id, ''position filled'') from zenhire.candidate_invites where request_key = ''application-4711'';'),
        ('retry_invite(id, reason)', 'select zenhire.retry_invite(id, ''the persona is there again'') from zenhire.candidate_invites where status = ''refused'' limit 1;'),
        ('retry_all(account, error_code, reason)', 'select zenhire.retry_all(''default'', ''PERSONA_NOT_FOUND'', ''the persona is there again'');'),
        ('new_link(id, reason, force)', 'select zenhire.new_link(id, ''the candidate was ill'') from zenhire.candidate_invites where status = ''expired'' limit 1;'),
        ('look_now(id, reason)', 'select zenhire.look_now(id, ''the candidate says it is done'') from zenhire.candidate_invites where status = ''link_ready'' limit 1;'),
        ('pause_account(account, reason)', 'select zenhire.pause_account(''default'', ''budget review'');'),
        ('resume_account(account, reason)', 'select zenhire.resume_account(''default'', ''budget granted'');'),
        ('set_account_limit(account, requests_per_minute, reason)', 'select zenhire.set_account_limit(''default'', 450, ''ZenHire raised our limit'');'),
        ('erase_candidate(account, candidate_ref, reason)', 'select zenhire.erase_candidate(''default'', ''C-17'', ''asked to be forgotten'');'),
        ('clock()', 'select zenhire.clock();')
    ) h (name, example)
$$;
