"""`zenhire-sync explain` of invites that the service itself has moved."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.core.load import Load
from service.core.model import Policy
from service.core.observations import ErrorAnswer, NoAnswer
from service.operate import explain
from tests.integration.one_replica import one_replica, seen
from tests.support.database import Database
from tests.support.invites import insert_invite

NOW = datetime(2031, 5, 6, 12, 0, tzinfo=UTC)
NOT_READY = ErrorAnswer(http_status=409, code="ARTIFACT_NOT_READY", message="Not yet.")

Explained = Callable[[object], str]


@pytest.fixture
def explained(database: Database, capsys: pytest.CaptureFixture[str]) -> Explained:
    """What `explain` says, without line breaks; it must have found something and kept to the screen."""

    def said(what: object) -> str:
        assert explain.run(database.url, str(what)) == 0
        text = capsys.readouterr().out
        assert all(len(line) <= 80 for line in text.splitlines()), text
        assert not re.search("secret|#t=", text)
        return " ".join(text.split())

    return said


def a_invite(database: Database, **over: Any) -> UUID:
    given = {"persona_id": "persona-1", "metadata": {"name": "secret-name"}, "tags": ["secret-tag"]}
    return insert_invite(database, **given | over)


@pytest.mark.parametrize(
    "what", ["nobody", str(UUID(int=1)), "nul\0byte", "'); drop table zenhire.candidate_invites; --"]
)
def test_what_is_unknown_is_said_in_one_sentence(
    database: Database, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    assert explain.run(database.url, what) == 1
    said = capsys.readouterr().err
    assert said.startswith("zenhire-sync: no invite has the id, request_key or candidate_ref “")
    assert said.count("\n") == 1


def test_an_invite_is_found_by_its_id_its_request_key_and_its_candidate(
    database: Database, explained: Explained
) -> None:
    database.stop_clock(NOW)
    invite_id = a_invite(database, request_key="application-1", candidate_ref="candidate-1")
    stories = {explained(what) for what in (invite_id, str(invite_id).upper(), "application-1", "candidate-1")}
    assert len(stories) == 1
    assert stories.pop().startswith(f"INVITE {invite_id} status pending for 0 s: waiting for a link")


def test_a_request_key_may_look_like_an_id_and_belong_to_any_account(database: Database, explained: Explained) -> None:
    request_key = str(uuid4())
    invite_id = a_invite(database, request_key=request_key, account="zeta")
    a_invite(database, account="alpha")
    a_invite(database, account="beta", request_key="another")
    assert explained(request_key).startswith(f"INVITE {invite_id}")


def test_several_invites_of_a_candidate_are_listed_newest_first(database: Database, explained: Explained) -> None:
    database.stop_clock(NOW)
    first = a_invite(database, candidate_ref="candidate-1", request_key="application-1")
    database.stop_clock(NOW + timedelta(days=1))
    second = a_invite(database, candidate_ref="candidate-1", account="other")
    text = explained("candidate-1")
    assert text.startswith(f"candidate_ref “candidate-1” names 2 invites, newest first. {second} pending for 0 s")
    assert f"{first} pending for 24 h account default, request “application-1”" in text
    assert text.endswith("The whole story of one: zenhire-sync explain ID")


async def test_an_open_link_tells_its_history_its_looks_and_the_next_one(
    database: Database, explained: Explained
) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        invite_id = a_invite(database, max_links=2)
        (post,) = await replica.post()
        for seconds in (20, 200):
            database.stop_clock(NOW + timedelta(seconds=seconds))
            await replica.look(seen("initiated"))
        await replica.row.tick(Load())
    database.stop_clock(NOW + timedelta(seconds=210))
    text = explained(invite_id)
    assert "link number 1 of at most 2, works until 2031-05-13 12:00 UTC (in 7 days)" in text
    assert "2031-05-06 12:00:00 asked ZenHire for link 1 → starting" in text
    assert "2031-05-06 12:00:00 link 1 is there → link_ready" in text
    assert f"link 1, post 1, 3 min ago: its link is the invite's session session-{post.post_id}" in text
    assert "looked twice since 2031-05-06 12:00 UTC, last 10 s ago: initiated" in text
    assert "Next look in 50 s because the link is new." in text
    assert text.endswith("If this link dies without a result, it gets link 2 of 2.")


async def test_a_finished_interview_tells_its_outcome_and_what_is_still_to_come(
    database: Database, explained: Explained
) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        invite_id = a_invite(database)
        await replica.post()
        database.stop_clock(NOW + timedelta(minutes=10))
        await replica.look(seen("completed", duration_seconds=481, credits_charged=9))
        await replica.collect(NOT_READY)
        text = explained(invite_id)
        assert "outcome 8 min 1 s, 9 credits, transcript waiting" in text
        assert "The transcript is asked for in 10 s because ZenHire has not made it yet." in text
        database.stop_clock(NOW + timedelta(minutes=11))
        await replica.collect(b'{"turns": ["secret"]}')
        database.stop_clock(NOW + timedelta(hours=2))
        await replica.look(seen("completed", survey_rating=4))
    text = explained(invite_id)
    assert "the interview is finished, its outcome stored → completed" in text
    assert "the transcript is stored (21 bytes)" in text
    assert "the candidate rated the interview 4 of 5" in text
    assert "asked twice for the transcript, last answer: stored" in text
    assert text.endswith("WHAT IS NEXT Nothing more: it is completed.")


async def test_lost_posts_are_told_with_the_next_post_and_the_search(database: Database, explained: Explained) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        invite_id = a_invite(database)
        for seconds in (0, 2, 6):
            database.stop_clock(NOW + timedelta(seconds=seconds))
            await replica.post(NoAnswer(detail="the connection broke"))
    text = explained(invite_id)
    assert "no clear answer to link 1, which counts as lost: the connection broke (NO_ANSWER)" in text
    assert "2031-05-06 12:00:06 the same again, for the 2nd time" in text
    assert "link 1, post 3, just now: lost, its result is unknown NO_ANSWER: the connection broke" in text
    assert "not yet searched for in ZenHire's list; next search in 60 s" in text
    assert "The link is asked for again in 8 s, because 3 posts had an unknown result." in text


async def test_a_decision_for_a_person_comes_with_a_statement_that_works(
    database: Database, explained: Explained
) -> None:
    async with one_replica(database, policy=Policy(posts_per_link=1)) as replica:
        invite_id = a_invite(database)
        await replica.post(NoAnswer(detail="the connection broke"))
    text = explained(invite_id)
    assert "reason TOO_MANY_LOST_POSTS: ZenHire was asked" in text
    assert "A person must decide: ZenHire was asked" in text
    database.execute(_statement(text))
    text = explained(invite_id)
    assert "sent back to try again by" in text
    assert text.endswith("Waits for its turn: the link is asked for as soon as the request budget allows.")


async def test_a_refusal_tells_the_vendors_reason_and_how_to_try_again(
    database: Database, explained: Explained
) -> None:
    async with one_replica(database) as replica:
        invite_id = a_invite(database)
        await replica.post(ErrorAnswer(http_status=404, code="PERSONA_NOT_FOUND", message="No such persona."))
    text = explained(invite_id)
    assert "ZenHire refused it: No such persona (PERSONA_NOT_FOUND) → refused" in text
    database.execute(_statement(text))
    assert database.fetch_value("select status from zenhire.candidate_invites") == "pending"


async def test_an_invite_of_a_stopped_account_tells_the_stop(database: Database, explained: Explained) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        invite_id = a_invite(database)
        await replica.post(ErrorAnswer(http_status=401, code="INVALID_API_KEY", message="zh_api_secretsecret unknown"))
        database.stop_clock(NOW + timedelta(seconds=3))
        await replica.row.tick(Load())
    text = explained(invite_id)
    assert "Waits: account default does not work. Stopped for 3 s: the vendor answered 401 INVALID_API_KEY:" in text
    assert "[key] unknown. Next probe in 2 s." in text
    assert text.endswith("This lets it go on: select zenhire.resume_account('default', 'the cause is mended');")


async def test_a_cancelled_invite_says_who_cancelled_it_and_that_its_link_still_works(
    database: Database, explained: Explained
) -> None:
    database.stop_clock(NOW)
    async with one_replica(database) as replica:
        invite_id = a_invite(database)
        await replica.post()
    database.fetch("select zenhire.cancel_invite(%s, 'withdrawn')", [invite_id])
    text = explained(invite_id)
    assert re.search(r"cancelled by \w+: withdrawn → cancelled", text)
    assert "ZenHire cannot revoke a link: its link works until 2031-05-13 12:00 UTC." in text


async def test_an_erased_candidate_leaves_the_history_and_no_words(database: Database, explained: Explained) -> None:
    async with one_replica(database) as replica:
        invite_id = a_invite(database, candidate_ref="secret-candidate")
        await replica.post(ErrorAnswer(http_status=404, code="PERSONA_NOT_FOUND", message="No such persona."))
    database.fetch("select zenhire.erase_candidate('default', 'secret-candidate', 'asked for')")
    text = explained(invite_id)
    assert "candidate erased" in text
    assert "ZenHire refused it: no reason on record → refused" in text
    assert "retry_invite" not in text


async def test_a_forgotten_history_is_told_as_such(database: Database, explained: Explained) -> None:
    async with one_replica(database) as replica:
        invite_id = a_invite(database, candidate_ref="secret-candidate")
        await replica.post(ErrorAnswer(http_status=404, code="PERSONA_NOT_FOUND", message="No such persona."))
    database.fetch("select zenhire.retry_invite(%s, 'again')", [invite_id])
    database.fetch("select zenhire.cancel_invite(%s, 'a mistake')", [invite_id])
    database.fetch("select zenhire.forget_invites(interval '0 s', 10)")
    text = explained(invite_id)
    assert "what happened before was forgotten" in text
    assert "ZenHire refused it" not in text


def test_a_name_in_any_script_neither_breaks_the_screen_nor_commands_it(
    database: Database, explained: Explained
) -> None:
    name = "候选人-\x1b[31m😀-Robert'); DROP TABLE " + "x" * 200
    a_invite(database, candidate_ref=name, request_key="request-1")
    assert "候选人- [31m😀-Robert'); DROP TABLE" in explained("request-1")
    assert explained(name) == explained("request-1")


def _statement(text: str) -> str:
    found = re.search(r"select zenhire\.\w+\(.*?\);", text)
    assert found is not None, text
    return found.group()
