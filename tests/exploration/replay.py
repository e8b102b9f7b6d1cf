"""
Explored traces against the real Postgres: after each step the rows must be what the model says.

The claims, writes and functions are the service's own. The vendor needs no stand-in here: what it answers is in the
trace. The model leaves open when something is due, so what a step is to claim is made due just before it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.changes import Change
from service.core.model import LookClaim, PostClaim
from service.core.observations import Sighting
from service.core.settling import already_known, decide_search
from service.core.starting import decide_post
from service.core.watching import LookTime, decide_look
from service.postgres.apply import Apply
from service.postgres.claims import Batch, Claims
from service.postgres.engine import create_engine
from tests.exploration.decisions import HELD_BACK, JITTER, MINTED, NO_ANSWER, answer_to_look, answer_to_post, policy
from tests.exploration.moves import BEFORE, Next, World, successors
from tests.exploration.rows import NOT_YET, State
from tests.exploration.words import in_words
from tests.exploration.worlds import WORLDS
from tests.unit.core.examples import NOW

LEASE = timedelta(hours=6)  #: all steps of a trace are done within, unless its end is one of them
STEP = timedelta(seconds=15)  #: more than the patience with a step back
WEEK = timedelta(days=8)  #: what is out is dead by the calendar, grace included

_ANSWERS = {"send_post": MINTED, "hold_back": HELD_BACK}

STOP_CLOCK: LiteralString = """
create table public.stopped_clock (at timestamptz not null);
insert into public.stopped_clock values ('2026-11-23 12:00+00');
create or replace function zenhire.clock() returns timestamptz
    language sql volatile as 'select at from public.stopped_clock';
"""

_ROWS: LiteralString = """
select i.status, i.link_number, i.session_id,
       coalesce((select json_agg(to_jsonb(s) || jsonb_build_object('over', s.lease_until <= zenhire.clock())
                                 order by s.link_number, s.post_number)
                 from zenhire.interview_sessions s where s.invite_id = i.id), '[]') as posts,
       coalesce((select json_agg(json_build_array(e.kind, e.from_status, e.to_status) order by e.id)
                 from zenhire.invite_events e where e.invite_id = i.id and e.id > %(last)s), '[]') as events,
       coalesce((select max(e.id) from zenhire.invite_events e where e.invite_id = i.id), 0) as last
from zenhire.candidate_invites i where i.id = %(invite)s
"""

_DUE: dict[str, LiteralString] = {
    "claim_look": "update zenhire.interview_sessions set next_look_at = '2026-01-01' where post_id = %s",
    "settle": "update zenhire.interview_sessions set next_search_at = '2026-01-01' where post_id = %s",
    "take_over": "update zenhire.interview_sessions set lease_until = '2026-01-01' where post_id = %s",
}

_EVERY_REPOST_DUE: LiteralString = """
update zenhire.interview_sessions set repost_at = zenhire.clock() where invite_id = %s and repost_at is not null
"""

#: Posts on their way are of all accounts alike: what a trace leaves must not be found by the next one.
_TIDY_UP: LiteralString = """
update zenhire.interview_sessions
set state = 'not_made', lease_token = null, lease_until = null, lease_holder = null
where invite_id = %s and state = 'posting'
"""


def random_traces(world: World, *, seed: int, count: int, length: int = 30) -> list[list[Next]]:
    """Walks through the explored space: at each state one kind of move, and one move of that kind."""
    random = Random(seed)
    return [_walk(world, random, length) for _ in range(count)]


def _walk(world: World, random: Random, length: int) -> list[Next]:
    state, steps = world.start(), list[Next]()
    while len(steps) < length:
        possible = list(successors(world, state))
        if not possible:
            break
        kind = random.choice(sorted({step.move.kind for step in possible}))
        step = random.choice([step for step in possible if step.move.kind == kind])
        steps.append(step)
        state = step.state
    return steps


@dataclass(slots=True)
class _Replica:
    """One replica's hands on the real database."""

    claims: Claims
    apply: Apply
    claim: Any = None
    change: Change | None = None

    def let_go(self) -> None:
        self.claim = self.change = None


@dataclass(slots=True, kw_only=True)
class Replay:
    """One database, in which each trace has an account and an invite of its own."""

    engine: AsyncEngine
    observer: psycopg.AsyncConnection[dict[str, Any]]
    traces: int = 0
    steps: int = 0
    now: datetime = NOW
    _invite: UUID = field(default_factory=uuid4)
    _posts: list[UUID] = field(default_factory=list)
    _weeks: list[datetime] = field(default_factory=list)  #: when each began
    _last_event: int = 0
    _replicas: list[_Replica] = field(default_factory=list)

    @property
    def _account(self) -> str:
        return f"trace_{self.traces}"

    async def run(self, world: World, trace: list[Next]) -> None:
        """Raises AssertionError at the first step after which the rows are not the model's."""
        await self._begin(world)
        before = world.start()
        for number, step in enumerate(trace, start=1):
            await self._advance(STEP)
            await self._perform(world, before, step)
            if step.swapped:
                self._replicas.reverse()
            await self._let_go(step.state)
            told, expected = await self._read(), _expected(step)
            story = "\n".join(in_words(world.start(), trace[:number]))
            assert told == expected, f"Postgres: {told}\nmodel:    {expected}\nafter:\n{story}"
            before = step.state
            self.steps += 1
        await self.observer.execute(_TIDY_UP, [self._invite])

    async def _begin(self, world: World) -> None:
        self.traces += 1
        ids = uuid4(), uuid4()
        self._replicas = [
            _Replica(Claims(self.engine, holder=id_, lease=LEASE), Apply(self.engine, replica=id_)) for id_ in ids
        ]
        self._posts, self._weeks, self._last_event = [], [self.now], 0
        cursor = await self.observer.execute(
            "insert into zenhire.candidate_invites (account, candidate_ref, persona_id, consent_mode, max_links)"
            " values (%s, 'candidate-1', 'persona-1', 'explicit', %s) returning id",
            [self._account, world.max_links],
        )
        row = await cursor.fetchone()
        assert row is not None
        self._invite = row["id"]

    async def _advance(self, by: timedelta) -> None:
        self.now += by
        await self.observer.execute("update public.stopped_clock set at = %s", [self.now])

    # --- one step ----------------------------------------------------------------------------------------------------

    async def _perform(self, world: World, before: State, step: Next) -> None:
        kind, replica, post = step.move
        if replica is not None and post is not None:
            await self._replica_does(world, before, kind, self._replicas[replica], post)
        elif kind == "settle" and post is not None:
            await self._settle(before, post)
        elif kind == "lease_over":
            await self._advance(LEASE)
        elif kind == "week":
            await self._advance(WEEK)
            self._weeks.append(self.now)
        elif kind == "cancel":
            await self.observer.execute("select zenhire.cancel_invite(%s, 'a test')", [self._invite])
        elif kind in {"new_link", "force_link"}:
            force = kind == "force_link"
            await self.observer.execute("select zenhire.new_link(%s, 'a test', %s)", [self._invite, force])

    async def _replica_does(self, world: World, before: State, kind: str, replica: _Replica, post: int) -> None:
        match kind:
            case "claim_post":
                await self.observer.execute(_EVERY_REPOST_DUE, [self._invite])
                replica.claim = _only(await replica.claims.posts(self._account, 1))
                self._posts.append(replica.claim.post_id)
            case "take_over":
                await self._make_due(kind, post)
                replica.claim = _only(await replica.claims.abandoned(1))
                replica.change = self._decided_post(world, replica.claim, NO_ANSWER, post)
            case "claim_look":
                await self._make_due(kind, post)
                replica.claim = _only(await replica.claims.looks(self._account, 1))
            case "crash":
                replica.let_go()
            case "send_look" | "lose_look" | "see_old_copy":
                replica.change = self._decided_look(world, before, kind, replica.claim, post)
            case "write" | "lose_commit" | "write_late":
                await self._write(replica, counts=kind != "write_late")
                if kind != "lose_commit":
                    replica.let_go()
            case _:
                replica.change = self._decided_post(world, replica.claim, _ANSWERS.get(kind, NO_ANSWER), post)

    async def _write(self, replica: _Replica, *, counts: bool) -> None:
        assert replica.change is not None
        outcome = await replica.apply.write([replica.change])
        assert not outcome.busy
        assert (replica.change.claim.post_id in outcome.written) == counts
        if not counts:
            await replica.apply.after_refusal(replica.change)

    async def _let_go(self, state: State) -> None:
        """What the model lets go, because its token is gone, is written here: it must not count."""
        for replica, hand in zip(self._replicas, state.hands, strict=True):
            if hand is None and replica.claim is not None:
                if replica.change is not None:
                    await self._write(replica, counts=False)
                replica.let_go()

    async def _settle(self, before: State, post: int) -> None:
        replica = self._replicas[0]
        await self._make_due("settle", post)
        claim = _only(await replica.claims.searches(self._account, 1))
        session = before.sessions[post]
        found = already_known(claim, claim.session_id) if claim.session_id else None
        if found is None and session is not None and session.status != NOT_YET:
            made_at = self._weeks[session.opened]
            found = Sighting(session_id=self._session_id(post), status=session.status, created_at=made_at)
        decision = decide_search(claim, found, searched=True, now=self.now, policy=policy(1))
        outcome = await replica.apply.write([decision.change])
        assert claim.post_id in outcome.written

    def _decided_post(self, world: World, claim: PostClaim, answer: str, post: int) -> Change:
        given = answer_to_post(answer, self._session_id(post))
        rules = policy(world.posts_per_link)
        return decide_post(claim, given, now=self.now, policy=rules, jitter=JITTER).change

    def _decided_look(self, world: World, before: State, kind: str, claim: LookClaim, post: int) -> Change:
        session = before.sessions[post]
        assert session is not None
        status = {"send_look": session.status, "see_old_copy": BEFORE.get(session.status)}.get(kind) or NO_ANSWER
        given = answer_to_look(status, self._session_id(post), self.now)
        time = LookTime(sent_at=self.now, now=self.now)
        return decide_look(claim, given, time=time, policy=policy(world.posts_per_link), jitter=JITTER).change

    async def _make_due(self, kind: str, post: int) -> None:
        await self.observer.execute(_DUE[kind], [self._posts[post]])

    def _session_id(self, post: int) -> str:
        return f"session-{self.traces}-{post}"

    # --- what stands there afterwards --------------------------------------------------------------------------------

    async def _read(self) -> dict[str, Any]:
        cursor = await self.observer.execute(_ROWS, {"invite": self._invite, "last": self._last_event})
        row = await cursor.fetchone()
        assert row is not None
        self._last_event = row["last"]
        return {
            "invite": (row["status"], row["link_number"], row["session_id"] and int(row["session_id"].split("-")[2])),
            "posts": [_of_row(post) for post in row["posts"]],
            "events": [tuple(event) for event in row["events"]],
        }


def _of_row(post: dict[str, Any]) -> dict[str, Any]:
    return {
        "state": post["state"],
        "link": post["link_number"],
        "current": post["current"],
        "counted": post["counted"],
        "session": post["session_id"] is not None,
        "opened": post["link_expires_at"] is not None,
        "seen": post["vendor_status"],
        "step_back": post["step_back_seen_at"] is not None,
        "repost": post["repost_at"] is not None,
        "look": post["next_look_at"] is not None,
        "search": post["next_search_at"] is not None,
        "dead": post["dead_because"] if post["dead_at"] is not None else None,
        "reinvited": post["reinvited_at"] is not None,
        "superseded": post["superseded_at"] is not None,
        "leased": post["lease_token"] is not None,
        "over": bool(post["over"]),
    }


def _expected(step: Next) -> dict[str, Any]:
    invite, posts = step.state.rows
    compared = [post._asdict() | {"opened": post.opened is not None, "leased": post.token != 0} for post in posts]
    for post in compared:
        del post["posted"], post["token"]
    return {
        "invite": (invite.status, invite.link_number, invite.shown),
        "posts": compared,
        "events": [tuple(event) for event in step.events],
    }


def _only(batch: Batch[Any]) -> Any:
    (claim,) = batch.rows
    return claim


async def open_observer(url: str) -> psycopg.AsyncConnection[dict[str, Any]]:
    """Stops the database's clock, in a way that moving it costs one small write."""
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True, row_factory=dict_row)
    await connection.execute(STOP_CLOCK)
    return connection


async def replayed(url: str, *, seed: int, count: int) -> str:
    """Replay `count` random traces of the explored worlds in the database; raises at the first disagreement."""
    engine = create_engine(url, connections=1, application_name="zenhire-sync test")
    observer = await open_observer(url)
    replay = Replay(engine=engine, observer=observer)
    try:
        for number, world in enumerate(WORLDS.values()):
            for trace in random_traces(world, seed=seed, count=len(range(number, count, len(WORLDS)))):
                await replay.run(world, trace)
    finally:
        await observer.close()
        await engine.dispose()
    return f"{replay.traces} random traces with {replay.steps:,} steps, replayed against Postgres: both agree."
