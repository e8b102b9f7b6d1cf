"""One statement tells what the database knows of a whole page of the vendor's list."""

from uuid import uuid4

from service.core.comparing import Known
from service.core.model import InviteStatus, PostState
from service.core.observations import Sighting
from service.postgres.engine import create_engine
from service.postgres.known import known_of
from tests.support.database import Database
from tests.support.stages import invite_at


async def ask(database: Database, *rows: Sighting, account: str = "default") -> list[Known]:
    engine = create_engine(database.url, connections=1, application_name="test")
    try:
        return await known_of(engine, account, rows)
    finally:
        await engine.dispose()


async def test_a_page_is_known_by_session_by_mark_and_by_candidate(database: Database) -> None:
    invite_at(database, "failed", candidate_ref="anna")
    invite_at(database, "link_ready", candidate_ref="berta")
    invite_at(database, "starting", candidate_ref="clara")
    posts = {
        row["candidate_ref"]: row
        for row in database.fetch(
            "select i.candidate_ref, s.* from zenhire.interview_sessions s"
            " join zenhire.candidate_invites i on i.id = s.invite_id"
        )
    }
    stranger, by_id, by_mark, in_flight, by_ref, unmarked = await ask(
        database,
        Sighting(session_id="unknown", status="active", post_mark=str(uuid4())),
        Sighting(session_id=posts["berta"]["session_id"], status="active", post_mark=str(posts["berta"]["post_id"])),
        Sighting(session_id="another", status="active", post_mark=str(posts["berta"]["post_id"])),
        Sighting(session_id="on-its-way", status="initiated", post_mark=str(posts["clara"]["post_id"])),
        Sighting(session_id="by-hand", status="initiated", source="playground", candidate_ref="anna"),
        Sighting(session_id="of-somebody", status="initiated", source="requests", candidate_ref="anna"),
    )
    assert stranger == unmarked == Known()
    assert by_id.by_id is not None
    assert by_id.by_id == by_id.by_mark
    assert (by_id.by_id.invite_status, by_id.by_id.state) == (InviteStatus.LINK_READY, PostState.PUBLISHED)
    assert by_mark == Known(by_mark=by_id.by_id)
    assert in_flight.by_mark is not None
    assert in_flight.by_mark.state == PostState.POSTING
    assert by_ref.by_ref is not None
    assert by_ref == Known(by_ref=by_ref.by_ref)
    assert by_ref.by_ref.post_id == posts["anna"]["post_id"]


async def test_a_session_is_known_in_its_own_account_and_a_mark_in_every(database: Database) -> None:
    invite_at(database, "link_ready")
    post = database.fetch_one("select post_id, session_id from zenhire.interview_sessions")
    row = Sighting(session_id=post["session_id"], status="active", post_mark=str(post["post_id"]))
    (elsewhere,) = await ask(database, row, account="another")
    assert elsewhere.by_id is None
    assert elsewhere.by_mark is not None
    assert elsewhere.by_mark.account == "default"


async def test_an_empty_page_is_known(database: Database) -> None:
    assert await ask(database) == []
