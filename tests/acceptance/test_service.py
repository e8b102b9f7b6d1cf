"""The real service as real processes, against the real sandbox and a real Postgres."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from sandbox.embedded_postgres import EmbeddedPostgres
from sandbox.profile import Profile
from sandbox.profiles import changed
from sandbox.running import RunningSandbox, running_sandbox
from service.postgres.migrate import make_roles, upgrade
from tests.support.ats import Ats
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.processes import Process, free_port, process, run_to_end
from tests.support.replica import kinds_of_events, statuses, the_invite, the_posts
from tests.support.waiting import eventually

FAST = {
    "SYNC_UNSAFE_FAST": "true",
    "SYNC_START_INTERVAL_SECONDS": "0.5",
    "SYNC_WATCH_INTERVAL_SECONDS": "0.5",
    "SYNC_SETTLE_SECONDS": "2",
    "SYNC_EXPIRY_GRACE_SECONDS": "2",
    "SYNC_LEASE_SECONDS": "6",
    "SYNC_HTTP_TIMEOUT_SECONDS": "2",
    "SYNC_REQUESTS_PER_MINUTE": "60000",
}

FINAL = {"completed", "failed", "expired", "cancelled", "refused"}


def sessions_known(database: Database) -> set[str]:
    rows = database.fetch("select session_id from zenhire.interview_sessions where session_id is not null")
    return {row["session_id"] for row in rows}


def a_fast_vendor(**settings: Any) -> Profile:
    """Links live 30 s, candidates come within a second or two."""
    return changed(Profile(), {"speed": 20_000, "limits.concurrency": 64, **settings})


@contextmanager
def service(database_url: str, sandbox: RunningSandbox, **over: str) -> Iterator[Process]:
    """A running replica that has said that it started."""
    env = FAST | {"DATABASE_URL": database_url, "ZENHIRE_API_KEY": sandbox.key, "ZENHIRE_BASE_URL": sandbox.base_url}
    with process("run", env=env | over) as running:
        running.wait_for_line("service_started", within=20)
        yield running


def all_final(database: Database) -> bool:
    return set(statuses(database)) <= FINAL


def test_two_replicas_bring_200_invites_to_their_end_though_a_third_of_all_answers_is_broken(
    database: Database,
) -> None:
    with running_sandbox(profile=a_fast_vendor(speed=40_000)) as sandbox, ExitStack() as stack:
        sandbox.console.set_faults(["any:0.33:seconds=0.5"])
        replicas = [stack.enter_context(service(database.url, sandbox, SYNC_START_POSTS="30")) for _ in range(2)]
        for _ in range(200):
            insert_invite(database)
        eventually(lambda: all_final(database), within=150)
        # what a lost post left behind is searched for at growing distances, also of an invite that is final
        eventually(lambda: sessions_known(database) == sandbox.platform.truth().by_id().keys(), within=60)
        truth = sandbox.platform.truth()
        for replica in replicas:
            assert replica.terminate() == 0
            assert not [event for event in replica.events() if event["level"] == "error"]
    minted = truth.session_of_link()
    links = {row["id"]: row["candidate_link"] for row in database.fetch("select * from zenhire.candidate_invites")}
    posts = the_posts(database)
    published = {post["invite_id"]: post["session_id"] for post in posts if post["state"] == "published"}
    assert len(links) == 200
    assert len(published) == len([post for post in posts if post["state"] == "published"])
    # the sandbox's candidates also come to sessions whose link was lost: the invite then shows that one's outcome
    assert {invite_id: minted[link] for invite_id, link in links.items() if link is not None} == published
    assert sessions_known(database) == truth.by_id().keys()


def test_the_service_works_with_the_rights_of_its_role_alone(database: Database) -> None:
    make_roles(database.url)
    database.execute("""
        insert into zenhire.replicas (id, host, pid, version, settings, last_tick_at)
        values (gen_random_uuid(), 'long-gone', 1, '0', '{}', zenhire.clock() - interval '31 days')""")
    as_role = f"{database.url}{'&' if '?' in database.url else '?'}options=-c%20role%3Dzenhire_service"
    with running_sandbox(profile=a_fast_vendor()) as sandbox:
        sandbox.console.set_faults(["lost_after@create_session:0.3"])
        with service(as_role, sandbox) as running:
            for _ in range(10):
                insert_invite(database, metadata={"sandbox_plan": "completed"})
            eventually(lambda: statuses(database) == {"completed": 10}, within=60)
            eventually(lambda: len(database.fetch("select from zenhire.transcripts")) == 10, within=60)
            assert running.terminate() == 0
            assert not [event for event in running.events() if event["level"] in ("error", "warning")]
    counted = database.fetch_one("select sum(sent) as sent, sum(for_starts) as starts from zenhire.request_usage")
    truth = sandbox.platform.truth()
    assert counted["sent"] == sum(truth.answers.values())
    assert counted["starts"] >= len(truth.sessions)
    ahead = database.fetch_value("select vendor_ahead from zenhire.account_state")
    assert ahead is not None
    assert not database.fetch("select from zenhire.replicas where host = 'long-gone'")


def test_nothing_secret_or_personal_stands_in_the_log(database: Database) -> None:
    with running_sandbox(profile=a_fast_vendor()) as sandbox:
        with service(database.url, sandbox, SYNC_LOG_LEVEL="debug") as running:
            for _ in range(10):
                insert_invite(
                    database,
                    candidate_ref="Jane-Doe-1980",
                    metadata={"secret-project": "Icarus", "sandbox_plan": "completed"},
                    tags=["vip-tag"],
                )
            sandbox.console.set_faults(["any@create_session:0.3"])
            eventually(lambda: all_final(database), within=60)
            eventually(lambda: "waiting" not in transcript_states(database), within=30)
            running.terminate()
        spoken = {turn["text"] for turn in turns(database)}
    log = running.text
    for secret in [sandbox.key, "#t=", "Jane-Doe-1980", "Icarus", "vip-tag", *spoken]:
        assert secret not in log
    assert all(set(event) >= {"event", "level", "timestamp"} for event in running.events())


def transcript_states(database: Database) -> set[str]:
    rows = database.fetch("select distinct transcript_state from zenhire.candidate_invites")
    return {row["transcript_state"] for row in rows}


def turns(database: Database) -> list[dict[str, Any]]:
    rows = database.fetch("select document from zenhire.transcripts")
    found = [turn for row in rows for turn in row["document"]["turns"]]
    assert found
    return found


def test_sigterm_finishes_what_is_in_flight_and_gives_the_rest_back(database: Database) -> None:
    with running_sandbox(profile=a_fast_vendor(**{"faults.latency_seconds": 1.5})) as sandbox:
        with service(database.url, sandbox, SYNC_CONCURRENCY="4") as running:
            for _ in range(40):
                insert_invite(database)
            eventually(lambda: statuses(database).get("link_ready", 0) > 0, within=20)
            assert running.terminate(within=25) == 0
        held = "select count(*) from zenhire.interview_sessions where lease_until > zenhire.clock()"
        assert database.fetch_value(held) == 0
        assert "starting" not in statuses(database)
        assert not {post["state"] for post in the_posts(database)} & {"posting", "lost"}
        assert database.fetch_value("select count(*) from zenhire.replicas where gone_at is null") == 0
        assert len(sandbox.platform.truth().lost()) == 0
    assert running.events("service_stopped")[0]["drained"] is True


def test_work_of_a_killed_replica_is_taken_over_by_the_next_one(database: Database) -> None:
    # `when_sent`: the killed replica may have read an answer that it could no longer store; nobody holds that link.
    vendor = a_fast_vendor(**{"faults.latency_seconds": 1.0, "candidates.come": "when_sent"})
    with running_sandbox(profile=vendor) as sandbox:
        ats = Ats(database, sandbox.console)
        for _ in range(6):
            insert_invite(database, metadata={"sandbox_plan": "completed"})
        with service(database.url, sandbox) as doomed:
            eventually(lambda: statuses(database).get("starting", 0) > 0, within=20)
            doomed.kill()
        sandbox.console.change_profile({"faults.latency_seconds": 0.0})
        with service(database.url, sandbox):
            eventually(lambda: ats.hand_over_links() == 6 and all_final(database), within=60)
        replicas = database.fetch("select id from zenhire.replicas")
    assert len({row["id"] for row in replicas}) == 2
    lost = [post for post in the_posts(database) if post["state"] in {"lost", "orphan"}]
    assert lost
    published = Counter(post["invite_id"] for post in the_posts(database) if post["state"] == "published")
    assert list(published.values()) == [1] * 6


def test_a_notification_starts_an_invite_at_once(database: Database) -> None:
    with (
        running_sandbox(profile=a_fast_vendor()) as sandbox,
        service(database.url, sandbox, SYNC_START_INTERVAL_SECONDS="60"),
    ):
        eventually(lambda: listeners(database) == 1, within=10)
        insert_invite(database)
        assert eventually(lambda: "link_published" in kinds_of_events(database), within=5)


def test_without_notifications_everything_still_works(database: Database) -> None:
    with running_sandbox(profile=a_fast_vendor()) as sandbox, service(database.url, sandbox):
        eventually(lambda: listeners(database) == 1, within=10)
        database.execute("alter table zenhire.candidate_invites disable trigger notify_invites")
        insert_invite(database)
        database.execute("alter table zenhire.candidate_invites enable trigger notify_invites")
        assert eventually(lambda: "link_published" in kinds_of_events(database), within=10)


def listeners(database: Database) -> int:
    found: int = database.fetch_value(
        "select count(*) from pg_stat_activity where datname = current_database() and query like 'listen %'"
    )
    return found


def test_an_outage_of_the_database_is_survived_and_logged_once() -> None:
    with EmbeddedPostgres(durable=False) as postgres, running_sandbox(profile=a_fast_vendor()) as sandbox:
        own = Database(postgres.url())
        upgrade(own.url)
        with service(own.url, sandbox) as running:
            insert_invite(own, metadata={"sandbox_plan": "never"})
            eventually(lambda: statuses(own) == {"link_ready": 1}, within=20)
            postgres.crash()
            running.wait_for_line("database_lost", within=20)
            postgres.restart()
            running.wait_for_line("database_back", within=30)
            insert_invite(own, metadata={"sandbox_plan": "never"})
            eventually(lambda: len(sandbox.platform.truth().sessions) >= 2, within=20)
            eventually(lambda: "pending" not in statuses(own), within=20)
            assert running.terminate() == 0
        assert len(running.events("database_lost")) == 1
        assert len(running.events("database_back")) == 1
        assert not running.events("tick_failed")


def test_a_database_that_is_not_there_yet_is_waited_for() -> None:
    with running_sandbox(profile=a_fast_vendor()) as sandbox:
        env = FAST | {
            "DATABASE_URL": f"postgresql://nobody:hush@127.0.0.1:{free_port()}/ats",
            "ZENHIRE_API_KEY": sandbox.key,
            "ZENHIRE_BASE_URL": sandbox.base_url,
        }
        with process("run", env=env) as running:
            line = running.wait_for_line("database_unreachable", within=20)
            assert "hush" not in line
            assert running.terminate(within=25) == 0


def test_a_vendor_that_is_not_there_yet_costs_no_invite_anything(database: Database) -> None:
    env = FAST | {
        "DATABASE_URL": database.url,
        "ZENHIRE_API_KEY": "zh_api_sandbox",
        "ZENHIRE_BASE_URL": f"http://127.0.0.1:{free_port()}/api/v1/interview",
    }
    insert_invite(database, persona_id="persona-1")
    with process("run", env=env) as running:
        eventually(lambda: "post_not_made" in kinds_of_events(database), within=20)
        assert running.terminate() == 0
    assert statuses(database) == {"pending": 1}


def test_a_wrong_key_leaves_invites_pending_and_says_why(database: Database) -> None:
    with running_sandbox(profile=a_fast_vendor()) as sandbox:
        insert_invite(database)
        with service(database.url, sandbox, ZENHIRE_API_KEY="zh_api_wrong") as running:
            eventually(
                lambda: database.fetch("select 1 from zenhire.attention where code = 'INVALID_API_KEY'"), within=20
            )
            assert "zh_api_wrong" not in running.text
    assert the_invite(database)["status"] == "pending"


@pytest.mark.parametrize(
    ("prepare", "code", "words"),
    [
        ("drop schema zenhire cascade", 4, "run `zenhire-sync migrate`"),
        ("update zenhire.schema_info set oldest_program = '99.0.0'", 1, "install a newer release"),
    ],
)
def test_a_schema_that_does_not_fit_stops_the_start(database: Database, prepare: str, code: int, words: str) -> None:
    database.execute(prepare)
    env = FAST | {"DATABASE_URL": database.url, "ZENHIRE_API_KEY": "zh_api_x", "ZENHIRE_BASE_URL": "http://127.0.0.1:9"}
    ended = run_to_end("run", env=env)
    assert ended.returncode == code
    assert words in ended.stdout + ended.stderr


def test_wrong_settings_stop_the_start_with_every_problem_at_once() -> None:
    env = {"DATABASE_URL": "mysql://x", "SYNC_WATCH_INTERVALL_SECONDS": "10", "SYNC_CONCURRENCY": "many"}
    ended = run_to_end("run", env=env)
    assert ended.returncode == 2
    for name in ("DATABASE_URL", "SYNC_WATCH_INTERVALL_SECONDS", "SYNC_CONCURRENCY", "ZENHIRE_API_KEY"):
        assert name in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_health_check_follows_the_replica(database: Database) -> None:
    env = {"DATABASE_URL": database.url}
    assert run_to_end("healthcheck", env=env).returncode == 1
    with running_sandbox(profile=a_fast_vendor()) as sandbox, service(database.url, sandbox) as running:
        assert run_to_end("healthcheck", env=env).returncode == 0
        running.signal(signal.SIGINT)
        assert running.wait(within=25) == 0
    assert run_to_end("healthcheck", env=env).returncode == 1
