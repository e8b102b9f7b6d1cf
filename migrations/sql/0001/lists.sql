-- What is known of the vendor's list of sessions, how it is walked through, and what it shows that nobody here has made.

-- What the vendor's list of sessions honours, as it was found out, and how the watching by it stands; who lists stands
-- in leases as running:<account>.
create table zenhire.list_state (
    account       text primary key,
    status_filter text not null default 'unknown', -- unknown, honoured, ignored, refused, distrusted
    paging        text not null default 'unknown', -- unknown, none, cursor, offset, page_from_0, page_from_1
    ref_filter    text not null default 'unknown', -- unknown, honoured, ignored, refused
    ref_parameter text, -- the one that is honoured
    sort_order    text not null default 'unknown', -- unknown, newest_first, oldest_first, none
    evidence      jsonb not null default '{}',
    page_rows     integer not null default 0, -- the most rows that a page had: one with fewer is the last
    probed_at     timestamptz,
    next_probe_at timestamptz not null default '-infinity',
    next_at       timestamptz not null default '-infinity', -- the next list, or else the next probe
    listed_at     timestamptz, -- when the newest whole list of running interviews was asked for
    running       integer, -- how many were on it
    peak          integer not null default 0, -- the most at once of the last day
    peak_at       timestamptz,
    look_every    interval not null default '84 hours', -- between looks at a link that nobody has opened
    look_every_at timestamptz, -- when that was reckoned
    full_since    timestamptz, -- nearly as many as ever, and at least the vendor's default limit
    failures      integer not null default 0,
    relied_on     boolean not null default false -- looks may lie far off because the list was to tell
);

-- The walks through the vendor's list, each one at a time for each account; who walks stands in leases as
-- sweep:<account>.
create table zenhire.sweeps (
    account       text not null,
    walk          text not null default 'all', -- all, completed, failed
    next_at       timestamptz not null default '-infinity', -- the next page, or else the next walk
    started_at    timestamptz not null default zenhire.clock(),
    position      jsonb, -- where the next page is; null: no walk is under way
    back_to       timestamptz, -- older sessions are not asked for: none of them is open
    urgent        boolean not null default false, -- its pages follow one another faster
    pages         integer not null default 0,
    rows          integer not null default 0,
    findings      integer not null default 0,
    failures      integer not null default 0,
    finished_at   timestamptz,
    ended_because text,
    primary key (account, walk)
);

-- What the vendor's list shows and no post here has made.
create table zenhire.unclaimed_sessions (
    account       text not null,
    session_id    text not null,
    finding       text not null, -- unknown_post, likely_reinvite
    invite_id     uuid references zenhire.candidate_invites (id),
    vendor_status text not null,
    found_at      timestamptz not null default zenhire.clock(),
    last_seen_at  timestamptz not null default zenhire.clock(),
    accepted_at   timestamptz,
    primary key (account, session_id)
);

create index unclaimed_sessions_open on zenhire.unclaimed_sessions (account, finding) where accepted_at is null;

alter table zenhire.list_state
    add constraint account_is_a_lower_case_name check (account ~ '^[a-z][a-z0-9_]{0,62}$'),
    add constraint status_filter_is_known
        check (status_filter in ('unknown', 'honoured', 'ignored', 'refused', 'distrusted')),
    add constraint paging_is_known
        check (paging in ('unknown', 'none', 'cursor', 'offset', 'page_from_0', 'page_from_1')),
    add constraint ref_filter_is_known check (ref_filter in ('unknown', 'honoured', 'ignored', 'refused')),
    add constraint ref_parameter_where_honoured check ((ref_filter = 'honoured') = (ref_parameter is not null)),
    add constraint sort_order_is_known check (sort_order in ('unknown', 'newest_first', 'oldest_first', 'none')),
    add constraint evidence_is_an_object check (jsonb_typeof(evidence) = 'object'),
    add constraint counts_are_not_negative check (least(page_rows, running, peak, failures) >= 0);

alter table zenhire.sweeps
    add constraint account_is_a_lower_case_name check (account ~ '^[a-z][a-z0-9_]{0,62}$'),
    add constraint walk_is_known check (walk in ('all', 'completed', 'failed')),
    add constraint position_is_an_object check (jsonb_typeof(position) = 'object'),
    add constraint counts_are_not_negative check (least(pages, rows, findings, failures) >= 0);

alter table zenhire.unclaimed_sessions
    add constraint account_is_a_lower_case_name check (account ~ '^[a-z][a-z0-9_]{0,62}$'),
    add constraint finding_is_known check (finding in ('unknown_post', 'likely_reinvite'));

comment on table zenhire.list_state is 'zenhire-sync: what ZenHire''s list of sessions honours, as it was found out, and how the watching by it stands; lease running:<account> says which replica lists.';
comment on column zenhire.list_state.account is 'The account.';
comment on column zenhire.list_state.status_filter is 'Whether the list can be asked for one status. unknown: not tried yet, or no session to tell by. honoured: one list shows all running interviews. ignored: other statuses came as well. refused: the parameter is an error. distrusted: single looks have contradicted the list. Only while it is honoured are interviews watched by the list; else each session is looked at.';
comment on column zenhire.list_state.paging is 'How the list''s next page is asked for: cursor; offset; page_from_0 or page_from_1 (numbers of pages). none: every known way brought the first page again, so no more than that is seen. unknown: not tried yet, or no session to tell by. Walks begin with it, and try the others where it brings nothing.';
comment on column zenhire.list_state.ref_filter is 'Whether the list can be asked for one candidate_ref. honoured: what lost posts left behind is searched for by it. ignored: others came as well, or the one did not. refused: the parameter is an error. unknown: not tried yet, or the first page showed no two candidates.';
comment on column zenhire.list_state.ref_parameter is 'The parameter by which it can: candidate_ref, candidateRef or externalId. Null where ref_filter is not honoured.';
comment on column zenhire.list_state.sort_order is 'In which order the list shows sessions. newest_first: a search ends at what is older than the post. unknown: no two sessions to tell by.';
comment on column zenhire.list_state.evidence is 'What this rests on. status: how many sessions of which status each list of the probe showed, or the session that contradicted. page: rows asked for, rows that came, rows of the next page. candidate: for each parameter that was tried, how many of one candidate''s own sessions came, and how many of others.';
comment on column zenhire.list_state.page_rows is 'The most sessions that one page of the list has had: a page with fewer is the last.';
comment on column zenhire.list_state.probed_at is 'When this was last found out.';
comment on column zenhire.list_state.next_probe_at is 'When it is found out again. Set it to zenhire.clock() to have it done now.';
comment on column zenhire.list_state.next_at is 'When the list is asked next.';
comment on column zenhire.list_state.listed_at is 'When the newest whole list of running interviews was asked for.';
comment on column zenhire.list_state.running is 'How many interviews were on it.';
comment on column zenhire.list_state.peak is 'The most interviews that were on one list within a day.';
comment on column zenhire.list_state.peak_at is 'When as many were last on one.';
comment on column zenhire.list_state.look_every is 'While the list shows what runs: how far looks at a link that nobody has opened lie apart, so that all of them together take a twentieth of the limit.';
comment on column zenhire.list_state.look_every_at is 'When that was reckoned from the number of open sessions.';
comment on column zenhire.list_state.full_since is 'Since when every list has shown at least 8 interviews (what ZenHire lets run at once by default) and nine tenths of the peak: candidates who come now probably wait at the door. Null: there is room.';
comment on column zenhire.list_state.failures is 'Lists in a row that did not come, or not whole.';
comment on column zenhire.list_state.relied_on is 'Whether looks may lie far off because the list was to tell. Where it no longer can, they are brought forward, 1,000 at a time, until none is left.';
comment on index zenhire.list_state_pkey is 'One row per account.';

comment on table zenhire.sweeps is 'zenhire-sync: the walks through ZenHire''s list of sessions, each one at a time for each account; lease sweep:<account> says which replica walks.';
comment on column zenhire.sweeps.account is 'The account.';
comment on column zenhire.sweeps.walk is 'Which list: all sessions; or, where the list can be asked for them, those that have completed, or failed.';
comment on column zenhire.sweeps.next_at is 'When the next page is read, or the next walk begins.';
comment on column zenhire.sweeps.started_at is 'When this walk began, or the last one if none is under way.';
comment on column zenhire.sweeps.position is 'Where the next page is: any replica goes on from here. Null: no walk is under way.';
comment on column zenhire.sweeps.back_to is 'The walk ends at sessions older than this: none of them is open here. Null: it goes to the end of the list.';
comment on column zenhire.sweeps.urgent is 'Whether its pages follow one another faster than at a tenth of the request budget: the running interviews were not listed for a while, and some may have begun and ended meanwhile.';
comment on column zenhire.sweeps.pages is 'Pages read in this walk, or in the last one.';
comment on column zenhire.sweeps.rows is 'Sessions on them.';
comment on column zenhire.sweeps.findings is 'How many of these led to a look, a search, a row of their own, or to attention.';
comment on column zenhire.sweeps.failures is 'Requests in a row that brought no page.';
comment on column zenhire.sweeps.finished_at is 'When the last whole walk ended.';
comment on column zenhire.sweeps.ended_because is 'How it ended: all_seen; cannot_page (there may be more, and no known way to it); far_enough (what follows is older than any open session); requests_max; given_up (a page was never shown).';
comment on index zenhire.sweeps_pkey is 'One walk of a kind per account.';

comment on table zenhire.unclaimed_sessions is 'zenhire-sync: sessions in ZenHire''s list that no post of this database made; shown in attention, not followed.';
comment on column zenhire.unclaimed_sessions.account is 'The account.';
comment on column zenhire.unclaimed_sessions.session_id is 'ZenHire''s id of the session.';
comment on column zenhire.unclaimed_sessions.finding is 'unknown_post (it carries the mark of a post that is not here) or likely_reinvite (the console made it for the candidate of a dead link).';
comment on column zenhire.unclaimed_sessions.invite_id is 'The invite whose candidate it is for, where that is known.';
comment on column zenhire.unclaimed_sessions.vendor_status is 'Its status in the list, as last seen.';
comment on column zenhire.unclaimed_sessions.found_at is 'When a sweep first saw it.';
comment on column zenhire.unclaimed_sessions.last_seen_at is 'When a sweep last saw it.';
comment on column zenhire.unclaimed_sessions.accepted_at is 'When a person accepted it; it then no longer stands in attention.';
comment on index zenhire.unclaimed_sessions_pkey is 'A session is unclaimed once.';
comment on index zenhire.unclaimed_sessions_open is 'attention: what nobody has accepted.';
