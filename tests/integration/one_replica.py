"""A replica moved by hand: the service's own claims, decisions and writes, and answers that the test gives."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

from service.core.collecting import decide_collect
from service.core.decisions import Decision
from service.core.model import LookClaim, Policy, PostClaim
from service.core.observations import Failure, Minted, MintedWithoutLink, Sighting
from service.core.starting import decide_post
from service.core.transcripts import storable
from service.core.watching import LookTime, decide_look
from service.postgres.accounts import Accounts
from service.postgres.apply import Apply
from service.postgres.claims import Claims
from service.postgres.engine import create_engine
from service.postgres.replicas import ReplicaRow
from tests.support.database import Database

LEASE = timedelta(seconds=30)
LINK = "https://interview.example/#t=a-token-that-nobody-may-see"


class OneReplica:
    def __init__(self, database: Database, policy: Policy) -> None:
        self.id: UUID = uuid4()
        self.engine = create_engine(database.url, connections=2, application_name="test")
        self.claims = Claims(self.engine, holder=self.id, lease=LEASE)
        self.accounts = Accounts(self.engine, replica=self.id, base_url="http://127.0.0.1:1/api")
        self.row = ReplicaRow(self.engine, replica=self.id, version="0.1.0", settings={})
        self._apply = Apply(self.engine, replica=self.id)
        self._policy = policy

    async def post(
        self, answer: Minted | MintedWithoutLink | Failure | None = None, *, account: str = "default"
    ) -> list[PostClaim]:
        """Post for all that is due and get `answer`; by default a link each."""
        batch = await self.claims.posts(account, 100)
        for claim in batch.rows:
            got = answer or Minted(
                session_id=f"session-{claim.post_id}", candidate_link=LINK, expires_in=timedelta(days=7)
            )
            await self._write(decide_post(claim, got, now=claim.posted_at, policy=self._policy, jitter=0.0))
        return list(batch.rows)

    async def look(self, answer: Callable[[LookClaim], Sighting | Failure]) -> None:
        batch = await self.claims.looks("default", 100)
        for claim in batch.rows:
            time = LookTime(sent_at=batch.claimed_at, now=batch.claimed_at)
            await self._write(decide_look(claim, answer(claim), time=time, policy=self._policy, jitter=0.0))

    async def collect(self, answer: bytes | Failure) -> None:
        batch = await self.claims.transcripts("default", 100)
        for claim in batch.rows:
            got = storable(answer, tries=claim.failures) if isinstance(answer, bytes) else answer
            await self._write(decide_collect(claim, got, now=batch.claimed_at, policy=self._policy, jitter=0.0))

    async def _write(self, decision: Decision) -> None:
        assert (await self._apply.write([decision.change])).written == {decision.change.claim.post_id}
        await self.accounts.note(decision.change.claim.account, decision.notes)


@asynccontextmanager
async def one_replica(database: Database, *, policy: Policy | None = None) -> AsyncIterator[OneReplica]:
    """A replica that has said hello and has a key for account `default`."""
    replica = OneReplica(database, policy or Policy())
    try:
        await replica.row.hello()
        await replica.accounts.register(["default"])
        yield replica
    finally:
        await replica.engine.dispose()


def seen(status: str, **over: object) -> Callable[[LookClaim], Sighting]:
    return lambda claim: Sighting(session_id=claim.session_id, status=status, **over)  # type: ignore[arg-type]
