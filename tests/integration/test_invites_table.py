"""The table that the ATS writes: what it takes, what it refuses and how it says so."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.support.database import Database
from tests.support.invites import a_invite, insert_invite
from tests.support.postgres import Server
from tests.support.stages import WAYS, as_service, invite_at, move, publish, set_invite


@pytest.fixture(scope="module")
def shared(postgres_server: Server, migrated_template: str) -> Iterator[Database]:
    """One database for all tests that look at nothing but the rows they made: most of them make one that is refused."""
    with postgres_server.database(template=migrated_template) as name:
        yield Database(postgres_server.url_of(name))


OF_THE_SERVICE: dict[str, Any] = {
    "status": "completed",
    "version": 1,
    "session_id": "abc",
    "candidate_link": "https://interview.example/#t=x",
    "link_expires_at": "2030-01-01T00:00:00Z",
    "link_number": 1,
    "interview_started_at": "2030-01-01T00:00:00Z",
    "interview_completed_at": "2030-01-01T00:00:00Z",
    "duration_seconds": 1,
    "credits_charged": 1,
    "candidate_survey_rating": 5,
    "transcript_state": "stored",
    "recording_state": "stored",
    "error_code": "X",
    "error_message": "x",
    "status_changed_at": "2030-01-01T00:00:00Z",
    "updated_at": "2030-01-01T00:00:00Z",
    "erased_at": "2030-01-01T00:00:00Z",
}

FIXED_AFTER_THE_START: dict[str, Any] = {
    "account": "other",
    "request_key": "other",
    "candidate_ref": "other",
    "persona_id": "other",
    "role_name": "other",
    "language": "de",
    "consent_mode": "integrator",
    "metadata": Jsonb({"a": 1}),
    "tags": ["other"],
    "start_after": "2030-01-01T00:00:00Z",
}

ALWAYS_THE_ATS: dict[str, Any] = {
    "priority": 5,
    "stop_after": "2100-01-01T00:00:00Z",
    "max_links": 2,
    "link_sent_at": "2026-01-01T00:00:00Z",
}

BAD_ROWS: list[tuple[dict[str, Any], str]] = [
    ({"account": "Upper"}, "account_is_a_lower_case_name"),
    ({"account": "1st"}, "account_is_a_lower_case_name"),
    ({"account": "a" * 64}, "account_is_a_lower_case_name"),
    ({"request_key": ""}, "request_key_is_1_to_256_characters"),
    ({"request_key": "x" * 257}, "request_key_is_1_to_256_characters"),
    ({"request_key": " \t\n"}, "request_key_is_not_blank"),
    ({"candidate_ref": ""}, "candidate_ref_is_1_to_256_characters"),
    ({"candidate_ref": "x" * 257}, "candidate_ref_is_1_to_256_characters"),
    ({"candidate_ref": "   "}, "candidate_ref_is_not_blank"),
    ({"role_name": None, "language": None}, "persona_id_or_else_role_name_and_language"),
    ({"language": None}, "persona_id_or_else_role_name_and_language"),
    ({"persona_id": "p", "role_name": "r", "language": "en"}, "persona_id_or_else_role_name_and_language"),
    ({"persona_id": "p", "language": "en"}, "persona_id_or_else_role_name_and_language"),
    ({"persona_id": ""}, "persona_id_is_1_to_128_letters_digits_or_dashes"),
    ({"persona_id": "../x"}, "persona_id_is_1_to_128_letters_digits_or_dashes"),
    ({"persona_id": "x\n"}, "persona_id_is_1_to_128_letters_digits_or_dashes"),
    ({"persona_id": "x" * 129}, "persona_id_is_1_to_128_letters_digits_or_dashes"),
    ({"role_name": "x" * 201}, "role_name_is_at_most_200_characters"),
    ({"role_name": " "}, "role_name_is_not_blank"),
    ({"language": "x" * 65}, "language_is_at_most_64_characters"),
    ({"language": ""}, "language_is_not_blank"),
    ({"consent_mode": "implied"}, "consent_mode_is_explicit_or_integrator"),
    ({"start_after": "infinity"}, "start_after_lies_between_1900_and_9000"),
    ({"start_after": "-infinity"}, "start_after_lies_between_1900_and_9000"),
    ({"stop_after": "infinity"}, "stop_after_lies_between_1900_and_9000"),
    ({"link_sent_at": "infinity"}, "link_sent_at_lies_between_1900_and_9000"),
    ({"created_at": "-infinity"}, "created_at_lies_between_1900_and_9000"),
    (
        {"start_after": "2030-01-02T00:00:00Z", "stop_after": "2030-01-02T00:00:00Z"},
        "stop_after_is_later_than_start_after",
    ),
    ({"max_links": 0}, "max_links_is_1_or_2"),
    ({"max_links": 3}, "max_links_is_1_or_2"),
    ({"seen_version": 1}, "seen_version_is_at_most_version"),
    ({"seen_version": -1}, "seen_version_is_at_most_version"),
    ({"metadata": Jsonb([])}, "metadata_is_an_object"),
    ({"metadata": Jsonb("x")}, "metadata_is_an_object"),
    ({"metadata": Jsonb(None)}, "metadata_is_an_object"),
    ({"metadata": {f"k{n}": 1 for n in range(49)}}, "metadata_has_at_most_48_keys"),
    ({"metadata": {"k" * 41: 1}}, "metadata_keys_are_1_to_40_characters"),
    ({"metadata": {"": 1}}, "metadata_keys_are_1_to_40_characters"),
    ({"metadata": {"zenhire_sync_post": "x"}}, "metadata_keys_beginning_zenhire_sync_are_the_services"),
    ({"metadata": {"a": None}}, "metadata_values_are_strings_numbers_or_booleans"),
    ({"metadata": {"a": {}}}, "metadata_values_are_strings_numbers_or_booleans"),
    ({"metadata": {"a": ["x"]}}, "metadata_values_are_strings_numbers_or_booleans"),
    ({"metadata": {"a": "x" * 501}}, "metadata_values_are_at_most_500_characters"),
    ({"metadata": {"a": 10**500}}, "metadata_values_are_at_most_500_characters"),
    ({"metadata": {f"k{n}": "x" * 490 for n in range(17)}}, "metadata_is_at_most_8000_bytes"),
    ({"metadata": {f"k{n}": "é" * 245 for n in range(17)}}, "metadata_is_at_most_8000_bytes"),
    ({"tags": [["a", "b"]]}, "tags_are_one_plain_list"),
    ({"tags": [f"t{n}" for n in range(21)]}, "tags_are_at_most_20"),
    ({"tags": ["a", None]}, "tags_are_not_null"),
    ({"tags": [""]}, "tags_are_1_to_40_characters"),
    ({"tags": ["x" * 41]}, "tags_are_1_to_40_characters"),
    ({"tags": ["a", "b", "a"]}, "tags_are_distinct"),
    ({"tags": [" a"]}, "tags_have_no_blanks_around_them"),
    ({"tags": ["a\n"]}, "tags_have_no_blanks_around_them"),
]


@pytest.mark.parametrize(("over", "rule"), BAD_ROWS, ids=[f"{rule}-{n}" for n, (_, rule) in enumerate(BAD_ROWS)])
def test_a_row_that_can_never_work_is_refused_and_the_error_names_the_rule(
    shared: Database, over: dict[str, Any], rule: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        insert_invite(shared, **over)
    assert refused.value.diag.constraint_name == rule
    assert rule in str(refused.value)


@pytest.mark.parametrize("column", ["candidate_ref", "consent_mode", "metadata", "tags", "start_after", "priority"])
def test_what_every_invite_needs_cannot_be_null(shared: Database, column: str) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation) as refused:
        insert_invite(shared, **{column: None})
    assert refused.value.diag.column_name == column


GOOD_ROWS: list[dict[str, Any]] = [
    {"candidate_ref": "x" * 256},
    {"candidate_ref": "ё" * 256},
    {"candidate_ref": "候" * 256},
    {"candidate_ref": "ﷺ" * 256},
    {"candidate_ref": "👩‍🚀" * 85 + "!"},
    {"candidate_ref": "Robert'); DROP TABLE candidate_invites;--"},
    {"persona_id": "00000000-0000-0000-0000-000000000000"},
    {"persona_id": "x" * 128},
    {"role_name": "r" * 200, "language": "l" * 64},
    {"metadata": {f"{n:040}": True for n in range(48)}},
    {"metadata": {"text": "x" * 500, "number": 1.5, "flag": False, "emoji": "🎉", "empty": ""}},
    {"tags": [f"{n:040}" for n in range(20)]},
    {"tags": ["A", "a", "NULL", "с пробелом"]},
    {"request_key": "k" * 256, "priority": -3, "max_links": 2},
    {"start_after": "1970-01-01T00:00:00Z", "stop_after": "2100-01-01T00:00:00Z"},
]


@pytest.mark.parametrize("over", GOOD_ROWS, ids=range(len(GOOD_ROWS)))
def test_a_row_at_the_limits_is_taken_as_it_is(shared: Database, over: dict[str, Any]) -> None:
    invite_id = insert_invite(shared, **over)
    row = shared.fetch_one("select * from zenhire.candidate_invites where id = %s", [invite_id])
    for column, value in over.items():
        assert column.endswith("_after") or row[column] == value
    assert (row["status"], row["version"], row["seen_version"]) == ("pending", 0, 0)
    assert row["updated_at"] == row["status_changed_at"]


def test_the_same_request_key_is_taken_once_in_each_account(shared: Database) -> None:
    insert_invite(shared, request_key="application-1")
    insert_invite(shared, request_key="application-1", account="other")
    with pytest.raises(psycopg.errors.UniqueViolation) as refused:
        insert_invite(shared, request_key="application-1")
    assert refused.value.diag.constraint_name == "candidate_invites_request_key"


def test_the_list_of_the_services_columns_is_whole(shared: Database) -> None:
    columns = {
        row["column_name"]
        for row in shared.fetch(
            "select column_name from information_schema.columns "
            "where table_schema = 'zenhire' and table_name = 'candidate_invites'"
        )
    }
    of_the_ats = {*FIXED_AFTER_THE_START, *ALWAYS_THE_ATS, "id", "seen_version", "created_at"}
    assert columns == of_the_ats | set(OF_THE_SERVICE)
    assert set(shared.fetch_value("select zenhire.service_columns()")) == set(OF_THE_SERVICE)


@pytest.mark.parametrize("column", OF_THE_SERVICE)
def test_the_ats_cannot_insert_a_value_into_the_services_columns(shared: Database, column: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        insert_invite(shared, **{column: OF_THE_SERVICE[column]})
    message = refused.value.diag.message_primary
    assert message == f'column "{column}" of zenhire.candidate_invites is written by zenhire-sync'
    assert refused.value.diag.column_name == column
    assert refused.value.diag.message_hint


@pytest.mark.parametrize("column", OF_THE_SERVICE)
def test_the_ats_cannot_update_the_services_columns(shared: Database, column: str) -> None:
    invite_id = insert_invite(shared)
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        update(shared, invite_id, column, OF_THE_SERVICE[column])
    assert f'column "{column}"' in str(refused.value)
    assert "is written by zenhire-sync" in str(refused.value)


def test_an_ats_that_writes_the_status_is_told_of_cancel_invite(shared: Database) -> None:
    invite_id = invite_at(shared, "link_ready")
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        update(shared, invite_id, "status", "cancelled")
    assert "zenhire.cancel_invite(id, reason)" in (refused.value.diag.message_hint or "")


@pytest.mark.parametrize("column", FIXED_AFTER_THE_START)
@pytest.mark.parametrize("status", ["starting", "completed"])
def test_what_was_asked_for_is_fixed_once_the_invite_has_started(shared: Database, column: str, status: str) -> None:
    invite_id = invite_at(shared, status)
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        update(shared, invite_id, column, FIXED_AFTER_THE_START[column])
    assert f'column "{column}" of zenhire.candidate_invites can no longer be changed' in str(refused.value)


def test_an_invite_that_is_pending_again_is_still_fixed(shared: Database) -> None:
    invite_id = invite_at(shared, "starting")
    move(shared, invite_id, "pending")
    with pytest.raises(psycopg.errors.CheckViolation, match='column "role_name"'):
        update(shared, invite_id, "role_name", "Another role")


@pytest.mark.parametrize("column", [*FIXED_AFTER_THE_START, *ALWAYS_THE_ATS])
def test_the_ats_may_change_its_own_columns_before_the_start(shared: Database, column: str) -> None:
    over = {"persona_id": "persona"} if column == "persona_id" else {}
    invite_id = insert_invite(shared, **over)
    update(shared, invite_id, column, (FIXED_AFTER_THE_START | ALWAYS_THE_ATS)[column])
    assert version_of(shared, invite_id) == 1


@pytest.mark.parametrize("column", ALWAYS_THE_ATS)
@pytest.mark.parametrize("status", WAYS)
def test_some_columns_stay_the_ats_s_for_ever(shared: Database, status: str, column: str) -> None:
    invite_id = invite_at(shared, status)
    before = version_of(shared, invite_id)
    update(shared, invite_id, column, ALWAYS_THE_ATS[column])
    assert version_of(shared, invite_id) == before + 1


@pytest.mark.parametrize("column", [*FIXED_AFTER_THE_START, *ALWAYS_THE_ATS, "seen_version"])
def test_the_service_cannot_change_the_ats_s_columns(shared: Database, column: str) -> None:
    invite_id = invite_at(shared, "link_ready")
    value = (FIXED_AFTER_THE_START | ALWAYS_THE_ATS | {"seen_version": 1})[column]
    with pytest.raises(psycopg.errors.CheckViolation, match=f'column "{column}".* is written by the ATS'):
        update(shared, invite_id, column, value, as_the_service=True)


@pytest.mark.parametrize(("column", "value"), [("id", uuid4()), ("created_at", "2020-01-01T00:00:00Z")])
@pytest.mark.parametrize("as_the_service", [False, True])
def test_id_and_created_at_never_change(shared: Database, column: str, value: Any, as_the_service: bool) -> None:
    invite_id = insert_invite(shared)
    with pytest.raises(psycopg.errors.CheckViolation, match=f'column "{column}".* never changes'):
        update(shared, invite_id, column, value, as_the_service=as_the_service)


def test_only_an_invite_that_never_started_can_be_deleted(shared: Database) -> None:
    fresh = insert_invite(shared)
    assert shared.execute("delete from zenhire.candidate_invites where id = %s", [fresh]) == 1
    started = invite_at(shared, "starting")
    move(shared, started, "pending")
    with pytest.raises(psycopg.errors.RestrictViolation) as refused:
        shared.execute("delete from zenhire.candidate_invites where id = %s", [started])
    hint = refused.value.diag.message_hint or ""
    assert "cancel_invite" in hint
    assert "erase_candidate" in hint


def test_the_table_cannot_be_truncated(shared: Database) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation, match="never truncated"):
        shared.execute("truncate zenhire.candidate_invites cascade")


def test_the_version_counts_changes_and_not_marks_or_repetitions(database: Database) -> None:
    invite_id = insert_invite(database)
    update(database, invite_id, "priority", 1)
    update(database, invite_id, "priority", 1)
    assert version_of(database, invite_id) == 1
    update(database, invite_id, "seen_version", 1)
    assert version_of(database, invite_id) == 1
    move(database, invite_id, "starting")
    assert version_of(database, invite_id) == 2
    assert database.fetch("select id from zenhire.candidate_invites where version > seen_version") == [
        {"id": invite_id}
    ]


def test_the_version_is_counted_by_the_table_whatever_the_service_writes(shared: Database) -> None:
    invite_id = insert_invite(shared)
    update(shared, invite_id, "version", 99, as_the_service=True)
    assert version_of(shared, invite_id) == 0


def test_the_ats_cannot_claim_to_have_seen_what_is_not_there_yet(shared: Database) -> None:
    invite_id = insert_invite(shared)
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        update(shared, invite_id, "seen_version", 1)
    assert refused.value.diag.constraint_name == "seen_version_is_at_most_version"


def test_times_of_changes_come_from_the_clock_of_the_schema(database: Database) -> None:
    database.execute(
        "create or replace function zenhire.clock() returns timestamptz language sql volatile as "
        "'select timestamptz ''2031-05-06 07:08:09+00'''"
    )
    invite_id = insert_invite(database)
    move(database, invite_id, "starting")
    row = database.fetch_one("select * from zenhire.candidate_invites where id = %s", [invite_id])
    times = {row[column].isoformat() for column in ("created_at", "start_after", "updated_at", "status_changed_at")}
    assert {time[:4] for time in times} == {"2031"}


def test_status_changed_at_stays_when_something_else_changes(database: Database) -> None:
    invite_id = insert_invite(database)
    update(database, invite_id, "priority", 1)
    row = database.fetch_one("select updated_at > status_changed_at as later from zenhire.candidate_invites")
    assert row["later"]


def test_each_insert_statement_notifies_the_service_once_and_without_a_word(database: Database) -> None:
    with psycopg.connect(database.url, autocommit=True) as listener:
        listener.execute("listen zenhire_invites")
        database.execute(
            "insert into zenhire.candidate_invites (candidate_ref, persona_id, consent_mode) "
            "select 'c' || n, 'p', 'explicit' from generate_series(1, 50) n"
        )
        heard = list(listener.notifies(timeout=5, stop_after=1)) + list(listener.notifies(timeout=0.05))
    assert [(notice.channel, notice.payload) for notice in heard] == [("zenhire_invites", "")]


def test_each_new_version_notifies_the_ats_with_nothing_but_id_version_and_status(database: Database) -> None:
    invite_id = insert_invite(database, candidate_ref="secret-candidate")
    with psycopg.connect(database.url, autocommit=True) as listener:
        listener.execute("listen zenhire_changes")
        move(database, invite_id, "starting")
        update(database, invite_id, "seen_version", 1)
        update(database, invite_id, "priority", 3)
        heard = list(listener.notifies(timeout=5, stop_after=2)) + list(listener.notifies(timeout=0.05))
    assert [json.loads(notice.payload) for notice in heard] == [
        {"invite_id": str(invite_id), "version": 1, "status": "starting"},
        {"invite_id": str(invite_id), "version": 2, "status": "starting"},
    ]


def test_a_change_that_is_rolled_back_notifies_nobody(database: Database) -> None:
    invite_id = insert_invite(database)
    with psycopg.connect(database.url, autocommit=True) as listener:
        listener.execute("listen zenhire_changes")
        with psycopg.connect(database.url) as writer:
            writer.execute("update zenhire.candidate_invites set priority = 9")
            writer.rollback()
        update(database, invite_id, "priority", 1)
        heard = list(listener.notifies(timeout=5, stop_after=1)) + list(listener.notifies(timeout=0.05))
    assert [json.loads(notice.payload)["version"] for notice in heard] == [1]


def test_a_change_of_status_without_its_event_cannot_be_committed(shared: Database) -> None:
    invite_id = insert_invite(shared)
    with pytest.raises(psycopg.errors.CheckViolation) as refused, as_service(shared) as connection:
        set_invite(connection, invite_id, status="starting")
    assert refused.value.diag.constraint_name == "a_change_of_status_has_its_event"
    assert str(invite_id) in str(refused.value)
    assert version_of(shared, invite_id) == 0


def test_an_event_of_another_version_does_not_count(shared: Database) -> None:
    invite_id = insert_invite(shared)
    with pytest.raises(psycopg.errors.CheckViolation, match="without an event"):
        start_with_event_of_version(shared, invite_id, 7)


@pytest.mark.parametrize(
    ("status", "to"), [("completed", "failed"), ("pending", "link_ready"), ("cancelled", "failed")]
)
def test_a_move_outside_the_table_of_moves_is_refused(shared: Database, status: str, to: str) -> None:
    invite_id = invite_at(shared, status)
    with pytest.raises(psycopg.errors.CheckViolation, match=f"an invite cannot go from {status} to {to}"):
        move(shared, invite_id, to)


BROKEN_STATES: list[tuple[str, dict[str, Any], str]] = [
    ("pending", {"session_id": "s"}, "pending_and_starting_show_no_link"),
    ("starting", {"session_id": "s", "candidate_link": "x"}, "pending_and_starting_show_no_link"),
    ("link_ready", {"candidate_link": None}, "link_ready_and_in_progress_have_their_link"),
    ("link_ready", {"link_number": 0}, "link_ready_and_in_progress_have_their_link"),
    ("in_progress", {"link_expires_at": None}, "link_ready_and_in_progress_have_their_link"),
    ("completed", {"interview_completed_at": None}, "completed_has_its_session_and_time"),
    ("failed", {"error_code": None}, "an_end_without_an_outcome_has_its_error_code"),
    (
        "expired",
        {"session_id": None, "candidate_link": None, "link_expires_at": None},
        "failed_and_expired_have_their_session",
    ),
    ("refused", {"error_code": None}, "an_end_without_an_outcome_has_its_error_code"),
    ("needs_review", {"error_code": None}, "an_end_without_an_outcome_has_its_error_code"),
    ("cancelled", {"error_code": None}, "an_end_without_an_outcome_has_its_error_code"),
    ("link_ready", {"transcript_state": "waiting"}, "only_an_invite_with_an_outcome_has_artifacts"),
    ("completed", {"transcript_state": "gone"}, "transcript_state_is_known"),
    ("completed", {"candidate_survey_rating": 6}, "candidate_survey_rating_is_1_to_5"),
    ("completed", {"duration_seconds": -1}, "duration_seconds_is_not_negative"),
    ("completed", {"credits_charged": -1}, "credits_charged_is_not_negative"),
    ("completed", {"session_id": "a/b"}, "session_id_is_1_to_128_letters_digits_or_dashes"),
]


@pytest.mark.parametrize(("status", "columns", "rule"), BROKEN_STATES, ids=range(len(BROKEN_STATES)))
def test_a_status_without_what_it_needs_is_refused(
    shared: Database, status: str, columns: dict[str, Any], rule: str
) -> None:
    invite_id = invite_at(shared, status)
    with pytest.raises(psycopg.errors.CheckViolation) as refused, as_service(shared) as connection:
        set_invite(connection, invite_id, **columns)
    assert refused.value.diag.constraint_name == rule


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ("state = 'posting'", "a_post_on_its_way_is_leased"),
        ("state = 'sent'", "state_is_known"),
        ("lease_token = gen_random_uuid()", "a_lease_is_whole_or_absent"),
        ("session_id = null, next_look_at = null", "published_and_orphan_have_a_session_and_its_expiry"),
        ("link_expires_at = null", "published_and_orphan_have_a_session_and_its_expiry"),
        ("repost_at = zenhire.clock()", "only_a_post_without_a_link_is_repeated"),
        ("next_search_at = zenhire.clock()", "only_a_lost_post_is_searched_for"),
        ("next_look_reason = null", "only_a_session_is_looked_at"),
        ("dead_at = zenhire.clock()", "a_death_has_its_reason"),
        ("look_count = -1", "counts_are_not_negative"),
        ("vendor_object = '[]'", "vendor_object_is_an_object"),
    ],
)
def test_a_session_that_contradicts_itself_is_refused(shared: Database, columns: str, rule: str) -> None:
    publish(shared, invite_at(shared, "link_ready"))
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        shared.execute(f"update zenhire.interview_sessions set {columns}")
    assert refused.value.diag.constraint_name == rule


def test_events_are_only_added(database: Database) -> None:
    invite_at(database, "starting")
    for statement in ("update zenhire.invite_events set reason = 'other'", "delete from zenhire.invite_events"):
        with pytest.raises(psycopg.errors.RestrictViolation, match="only added to"), as_service(database) as connection:
            connection.execute(statement)
    with pytest.raises(psycopg.errors.RestrictViolation, match="never truncated"):
        database.execute("truncate zenhire.invite_events")


def test_a_bad_row_among_good_ones_refuses_the_statement_and_nothing_else(database: Database) -> None:
    insert_invite(database)
    with pytest.raises(psycopg.errors.CheckViolation), psycopg.connect(database.url) as connection:
        connection.cursor().executemany(
            "insert into zenhire.candidate_invites (candidate_ref, consent_mode, role_name, language) "
            "values (%(candidate_ref)s, %(consent_mode)s, %(role_name)s, %(language)s)",
            [a_invite(), a_invite(language="")],
        )
    assert database.fetch_value("select count(*) from zenhire.candidate_invites") == 1


def start_with_event_of_version(database: Database, invite_id: UUID, version: int) -> None:
    with as_service(database) as connection:
        set_invite(connection, invite_id, status="starting")
        connection.execute(
            "insert into zenhire.invite_events (account, invite_id, kind, from_status, to_status, version) "
            "values ('default', %s, 'moved', 'pending', 'starting', %s)",
            [invite_id, version],
        )


def update(database: Database, invite_id: UUID, column: str, value: object, *, as_the_service: bool = False) -> None:
    if as_the_service:
        with as_service(database) as connection:
            set_invite(connection, invite_id, **{column: value})
        return
    with psycopg.connect(database.url, row_factory=dict_row) as connection:
        set_invite(connection, invite_id, **{column: value})


def version_of(database: Database, invite_id: UUID) -> int:
    version: int = database.fetch_value("select version from zenhire.candidate_invites where id = %s", [invite_id])
    return version
