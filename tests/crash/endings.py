"""How every cell must end, asked of the database and of the vendor's own truth; nothing here believes the service."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sandbox.truth import SessionTruth
from service.core.marks import POST_MARK
from tests.crash.cells import Fault
from tests.crash.faults import Moment
from tests.crash.stage import LEASE, LOOK_EVERY, PATIENCE, Stage, leased
from tests.support.database import Database
from tests.support.processes import run_to_end
from tests.support.waiting import eventually

INVITES = 2

#: Lost posts that a stage is set up with, by step; an orderly stop adds none.
LOST_BEFOREHAND = {"settle": 1, "take_over": INVITES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one cell, or the whole matrix, came to."""

    invites: int = 0
    sessions: int = 0  #: made at the vendor
    published: int = 0
    orphans: int = 0
    lost_posts: int = 0  #: behind which the vendor's list shows nothing
    replicas: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


def wait_for_the_end(stage: Stage) -> None:
    """Until every invite has its outcome and transcript, every walk its end, and every session is accounted for."""
    eventually(lambda: _unfinished(stage) == [], within=PATIENCE, every=LOOK_EVERY)


def _unfinished(stage: Stage) -> list[object]:
    """What there is still to do; in words of the database, so that a failure shows it."""
    database = stage.database
    invites = database.fetch(
        "select id, status, transcript_state from zenhire.candidate_invites"
        " where status <> 'completed' or transcript_state <> 'stored'"
    )
    # a list that was taken for one that honours a status, and is not any more, leaves walks that nobody walks
    walks = database.fetch(
        "select account, walk from zenhire.sweeps w where finished_at is null and (walk = 'all' or exists ("
        "select from zenhire.list_state h where h.account = w.account and h.status_filter = 'honoured'))"
    )
    return [*invites, *walks, *_unaccounted(stage)]


def _unaccounted(stage: Stage) -> list[SessionTruth]:
    known = {post["session_id"] for post in posts(stage.database)}
    return [session for session in stage.sandbox.platform.truth().sessions if session.id not in known]


def posts(database: Database) -> list[dict[str, Any]]:
    return database.fetch("select * from zenhire.interview_sessions order by posted_at, post_number")


def check(at: Moment) -> Tally:
    """After the last process has ended: every promise, or an AssertionError that names the broken one."""
    _nobody_has_two_links(at.stage)
    _links_are_published_once(at.stage)
    _sessions_are_tied_to_their_posts(at.stage)
    _history_explains_every_status(at.stage.database)
    _roles_have_one_persona(at.stage)
    eventually(lambda: not leased(at.stage.database), within=LEASE)
    _verify_finds_nothing(at.stage)
    _log_is_clean(at)
    _fault_left_its_mark(at)
    return _tally(at.stage)


def _nobody_has_two_links(stage: Stage) -> None:
    truth = stage.sandbox.platform.truth()
    most = truth.most_links_at_once("candidate_ref")
    assert len(most) == INVITES
    assert set(most.values()) == {1}, f"a candidate held two live links: {most}"


def _links_are_published_once(stage: Stage) -> None:
    minted = stage.sandbox.platform.truth().session_of_link()
    invites = stage.database.fetch("select * from zenhire.candidate_invites")
    assert len(invites) == INVITES
    for invite in invites:
        assert minted[invite["candidate_link"]] == invite["session_id"], "a link of another session"
        assert invite["link_number"] == 1
    published = Counter(post["invite_id"] for post in posts(stage.database) if post["state"] == "published")
    assert published == {invite["id"]: 1 for invite in invites}


def _sessions_are_tied_to_their_posts(stage: Stage) -> None:
    """Each session at the vendor is one post's, the one that its metadata names; no post claims another session."""
    made = stage.sandbox.platform.truth().by_id()
    tied = {post["session_id"]: post for post in posts(stage.database) if post["session_id"] is not None}
    assert tied.keys() == made.keys()
    for session_id, session in made.items():
        post = tied[session_id]
        assert session.metadata[POST_MARK] == str(post["post_id"])
        assert post["state"] in {"published", "orphan"}, f"session {session_id} belongs to a post {post['state']}"
    rest = [post for post in posts(stage.database) if post["session_id"] is None]
    assert {post["state"] for post in rest} <= {"lost", "not_made"}
    for post in rest:
        assert post["state"] == "not_made" or post["next_search_at"] is not None, "a lost post is searched for"


def _history_explains_every_status(database: Database) -> None:
    for invite in database.fetch("select id, status from zenhire.candidate_invites"):
        moves = database.fetch(
            "select from_status, to_status from zenhire.invite_events"
            " where invite_id = %s and to_status is not null order by id",
            [invite["id"]],
        )
        status = "pending"
        for move in moves:
            assert move["from_status"] == status, f"the history jumps: {moves}"
            status = move["to_status"]
        assert status == invite["status"]


def _roles_have_one_persona(stage: Stage) -> None:
    personas = [client.personas for client in stage.sandbox.platform.clients.values()]
    assert [len(made) for made in personas] == [1], "one role and language, one persona"


def _verify_finds_nothing(stage: Stage) -> None:
    """Both directions, as an operator would: a process of its own, after the last replica has ended."""
    ended = run_to_end("verify", env=stage.environment(stage.database.url), within=PATIENCE)
    assert ended.returncode == 0, f"verify ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"


def _log_is_clean(at: Moment) -> None:
    """No traceback but the one that the cell asked for, and nothing said past the log."""
    for replica in at.stage.replicas:
        stray = [line for line in replica.lines if not line.startswith("{")]
        assert not stray, f"said past the log: {stray}"
    errors = [event for replica in at.stage.replicas for event in replica.events() if event["level"] == "error"]
    wanted = at.cell.fault is Fault.EXCEPTION
    assert all("InjectedError" in str(event) for event in errors), f"errors: {errors}"
    assert len(errors) == int(wanted), f"errors: {errors}"


def _fault_left_its_mark(at: Moment) -> None:
    identities = at.stage.database.fetch("select id, gone_at from zenhire.replicas order by started_at")
    assert len(identities) == len(at.stage.replicas), "each start is a replica of its own"
    alone = not at.cell.fault.ends_the_replica and at.cell.fault is not Fault.PAUSED
    assert (at.stage.replicas[-1] is at.doomed) == alone, "the replica mends by itself whatever it survives"
    if at.cell.fault is Fault.STOPPED:
        lost = [post for post in posts(at.stage.database) if post["state"] in {"lost", "orphan"}]
        assert len(lost) == LOST_BEFOREHAND.get(at.cell.step.name, 0), "an orderly stop loses no post"


def _tally(stage: Stage) -> Tally:
    states = Counter(post["state"] for post in posts(stage.database))
    return Tally(
        invites=INVITES,
        sessions=len(stage.sandbox.platform.truth().sessions),
        published=states["published"],
        orphans=states["orphan"],
        lost_posts=states["lost"],
        replicas=len(stage.replicas),
    )
