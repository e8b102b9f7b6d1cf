"""`zenhire-sync invite` against the real table: all good rows or none, once, and each refusal in words."""

import json
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import psycopg
import pytest

from service.cli.root import main
from service.operate import progress
from service.operate.invite_load import BATCH_ROWS
from tests.support.database import Database

GOOD: dict[str, Any] = {"candidate_ref": "c1", "role_name": "Nurse", "language": "en", "consent_mode": "explicit"}


class Loader:
    """Writes a file of invites and loads it as the command does."""

    def __init__(self, database: Database, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.database = database
        self._directory = directory
        self._capsys = capsys
        self.out = ""
        self.err = ""

    def jsonl(self, *rows: dict[str, Any], options: tuple[str, ...] = ()) -> int:
        return self.file("invites.jsonl", "".join(json.dumps(row) + "\n" for row in rows), options=options)

    def file(self, name: str, content: str, *, options: tuple[str, ...] = ()) -> int:
        path = self._directory / name
        path.write_text(content, encoding="utf-8")
        return self.run(str(path), *options)

    def run(self, *arguments: str) -> int:
        code = main(["invite", *arguments], {"DATABASE_URL": self.database.url})
        self.out, self.err = self._capsys.readouterr()
        return code

    def problems(self, row: dict[str, Any]) -> list[str]:
        """What is said of one bad row; nothing may have been loaded."""
        assert self.jsonl(row) == 1
        assert self.count() == 0
        *problems, end = self.err.splitlines()
        assert end.startswith("zenhire-sync: nothing was loaded: one row is bad;")
        return problems

    def count(self) -> int:
        count: int = self.database.fetch_value("select count(*) from zenhire.candidate_invites")
        return count


@pytest.fixture
def loader(database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Loader:
    return Loader(database, tmp_path, capsys)


def test_a_file_is_loaded_once_and_a_second_run_adds_nothing(loader: Loader) -> None:
    rows = [{**GOOD, "candidate_ref": f"c{number}", "request_key": f"k{number}"} for number in range(20)]

    assert loader.jsonl(*rows) == 0
    assert loader.out == "loaded 20 invites (20 new, 0 already there)\n"

    assert loader.jsonl(*rows) == 0
    assert (loader.out, loader.err) == ("loaded 20 invites (0 new, 20 already there)\n", "")
    assert loader.count() == 20


def test_a_file_that_has_grown_adds_what_is_new(loader: Loader) -> None:
    loader.jsonl(GOOD)

    assert loader.jsonl(GOOD, {**GOOD, "candidate_ref": "c2"}) == 0
    assert loader.out == "loaded 2 invites (1 new, 1 already there)\n"


def test_rows_without_a_key_are_known_again_by_their_content_in_either_format(loader: Loader) -> None:
    loader.jsonl({**GOOD, "tags": ["a", "b"], "metadata": {"source": "web"}})
    header = "tags,metadata.source,consent_mode,language,role_name,candidate_ref"

    assert loader.file("invites.csv", f"{header}\na;b,web,explicit,en,Nurse,c1\n") == 0
    assert loader.out == "loaded 1 invite (0 new, 1 already there)\n"


def test_every_column_arrives_as_it_was_given(loader: Loader) -> None:
    row = {
        "account": "acme",
        "request_key": "k",
        "candidate_ref": "Robert'); DROP TABLE 😀",
        "persona_id": "p-1",
        "consent_mode": "integrator",
        "metadata": {"a": 1, "b": 1.5, "c": True, "d": "x", "kept": "c:\\u0000"},
        "tags": ["Größe", "候选人"],
        "start_after": "2026-01-31T09:00:00+01:00",
        "stop_after": "2026-02-28T09:00:00Z",
        "priority": -3,
        "max_links": 2,
    }

    assert loader.jsonl(row) == 0

    stored = loader.database.fetch_one("select * from zenhire.candidate_invites")
    assert {name: stored[name] for name in ("metadata", "tags", "priority", "max_links", "persona_id")} == {
        name: row[name] for name in ("metadata", "tags", "priority", "max_links", "persona_id")
    }
    assert stored["candidate_ref"] == row["candidate_ref"]
    assert stored["start_after"].timestamp() == 1_769_846_400
    assert (stored["account"], stored["status"], stored["role_name"]) == ("acme", "pending", None)


def test_what_is_left_out_gets_the_tables_defaults(loader: Loader) -> None:
    loader.jsonl(GOOD)

    stored = loader.database.fetch_one("select * from zenhire.candidate_invites")
    names = ("account", "metadata", "tags", "stop_after", "priority", "max_links")
    assert [stored[name] for name in names] == ["default", {}, [], None, 0, 1]
    assert stored["start_after"] is not None


def test_standard_input_is_a_file_too(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(json.dumps(GOOD).encode())))

    assert loader.run("-", "--format", "jsonl") == 0
    assert loader.count() == 1


def test_nothing_is_loaded_when_a_row_is_bad_and_every_bad_row_is_named(loader: Loader) -> None:
    code = loader.jsonl(
        GOOD,
        {**GOOD, "consent_mode": "maybe"},
        {**GOOD, "candidate_ref": "x" * 257},
        {**GOOD, "candidate_ref": "c4"},
        {**GOOD, "tags": ["twice", "twice"]},
    )

    assert code == 1
    assert loader.out == ""
    assert loader.err.splitlines() == [
        "line 2, column consent_mode: must be explicit or integrator",
        (
            "line 3, column candidate_ref: breaks the rule candidate_ref is 1 to 256 characters "
            "[candidate_ref_is_1_to_256_characters]"
        ),
        "line 5, column tags: breaks the rule tags are distinct [tags_are_distinct]",
        "zenhire-sync: nothing was loaded: 3 rows are bad; mend the file, or load the other rows with --skip-bad",
    ]
    assert loader.count() == 0


def test_skip_bad_loads_the_good_rows_and_names_the_others(loader: Loader) -> None:
    rows = ({**GOOD, "candidate_ref": ""}, GOOD, {**GOOD, "consent_mode": "x"}, {**GOOD, "candidate_ref": "c4"})

    assert loader.jsonl(*rows, options=("--skip-bad",)) == 0
    assert loader.out == "loaded 2 invites (2 new, 0 already there), 2 bad ones skipped\n"
    assert [line.split(":")[0] for line in loader.err.splitlines()] == [
        "line 1, column candidate_ref",
        "line 3, column consent_mode",
    ]


@pytest.mark.parametrize(
    ("change", "column", "rule"),
    [
        ({"account": "Acme"}, "account", "account_is_a_lower_case_name"),
        ({"request_key": "x" * 257}, "request_key", "request_key_is_1_to_256_characters"),
        ({"candidate_ref": " "}, "candidate_ref", "candidate_ref_is_not_blank"),
        ({"persona_id": "p1"}, "persona_id", "persona_id_or_else_role_name_and_language"),
        ({"role_name": "x" * 201}, "role_name", "role_name_is_at_most_200_characters"),
        ({"language": "x" * 65}, "language", "language_is_at_most_64_characters"),
        ({"metadata": {f"k{n}": 1 for n in range(49)}}, "metadata", "metadata_has_at_most_48_keys"),
        ({"metadata": {"x" * 41: 1}}, "metadata", "metadata_keys_are_1_to_40_characters"),
        ({"metadata": {"k": "x" * 501}}, "metadata", "metadata_values_are_at_most_500_characters"),
        ({"metadata": {f"k{n}": "x" * 499 for n in range(20)}}, "metadata", "metadata_is_at_most_8000_bytes"),
        ({"tags": [f"t{n}" for n in range(21)]}, "tags", "tags_are_at_most_20"),
        ({"tags": ["x" * 41]}, "tags", "tags_are_1_to_40_characters"),
        ({"max_links": 3}, "max_links", "max_links_is_1_or_2"),
        (
            {"start_after": "2026-02-01T00:00:00Z", "stop_after": "2026-01-01T00:00:00Z"},
            "stop_after",
            "stop_after_is_later_than_start_after",
        ),
    ],
)
def test_a_rule_of_the_table_is_told_with_line_column_and_name(
    loader: Loader,
    change: dict[str, Any],
    column: str,
    rule: str,
) -> None:
    (problem,) = loader.problems({**GOOD, **change})

    assert problem.startswith(f"line 1, column {column}: breaks the rule {column}")
    assert problem.endswith(f"[{rule}]")


def test_a_candidate_ref_of_256_characters_of_any_script_is_loaded(loader: Loader) -> None:
    assert loader.jsonl({**GOOD, "candidate_ref": "界" * 256}, {**GOOD, "candidate_ref": "😀" * 256}) == 0
    assert loader.count() == 2


def test_a_row_that_is_there_with_another_content_is_left_alone_with_a_warning(loader: Loader) -> None:
    loader.jsonl({**GOOD, "request_key": "k", "priority": 1, "stop_after": "2030-01-31T09:00:00+01:00"})

    changed = {**GOOD, "request_key": "k", "priority": 2, "stop_after": "2030-01-31T08:00:00Z", "tags": ["new"]}
    assert loader.jsonl(changed) == 0

    assert loader.out == "loaded 1 invite (0 new, 1 already there)\n"
    assert loader.err == (
        "warning: line 1, column request_key: is already there and differs in priority, tags; "
        "the row in the table stays as it is\n"
    )
    assert loader.database.fetch_value("select priority from zenhire.candidate_invites") == 1


def test_a_long_file_is_loaded_in_batches_with_progress(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINES_EVERY", 0.0)
    rows = [{**GOOD, "candidate_ref": f"c{number}"} for number in range(BATCH_ROWS + 1)]

    assert loader.jsonl(*rows) == 0
    assert loader.err == f"{BATCH_ROWS:,} of {BATCH_ROWS + 1:,} rows\n{BATCH_ROWS + 1:,} of {BATCH_ROWS + 1:,} rows\n"
    assert loader.count() == BATCH_ROWS + 1


def test_a_bad_row_at_the_end_of_a_long_file_takes_the_first_batches_back(loader: Loader) -> None:
    rows = [{**GOOD, "candidate_ref": f"c{number}"} for number in range(BATCH_ROWS + 1)]

    assert loader.jsonl(*rows, {**GOOD, "max_links": 9}) == 1
    assert f"line {BATCH_ROWS + 2}, column max_links" in loader.err
    assert loader.count() == 0


def test_only_the_first_fifty_problems_are_shown(loader: Loader) -> None:
    rows = [{**GOOD, "candidate_ref": f"c{number}", "consent_mode": "x"} for number in range(60)]

    assert loader.jsonl(*rows) == 1
    lines = loader.err.splitlines()
    assert len(lines) == 52
    assert lines[50] == "… and 10 more"


def test_loading_wakes_the_service(loader: Loader) -> None:
    with psycopg.connect(loader.database.url, autocommit=True) as connection:
        connection.execute("listen zenhire_invites")
        loader.jsonl(GOOD)

        (notification,) = connection.notifies(timeout=5, stop_after=1)

    assert (notification.channel, notification.payload) == ("zenhire_invites", "")


def test_a_database_without_the_schema_is_told_with_the_next_step(
    empty_database_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "invites.jsonl"
    file.write_text(json.dumps(GOOD))

    assert main(["invite", str(file)], {"DATABASE_URL": empty_database_url}) == 1
    assert "run `zenhire-sync migrate`" in capsys.readouterr().err
