-- What `zenhire-sync verify` found, a row for each run. A run that is cut short, or that ended because ZenHire did not
-- answer, is taken up by the next of its scope.
create table zenhire.verify_runs (
    id          uuid primary key default gen_random_uuid(),
    scope       text not null,
    runner      uuid not null,
    host        text not null,
    started_at  timestamptz not null default zenhire.clock(),
    started_by  text not null default session_user,
    beats       bigint not null default 0,
    beaten_at   timestamptz not null default zenhire.clock(),
    position    jsonb not null default '{}',
    vendor      jsonb not null default '{}',
    checked     jsonb not null default '{}',
    counts      jsonb not null default '{}',
    findings    jsonb not null default '[]',
    finished_at timestamptz,
    exit_code   smallint,
    failure     text,
    constraint scope_is_not_blank check (scope ~ '\S'),
    constraint beats_are_not_negative check (beats >= 0),
    constraint a_finished_run_has_its_exit_code check (num_nonnulls(finished_at, exit_code) in (0, 2))
);

-- Which posts' sessions a run has seen on ZenHire's list; gone once it is over. It locks no row of the service's.
create table zenhire.verify_sightings (
    run_id  uuid not null references zenhire.verify_runs (id) on delete cascade,
    post_id uuid not null,
    primary key (run_id, post_id)
);
create index verify_runs_unfinished on zenhire.verify_runs (scope, started_at) where finished_at is null;

comment on table zenhire.verify_runs is 'zenhire-sync verify: one row per run, with what it found. All else in this schema it only reads.';
comment on column zenhire.verify_runs.id is 'The run''s id; verify --json shows it.';
comment on column zenhire.verify_runs.scope is 'What was to be checked: the accounts, and whether ZenHire was asked. Only a run of the same scope takes up one that was cut short or that ZenHire left without an answer.';
comment on column zenhire.verify_runs.runner is 'The process that works on this run: only its writes count.';
comment on column zenhire.verify_runs.host is 'Where that process runs.';
comment on column zenhire.verify_runs.started_at is 'When the run began; one that was taken up again keeps its beginning.';
comment on column zenhire.verify_runs.started_by is 'The database user that began it.';
comment on column zenhire.verify_runs.beats is 'Grows while the process lives: how another one sees that this run was cut short.';
comment on column zenhire.verify_runs.beaten_at is 'When it grew last.';
comment on column zenhire.verify_runs.position is 'How far the run has come: what it goes on from.';
comment on column zenhire.verify_runs.vendor is 'By account: how far ZenHire''s list could be walked, and how many requests that took.';
comment on column zenhire.verify_runs.checked is 'How much was checked: invites, posts, transcripts, sessions of ZenHire''s list, requests.';
comment on column zenhire.verify_runs.counts is 'Findings by level (drift, in_progress, note) and kind.';
comment on column zenhire.verify_runs.findings is 'The findings themselves, the first thousand: ids and sentences, no link and no text.';
comment on column zenhire.verify_runs.finished_at is 'When it ended; null: it runs, or was cut short.';
comment on column zenhire.verify_runs.exit_code is '0 clean, 3 drift, 1 could not be carried out.';
comment on column zenhire.verify_runs.failure is 'Why it could not be carried out.';
comment on index zenhire.verify_runs_pkey is 'A run by its id.';
comment on index zenhire.verify_runs_unfinished is 'Runs that were cut short.';
comment on table zenhire.verify_sightings is 'zenhire-sync verify: the sessions that a run has seen on ZenHire''s list so far, so that it need not keep them in memory. Empty between runs, unless the next one can go on from the last.';
comment on column zenhire.verify_sightings.run_id is 'The run.';
comment on column zenhire.verify_sightings.post_id is 'The post whose session it has seen.';
comment on index zenhire.verify_sightings_pkey is 'What was not seen is looked at alone.';
