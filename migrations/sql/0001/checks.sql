-- The rules that a row must keep. A rule's name tells the rule: it is what an INSERT that breaks it says.
-- A rule about what a status needs also admits an erased row, which has given up its link and its texts.

-- Most rules read jsonb and arrays with operators alone; these five need to look at every element.
create function zenhire.longest_key(document jsonb) returns integer
    language sql immutable parallel safe set search_path = pg_catalog as $$
    select case when jsonb_typeof(document) = 'object'
        then (select coalesce(max(char_length(key)), 0) from jsonb_object_keys(document) as keys (key)) else 0 end
$$;

create function zenhire.longest_value(document jsonb) returns integer
    language sql immutable parallel safe set search_path = pg_catalog as $$
    select case when jsonb_typeof(document) = 'object'
        then (select coalesce(max(char_length(value)), 0) from jsonb_each_text(document)) else 0 end
$$;

create function zenhire.longest_tag(tags text[]) returns integer
    language sql immutable parallel safe set search_path = pg_catalog as $$
    select coalesce(max(char_length(tag)), 0) from unnest(tags) as given (tag)
$$;

create function zenhire.has_repeated_tag(tags text[]) returns boolean
    language sql immutable parallel safe set search_path = pg_catalog as $$
    select count(tag) > count(distinct tag) from unnest(tags) as given (tag)
$$;

create function zenhire.has_padded_tag(tags text[]) returns boolean
    language sql immutable parallel safe set search_path = pg_catalog as $$
    select exists (select from unnest(tags) as given (tag) where tag ~ '^\s|\s$')
$$;

alter table zenhire.candidate_invites
    -- what the ATS writes
    add constraint account_is_a_lower_case_name check (account ~ '^[a-z][a-z0-9_]{0,62}$'),
    add constraint request_key_is_1_to_256_characters check (char_length(request_key) between 1 and 256),
    add constraint request_key_is_not_blank check (request_key ~ '\S'),
    add constraint candidate_ref_is_1_to_256_characters check (char_length(candidate_ref) between 1 and 256),
    add constraint candidate_ref_is_not_blank check (candidate_ref ~ '\S'),
    add constraint persona_id_or_else_role_name_and_language check (
        case when persona_id is null then num_nonnulls(role_name, language) = 2
             else num_nonnulls(role_name, language) = 0 end),
    add constraint persona_id_is_1_to_128_letters_digits_or_dashes check (persona_id ~ '^[A-Za-z0-9_-]{1,128}$'),
    add constraint role_name_is_at_most_200_characters check (char_length(role_name) <= 200),
    add constraint role_name_is_not_blank check (role_name ~ '\S'),
    add constraint language_is_at_most_64_characters check (char_length(language) <= 64),
    add constraint language_is_not_blank check (language ~ '\S'),
    add constraint consent_mode_is_explicit_or_integrator check (consent_mode in ('explicit', 'integrator')),
    add constraint start_after_lies_between_1900_and_9000 check (
        start_after between '1900-01-01 00:00:00+00' and '9000-01-01 00:00:00+00'),
    add constraint stop_after_lies_between_1900_and_9000 check (
        stop_after between '1900-01-01 00:00:00+00' and '9000-01-01 00:00:00+00'),
    add constraint stop_after_is_later_than_start_after check (stop_after > start_after),
    add constraint link_sent_at_lies_between_1900_and_9000 check (
        link_sent_at between '1900-01-01 00:00:00+00' and '9000-01-01 00:00:00+00'),
    add constraint created_at_lies_between_1900_and_9000 check (
        created_at between '1900-01-01 00:00:00+00' and '9000-01-01 00:00:00+00'),
    add constraint max_links_is_1_or_2 check (max_links in (1, 2)),
    add constraint seen_version_is_at_most_version check (seen_version between 0 and version),

    -- metadata: the vendor's limits (contract §7) less the two keys and 192 bytes that the service adds
    add constraint metadata_is_an_object check (jsonb_typeof(metadata) = 'object'),
    add constraint metadata_has_at_most_48_keys check (
        jsonb_array_length(jsonb_path_query_array(metadata, '$.keyvalue()', silent => true)) <= 48),
    add constraint metadata_keys_are_1_to_40_characters check (
        metadata = '{}' or not metadata ? '' and zenhire.longest_key(metadata) <= 40),
    add constraint metadata_keys_beginning_zenhire_sync_are_the_services check (
        not jsonb_path_exists(metadata, '$.keyvalue().key ? (@ starts with "zenhire_sync_")', silent => true)),
    add constraint metadata_values_are_strings_numbers_or_booleans check (
        not jsonb_path_exists(
            metadata, 'strict $.* ? (@.type() != "string" && @.type() != "number" && @.type() != "boolean")',
            silent => true)),
    add constraint metadata_values_are_at_most_500_characters check (
        metadata = '{}' or zenhire.longest_value(metadata) <= 500),
    add constraint metadata_is_at_most_8000_bytes check (octet_length(metadata::text) <= 8000),

    -- tags: the vendor's limits (contract §7)
    add constraint tags_are_one_plain_list check (array_ndims(tags) = 1),
    add constraint tags_are_at_most_20 check (cardinality(tags) <= 20),
    add constraint tags_are_not_null check (
        case when array_ndims(tags) = 1 then array_position(tags, null) is null end),
    add constraint tags_are_1_to_40_characters check (
        tags = '{}' or not '' = any (tags) and zenhire.longest_tag(tags) <= 40),
    add constraint tags_are_distinct check (tags = '{}' or not zenhire.has_repeated_tag(tags)),
    add constraint tags_have_no_blanks_around_them check (tags = '{}' or not zenhire.has_padded_tag(tags)),

    -- what the service writes
    add constraint status_is_known check (status in (
        'pending', 'starting', 'link_ready', 'in_progress', 'completed', 'failed', 'expired', 'cancelled', 'refused',
        'needs_review')),
    add constraint version_is_not_negative check (version >= 0),
    add constraint session_id_is_1_to_128_letters_digits_or_dashes check (session_id ~ '^[A-Za-z0-9_-]{1,128}$'),
    add constraint link_number_is_not_negative check (link_number >= 0),
    add constraint duration_seconds_is_not_negative check (duration_seconds >= 0),
    add constraint credits_charged_is_not_negative check (credits_charged >= 0),
    add constraint candidate_survey_rating_is_1_to_5 check (candidate_survey_rating between 1 and 5),
    add constraint transcript_state_is_known check (transcript_state in ('none', 'waiting', 'stored', 'unavailable')),
    add constraint recording_state_is_known check (recording_state in ('none', 'waiting', 'stored', 'unavailable')),
    add constraint candidate_link_and_its_expiry_belong_to_a_session check (
        session_id is not null or candidate_link is null and link_expires_at is null),

    -- what a status needs
    add constraint pending_and_starting_show_no_link check (
        status not in ('pending', 'starting') or num_nonnulls(session_id, candidate_link, link_expires_at) = 0
        or erased_at is not null),
    add constraint link_ready_and_in_progress_have_their_link check (
        status not in ('link_ready', 'in_progress')
        or num_nonnulls(session_id, link_expires_at) = 2 and link_number >= 1
           -- a fresh link that the vendor's console sent is not known here, and the old one must not be sent again
           and (candidate_link is null) = (error_code is not distinct from 'CONSOLE_REINVITED')
        or erased_at is not null),
    add constraint completed_has_its_session_and_time check (
        status <> 'completed' or num_nonnulls(session_id, interview_completed_at) = 2 or erased_at is not null),
    add constraint failed_and_expired_have_their_session check (
        status not in ('failed', 'expired') or session_id is not null or erased_at is not null),
    add constraint an_end_without_an_outcome_has_its_error_code check (
        status not in ('failed', 'expired', 'cancelled', 'refused', 'needs_review') or error_code is not null
        or erased_at is not null),
    add constraint only_an_invite_with_an_outcome_has_artifacts check (
        status = 'completed' or transcript_state = 'none' and recording_state = 'none' or erased_at is not null),
    add constraint an_erased_invite_is_final_and_holds_no_texts check (
        erased_at is null
        or status in ('completed', 'failed', 'expired', 'cancelled', 'refused') and candidate_ref = 'erased'
        and metadata = '{}' and tags = '{}' and candidate_link is null and error_message is null);

alter table zenhire.interview_sessions
    add constraint account_is_a_lower_case_name check (account ~ '^[a-z][a-z0-9_]{0,62}$'),
    add constraint state_is_known check (state in ('posting', 'published', 'lost', 'orphan', 'not_made')),
    add constraint origin_is_known check (origin in ('post', 'console')),
    -- nobody but the console ever had its link, and it takes no part in the count of lost posts
    add constraint what_the_console_made_is_an_orphan_and_not_counted check (
        origin <> 'console' or state = 'orphan' and not counted),
    add constraint link_number_and_post_number_count_from_1 check (link_number >= 1 and post_number >= 1),
    add constraint session_id_is_1_to_128_letters_digits_or_dashes check (session_id ~ '^[A-Za-z0-9_-]{1,128}$'),
    add constraint vendor_object_is_an_object check (jsonb_typeof(vendor_object) = 'object'),
    add constraint counts_are_not_negative check (
        least(look_count, look_failures, collect_count, collect_failures, search_count) >= 0),
    add constraint a_lease_is_whole_or_absent check (num_nonnulls(lease_token, lease_until, lease_holder) in (0, 3)),
    -- without a lease that ends nobody would ever take over the post of a replica that died
    add constraint a_post_on_its_way_is_leased check (state <> 'posting' or lease_until is not null),
    add constraint published_and_orphan_have_a_session_and_its_expiry check (
        state not in ('published', 'orphan') or num_nonnulls(session_id, link_expires_at) = 2),
    add constraint only_a_post_without_a_link_is_repeated check (
        repost_at is null or current and state in ('lost', 'orphan')),
    add constraint only_a_session_is_looked_at check (
        next_look_at is null or session_id is not null and next_look_reason is not null),
    add constraint only_a_session_has_a_transcript_to_collect check (next_collect_at is null or session_id is not null),
    add constraint only_a_lost_post_is_searched_for check (next_search_at is null or state = 'lost'),
    add constraint a_death_has_its_reason check (dead_at is null or dead_because is not null);

alter table zenhire.invite_events
    add constraint account_is_a_lower_case_name check (account ~ '^[a-z][a-z0-9_]{0,62}$'),
    add constraint kind_is_not_blank check (kind ~ '\S'),
    add constraint details_are_an_object check (jsonb_typeof(details) = 'object'),
    add constraint a_change_of_status_has_its_version check (
        to_status is null or num_nonnulls(invite_id, from_status, version) = 3);

alter table zenhire.transcripts
    add constraint a_transcript_has_a_document_or_its_bytes check (num_nonnulls(document, body) >= 1),
    add constraint byte_count_is_not_negative check (byte_count >= 0),
    add constraint sha256_has_32_bytes check (octet_length(sha256) = 32),
    add constraint document_sha256_has_32_bytes check (octet_length(document_sha256) = 32);

alter table zenhire.recordings
    add constraint place_is_not_blank check (place ~ '\S'),
    add constraint byte_count_is_not_negative check (byte_count >= 0),
    add constraint sha256_has_32_bytes check (octet_length(sha256) = 32);

alter table zenhire.personas
    add constraint account_is_a_lower_case_name check (account ~ '^[a-z][a-z0-9_]{0,62}$'),
    add constraint state_is_known check (state in ('wanted', 'ready', 'refused')),
    add constraint role_name_is_1_to_200_characters check (char_length(role_name) <= 200 and role_name ~ '\S'),
    add constraint language_is_1_to_64_characters check (char_length(language) <= 64 and language ~ '\S'),
    add constraint persona_id_is_1_to_128_letters_digits_or_dashes check (persona_id ~ '^[A-Za-z0-9_-]{1,128}$'),
    add constraint counts_are_not_negative check (least(matches, posts, failures) >= 0),
    add constraint ready_has_its_persona check (state <> 'ready' or persona_id is not null),
    add constraint refused_has_its_error_code check (state <> 'refused' or error_code is not null),
    add constraint wanted_has_its_next_try check (state <> 'wanted' or next_try_at is not null),
    add constraint a_lease_is_whole_or_absent check (num_nonnulls(lease_token, lease_until, lease_holder) in (0, 3));

alter table zenhire.request_budget
    add constraint account_is_a_lower_case_name check (account ~ '^[a-z][a-z0-9_]{0,62}$'),
    add constraint requests_per_minute_is_at_least_1 check (requests_per_minute >= 1),
    add constraint waits_are_not_negative check (waits >= 0);

alter table zenhire.account_state
    add constraint account_is_a_lower_case_name check (account ~ '^[a-z][a-z0-9_]{0,62}$'),
    add constraint a_pause_has_its_time_and_its_author check (num_nonnulls(paused_at, paused_by, pause_reason) in (0, 3)),
    add constraint a_stop_has_its_code_scope_and_time check (num_nonnulls(stop_code, stop_scope, stopped_at) in (0, 3)),
    add constraint stop_scope_is_known check (stop_scope in ('starts', 'everything')),
    add constraint only_a_stop_needs_a_person check (not needs_person or stop_code is not null),
    add constraint probe_seconds_is_positive check (probe_seconds > 0),
    add constraint pace_is_a_part_of_the_limit check (pace > 0 and pace <= 1);

alter table zenhire.account_streaks
    add constraint account_is_a_lower_case_name check (account ~ '^[a-z][a-z0-9_]{0,62}$');

alter table zenhire.leases
    add constraint term_is_not_negative check (term >= 0);

alter table zenhire.schema_info
    add constraint there_is_one_row check (singleton),
    add constraint oldest_program_is_a_version check (oldest_program ~ '^[0-9]+(\.[0-9]+)*');
