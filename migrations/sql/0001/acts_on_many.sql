-- The control plane, continued: what concerns many invites or the pace of an account.

-- Sends all invites of an account that stand at one error back to wait for their turn.
create function zenhire.retry_all(account text, error_code text, reason text) returns text
    language plpgsql set search_path = pg_catalog set zenhire.writer = 'service' as $$
declare
    at_once constant integer := 1000; -- a transaction stays short
    which_there_are constant text := 'See which there are: select account, error_code, count(*) from '
        'zenhire.candidate_invites where status in (''refused'', ''needs_review'') group by 1, 2.';
    invite zenhire.candidate_invites;
    invite_ids uuid[];
    retried integer := 0;
begin
    perform zenhire.require_reason(reason);
    if account is null or error_code is null then
        raise exception 'an account and an error code are needed'
            using errcode = 'invalid_parameter_value', hint = which_there_are;
    end if;
    invite_ids := array(
        select i.id from zenhire.candidate_invites i
        where i.account = retry_all.account and i.error_code = retry_all.error_code
          and i.status in ('refused', 'needs_review') and i.erased_at is null
          and (i.stop_after is null or i.stop_after > zenhire.clock())
        order by i.id);
    for n in 1 .. least(cardinality(invite_ids), at_once) loop
        invite := zenhire.lock_invite(invite_ids[n]);
        -- somebody else may have acted on it meanwhile
        if invite.status in ('refused', 'needs_review') and invite.error_code = retry_all.error_code then
            perform zenhire.wait_for_turn(invite, 'invite_retried', reason);
            retried := retried + 1;
        end if;
    end loop;
    if retried = 0 then
        raise exception 'account % has no invite to be retried with error code %', account, error_code
            using errcode = 'no_data_found', hint = which_there_are;
    end if;
    return format('%s invite(s) of account %s wait for their turn again.%s', retried, account,
        case when cardinality(invite_ids) > at_once then format(' %s more with this error code: call it once more.',
                                                                cardinality(invite_ids) - at_once) else '' end);
end
$$;

-- Gives an account a limit of its own, or the service's setting again.
create function zenhire.set_account_limit(account text, requests_per_minute integer, reason text) returns text
    language plpgsql set search_path = pg_catalog set zenhire.writer = 'service' as $$
declare
    before integer;
begin
    perform zenhire.require_reason(reason);
    if requests_per_minute < 1 then
        raise exception 'a limit is at least 1 request per minute, not %', requests_per_minute
            using errcode = 'invalid_parameter_value',
                  hint = 'To stop new links: select zenhire.pause_account(account, reason). Null: SYNC_REQUESTS_PER_MINUTE again.';
    end if;
    -- account_state first, as the service locks them
    perform from zenhire.account_state s where s.account = set_account_limit.account for update;
    if not found then
        raise exception 'there is no account %', coalesce(account, 'NULL') using errcode = 'no_data_found',
            hint = 'Known accounts: select account from zenhire.account_state.';
    end if;
    insert into zenhire.request_budget (account) values (set_account_limit.account) on conflict do nothing;
    select b.requests_per_minute into before from zenhire.request_budget b
    where b.account = set_account_limit.account for update;
    update zenhire.request_budget b set requests_per_minute = set_account_limit.requests_per_minute
    where b.account = set_account_limit.account;
    -- whoever sets a limit has looked at why it was too fast
    update zenhire.account_state s set pace = 1, slowed_at = null, updated_at = zenhire.clock()
    where s.account = set_account_limit.account;
    insert into zenhire.invite_events (account, kind, reason, details)
    values (account, 'account_limit_set', reason, jsonb_build_object('before', before, 'after', requests_per_minute));
    return format('Account %s may send %s requests per minute%s.', account, zenhire.limit_of(account),
                  case when requests_per_minute is null then ', as SYNC_REQUESTS_PER_MINUTE says' else '' end);
end
$$;

comment on function zenhire.retry_all(text, text, text) is 'Sends the invites of an account that are refused or needs_review with one error code back to wait for their turn, up to 1,000 at a time: select zenhire.retry_all(''default'', ''PERSONA_NOT_FOUND'', ''the persona is there again'').';
comment on function zenhire.set_account_limit(text, integer, text) is 'Gives an account a request limit of its own, at once and for all replicas; null: SYNC_REQUESTS_PER_MINUTE again: select zenhire.set_account_limit(''default'', 450, ''ZenHire raised our limit'').';
