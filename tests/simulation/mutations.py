"""The service with one of its safeguards taken out, to see that the simulation misses it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString

from sqlalchemy import text

from service.core import cadence, watching
from service.postgres import accounts, apply, budget, claims
from service.postgres.claims import NEVER, Batch, Claims
from service.steps.settle import SettleStep
from tests.simulation.database import SimulatedDatabase
from tests.simulation.replica import SimulatedReplica
from tests.simulation.run import Run, Stage
from tests.simulation.scenario import draw_scenario
from tests.simulation.world import World

Break = Callable[[SimulatedDatabase], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One safeguard, and how it is taken out."""

    what: str
    theme: str  #: seeds with another one would hardly come across it
    seeds: tuple[int, ...]  #: known to miss it
    break_it: Break


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    mutation: Mutation
    seed: int | None  #: None: no seed missed the safeguard
    played: int
    finding: str


def play_broken(stage: Stage, mutation: Mutation, seed: int) -> Run:
    with mutation.break_it(stage.database):
        return stage.play(seed)


def hunt(stage: Stage, mutation: Mutation, *, seeds_max: int) -> Caught:
    """Play seeds of the mutation's theme, from the first one on, until one of them misses the safeguard."""
    themed = (seed for seed in range(100_000) if mutation.theme in draw_scenario(seed).themes)
    for played, seed in enumerate(themed, 1):
        findings = play_broken(stage, mutation, seed).findings
        if findings:
            return Caught(mutation=mutation, seed=seed, played=played, finding=findings[0])
        if played == seeds_max:
            break
    return Caught(mutation=mutation, seed=None, played=seeds_max, finding="")


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _sql(module: Any, name: str, old: str, new: str) -> AbstractContextManager[None]:
    statement: str = getattr(module, name).text
    if old not in statement:
        raise AssertionError(f"{name} no longer says {old!r}")
    return _replaced(module, name, text(statement.replace(old, new)))


# --- the lease -------------------------------------------------------------------------------------------------------


def _no_lease_guard(_: SimulatedDatabase) -> AbstractContextManager[None]:
    return _sql(apply, "WRITE", " and s.lease_token = g.token", "")


@contextmanager
def _tokens_outlive_a_take_over(_: SimulatedDatabase) -> Iterator[None]:
    with ExitStack() as stack:
        for name in ("CLAIM_ABANDONED", "CLAIM_LOOKS", "CLAIM_TRANSCRIPTS", "CLAIM_SEARCHES"):
            stack.enter_context(
                _sql(
                    claims,
                    name,
                    "set lease_token = gen_random_uuid()",
                    "set lease_token = coalesce(s.lease_token, gen_random_uuid())",
                )
            )
        yield


def _nobody_takes_over(_: SimulatedDatabase) -> AbstractContextManager[None]:
    async def nothing(_: Claims, _limit: int) -> Batch[Any]:
        return Batch(rows=[], claimed_at=NEVER, asked_at=0.0, answered_at=0.0, lease=timedelta())

    return _replaced(Claims, "abandoned", nothing)


# --- the intent ------------------------------------------------------------------------------------------------------

#: What a transaction that was still open leaves of the claims of a replica that dies: nothing.
FORGET_INTENTS: tuple[LiteralString, ...] = (
    "set session_replication_role = replica",
    (
        "create temp table forgotten on commit drop as select s.post_id, s.invite_id, c.transaction_id"
        " from zenhire.interview_sessions s"
        " join simulation.changes c on c.before is null and c.after ->> 'post_id' = s.post_id::text"
        " where s.state = 'posting' and s.lease_holder = %(replica)s"
    ),
    (
        "update zenhire.candidate_invites i"
        " set status = c.before ->> 'status', version = (c.before ->> 'version')::bigint"
        " from forgotten f join simulation.changes c using (transaction_id)"
        " where i.id = f.invite_id and c.of_table = 'candidate_invites' and c.after ->> 'id' = i.id::text"
    ),
    "delete from zenhire.invite_events e using forgotten f where e.post_id = f.post_id",
    "delete from zenhire.interview_sessions s using forgotten f where s.post_id = f.post_id",
    "delete from simulation.changes c using forgotten f where c.transaction_id = f.transaction_id",
    "set session_replication_role = origin",
)


def _intent_is_not_committed(database: SimulatedDatabase) -> AbstractContextManager[None]:
    killed = World.kill

    def kill_and_forget(world: World, replica: SimulatedReplica) -> None:
        killed(world, replica)
        database.in_one_transaction(FORGET_INTENTS, {"replica": replica.id})

    return _replaced(World, "kill", kill_and_forget)


# --- what looks mean -------------------------------------------------------------------------------------------------


def _steps_back_are_believed_at_once(_: SimulatedDatabase) -> AbstractContextManager[None]:
    return _replaced(watching, "_step_back_is_believed", lambda *_: True)


def _links_die_at_first_sight(_: SimulatedDatabase) -> AbstractContextManager[None]:
    return _replaced(cadence, "link_is_over", lambda *_: True)


# --- the history -----------------------------------------------------------------------------------------------------


@contextmanager
def _no_events(database: SimulatedDatabase) -> Iterator[None]:
    """Past the database's own rule, which would refuse every decision."""
    rule: LiteralString = "alter table zenhire.candidate_invites {} trigger a_change_of_status_has_its_event"
    database.execute(rule.replace("{}", "disable"))
    try:
        with _sql(apply, "WRITE", "where e.event is not null", "where false and e.event is not null"):
            yield
    finally:
        database.execute(rule.replace("{}", "enable"))


# --- lost posts, the budget ------------------------------------------------------------------------------------------


def _nobody_searches(_: SimulatedDatabase) -> AbstractContextManager[None]:
    async def nothing(_: SettleStep) -> None:
        return None

    return _replaced(SettleStep, "tick", nothing)


def _no_distance_between_slots(_: SimulatedDatabase) -> AbstractContextManager[None]:
    return _replaced(budget, "slot_interval", lambda _: timedelta(microseconds=1))


def _nobody_waits(_: SimulatedDatabase) -> AbstractContextManager[None]:
    return _sql(accounts, "WAIT", "where account = :account and", "where false and account = :account and")


MUTATIONS: dict[str, Mutation] = {
    "the lease guard": Mutation(
        what="a write counts whoever holds the lease", theme="sleeping_replicas", seeds=(157,), break_it=_no_lease_guard
    ),
    "the fencing of late writes": Mutation(
        what="a take-over leaves the old token valid",
        theme="sleeping_replicas",
        seeds=(777,),
        break_it=_tokens_outlive_a_take_over,
    ),
    "the intent row": Mutation(
        what="a post is committed with its answer: a crash between leaves no row",
        theme="dying_replicas",
        seeds=(34,),
        break_it=_intent_is_not_committed,
    ),
    "the take-over": Mutation(
        what="nobody accounts for the posts of dead replicas",
        theme="dying_replicas",
        seeds=(65,),
        break_it=_nobody_takes_over,
    ),
    "the monotonic rule": Mutation(
        what="a step back is believed at once, `completed` absorbs nothing",
        theme="stale_reads",
        seeds=(19,),
        break_it=_steps_back_are_believed_at_once,
    ),
    "the death of a link": Mutation(
        what="an unopened link counts as dead at the first look",
        theme="second_links",
        seeds=(23,),
        break_it=_links_die_at_first_sight,
    ),
    "the event write": Mutation(
        what="decisions write no events, and the database asks for none",
        theme="busy_people",
        seeds=(9,),
        break_it=_no_events,
    ),
    "the search": Mutation(
        what="nobody searches for what lost posts left behind",
        theme="lost_posts",
        seeds=(4,),
        break_it=_nobody_searches,
    ),
    "the budget": Mutation(
        what="slots lie a microsecond apart", theme="rate_limits", seeds=(8,), break_it=_no_distance_between_slots
    ),
    "the wait": Mutation(
        what="a Retry-After is not written down", theme="rate_limits", seeds=(30,), break_it=_nobody_waits
    ),
}
