-- Who may do what is said by rights alone: nobody but the owner has any until they are granted (sql/roles.sql).

revoke execute on all functions in schema zenhire from public;

-- These do what their caller may not do by himself: the rules of the tables, and the control plane. Each pins its
-- search_path; who called is session_user, which the history records.
do $$
declare
    of_owner text;
begin
    for of_owner in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'zenhire'::regnamespace
          and (p.prorettype = 'trigger'::regtype
               or p.proname in ('cancel_invite', 'retry_invite', 'retry_all', 'new_link', 'look_now', 'pause_account',
                                'resume_account', 'set_account_limit', 'erase_candidate', 'explain_invite', 'find_invites',
                                'forget_invites',
                                'limit_of', 'setting_in_force'))
    loop
        execute format('alter function %s security definer', of_owner);
    end loop;
end
$$;
