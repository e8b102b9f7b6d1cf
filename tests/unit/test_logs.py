"""Logs: one line per event, own and foreign alike, and no secret in any of them."""

import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog
from pydantic import SecretStr

from service.logs import FORBIDDEN_FIELDS, configure
from service.masking import mask

LINK = "https://interview.zenhire.ai/#t=eyJhbGciOi.J9-_x"
KEY = "zh_speech_live_0123456789"
URL = "postgresql://sync:hunter2@db/ats"


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.configure(**before)


def lose(message: str) -> None:
    raise RuntimeError(message)


class Capture:
    """What was written to standard output since the last look."""

    def __init__(self, capsys: pytest.CaptureFixture[str], level: str = "info", log_format: str = "json") -> None:
        self._capsys = capsys
        configure(level, log_format)
        self.log = structlog.get_logger("service.test")

    def text(self) -> str:
        return self._capsys.readouterr().out

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]

    def line(self) -> dict[str, Any]:
        (line,) = self.lines()
        return line


def test_an_event_is_one_json_object_with_level_logger_and_utc_time(capsys: pytest.CaptureFixture[str]) -> None:
    captured = Capture(capsys)
    captured.log.info("session_posted", invite_id=UUID(int=7), link_number=1)

    line = captured.line()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "session_posted",
        "level": "info",
        "logger": "service.test",
        "invite_id": str(UUID(int=7)),
        "link_number": 1,
    }


def test_values_are_written_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    captured = Capture(capsys)
    captured.log.info(
        "e", at=datetime(2026, 1, 2, tzinfo=UTC), wait=timedelta(seconds=1.5), none=None, on=True, t=(1, 2)
    )

    line = captured.line()
    assert (line["at"], line["wait"], line["none"], line["on"]) == ("2026-01-02T00:00:00+00:00", 1.5, None, True)
    assert line["t"] == [1, 2]


def test_events_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    captured = Capture(capsys)
    captured.log.debug("too_quiet")

    assert captured.text() == ""


def test_debug_is_for_our_own_events_only(capsys: pytest.CaptureFixture[str]) -> None:
    captured = Capture(capsys, level="debug")
    captured.log.debug("ours")
    for name in ("httpx", "apscheduler.scheduler", "sqlalchemy.engine", "psycopg.pool"):
        logging.getLogger(name).info("theirs")

    assert captured.line()["event"] == "ours"


def test_what_libraries_warn_of_takes_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    captured = Capture(capsys)
    logging.getLogger("apscheduler").warning("run of %s missed", "start")

    line = captured.line()
    assert (line["event"], line["level"], line["logger"]) == ("run of start missed", "warning", "apscheduler")


def test_python_warnings_take_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    captured = Capture(capsys)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"old {KEY}", stacklevel=1)

    line = captured.line()
    assert line["logger"] == "py.warnings"
    assert KEY not in line["event"]


def test_bound_context_stands_in_every_event(capsys: pytest.CaptureFixture[str]) -> None:
    captured = Capture(capsys)
    with structlog.contextvars.bound_contextvars(replica="r1", api_key=KEY):
        captured.log.info("e")

    line = captured.line()
    assert (line["replica"], line["api_key"]) == ("r1", "[hidden]")


@pytest.mark.parametrize(
    "name", [*sorted(FORBIDDEN_FIELDS), "X-API-Key", "Authorization", "new_candidate_link", "db_password"]
)
def test_a_forbidden_field_is_hidden_at_any_depth(capsys: pytest.CaptureFixture[str], name: str) -> None:
    captured = Capture(capsys)
    captured.log.info("e", **{name: "plain value"}, inner={"list": [{name: {"deep": "plain value"}}]})

    text = captured.text()
    assert "plain value" not in text
    assert "[hidden]" in text


@pytest.mark.parametrize(
    "text",
    [
        f"the key {KEY} was refused",
        f"see {LINK}, please",
        f"see {LINK.replace('#t=', '%23t%3D')}",
        f"cannot connect to {URL}",
        "postgres://sync:hun@t/er2@db/ats and more",
        "host=db password=hunter2 dbname=ats",
        "host=db password='hunter2 x' dbname=ats",
        "postgresql://db/ats?user=a&password=hunter2&x=1",
        "headers: {'X-API-Key': 'hunter2'}",
        "X-API-Key: hunter2",
        "(b'x-api-key', b'hunter2')",
        'DETAIL:  Failing row contains (1, hunter2, "a)\nb", hunter2).',
        "CONTEXT:  JSON data, line 1: {hunter2",
        "[SQL: insert]\n[parameters: {'metadata': 'hunter2 ]'}]\n(Background on this error at: x)",
    ],
)
def test_what_looks_like_a_secret_is_hidden_in_any_text(text: str) -> None:
    masked = mask(text)

    assert "[hidden]" in masked
    for secret in (KEY, "eyJhbGciOi", "hunter2", "er2@"):
        assert secret not in masked


def test_text_without_secrets_stays_as_it_is() -> None:
    text = "invite 7 of account zenhire_main: session zzh_1 at https://platform.zenhire.ai:443/api/v1?a=b#top"

    assert mask(text) == text


def test_secrets_are_hidden_in_messages_of_libraries_and_in_keys_and_objects(
    capsys: pytest.CaptureFixture[str],
) -> None:
    captured = Capture(capsys)
    logging.getLogger("httpx").warning("GET %s", LINK)
    captured.log.info("e", error=ValueError(URL), key_of={KEY: 1}, secret_value=SecretStr("x"), items=[LINK])

    text = captured.text()
    for secret in (KEY, "eyJhbGciOi", "hunter2"):
        assert secret not in text


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_is_one_field_without_secrets_or_local_variables(
    capsys: pytest.CaptureFixture[str],
    log_format: str,
) -> None:
    captured = Capture(capsys, log_format=log_format)
    local_only = "transcript of a candidate"
    try:
        lose(f"lost {URL} with {KEY}, {len(local_only)}")
    except RuntimeError:
        captured.log.exception("step_failed", step="start")

    text = captured.text()
    assert "RuntimeError: lost postgresql://sync:[hidden]@db/ats with [hidden]" in text
    assert "step_failed" in text
    for secret in (KEY, "hunter2", local_only):
        assert secret not in text


def test_an_exception_of_a_library_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    captured = Capture(capsys)
    try:
        lose(URL)
    except RuntimeError:
        logging.getLogger("psycopg").exception("lost")

    assert "RuntimeError: postgresql://sync:[hidden]@db/ats" in captured.line()["exception"]


def test_the_console_format_is_text_without_colour_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    captured = Capture(capsys, log_format="console")
    captured.log.info("service_started", replicas=2)

    text = captured.text()
    assert "service_started" in text
    assert "replicas=2" in text
    assert "\x1b" not in text


def test_awkward_text_does_not_break_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    captured = Capture(capsys)
    captured.log.info("e", text="a\nb\u2028c\ud800 😀", deep={"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}})

    assert captured.line()["text"] == "a\nb\u2028c\ud800 😀"


def test_a_line_that_cannot_be_written_shows_nothing_of_its_event(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = io.StringIO()
    monkeypatch.setattr(sys, "stdout", closed)
    captured = Capture(capsys)
    closed.close()

    captured.log.info("e", candidate_link=LINK)

    assert "could not be written" in (err := capsys.readouterr().err)
    assert "eyJhbGciOi" not in err
