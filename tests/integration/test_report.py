"""`zenhire-sync report` against a database with four weeks of interviews."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from service.cli.root import main
from service.operate.report.facts import Report, read_report
from service.operate.report.page import page
from service.operate.snapshot import snapshot
from service.postgres.migrate import make_roles
from tests.support.database import Database
from tests.support.history import write_history
from tests.support.invites import insert_invite

MONTH = timedelta(days=28)


class Shown(HTMLParser):
    """The page's words, and that its elements are closed in order."""

    VOID = frozenset({"meta", "line", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def facts(database: Database, period: timedelta = MONTH) -> Report:
    with snapshot(database.url, command="report") as seen:
        return read_report(seen, period)


@pytest.fixture
def history(database: Database) -> Database:
    write_history(database, invites=600)
    return database


def test_the_funnel_is_what_the_table_holds(history: Database) -> None:
    funnel = facts(history).all_invites
    counted = history.fetch(
        "select status, count(*) as count from zenhire.candidate_invites where created_at > zenhire.clock() - "
        "interval '28 days' group by status"
    )
    by_status = {row["status"]: row["count"] for row in counted}
    for name in ("completed", "failed", "expired", "needs_review"):
        assert getattr(funnel, name) == by_status[name] > 0
    assert funnel.called_off == by_status["refused"] > 0
    assert funnel.open == by_status["link_ready"] + by_status["pending"]
    assert funnel.invites == sum(by_status.values())
    assert funnel.invites > funnel.links > funnel.begun > funnel.completed > 0


def test_it_is_told_by_account_and_persona_and_adds_up(history: Database) -> None:
    report = facts(history)
    assert {one.account for one in report.personas} == {"default", "berlin", "a_customer_with_a_long_name"}
    assert {one.account for one in report.accounts} == {"default", "berlin", "a_customer_with_a_long_name"}
    assert "Night nurse (en)" in {one.persona for one in report.personas}
    assert sum(one.funnel.completed for one in report.personas) == report.all_invites.completed
    assert sum(report.completed.counts) == report.all_invites.completed
    assert sum(report.begun.counts) == report.all_invites.begun


def test_lags_are_of_the_days_on_which_outcomes_came_and_by_the_vendor_s_clock(history: Database) -> None:
    report = facts(history)
    assert report.lag is not None
    assert (
        sum(lag.outcomes for lag in report.lag_by_day.values()) == report.lag.outcomes == report.all_invites.completed
    )
    assert 2 <= report.lag.p50 <= report.lag.p95 <= report.lag.p99 <= 12
    history.execute("update zenhire.account_state set vendor_ahead = interval '100 seconds'")
    later = facts(history)
    assert later.lag is not None
    assert later.lag.p50 == pytest.approx(report.lag.p50 + 100)


def test_requests_are_those_of_48_hours_and_the_fullest_minute_is_set_against_the_limit(history: Database) -> None:
    report = facts(history)
    assert 48 <= len(report.usage) <= 49
    assert all(one.sent == one.outcomes + one.starts + one.artifacts + one.nets for one in report.usage)
    assert {(one.per_minute, one.sent > one.fullest > 20) for one in report.accounts} == {(100, True)}
    assert sum(one.sent for one in report.accounts) == sum(one.sent for one in report.usage)


def test_only_the_days_that_are_asked_for_are_told(history: Database) -> None:
    week, month = facts(history, timedelta(days=7)), facts(history)
    assert week.all_invites.invites == pytest.approx(month.all_invites.invites / 4, rel=0.05)
    assert len(week.lag_by_day) <= 8


@pytest.mark.parametrize("role", ["zenhire_operator", "zenhire_reader"])
def test_whoever_may_read_the_views_may_have_it(history: Database, role: str) -> None:
    make_roles(history.url)
    theirs = Database(url=make_conninfo(history.url, options=f"-c role={role}"))
    assert facts(theirs).all_invites == facts(history).all_invites


def test_nobody_else_s_words_become_markup_and_nothing_private_is_told(history: Database) -> None:
    written = page(facts(history))
    shown = Shown(written)
    assert "Курьер <b> (de)" in shown.text
    assert "Курьер <b>" not in written
    for private in ("secret-", "session-", "candidate-1", "interview.example", "https:", "http:"):
        assert private not in written, private
    assert [one for one in shown.attributes if one[1] in {"src", "href", "onload"} and one[2] != "#main"] == []
    assert "<script" not in written
    assert "@import" not in written
    assert "url(" not in written


def test_every_plot_has_a_name_and_its_numbers_and_every_table_a_caption(history: Database) -> None:
    written = page(facts(history))
    plots = re.findall(r'<svg [^>]*role="img" aria-label="([^"]+)"', written)
    assert plots == [
        "How soon outcomes were known, day by day. The numbers are in the table beside it.",
        "Requests, hour by hour. The numbers are in the table beside it.",
    ]
    assert written.count("<table") == written.count("<caption>") == 9
    assert written.count('role="region"') == written.count('class="scroll"') == 5


def test_what_needs_a_person_is_said_with_its_statement(database: Database) -> None:
    write_history(database, invites=2000)
    shown = Shown(page(facts(database)))
    assert "things need a person. No replica of the service has ticked for a minute." in shown.text
    assert "NO_REPLICA" in shown.text
    assert "select zenhire.retry_invite(" in shown.text
    assert "more: select * from zenhire.attention;" in shown.text


def test_an_empty_database_has_a_page_too(database: Database) -> None:
    shown = Shown(page(facts(database)))
    assert "Nothing needs a person." in shown.text
    assert "No invite was inserted in this time." in shown.text
    assert "No interview was finished in this time." in shown.text
    assert "No request was sent." in shown.text


def test_an_invite_without_any_link_has_a_page_too(database: Database) -> None:
    insert_invite(database)
    shown = Shown(page(facts(database)))
    assert "Backend engineer (en)" in shown.text
    assert "From link to interview" not in shown.text


# --- the command -----------------------------------------------------------------------------------------------------


def report(database: Database, *arguments: str) -> int:
    return main(["report", *arguments], {"DATABASE_URL": database.url})


def test_it_replaces_the_file_and_leaves_nothing_beside_it(history: Database, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("the page of yesterday")
    assert report(history, "--out", str(out)) == 0
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_to_standard_output_it_writes_the_page_and_nothing_else(
    history: Database, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert report(history, "--out", "-", "--days", "1") == 0
    written = capfdbinary.readouterr()
    assert written.out.startswith(b"<!doctype html>")
    assert written.out.endswith(b"</html>\n")
    assert written.err == b""


def test_a_place_that_cannot_be_written_is_named(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "no such folder" / "report.html"
    assert report(database, "--out", str(out)) == 2
    assert capsys.readouterr().err == f"zenhire-sync: cannot write {out}: No such file or directory\n"


def test_a_failure_leaves_the_page_of_before(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    out = tmp_path / "report.html"
    out.write_text("the page of yesterday")
    monkeypatch.setattr(Path, "replace", full)
    assert report(database, "--out", str(out)) == 2
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    assert out.read_text() == "the page of yesterday"


@pytest.mark.parametrize("days", ["0", "-1", "367", "1.5", "x", "", "٣"])
def test_a_number_of_days_that_is_none_is_refused(
    database: Database, days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        report(database, "--out", "-", f"--days={days}")
    assert left.value.code == 2
    assert f"argument --days: {days!r} is no number of days from 1 to 366" in capsys.readouterr().err
