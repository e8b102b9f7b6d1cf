-- Going back below 0001 drops the schema with everything in it, so it is done only where there is nothing to lose.
lock table zenhire.candidate_invites, zenhire.interview_sessions in access exclusive mode;
do $$
begin
    if exists (select from zenhire.candidate_invites) or exists (select from zenhire.interview_sessions) then
        raise exception 'schema zenhire is not dropped: it holds invites or sessions'
            using hint = 'Keep what you need (pg_dump --schema=zenhire), then say DROP SCHEMA zenhire CASCADE yourself.';
    end if;
end
$$;
