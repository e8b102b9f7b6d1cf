"""Whatever passes the seam can be written: mutated answers, one invite's whole way, and a real Postgres."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import strategies as st

from sandbox.embedded_postgres import EmbeddedPostgres
from service.core.collecting import decide_collect
from service.core.failures import Request
from service.core.starting import decide_post
from service.core.transcripts import storable
from service.core.watching import LookTime, decide_look
from service.postgres.accounts import Accounts
from service.postgres.apply import Apply
from service.postgres.claims import Claims
from service.postgres.engine import create_engine
from service.postgres.migrate import upgrade
from service.postgres.writer import Writer
from tests.fuzz.bodies import TRANSCRIPT, bodies, mutated
from tests.fuzz.targets import Target, conversation
from tests.support.database import Database
from tests.support.invites import insert_invite
from tests.unit.core.examples import POLICY
from tests.unit.zenhire.examples import CREATED, SESSION, SESSION_ID

#: Two posts that are given one session are the vendor's fault, and no other rule may be broken.
ALLOWED = "interview_sessions_session_id"
FIRST_HOUR = datetime(2026, 11, 23, tzinfo=UTC)

cases = st.tuples(
    mutated(CREATED, {"session": CREATED}),
    st.lists(mutated({**SESSION, "status": "active"}, SESSION, {"data": SESSION}), min_size=1, max_size=3),
    bodies(TRANSCRIPT),
)


class Table:
    """Brings one invite for each case as far as its answers lead."""

    def __init__(self, database: Database) -> None:
        replica = uuid4()
        self._database = database
        self._engine = create_engine(database.url, connections=2, application_name="fuzz")
        self._claims = Claims(self._engine, holder=replica, lease=timedelta(seconds=30))
        self._accounts = Accounts(self._engine, replica=replica, base_url="http://127.0.0.1:1/api")
        self._writer = Writer(Apply(self._engine, replica=replica), self._accounts, give_up=lambda: True)
        self._runner = asyncio.Runner()
        self._now = FIRST_HOUR
        self._case = 0

    def check(self, case: tuple[bytes, Sequence[bytes], bytes]) -> None:
        made, looks, transcript = case
        self._case += 1
        account, session_id = f"case{self._case}", f"session-{self._case}".encode()
        self._next_hour()
        insert_invite(self._database, account=account, persona_id="persona-1", max_links=1 + self._case % 2)
        self._runner.run(self._accounts.register([account]))
        for body in (made, *looks, transcript, transcript):
            self._next_hour()
            self._runner.run(self._step(account, body.replace(SESSION_ID.encode(), session_id)))
        self._check_rules(account)

    def _next_hour(self) -> None:
        self._now += timedelta(hours=1)
        self._database.stop_clock(self._now)

    async def _step(self, account: str, body: bytes) -> None:
        """Whatever is due of this invite gets this answer."""
        for post in (await self._claims.posts(account, 1)).rows:
            made = await conversation().answer(Request.START, 200, {}, body)
            await self._writer.write(decide_post(post, made, now=self._now, policy=POLICY, jitter=0.5))
        for look in (await self._claims.looks(account, 1)).rows:
            seen = await conversation().look(look.session_id, body)
            time = LookTime(sent_at=self._now, now=self._now)
            await self._writer.write(decide_look(look, seen, time=time, policy=POLICY, jitter=0.5))
        for collect in (await self._claims.transcripts(account, 1)).rows:
            kept = storable(body, tries=collect.failures)
            await self._writer.write(decide_collect(collect, kept, now=self._now, policy=POLICY, jitter=0.5))

    def _check_rules(self, account: str) -> None:
        said = self._database.fetch(
            """
            select i.error_message as said from zenhire.candidate_invites i
            where i.account = %(account)s and i.error_code = 'UNSTORABLE_ANSWER'
            union all
            select e.reason from zenhire.invite_events e
            where e.account = %(account)s and (e.kind = 'answer_set_aside' or e.reason like '%%breaks the rule%%')
            """,
            {"account": account},
        )
        assert all(ALLOWED in row["said"] for row in said), said

    def close(self) -> None:
        self._runner.run(self._engine.dispose())
        self._runner.close()


@contextmanager
def rows_of(database: Database) -> Iterator[Target]:
    table = Table(database)
    try:
        yield Target(cases=cases, check=table.check, share=0.005)
    finally:
        table.close()


@contextmanager
def a_table() -> Iterator[Target]:
    """The target with a Postgres of its own."""
    with EmbeddedPostgres(durable=False) as postgres:
        upgrade(postgres.url())
        with rows_of(Database(postgres.url())) as target:
            yield target
