"""The real steps against a vendor whose answers do harm: the invite comes through, and nothing unsound is stored."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.support.replica import Replica, a_replica, kinds_of_events, statuses, the_invite, the_posts
from tests.unit.zenhire.examples import KEY, raw_server

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LINK = "http://interview.test/#t=a-token-that-nobody-may-see"


def answer(payload: Any, status: str = "200 OK", *lines: str) -> bytes:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    given = [f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}"]
    return "\r\n".join(given).encode() + b"\r\n\r\n" + body


class Vendor:
    """Says what it is told to, in turn, and then makes sound sessions that are open."""

    def __init__(self, replica: Replica, database: Database) -> None:
        self.replica = replica
        self.to_posts: list[bytes] = []
        self.to_looks: list[bytes] = []
        self.to_transcripts: list[bytes] = []
        self._database = database
        self._now = NOON

    async def tick(self, **later: float) -> None:
        self._now += timedelta(**later)
        self._database.stop_clock(self._now)
        await self.replica.tick()


@asynccontextmanager
async def a_vendor(database: Database, *, invites: int = 1) -> AsyncIterator[Vendor]:
    """A vendor, a replica that asks it, and invites that wait."""
    made = 0

    def reply(request: bytes) -> bytes:
        nonlocal made
        method, path, *_ = request.split()
        if method == b"POST":
            made += 1
            good = answer({"id": f"session-{made}", "candidate_link": f"{LINK}-{made}"}, "201 Created")
            return vendor.to_posts.pop(0) if vendor.to_posts else good
        if path.endswith(b"/transcript"):
            return vendor.to_transcripts.pop(0) if vendor.to_transcripts else answer({"turns": []})
        if path.split(b"?")[0].endswith(b"/sessions"):
            return answer({"data": []})
        session_id = path.rpartition(b"/")[2].decode()
        return vendor.to_looks.pop(0) if vendor.to_looks else answer({"id": session_id, "status": "initiated"})

    async def talk(request: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(request))
        await writer.drain()
        writer.close()

    database.stop_clock(NOON)
    for _ in range(invites):
        insert_invite(database, persona_id="persona-1")
    async with (
        raw_server(talk) as server,
        a_replica(database.url, server.base_url, keys={"default": KEY}, deadline=timedelta(seconds=10)) as replica,
    ):
        vendor = Vendor(replica, database)
        yield vendor


async def test_of_many_harmful_answers_to_posts_one_link_is_published(database: Database) -> None:
    with structlog.testing.capture_logs() as logs:
        async with a_vendor(database) as vendor:
            vendor.to_posts = [
                answer({"id": "session-666", "candidate_link": "javascript:alert(document.cookie)"}),
                answer({"id": "../../'; drop schema zenhire cascade; --", "candidate_link": LINK}),
                answer(b'{"id": "session-667", "candidate_link": "' + b"[" * 100_000),
                b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" + answer({"id": "session-668", "candidate_link": LINK}),
            ]
            for _ in range(8):
                await vendor.tick(minutes=1)
    invite = the_invite(database)
    assert (invite["status"], invite["candidate_link"]) == ("link_ready", f"{LINK}-5")
    assert sorted(post["state"] for post in the_posts(database)) == ["lost", "lost", "lost", "orphan", "published"]
    assert {post["session_id"] for post in the_posts(database)} == {None, "session-666", "session-5"}
    said = json.dumps(logs, default=str)
    for secret in ("a-token-that-nobody-may-see", "javascript", "drop schema", KEY):
        assert secret not in said
    stored = json.dumps(database.fetch("select * from zenhire.invite_events"), default=str)
    assert "javascript" not in stored
    assert "drop schema" not in stored


async def test_an_outcome_full_of_nonsense_completes_the_invite_without_it(database: Database) -> None:
    async with a_vendor(database) as vendor:
        await vendor.tick()
        vendor.to_looks = [
            answer(b'{"id": "session-1", "status": "\\u001b[2Jactive\\u0000", "started_at": NaN}'),
            answer({"id": "session-1", "status": "active", "started_at": "2099-01-01T00:00:00Z"}),
            answer(
                {
                    "id": "session-1",
                    "status": "completed",
                    "completed_at": "2020-01-01T00:00:00Z",
                    "duration_sec": -1,
                    "credit_charged": 10**30,
                    "feedback": {"rating": 99},
                    "client_id": "client\x1b[2J",
                    "novelty": {"deep": [1e300, "\ud800", "\x00"]},
                }
            ),
        ]
        vendor.to_transcripts = [
            answer({"error": {"code": "ARTIFACT_NOT_READY", "details": {"status": "\x1b[2J"}}}, "409 Conflict"),
            answer(b'{"turns": [1e-20000]}'),
        ]
        for _ in range(40):
            await vendor.tick(seconds=20)
    invite = the_invite(database)
    assert (invite["status"], invite["transcript_state"]) == ("completed", "stored")
    assert (invite["duration_seconds"], invite["credits_charged"], invite["candidate_survey_rating"]) == (None,) * 3
    assert database.fetch_value("select convert_from(body, 'UTF8') from zenhire.transcripts") == '{"turns": [1e-20000]}'
    assert "answer_set_aside" not in kinds_of_events(database)
    assert "\x1b" not in json.dumps(the_posts(database), default=str, ensure_ascii=False)


async def test_a_redirect_stops_the_account_until_it_is_gone_and_takes_the_key_nowhere(database: Database) -> None:
    async def nobody(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer({"id": "session-666", "candidate_link": LINK}))

    async with raw_server(nobody) as elsewhere, a_vendor(database) as vendor:
        redirect = answer(b"", "307 Temporary Redirect", f"Location: {elsewhere.base_url}")
        vendor.to_posts = [redirect] * 3
        await vendor.tick()
        codes = database.fetch("select code from zenhire.attention")
        assert "REDIRECTED" in {row["code"] for row in codes}
        assert statuses(database) == {"pending": 1}
        for _ in range(20):
            await vendor.tick(minutes=1)
        assert elsewhere.requests == []
    assert statuses(database) == {"link_ready": 1}
    assert "REDIRECTED" not in {row["code"] for row in database.fetch("select code from zenhire.attention")}


async def test_the_same_session_for_two_invites_goes_to_one_of_them(database: Database) -> None:
    async with a_vendor(database, invites=2) as vendor:
        vendor.to_posts = [answer({"id": "session-666", "candidate_link": LINK})] * 2
        for _ in range(3):
            await vendor.tick(minutes=1)
    assert statuses(database) == {"link_ready": 1, "needs_review": 1}
    rows = database.fetch("select candidate_link from zenhire.candidate_invites where candidate_link is not null")
    assert len(rows) == 1
