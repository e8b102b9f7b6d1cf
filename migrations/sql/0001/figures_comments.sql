-- The manual of the views that tell how the work stands.

comment on function zenhire.duration_in_words(interval) is 'A duration as a sentence shows it: 27 minutes.';
comment on function zenhire.explain_invite(uuid) is 'An invite''s story as text: how it stands, what needs a person, what happened: select zenhire.explain_invite(id) from zenhire.candidate_invites where candidate_ref = …';
comment on function zenhire.help() is 'What there is in this schema for people, with an example of each: select * from zenhire.help().';

comment on view zenhire.backlog is 'What waits, for what; one row per account. Costs nothing for what is finished.';
comment on column zenhire.backlog.account is 'The account.';
comment on column zenhire.backlog.due is 'Invites whose link is wanted now.';
comment on column zenhire.backlog.due_since is 'Since when the oldest of them.';
comment on column zenhire.backlog.later is 'Invites whose start_after is still to come.';
comment on column zenhire.backlog.next_start is 'The next start_after.';
comment on column zenhire.backlog.starting is 'Invites for which ZenHire is being asked for a link.';
comment on column zenhire.backlog.links_out is 'Links that nobody has opened, as far as is known.';
comment on column zenhire.backlog.running is 'Interviews that run.';
comment on column zenhire.backlog.needs_review is 'Invites for which a person must decide; see attention.';
comment on column zenhire.backlog.transcripts_waiting is 'Transcripts that are still to be fetched.';
comment on column zenhire.backlog.lost_posts_searched is 'Posts with an unknown result, whose sessions are searched for.';
comment on column zenhire.backlog.works is 'Whether links are made: the account has a key and is neither paused nor stopped.';
comment on column zenhire.backlog.links_within is 'How long the due ones take at the account''s limit, if nothing else uses it; null: no links are made.';

comment on index zenhire.candidate_invites_completed is 'outcome_lag: what was completed lately.';
comment on function zenhire.lag_seconds(timestamptz, timestamptz, interval) is 'Seconds from the end of an interview, by ZenHire''s clock, to when it was known here: select zenhire.lag_seconds(status_changed_at, interview_completed_at, null) from zenhire.candidate_invites where status = ''completed'';';
comment on view zenhire.outcome_lag is 'How soon outcomes were known here: from the end of the interview by ZenHire''s clock (corrected by account_state.vendor_ahead) to our commit.';
comment on column zenhire.outcome_lag.account is 'The account.';
comment on column zenhire.outcome_lag.period is 'Over which time: last hour, last day, last 7 days.';
comment on column zenhire.outcome_lag.outcomes is 'How many outcomes came in it.';
comment on column zenhire.outcome_lag.p50_seconds is 'Half of them were known within so many seconds.';
comment on column zenhire.outcome_lag.p95_seconds is '95 of 100 were.';
comment on column zenhire.outcome_lag.p99_seconds is '99 of 100 were.';
comment on column zenhire.outcome_lag.worst_seconds is 'All of them were.';

comment on view zenhire.service_status is 'Who works and how: the service as a whole, its replicas of the last day, the accounts, the schema; one sentence each.';
comment on column zenhire.service_status.what is 'service, replica, account or schema.';
comment on column zenhire.service_status.name is 'Which: the replica''s id, the account, the schema''s revision.';
comment on column zenhire.service_status.state is 'running, silent (no tick for 60 s), gone (stopped properly); of an account works, waits (ZenHire asked for it), paused, stopped, no key.';
comment on column zenhire.service_status.since is 'Since when.';
comment on column zenhire.service_status.says is 'In words: which work a replica holds, how soon a change of an account is seen.';
comment on column zenhire.service_status.details is 'Further figures; of a replica its settings without secrets, and their hash to compare replicas by.';

comment on view zenhire.timeline is 'Everything that happened to an invite: select at, says, who from zenhire.timeline where invite_id = … order by at.';
comment on column zenhire.timeline.invite_id is 'The invite.';
comment on column zenhire.timeline.account is 'Its account.';
comment on column zenhire.timeline.candidate_ref is 'Its candidate.';
comment on column zenhire.timeline.at is 'When; of looks, the last of them.';
comment on column zenhire.timeline.what is 'inserted, looks, or the kind of the event in invite_events.';
comment on column zenhire.timeline.says is 'The same in words, with the reason.';
comment on column zenhire.timeline.who is 'Which replica, or which database user.';
comment on column zenhire.timeline.event_id is 'The event''s id in invite_events; orders what happened at the same time.';
comment on column zenhire.timeline.post_id is 'The post that it is about, if any.';
comment on column zenhire.timeline.to_status is 'The status that the invite came to, if it did.';
comment on column zenhire.timeline.reason is 'Why, in the words of the event.';
comment on column zenhire.timeline.details is 'Further facts of the event.';
