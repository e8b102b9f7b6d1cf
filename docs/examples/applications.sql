-- The ATS's own table, as an example; yours is there already.
create table applications (
    id               bigint generated always as identity primary key,
    candidate_number text not null,
    role             text not null,
    stage            text not null default 'new',
    interview_status text,
    interview_link   text
);

-- Whoever moves an application to the stage "interview" asks for one: in the same transaction, and once.
create function ask_for_interview() returns trigger language plpgsql as $$
begin
    insert into zenhire.candidate_invites (request_key, candidate_ref, role_name, language, consent_mode)
    values ('application-' || new.id, new.candidate_number, new.role, 'en', 'explicit')
    on conflict (account, request_key) do nothing;
    return new;
end
$$;

create trigger ask_for_interview after insert or update of stage on applications
    for each row when (new.stage = 'interview') execute function ask_for_interview();

-- Links and outcomes come back into the ATS's table, in the transaction in which they are known. Keep such a trigger
-- small: while it waits for a lock of yours, the service waits too, and what it raises hinders the outcome. Where
-- handling is more than this, consume the changes instead.
create function show_interview() returns trigger language plpgsql as $$
begin
    update applications a set interview_status = new.status, interview_link = new.candidate_link
    where 'application-' || a.id = new.request_key;
    return null;
end
$$;

create trigger show_interview after update on zenhire.candidate_invites
    for each row when (new.status is distinct from old.status or new.candidate_link is distinct from old.candidate_link)
    execute function show_interview();
