"""Files of invites: what is read from CSV and JSON Lines, and how each bad row is named."""

import json
from io import BytesIO
from typing import Any

import pytest

from service.operate.invite_file import FileFormat, InviteFileError, format_of
from service.operate.invite_rows import COLUMNS, CheckedFile, check_file

HEADER = "candidate_ref,role_name,language,consent_mode"
GOOD = {"candidate_ref": "c1", "role_name": "Nurse", "language": "en", "consent_mode": "explicit"}


def csv_file(*lines: str) -> CheckedFile:
    return check_file(BytesIO("\n".join(lines).encode()), FileFormat.CSV)


def jsonl_file(*rows: Any) -> CheckedFile:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return check_file(BytesIO("\n".join(lines).encode()), FileFormat.JSONL)


def only_row(checked: CheckedFile) -> dict[str, Any]:
    assert checked.problems == []
    (row,) = checked.rows
    return row.values


def only_problem(checked: CheckedFile) -> str:
    (problem,) = checked.problems
    return str(problem)


def refused(content: bytes, file_format: FileFormat = FileFormat.CSV) -> str:
    with pytest.raises(InviteFileError) as caught:
        check_file(BytesIO(content), file_format)
    return str(caught.value)


class TestFormats:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("a.csv", FileFormat.CSV),
            ("A.CSV", FileFormat.CSV),
            ("a.jsonl", FileFormat.JSONL),
            ("a.ndjson", FileFormat.JSONL),
        ],
    )
    def test_a_known_ending_tells_the_format(self, name: str, expected: FileFormat) -> None:
        assert format_of(name) is expected

    @pytest.mark.parametrize("name", ["-", "a.json", "a.txt", "csv"])
    def test_another_ending_does_not(self, name: str) -> None:
        assert format_of(name) is None

    def test_both_formats_give_the_same_rows(self) -> None:
        header = f"{HEADER},request_key,metadata,tags,priority,start_after"
        line = 'c1,Nurse,en,explicit,k1,"{""a"": 1, ""b"": true}",x;y ,5,2026-01-31T09:00:00+01:00'
        same = {
            **GOOD,
            "request_key": "k1",
            "metadata": {"a": 1, "b": True},
            "tags": ["x", "y"],
            "priority": 5,
            "start_after": "2026-01-31T09:00:00+01:00",
        }

        assert only_row(csv_file(header, line)) == only_row(jsonl_file(same)) == {**same, "account": "default"}


class TestCsv:
    def test_columns_may_stand_in_any_order_and_empty_cells_are_left_to_the_defaults(self) -> None:
        row = only_row(csv_file("consent_mode,persona_id, candidate_ref ,tags,priority", "integrator,p1,c1,,"))

        assert {name: row[name] for name in row if name != "request_key"} == {
            "account": "default",
            "candidate_ref": "c1",
            "persona_id": "p1",
            "consent_mode": "integrator",
        }

    def test_metadata_may_have_a_column_per_key(self) -> None:
        row = only_row(
            csv_file(f"{HEADER},metadata,metadata.source,metadata.none", 'c,r,en,explicit,"{""a"": 1}",web,')
        )

        assert row["metadata"] == {"a": 1, "source": "web"}

    def test_a_metadata_key_that_is_given_twice_is_refused(self) -> None:
        problem = only_problem(csv_file(f"{HEADER},metadata,metadata.a", 'c,r,en,explicit,"{""a"": 1}",2'))

        assert problem == "line 2, column metadata.a: is in the column metadata, too"

    def test_a_byte_order_mark_and_windows_line_ends_are_accepted(self) -> None:
        content = f"\ufeff{HEADER}\r\nc1,Nurse,en,explicit\r\n".encode()

        assert only_row(check_file(BytesIO(content), FileFormat.CSV))["candidate_ref"] == "c1"

    def test_empty_lines_are_passed_over_and_a_quoted_cell_may_span_lines(self) -> None:
        checked = csv_file(HEADER, "", 'c1,"Night', 'nurse",en,explicit', "", "c2,Nurse,en,maybe")

        assert checked.rows[0].values["role_name"] == "Night\nnurse"
        assert only_problem(checked) == "line 6, column consent_mode: must be explicit or integrator"

    def test_quotes_commas_and_any_script_are_kept_as_they_are(self) -> None:
        row = only_row(csv_file(HEADER, '"Robert\'); DROP TABLE","候选人, 夜班 😀",de,explicit'))

        assert (row["candidate_ref"], row["role_name"]) == ("Robert'); DROP TABLE", "候选人, 夜班 😀")

    @pytest.mark.parametrize("line", ["c1,Nurse,en", "c1,Nurse,en,explicit,more"])
    def test_a_ragged_row_is_named(self, line: str) -> None:
        count = line.count(",") + 1

        assert only_problem(csv_file(HEADER, line)).startswith(f"line 2: has {count} cells where the header has 4")

    @pytest.mark.parametrize(
        ("column", "cell", "reason"),
        [
            ("priority", "high", "is not a whole number"),
            ("priority", "40000", "must be a whole number from -32768 to 32767"),
            ("max_links", "1.5", "is not a whole number"),
            ("metadata", "plain", "is not a JSON object"),
            ("metadata", "[1]", 'must be a JSON object like {"source": "careers page"}'),
            ("metadata", '"{""a"": {}}"', "its value of 'a' must be text, a number, true or false"),
            ("metadata", '"{""a"": 1e999}"', "its value of 'a' must be text, a number, true or false"),
            ("metadata", '"{""a"": NaN}"', "is not a JSON object"),
            ("start_after", "tomorrow", "is not a time like 2026-01-31T09:00:00+01:00"),
            ("stop_after", "2026-01-31 09:00", "has no time zone; write it like 2026-01-31T09:00:00+01:00"),
            ("account", "a\x00b", "holds a NUL character"),
        ],
    )
    def test_a_bad_cell_is_named_by_line_column_and_reason(self, column: str, cell: str, reason: str) -> None:
        assert only_problem(csv_file(f"{HEADER},{column}", f"c1,Nurse,en,explicit,{cell}")) == (
            f"line 2, column {column}: {reason}"
        )

    @pytest.mark.parametrize("missing", ["candidate_ref", "consent_mode"])
    def test_a_missing_value_is_named(self, missing: str) -> None:
        line = ",".join({**GOOD, missing: ""}.values())

        assert only_problem(csv_file(HEADER, line)) == f"line 2, column {missing}: is missing"

    def test_a_row_without_any_persona_is_named(self) -> None:
        assert only_problem(csv_file(HEADER, "c1,,,explicit")) == (
            "line 2, column persona_id: is missing; give persona_id, or role_name and language"
        )

    def test_all_bad_rows_are_named_and_good_ones_kept(self) -> None:
        checked = csv_file(HEADER, "c1,Nurse,en,x", "c2,Nurse,en,explicit", ",Nurse,en,y")

        assert [(problem.line, problem.column) for problem in checked.problems] == [
            (2, "consent_mode"),
            (4, "consent_mode"),
            (4, "candidate_ref"),
        ]
        assert [row.line for row in checked.rows] == [3]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "the file is empty"),
            (b"\n\n", "the file is empty"),
            (HEADER.encode(), "the file holds no invites"),
            (b"c1,Nurse,en,explicit\n", "line 1 must be the header"),
            (b"candidate_ref,candidate_ref\na,b", "line 1: the header names 'candidate_ref' more than once"),
            (b"candidate_ref;consent_mode\na;b", "line 1: the cells must be separated by commas"),
            (b"candidate_ref,consent_mod\na,b", "line 1: 'consent_mod' is not a column; did you mean consent_mode?"),
            (b"candidate_ref,shoe_size\na,b", "line 1: 'shoe_size' is not a column; these are: account"),
            (b"candidate_ref,id\na,b", "line 1: 'id' is not loaded from a file: leave it out"),
            (b"candidate_ref,status\na,b", "line 1: 'status' is not a column"),
            (
                HEADER.encode() + b"\nc1,M\xfcller,de,explicit",
                "line 2 is not UTF-8 (byte 0xfc): save the file as UTF-8",
            ),
            (HEADER.encode("utf-16"), "the file is UTF-16: save it as UTF-8"),
            (
                HEADER.encode() + b'\nc1,"Nurse,en,explicit\nc2,Nurse,en,explicit',
                "is a quote opened here and never closed?",
            ),
            (HEADER.encode() + b"\n" + b"x" * 5_000_000, "line 2 is longer than 1,000,000 bytes"),
            (HEADER.encode() + b"\n" + b"x" * 500_000, "line 2: field larger than field limit"),
        ],
    )
    def test_a_file_that_cannot_be_trusted_is_refused_as_a_whole(self, content: bytes, message: str) -> None:
        assert message in refused(content)


class TestJsonLines:
    def test_null_means_absent_and_empty_lines_are_passed_over(self) -> None:
        row = only_row(jsonl_file("", {**GOOD, "request_key": "k", "tags": None}, "  "))

        assert row == {**GOOD, "request_key": "k", "account": "default"}

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("{", "line 1: is not JSON: "),
            ("[1]", "line 1: is not a JSON object"),
            ('{"candidate_ref": "a", "candidate_ref": "b"}', "'candidate_ref' stands there twice"),
            ('{"priority": NaN}', "NaN is no number in JSON"),
            ("[" * 100_000, "line 1: is not JSON that can be loaded"),
        ],
    )
    def test_a_line_that_is_no_object_is_named(self, line: str, reason: str) -> None:
        assert reason in only_problem(jsonl_file(line))

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            ("candidate_ref", 17, "must be text: put it in quotes"),
            ("persona_id", True, "must be text: put it in quotes"),
            ("consent_mode", ["explicit"], "must be explicit or integrator"),
            ("metadata", "x", "must be a JSON object"),
            ("metadata", {"a": None}, "its value of 'a' must be text, a number, true or false"),
            ("tags", "x;y", "must be a list of texts"),
            ("tags", ["x", 1], "must be a list of texts"),
            ("priority", True, "must be a whole number"),
            ("priority", "5", "must be a whole number"),
            ("max_links", 1.0, "must be a whole number"),
            ("start_after", 1767225600, "must be text"),
            ("role_name", "a\x00b", "holds a NUL character"),
            ("metadata", {"a\x00": "b"}, "holds a NUL character"),
            ("tags", ["a\x00"], "holds a NUL character"),
            ("role_name", "a\ud800", "holds half of a character"),
            ("metadata", {"a": "\udfff"}, "holds half of a character"),
        ],
    )
    def test_a_bad_value_is_named_by_line_column_and_reason(self, column: str, value: Any, reason: str) -> None:
        found = only_problem(jsonl_file({**GOOD, column: value}))

        assert found.startswith(f"line 1, column {column}: {reason}")

    def test_text_that_only_looks_like_an_escaped_nul_is_kept(self) -> None:
        row = only_row(jsonl_file({**GOOD, "metadata": {"path": "c:\\u0000"}}))

        assert row["metadata"] == {"path": "c:\\u0000"}

    def test_an_unknown_name_is_told_with_its_line_and_hides_no_other_bad_row(self) -> None:
        content = "\n".join([json.dumps(GOOD), json.dumps({**GOOD, "candidat_ref": "x"}), "[1]"])

        told = [
            (problem.line, problem.reason)
            for problem in check_file(BytesIO(content.encode()), FileFormat.JSONL).problems
        ]
        assert told == [
            (2, "'candidat_ref' is not a column; did you mean candidate_ref?"),
            (3, 'is not a JSON object like {"candidate_ref": …}'),
        ]

    def test_an_empty_file_is_refused(self) -> None:
        assert refused(b" \n", FileFormat.JSONL) == "the file holds no invites"


class TestRequestKeys:
    def test_a_row_without_one_gets_the_same_one_in_every_run_and_format(self) -> None:
        from_csv = only_row(csv_file(HEADER, "c1,Nurse,en,explicit"))
        from_json = only_row(jsonl_file(dict(reversed(GOOD.items()))))

        assert from_csv["request_key"] == from_json["request_key"]
        assert len(from_csv["request_key"]) == len("file-") + 32

    @pytest.mark.parametrize("change", [{"candidate_ref": "c2"}, {"account": "acme"}, {"tags": ["x"]}])
    def test_another_content_gets_another_one(self, change: dict[str, Any]) -> None:
        assert only_row(jsonl_file(GOOD))["request_key"] != only_row(jsonl_file({**GOOD, **change}))["request_key"]

    def test_two_equal_rows_without_keys_are_refused_with_the_way_out(self) -> None:
        assert only_problem(jsonl_file(GOOD, {**GOOD, "candidate_ref": "c2"}, GOOD)) == (
            "line 3: is the same as line 1; if both are meant, give each a request_key"
        )

    def test_a_key_that_is_given_twice_is_refused(self) -> None:
        rows = [{**GOOD, "request_key": "k"}, {**GOOD, "candidate_ref": "c2", "request_key": "k"}]

        assert only_problem(jsonl_file(*rows)) == "line 2, column request_key: is the same as in line 1"

    def test_the_same_key_in_two_accounts_is_two_requests(self) -> None:
        rows = [{**GOOD, "request_key": "k"}, {**GOOD, "account": "acme", "request_key": "k"}]

        assert len(jsonl_file(*rows).rows) == 2


def test_every_loaded_column_can_be_given() -> None:
    row = {
        "account": "acme",
        "request_key": "k",
        "candidate_ref": "c",
        "persona_id": "p",
        "role_name": "r",
        "language": "en",
        "consent_mode": "explicit",
        "metadata": {"a": 1},
        "tags": ["t"],
        "start_after": "2026-01-31T09:00:00+00:00",
        "stop_after": "2026-02-28T09:00:00+00:00",
        "priority": 1,
        "max_links": 2,
    }

    assert row.keys() == COLUMNS.keys()
    assert only_row(jsonl_file(row)) == row
