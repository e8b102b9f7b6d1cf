"""The course of events: set up, put twenty invites in, watch, kill the service halfway, watch again, count."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox.postgres_binaries import NoPostgresProgramsError
from service.cli.demo.board import Frame, News, read_frame
from service.cli.demo.cast import CAST, LINK_SECONDS, SPEED
from service.cli.demo.ending import tell_count, tell_queries, tell_way_in
from service.cli.demo.interruption import Interrupted, Interruption
from service.cli.demo.screen import Screen, choose_screen, tell
from service.cli.demo.stage import ShowFailed, Stage, set_stage
from service.cli.demo.tally import take_count
from service.masking import mask

TICK_SECONDS = 0.25
KILL_AFTER_SECONDS = 13.0  #: not before: some interviews are to be over by then
KILL_CLEARANCE_SECONDS = 1.5  #: no link may be about to die: the post for the next one would be hit
DEAD_SECONDS = 5.0
SHOW_SECONDS_MAX = 90.0

_INSERT = """
insert into zenhire.candidate_invites
    (request_key, candidate_ref, role_name, language, persona_id, consent_mode, max_links, start_after)
values (%s, %s, %s, %s, %s, 'explicit', %s, zenhire.clock() + %s * interval '1 second')
"""

_REPLICAS = "select id::text from zenhire.replicas"


def run_show(environ: Mapping[str, str]) -> int:
    """The whole show; its exit code. Nothing stays but, after a failure, the service's log."""
    with Interruption() as interruption:
        directory = Path(tempfile.mkdtemp(prefix="zenhire-demo-"))
        log = directory / "service.log"
        keeps_log = False
        try:
            return _perform(environ, directory, interruption)
        except Interrupted:
            tell("\nInterrupted; everything has been taken down.")
            return interruption.exit_code
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - nobody is shown a traceback
            if interruption.number is not None:  # Ctrl-C reaches what we are starting, too
                return interruption.exit_code
            keeps_log = log.exists()
            sys.stderr.write(f"zenhire-sync: {_sentence(error, log if keeps_log else None)}\n")
            return 1
        finally:
            if not keeps_log:
                shutil.rmtree(directory, ignore_errors=True)


def _sentence(error: Exception, log: Path | None) -> str:
    if isinstance(error, NoPostgresProgramsError):
        return str(error)
    said = mask(str(error)).strip().splitlines() or [type(error).__name__]
    what = said[0] if isinstance(error, ShowFailed) else f"the demo broke off: {said[0]}"
    return f"{what.rstrip('.')}; " + (f"see the service's log, {log}" if log else "run it again")


def _perform(environ: Mapping[str, str], directory: Path, interruption: Interruption) -> int:
    tell(
        "zenhire-sync at work: a PostgreSQL of its own, the real service, and the sandbox, a stand-in of ZenHire's "
        "platform. No live service is met. "
        f"The sandbox runs {SPEED} times faster, and a link lives {LINK_SECONDS} seconds instead of a week."
    )
    with set_stage(environ, directory, check=interruption.check, say=tell) as stage:
        with choose_screen(environ) as screen:
            Show(stage, screen, interruption).play()
        tally = take_count(stage)
        tell_count(tally)
        if not tally.is_right:
            raise ShowFailed("the service's story and the sandbox's differ")
        tell_queries(stage.database)
        tell("\nAn outcome says how an interview ended; it holds no score.")
        if sys.stdout.isatty():
            tell_way_in(stage)
            _wait_for_ctrl_c(stage, interruption)
    return 0


def _wait_for_ctrl_c(stage: Stage, interruption: Interruption) -> None:
    try:
        while True:
            interruption.pause(1)
            stage.check()
    except Interrupted:
        tell("")


class Show:
    """The part with the moving table."""

    def __init__(self, stage: Stage, screen: Screen, interruption: Interruption) -> None:
        self._stage = stage
        self._screen = screen
        self._interruption = interruption
        self._frame = _invite(stage)
        self._news = News(self._frame)
        self._began = time.monotonic()

    def play(self) -> None:
        self._screen.say(
            f"The ATS has written {len(CAST)} rows into zenhire.candidate_invites. The service is started, "
            "finds them, and asks for one link each."
        )
        self._start()
        self._watch_until(lambda frame: frame.links_are_out)
        self._screen.say(
            "The candidates come when they like. Nobody tells the service, so it looks: often "
            "where an interview runs, seldom where no one has come."
        )
        self._watch_until(self._is_time_to_kill)
        self._kill()
        self._start_again()
        self._watch_until(lambda frame: frame.is_over)

    def _start(self) -> None:
        self._stage.service.start()
        self._screen.service = f"service runs ({self._stage.service.pid})"

    def _is_time_to_kill(self, frame: Frame) -> bool:
        """Interviews run and links are open, and no post is on its way or about to be: what is lost stays two."""
        return self._elapsed >= KILL_AFTER_SECONDS and not frame.posts_within(KILL_CLEARANCE_SECONDS)

    def _kill(self) -> None:
        pid, before = self._stage.service.pid, self._ended_interviews()
        self._stage.service.kill()
        self._screen.service = "service killed"
        counts = read_frame(self._stage.database).counts
        self._screen.say(
            f"kill -9 {pid}: the service is dead, with {_number(counts['in_progress'], 'interview')} running and "
            f"{_number(counts['link_ready'], 'link')} open. It had no chance to save anything.",
            at_once=True,
        )
        self._watch_for(DEAD_SECONDS / 2)
        ended = self._ended_interviews() - before
        self._screen.say(
            "The table stands still, the candidates do not: since then the sandbox has seen "
            f"{_number(ended, 'interview')} end, and nobody noticed.",
            at_once=True,
        )
        self._watch_for(DEAD_SECONDS / 2)

    def _start_again(self) -> None:
        before = self._replicas()
        self._start()
        self._watch_until(lambda _: self._replicas() != before)
        old, new = (", ".join(name[:8] for name in names) for names in (before, self._replicas() - before))
        self._screen.say(
            f"Started again, with a new identity: replica {new} (before: {old}). "
            "It knows what the database says, and catches up.",
            at_once=True,
        )

    def _watch_until(self, condition: Callable[[Frame], bool]) -> None:
        while not condition(self._frame):
            if self._elapsed > SHOW_SECONDS_MAX:
                raise ShowFailed(
                    f"only {self._frame.final_count} of the {len(CAST)} invites became final within "
                    f"{SHOW_SECONDS_MAX:.0f} s, and {_number(len(self._frame.orphans), 'orphan')} of "
                    f"{_number(len(self._frame.lost_posts), 'lost post')} was found"
                )
            self._tick()

    def _watch_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._tick()

    def _tick(self) -> None:
        self._stage.check()
        self._frame = read_frame(self._stage.database)
        for sentence in self._news.since_then(self._frame):
            self._screen.say(sentence)
        self._screen.show(self._frame)
        self._interruption.pause(TICK_SECONDS)

    @property
    def _elapsed(self) -> float:
        """Since the service was started first."""
        return time.monotonic() - self._began

    def _replicas(self) -> frozenset[str]:
        return frozenset(row["id"] for row in self._stage.database.execute(_REPLICAS).fetchall())

    def _ended_interviews(self) -> int:
        by_status = self._stage.sandbox.control.counts()["by_status"]
        return int(by_status["completed"] + by_status["failed"])


def _invite(stage: Stage) -> Frame:
    """What an ATS does: plain INSERTs."""
    with stage.database.cursor() as cursor:
        cursor.executemany(
            _INSERT,
            [
                (
                    *(f"application-{number}", person.ref, person.role_name, person.role_name and "en"),
                    *(person.persona_id, person.max_links, person.wanted_in),
                )
                for number, person in enumerate(CAST, start=101)
            ],
        )
    return read_frame(stage.database)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
