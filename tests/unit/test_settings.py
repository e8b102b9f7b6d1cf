"""Settings: every variable missing, malformed, out of range or mistyped stops the start with one message for all."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from service.core.model import Policy
from service.settings import NOT_YET, Settings, SettingsError, load
from service.settings_fields import floor_of, variable_names
from service.settings_table import BEGIN, END, main, settings_table, with_table

URL = "postgresql://sync:hunter2@db.example:5433/ats?sslmode=require"
KEY = "zh_api_0123456789"
GOOD = {"DATABASE_URL": URL, "ZENHIRE_API_KEY": KEY}
SETTINGS_PAGE = Path(__file__).parents[2] / "docs" / "settings.md"

NUMBERS = {
    "SYNC_REQUESTS_PER_MINUTE": (1, 100_000),
    "SYNC_CONCURRENCY": (1, 256),
    "SYNC_START_POSTS": (1, 100),
    "SYNC_NEW_PERSONAS_PER_DAY": (0, 1_000),
    "SYNC_DB_CONNECTIONS": (2, 100),
    "SYNC_RETAIN_CHECKS_DAYS": (1, 3_650),
    "SYNC_RETAIN_OUTCOMES_DAYS": (30, 36_500),
}
DURATIONS = {
    "SYNC_HTTP_TIMEOUT_SECONDS": (1, 300),
    "SYNC_START_INTERVAL_SECONDS": (1, 3_600),
    "SYNC_WATCH_INTERVAL_SECONDS": (10, 3_600),
    "SYNC_LEASE_SECONDS": (5, 3_600),
    "SYNC_SETTLE_SECONDS": (10, 86_400),
    "SYNC_EXPIRY_GRACE_SECONDS": (60, 604_800),
}
BOOLEANS = ("SYNC_TRANSCRIPTS", "SYNC_ALLOW_HTTP", "SYNC_UNSAFE_FAST")


def problems_of(environ: Mapping[str, str]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(environ)
    return {problem.variable: str(problem) for problem in caught.value.problems}


def only_problem(changes: Mapping[str, str]) -> str:
    found = problems_of({**GOOD, **changes})
    assert len(found) == 1, found
    return next(iter(found.values()))


def test_a_database_and_a_key_are_enough_and_the_rest_has_the_documented_defaults() -> None:
    settings = load(GOOD)

    assert settings.database_url.get_secret_value() == URL
    assert settings.base_url == "https://platform.zenhire.ai/api/v1/interview"
    assert settings.requests_per_minute == 400
    assert settings.concurrency == 16
    assert settings.http_timeout == timedelta(seconds=10)
    assert settings.lease == timedelta(seconds=30)
    assert settings.policy() == Policy()
    assert (settings.log_level, settings.log_format) == ("info", "json")
    assert not settings.allow_http
    assert not settings.unsafe_fast


def test_a_settings_value_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(GOOD).concurrency = 3


@pytest.mark.parametrize("variable", GOOD)
def test_a_missing_required_variable_is_named_with_what_is_allowed(variable: str) -> None:
    found = problems_of({name: value for name, value in GOOD.items() if name != variable})

    assert list(found) == [variable]
    assert "is not set; allowed is" in found[variable]


@pytest.mark.parametrize("variable", GOOD)
def test_an_empty_variable_counts_as_missing(variable: str) -> None:
    assert list(problems_of({**GOOD, variable: "  "})) == [variable]


def test_an_empty_optional_variable_counts_as_unset() -> None:
    empty = dict.fromkeys([*NUMBERS, *DURATIONS, *BOOLEANS, *NOT_YET, "ZENHIRE_BASE_URL", "ZENHIRE_API_KEYS_DIR"], "")

    assert load({**GOOD, **empty}) == load(GOOD)


@pytest.mark.parametrize("value", ["many", "1.5", "0x10", "-", "1e9"])
@pytest.mark.parametrize("variable", NUMBERS)
def test_a_count_that_is_no_whole_number_is_refused(variable: str, value: str) -> None:
    lower, upper = NUMBERS[variable]

    assert only_problem({variable: value}).endswith(f"allowed is a whole number from {lower} to {upper}")


@pytest.mark.parametrize("variable", NUMBERS)
def test_a_count_out_of_its_bounds_is_refused(variable: str) -> None:
    lower, upper = NUMBERS[variable]

    assert f"{variable}: '{lower - 1}' is too small" in only_problem({variable: str(lower - 1)})
    assert f"{variable}: '{upper + 1}' is too large" in only_problem({variable: str(upper + 1)})


@pytest.mark.parametrize("value", ["soon", "-1", "10s", "PT10S", "inf", "nan", "1e3"])
@pytest.mark.parametrize("variable", DURATIONS)
def test_a_duration_that_is_no_number_of_seconds_is_refused(variable: str, value: str) -> None:
    assert "is not a number of seconds; allowed is a number of seconds from" in only_problem({variable: value})


@pytest.mark.parametrize("variable", DURATIONS)
def test_a_duration_out_of_its_bounds_is_refused(variable: str) -> None:
    floor, most = DURATIONS[variable]

    assert (
        f"allowed is a number of seconds from {floor} to {most}"
        in problems_of(
            {**GOOD, variable: str(floor - 0.5)},
        )[variable]
    )
    assert f"{most + 1} is too large" in problems_of({**GOOD, variable: str(most + 1)})[variable]


@pytest.mark.parametrize("value", ["maybe", "2", "tru"])
@pytest.mark.parametrize("variable", BOOLEANS)
def test_a_switch_that_is_neither_on_nor_off_is_refused(variable: str, value: str) -> None:
    assert only_problem({variable: value}) == f"{variable}: '{value}' is not understood; allowed is true or false"


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("yes", True), ("TRUE", True)])
def test_a_switch_is_read_in_its_usual_spellings(value: str, expected: bool) -> None:
    assert load({**GOOD, "SYNC_ALLOW_HTTP": value}).allow_http is expected
    assert load(
        {**GOOD, "SYNC_TRANSCRIPTS": {"true": "false", "1": "0", "yes": "no"}.get(value, "FALSE")}
    ).transcripts is (not expected)


@pytest.mark.parametrize(
    ("variable", "allowed"),
    [("SYNC_LOG_LEVEL", "debug, info, warning or error"), ("SYNC_LOG_FORMAT", "json or console")],
)
def test_an_unknown_choice_is_refused_with_the_known_ones(variable: str, allowed: str) -> None:
    assert only_problem({variable: "loud"}) == f"{variable}: 'loud' is not understood; allowed is {allowed}"


def test_choices_are_read_in_any_case() -> None:
    assert load({**GOOD, "SYNC_LOG_LEVEL": "DEBUG"}).log_level == "debug"


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("SYNC_WATCH_INTERVALL_SECONDS", "SYNC_WATCH_INTERVAL_SECONDS"),
        ("SYNC_CONCURENCY", "SYNC_CONCURRENCY"),
        ("sync_concurrency", "SYNC_CONCURRENCY"),
        ("ZENHIRE_APIKEY", "ZENHIRE_API_KEY"),
        ("ZENHIRE_API_KEY_FIEL", "ZENHIRE_API_KEY_FILE"),
        ("SYNC_CONCURRENCY_FILE", "SYNC_CONCURRENCY"),
    ],
)
def test_a_mistyped_variable_is_refused_with_the_one_that_was_meant(mistyped: str, meant: str) -> None:
    assert only_problem({mistyped: "5"}) == f"{mistyped}: is not a setting; did you mean {meant}?"


def test_an_unknown_variable_with_nothing_alike_is_refused_all_the_same() -> None:
    assert "SYNC_QZX: is not a setting; unset it" in only_problem({"SYNC_QZX": "5"})


def test_variables_that_kubernetes_adds_for_a_service_of_this_name_are_let_pass() -> None:
    links = {
        "ZENHIRE_SYNC_SERVICE_HOST": "10.0.0.7",
        "ZENHIRE_SYNC_SERVICE_PORT": "8080",
        "ZENHIRE_SYNC_SERVICE_PORT_HTTP": "8080",
        "ZENHIRE_SYNC_PORT": "tcp://10.0.0.7:8080",
        "ZENHIRE_SYNC_PORT_8080_TCP": "tcp://10.0.0.7:8080",
        "ZENHIRE_SYNC_PORT_8080_TCP_ADDR": "10.0.0.7",
    }

    assert load({**GOOD, **links}) == load(GOOD)


def test_variables_of_other_programs_are_none_of_our_business() -> None:
    assert load({**GOOD, "PATH": "/bin", "PGPASSWORD": "x", "RSYNC_X": "y"}) == load(GOOD)


@pytest.mark.parametrize("variable", NOT_YET)
def test_a_setting_that_this_version_lacks_is_refused_rather_than_ignored(variable: str) -> None:
    assert only_problem({variable: "30"}) == f"{variable}: is not available in this version; unset it"


def test_all_problems_are_told_at_once() -> None:
    found = problems_of(
        {
            "DATABASE_URL": "mysql://db/ats",
            "SYNC_CONCURRENCY": "0",
            "SYNC_WATCH_INTERVALL_SECONDS": "10",
            "SYNC_WATCH_INTERVAL_SECONDS": "1",
            "SYNC_HTTP_PORT": "80",
            "SYNC_TRANSCRIPTS": "perhaps",
            "ZENHIRE_BASE_URL": "http://zenhire.example",
        },
    )

    assert set(found) == {
        "DATABASE_URL",
        "ZENHIRE_API_KEY",
        "SYNC_CONCURRENCY",
        "SYNC_WATCH_INTERVALL_SECONDS",
        "SYNC_WATCH_INTERVAL_SECONDS",
        "SYNC_HTTP_PORT",
        "SYNC_TRANSCRIPTS",
        "ZENHIRE_BASE_URL",
    }


def test_the_message_counts_the_problems_and_gives_each_a_line() -> None:
    with pytest.raises(SettingsError) as caught:
        load({})

    lines = str(caught.value).splitlines()
    assert lines[0] == "2 settings are wrong:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["DATABASE_URL", "ZENHIRE_API_KEY"]


@pytest.mark.parametrize(
    "environ",
    [
        {"DATABASE_URL": "mysql://sync:hunter2@db/ats", "ZENHIRE_API_KEY": "zh_api_0123456789 x"},
        {"DATABASE_URL": "postgresql://sync:hun@ter2@db/ats", "ZENHIRE_API_KEY": "zh_api_0123456789\tx"},
        {"DATABASE_URL": "postgresql://sync:hunter2@db:port/ats", "ZENHIRE_API_KEY": "zh_api_0123456789é"},
        {"DATABASE_URL": URL, "SYNC_CONCURRENCY": KEY, "SYNC_API_KEY": KEY, "ZENHIRE_BASE_URL": f"https://a:{KEY}@b"},
    ],
)
def test_no_message_shows_a_secret(environ: dict[str, str]) -> None:
    message = "\n".join(problems_of(environ).values())

    assert "hunter2" not in message
    assert "ter2" not in message
    assert "0123456789" not in message


def test_a_settings_value_shows_no_secret_when_printed() -> None:
    assert "hunter2" not in repr(load(GOOD))
    assert KEY not in str(load(GOOD))


class TestDatabaseUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://db/ats",
            "postgresql://u:p%40ss@[::1]:5432/ats",
            "postgresql://u@h1:5432,h2:5433/ats?target_session_attrs=read-write",
            "postgresql:///ats?host=/var/run/postgresql&user=sync",
            "postgresql://%2Fvar%2Frun%2Fpostgresql/ats",
        ],
    )
    def test_the_forms_of_libpq_are_taken_as_they_are(self, url: str) -> None:
        assert load({**GOOD, "DATABASE_URL": url}).database_url.get_secret_value() == url

    def test_the_short_scheme_is_taken_and_written_out(self) -> None:
        settings = load({**GOOD, "DATABASE_URL": "postgres://u@db/ats"})

        assert settings.database_url.get_secret_value() == "postgresql://u@db/ats"

    @pytest.mark.parametrize("url", ["mysql://db/ats", "postgresql+psycopg://db/ats", "db/ats", "postgresql:/db", "x"])
    def test_another_scheme_is_refused(self, url: str) -> None:
        assert "does not start with postgresql:// or postgres://" in only_problem({"DATABASE_URL": url})

    @pytest.mark.parametrize("password", ["a@b", "a/b", "a?b", "a%b", "a%zz"])
    def test_a_password_that_needs_escaping_is_refused_with_the_way_to_write_it(self, password: str) -> None:
        assert "write @ as %40" in only_problem({"DATABASE_URL": f"postgresql://u:{password}@db/ats"})

    @pytest.mark.parametrize("url", ["postgresql://db:0/a", "postgresql://db:99999/a", "postgresql://db:x/a"])
    def test_a_wrong_port_is_refused(self, url: str) -> None:
        assert "has a wrong port or host" in only_problem({"DATABASE_URL": url})


class TestFiles:
    @pytest.mark.parametrize(("variable", "value"), GOOD.items())
    def test_a_secret_may_stand_in_a_file_with_a_newline_at_its_end(
        self,
        tmp_path: Path,
        variable: str,
        value: str,
    ) -> None:
        file = tmp_path / "secret"
        file.write_text(f"{value}\n")

        assert load({**without(variable), f"{variable}_FILE": str(file)}) == load(GOOD)

    @pytest.mark.parametrize("variable", GOOD)
    def test_a_variable_and_its_file_together_are_refused(self, tmp_path: Path, variable: str) -> None:
        found = only_problem({f"{variable}_FILE": str(tmp_path / "any")})

        assert found == f"{variable}: is set, and {variable}_FILE too; allowed is one of the two"

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (None, "cannot read"),
            (b"\n", "is empty"),
            (b"\xff\xfe\x00", "is not UTF-8"),
            (b"x" * 70_000, "is too large"),
        ],
    )
    @pytest.mark.parametrize("variable", GOOD)
    def test_a_file_without_a_secret_is_refused_by_name(
        self,
        tmp_path: Path,
        variable: str,
        content: bytes | None,
        reason: str,
    ) -> None:
        file = tmp_path / "secret"
        if content is not None:
            file.write_bytes(content)

        found = problems_of({**without(variable), f"{variable}_FILE": str(file)})

        assert list(found) == [f"{variable}_FILE"]
        assert reason in found[f"{variable}_FILE"]
        assert str(file) in found[f"{variable}_FILE"]


def without(variable: str) -> dict[str, str]:
    return {name: value for name, value in GOOD.items() if name != variable}


class TestKeysDirectory:
    def load(self, directory: Path) -> Settings:
        return load({"DATABASE_URL": URL, "ZENHIRE_API_KEYS_DIR": str(directory)})

    def problem(self, directory: Path) -> str:
        found = problems_of({"DATABASE_URL": URL, "ZENHIRE_API_KEYS_DIR": str(directory)})
        assert list(found) == ["ZENHIRE_API_KEYS_DIR"]
        return found["ZENHIRE_API_KEYS_DIR"]

    def test_a_directory_with_keys_stands_in_for_the_key(self, tmp_path: Path) -> None:
        (tmp_path / "acme").write_text(KEY)

        assert self.load(tmp_path).api_keys_dir == tmp_path

    def test_a_directory_beside_a_key_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "acme").write_text(KEY)

        assert "is set, and ZENHIRE_API_KEY too" in only_problem({"ZENHIRE_API_KEYS_DIR": str(tmp_path)})

    def test_a_directory_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        assert "is not a directory" in self.problem(tmp_path / "gone")

    def test_a_directory_without_keys_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "..data").mkdir()

        assert "holds no key" in self.problem(tmp_path)

    @pytest.mark.parametrize("name", ["Acme", "1acme", "acme.key", "a" * 64, "ac me"])
    def test_a_file_that_is_not_named_like_an_account_is_refused(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text(KEY)

        assert f"file '{name}': is no account name" in self.problem(tmp_path)

    @pytest.mark.parametrize(("content", "reason"), [("", "is empty"), ("two words", "is not a key")])
    def test_a_file_without_a_key_is_refused_by_name(self, tmp_path: Path, content: str, reason: str) -> None:
        (tmp_path / "acme").write_text(content)

        found = self.problem(tmp_path)
        assert "file 'acme'" in found
        assert reason in found


class TestBaseUrl:
    def test_a_slash_at_the_end_is_dropped(self) -> None:
        assert load({**GOOD, "ZENHIRE_BASE_URL": "https://api.example/v1/"}).base_url == "https://api.example/v1"

    @pytest.mark.parametrize(
        "url",
        ["ftp://api", "api.example", "https://", "https://a b/", "https://a:b:c/", "https://api:99999/"],
    )
    def test_what_is_no_web_address_is_refused(self, url: str) -> None:
        assert "ZENHIRE_BASE_URL: " in only_problem({"ZENHIRE_BASE_URL": url})

    @pytest.mark.parametrize("url", ["https://u:p@api/v1", "https://api/v1?x=1", "https://api/v1#x"])
    def test_a_login_a_query_or_a_fragment_is_refused(self, url: str) -> None:
        assert "holds a login, a query or a fragment" in only_problem({"ZENHIRE_BASE_URL": url})

    @pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "127.8.8.8", "[::1]:8000"])
    def test_plain_http_is_allowed_on_loopback(self, host: str) -> None:
        assert load({**GOOD, "ZENHIRE_BASE_URL": f"http://{host}/v1"}).base_url == f"http://{host}/v1"

    def test_plain_http_elsewhere_is_refused_unless_it_is_asked_for(self) -> None:
        url = {"ZENHIRE_BASE_URL": "http://sandbox:8000/v1"}

        assert "set SYNC_ALLOW_HTTP=true" in only_problem(url)
        assert load({**GOOD, **url, "SYNC_ALLOW_HTTP": "true"}).base_url == "http://sandbox:8000/v1"


class TestRulesBetweenSettings:
    @pytest.mark.parametrize(("timeout", "lease"), [("15", "30"), ("10", "20"), ("40", "60")])
    def test_a_timeout_of_half_the_lease_or_more_is_refused(self, timeout: str, lease: str) -> None:
        found = only_problem({"SYNC_HTTP_TIMEOUT_SECONDS": timeout, "SYNC_LEASE_SECONDS": lease})

        assert "SYNC_HTTP_TIMEOUT_SECONDS" in found
        assert "less than half of SYNC_LEASE_SECONDS" in found

    def test_a_rule_that_rests_on_a_rejected_value_says_nothing(self) -> None:
        found = problems_of({**GOOD, "SYNC_HTTP_TIMEOUT_SECONDS": "20", "SYNC_LEASE_SECONDS": "long"})

        assert list(found) == ["SYNC_LEASE_SECONDS"]

    def test_the_sandbox_may_run_below_the_least_values(self) -> None:
        fast = {variable: "0.05" for variable in DURATIONS if variable != "SYNC_HTTP_TIMEOUT_SECONDS"}
        sandbox = {"ZENHIRE_BASE_URL": "http://127.0.0.1:8000/v1", "SYNC_HTTP_TIMEOUT_SECONDS": "0.02"}

        settings = load({**GOOD, **fast, **sandbox, "SYNC_UNSAFE_FAST": "true"})

        assert settings.watch_interval == timedelta(milliseconds=50)

    @pytest.mark.parametrize("url", ["https://platform.zenhire.ai/api/v1/interview", "https://EU.ZenHire.ai/api"])
    def test_the_vendors_real_host_is_never_asked_that_fast(self, url: str) -> None:
        found = only_problem({"SYNC_UNSAFE_FAST": "true", "ZENHIRE_BASE_URL": url})

        assert "SYNC_UNSAFE_FAST: is not for the vendor's real host" in found


class TestRedacted:
    def test_it_holds_every_variable_and_no_secret(self) -> None:
        shown = load(GOOD).redacted()

        assert shown.keys() == {*variable_names().values(), "hash"}
        assert shown["DATABASE_URL"] == "postgresql://sync@db.example:5433/ats?sslmode=require"
        assert shown["ZENHIRE_API_KEY"] == "set"
        assert shown["SYNC_LEASE_SECONDS"] == 30

    def test_a_password_among_the_options_of_the_url_is_left_out(self) -> None:
        url = "postgresql:///ats?host=db&password=hunter2&sslpassword=hunter3"

        assert load({**GOOD, "DATABASE_URL": url}).redacted()["DATABASE_URL"] == "postgresql:///ats?host=db"

    def test_its_hash_changes_with_a_setting_and_not_with_a_secret(self) -> None:
        base = load(GOOD).redacted()["hash"]

        assert load({**GOOD, "ZENHIRE_API_KEY": "zh_api_other"}).redacted()["hash"] == base
        assert load({**GOOD, "SYNC_CONCURRENCY": "3"}).redacted()["hash"] != base


class TestTable:
    def test_it_has_a_row_for_every_variable_with_its_bounds(self) -> None:
        table = settings_table()

        for variable in variable_names().values():
            assert f"| `{variable}` |" in table
        assert "`SYNC_WATCH_INTERVAL_SECONDS` | `10` |" in table
        assert "a number of seconds from 10 to 3600" in table

    def test_the_one_in_the_readme_is_up_to_date(self) -> None:
        text = SETTINGS_PAGE.read_text(encoding="utf-8")

        assert with_table(text) == text, "run: make docs"

    def test_it_is_written_between_the_markers_of_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "README.md"
        file.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")

        assert main([str(file)]) == 0
        assert file.read_text() == f"before\n{BEGIN}\n{settings_table()}\n{END}\nafter\n"

    def test_a_file_without_markers_is_left_alone(self, tmp_path: Path) -> None:
        file = tmp_path / "README.md"
        file.write_text("nothing here\n")

        assert main([str(file)]) == 1
        assert file.read_text() == "nothing here\n"


def test_every_duration_has_a_least_value() -> None:
    floors = {str(f.validation_alias): floor_of(f) for f in Settings.model_fields.values() if f.annotation is timedelta}

    assert floors == {variable: floor for variable, (floor, _) in DURATIONS.items()}
