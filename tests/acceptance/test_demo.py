"""`zenhire-sync demo` as a user runs it: a real process in a pipe, and what is left of it afterwards."""

import os
import re
import signal
import socket
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.cli.demo.board import Frame, Invite, News
from service.cli.demo.ending import QUERIES, as_text
from service.cli.demo.tally import count
from tests.support.processes import Process
from tests.support.waiting import eventually

SHOW_SECONDS = 60
CLEAN_SECONDS = 20
_KEEPER_DIRECTORY = re.compile(r"/\S*zenhire-(?:postgres|demo)-\w+")


@dataclass(frozen=True, slots=True)
class Seen:
    """A process of this machine."""

    pid: int
    parent: int
    command: str


class Traces:
    """Everything that a running demo has made and that must be gone afterwards."""

    def __init__(self, demo: Process, temporary: Path) -> None:
        self._demo = demo
        self._temporary = temporary
        self.seen: set[Seen] = set()
        self._directories: set[Path] = set()
        self._ports: set[int] = set()

    def note(self) -> None:
        """Look around: its children, the directories they are named after, and whoever works in those."""
        seen = [*processes()]
        children = [one for one in seen if one.parent == self._demo.pid]
        named = [found for one in children for found in _KEEPER_DIRECTORY.findall(one.command)]
        self._directories |= {Path(name) for name in named}
        self.seen |= {*children, *(one for one in seen if any(name in one.command for name in named))}
        self._ports |= {int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", self._demo.text)}

    def left(self) -> list[object]:
        """What is still there."""
        return [
            *(self.seen & {*processes()}),
            *(path for path in self._directories if path.exists()),
            *self._temporary.iterdir(),
            *(port for port in self._ports if is_open(port)),
        ]


def processes() -> Iterator[Seen]:
    """Every process that runs; from the kernel's own files where there are any, since not every image has a `ps`."""
    if not Path("/proc/self/stat").exists():
        said = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
        yield from (Seen(int(pid), int(up), name) for pid, up, name in map(_split, said.stdout.splitlines()))
        return
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            parent = int((directory / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        if command:  # a zombie has none
            yield Seen(int(directory.name), parent, command)


def _split(line: str) -> list[str]:
    return line.split(None, 2)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[Process, Traces]]:
    running = Process("demo", env={"TMPDIR": str(tmp_path)}, cwd=tmp_path)
    try:
        yield running, Traces(running, tmp_path)
    finally:
        running.close()


def test_twenty_invites_become_final_through_a_crash_and_the_sandbox_counts_no_second_link(
    demo: tuple[Process, Traces],
) -> None:
    running, traces = demo
    running.wait_for_line("* kill -9", within=SHOW_SECONDS)
    traces.note()
    code = running.wait(within=SHOW_SECONDS)

    text = " ".join(running.text.split())
    assert code == 0, running.text
    counted = re.search(
        r"The sandbox's own count: (\d+) candidates, (\w+) with two links; (\d+) lost posts, (\d+) orphans", text
    )
    assert counted is not None, running.text
    candidates, with_two, lost, orphans = counted.groups()
    assert (candidates, with_two) == ("20", "none")
    assert lost == orphans
    assert f"the replies for {lost} were lost" in text
    assert "No live service is met" in text
    assert "it holds no score" in text
    assert re.search(r"kill -9 \d+: the service is dead, with \d+ interviews? running", text)
    assert "Started again, with a new identity" in text
    assert re.search(r"cand-20 asks for a persona that does not exist: refused, .* code NOT_FOUND", text)
    assert "cand-12 has link 2" in text
    assert re.search(r"failed +cand-05", running.text)
    assert all(line in running.lines for query in QUERIES for line in query.sql.splitlines())
    assert "psql" not in text  # nobody is there to use it
    assert_plain(running.lines)
    assert len(traces.seen) > 3
    assert eventually(lambda: not traces.left(), within=CLEAN_SECONDS)


def assert_plain(lines: list[str]) -> None:
    assert not [line for line in lines if len(line) > 80]
    assert not [line for line in lines if not line.isprintable()]  # an ANSI escape begins with a control character


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "link ready"),
        (signal.SIGTERM, "runs, in a directory of its own"),
        (signal.SIGKILL, "being made"),
    ],
)
def test_nothing_is_left_when_it_is_stopped_in_the_middle(
    demo: tuple[Process, Traces], number: signal.Signals, moment: str
) -> None:
    running, traces = demo
    running.wait_for_line(moment, within=SHOW_SECONDS)
    traces.note()

    running.signal(number)

    code = running.wait(within=CLEAN_SECONDS)
    if number == signal.SIGKILL:
        assert code == -number
    else:
        assert code == 128 + number
        assert running.lines[-1] == "Interrupted; everything has been taken down."
    assert "Traceback" not in running.text
    assert len(traces.seen) > 0
    assert eventually(lambda: not traces.left(), within=CLEAN_SECONDS), traces.left()


def test_a_service_that_ends_by_itself_is_told_in_one_line_with_the_place_of_its_log(
    demo: tuple[Process, Traces],
) -> None:
    running, traces = demo
    running.wait_for_line("being made", within=SHOW_SECONDS)
    traces.note()
    (service,) = (one for one in traces.seen if one.command.endswith("-m service run"))

    os.kill(service.pid, signal.SIGKILL)

    assert running.wait(within=CLEAN_SECONDS) == 1
    found = re.fullmatch(
        r"zenhire-sync: the service ended by itself with exit code -9; see the service's log, (\S+)", running.lines[-1]
    )
    assert found is not None, running.text
    log = Path(found[1])
    assert "service_started" in log.read_text()
    assert eventually(lambda: {*traces.left()} == {log.parent}, within=CLEAN_SECONDS)


MINTED, DIED, LATER = "2026-01-01T10:00:00+00:00", "2026-01-01T10:00:14+00:00", "2026-01-01T10:00:16+00:00"


def a_session(name: str, minted_at: str, died_at: str | None = None, **over: Any) -> dict[str, Any]:
    link = {"url": f"link-of-{name}", "minted_at": minted_at, "died_at": died_at, "in_hand_from": minted_at}
    return {"id": name, "candidate_ref": "anna", "links": [link | {"reply_lost": False} | over]}


def an_invite(session: str) -> dict[str, Any]:
    return {"candidate_ref": "anna", "session_id": session, "candidate_link": f"link-of-{session}"}


PUBLISHED = [{"state": "published", "session_id": name} for name in ("first", "second")]


class TestTally:
    def test_a_second_link_after_the_first_is_dead_is_no_second_link_at_once(self) -> None:
        tally = count([an_invite("second")], PUBLISHED, [a_session("first", MINTED, DIED), a_session("second", LATER)])

        assert tally.is_right
        assert tally.sentence == "1 candidates, none with two links; 0 lost posts, 0 orphans on record"

    def test_a_second_link_while_the_first_works_is_found(self) -> None:
        tally = count([an_invite("second")], PUBLISHED, [a_session("first", MINTED), a_session("second", LATER)])

        assert not tally.is_right
        assert tally.with_two_links == ("anna",)

    def test_a_link_that_nobody_was_told_of_does_not_count(self) -> None:
        posts = [{"state": "orphan", "session_id": "first"}, {"state": "published", "session_id": "second"}]
        lost = a_session("first", MINTED, in_hand_from=None, reply_lost=True)

        tally = count([an_invite("second")], posts, [lost, a_session("second", LATER)])

        assert tally.is_right
        assert (tally.lost_posts, tally.orphans, tally.lost_replies) == (1, 1, 1)

    def test_a_lost_session_that_is_not_on_record_makes_the_count_wrong(self) -> None:
        lost = a_session("first", MINTED, in_hand_from=None, reply_lost=True)

        assert not count([an_invite("second")], PUBLISHED[1:], [lost, a_session("second", LATER)]).is_right

    def test_a_row_with_another_session_s_link_makes_the_count_wrong(self) -> None:
        row = an_invite("first") | {"candidate_link": "link-of-second"}

        tally = count([row], PUBLISHED, [a_session("first", MINTED, DIED), a_session("second", LATER)])

        assert tally.wrong_links == ("anna",)
        assert not tally.is_right


def a_row(**over: Any) -> Invite:
    values: dict[str, Any] = dict.fromkeys(Invite.__dataclass_fields__) | {
        "candidate_ref": "cand-12",
        "role": "Nurse",
        "status": "pending",
        "link_number": 0,
        "max_links": 2,
        "starts_in": -1.0,
        "post_is_lost": False,
        "transcript_state": "none",
        "error_code": "NOT_FOUND",
    }
    return Invite(**(values | over))


def a_frame(*, lost: int = 0, orphans: int = 0, **row: Any) -> Frame:
    refs = ("cand-03", "cand-07")
    return Frame(invites=(a_row(**row),), lost_posts=refs[:lost], orphans=refs[:orphans])


class TestNews:
    def test_replies_that_are_lost_together_make_one_sentence(self) -> None:
        news = News(a_frame())

        assert [*news.since_then(a_frame(lost=1))] == []
        assert [*news.since_then(a_frame(lost=2))] == []
        (sentence,) = news.since_then(a_frame(lost=2))
        assert "cand-03 and cand-07" in sentence
        assert [*news.since_then(a_frame(lost=2))] == []

    @pytest.mark.parametrize(
        "row",
        [
            {"status": "refused"},
            {"status": "failed"},
            {"status": "expired"},
            {"status": "pending", "link_number": 1},
            {"status": "link_ready", "link_number": 2},
            {"status": "in_progress", "link_number": 2},  # between two looks it was made and opened
            {"lost": 2, "orphans": 2},
        ],
    )
    def test_each_sentence_fits_the_two_lines_it_is_given(self, row: dict[str, Any]) -> None:
        news = News(a_frame(lost=row.get("lost", 0), status="starting"))

        (sentence,) = news.since_then(a_frame(**({"status": "starting"} | row)))

        assert len(textwrap.wrap(sentence, 79)) <= 2


class TestTables:
    def test_no_row_is_told(self) -> None:
        assert as_text([]) == "(0 rows)"

    def test_several_rows_stand_in_columns_of_no_more_than_80_characters(self) -> None:
        lines = as_text([{"a": 1, "what": None}, {"a": 22, "what": "x" * 100}]).splitlines()

        assert lines[0] == "  a  | what"
        assert lines[2] == "  1  |"
        assert max(map(len, lines)) == 80
