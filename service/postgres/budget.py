"""
The request budget: one row per account, shared by all replicas (a generic cell rate algorithm on the database's clock).

Slots are reserved before rows are claimed, in allotments of at most a second, and used up by the HTTP transport, so
that no request leaves without one.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.core.limits import (
    ALLOTMENT,
    PROBE_MAX,
    PROBE_MAX_OF_EVERYTHING,
    SLOT_VALID_FOR,
    TERMS,
    Share,
    slot_interval,
)
from service.core.model import Lane
from service.postgres.engine import DatabaseLost, transaction

#: What could take the probe of a stopped account, and tells more of what the stop is about than a list does.
_OTHERS_ARE_DUE = """
exists (select from zenhire.interview_sessions o
        where o.account = s.account and o.next_look_at <= (select zenhire.clock()))
or exists (select from zenhire.interview_sessions o
           where o.account = s.account and o.next_collect_at <= (select zenhire.clock()))
or s.paused_at is null and (
    exists (select from zenhire.interview_sessions o
            where o.account = s.account and o.repost_at <= (select zenhire.clock()))
    or exists (select from zenhire.candidate_invites o
               where o.account = s.account and o.status = 'pending' and o.start_after <= (select zenhire.clock())))
"""

#: Whether the account may ask in this lane at all; a stopped account's probe is taken by exactly one replica.
GATE = text(f"""
with
state as (
    select account, paused_at, stop_code, needs_person, probe_at,
           (stop_scope = 'everything' or :lane in ('start', 'persona')) as covered
    from zenhire.account_state where account = :account
),
probe as (
    update zenhire.account_state a
    set probe_at = zenhire.clock() + coalesce(a.probe_seconds, 5) * interval '1 second',
        probe_seconds = least(coalesce(a.probe_seconds, 5) * 2,
                              case a.stop_scope when 'everything' then :probe_max_of_everything else :probe_max end)
    from state s
    where a.account = s.account and s.stop_code is not null and s.covered and not s.needs_person
      and not (s.paused_at is not null and :lane in ('start', 'persona'))
      and (:lane <> 'list' or not ({_OTHERS_ARE_DUE})) -- without it nobody would, while all looks lie far off
      and not exists (select from zenhire.request_budget b
                      where b.account = s.account and b.paused_until > (select zenhire.clock()))
      and a.probe_at <= (select zenhire.clock())
    returning a.account
)
select case
    when s.paused_at is not null and :lane in ('start', 'persona') then 'closed'
    when s.stop_code is null or not s.covered then 'open'
    when exists (select from probe) then 'probe'
    else 'closed'
end as gate,
exists (select from zenhire.request_budget b
        where b.account = s.account and b.paused_until > (select zenhire.clock())) as waits
from state s
""")

#: The next slot, the account's pause and the clock decide where an allotment begins; a time far ahead never counts.
#: Shares reach ahead by rank, and as far as anybody while they are owed their floor.
RESERVE = {
    share: text(
        f"""
with
budget as (
    select b.account, b.next_slot_at, b.paused_until, b.{share}_owed_at as owed_at, zenhire.clock() as asked_at,
           cast(:interval as interval) * coalesce(cast(:per_minute as double precision) / b.requests_per_minute, 1)
               / coalesce((select zenhire.pace_now(a) from zenhire.account_state a where a.account = b.account), 1)
               as slot_interval
    from zenhire.request_budget b where b.account = :account for update
),
-- no honest reservation reaches further ahead than an allotment and one slot: a clock was set back
capped as (
    select *, least(next_slot_at, asked_at + greatest(interval '2 seconds', :allotment + slot_interval)) as capped_at
    from budget
),
base as (
    select *, greatest(capped_at, asked_at, paused_until) as first_at,
           -- a floor that was not wanted for long is not owed all at once, and a clock set back owes nothing for long
           least(greatest(owed_at, asked_at - :allotment), asked_at + :allotment + 2 * slot_interval / :floor) as owed
    from capped
),
-- how many slots begin within its reach, and how many it is owed
offers as (
    select *,
           case when first_at > asked_at + :reach then 0
                else 1 + floor(extract(epoch from asked_at + :reach - first_at) / extract(epoch from slot_interval)) end
               as by_rank,
           case when first_at > asked_at + :allotment or owed > asked_at then 0
                else least(1 + floor(extract(epoch from asked_at - owed) * :floor / extract(epoch from slot_interval)),
                           1 + floor(extract(epoch from asked_at + :allotment - first_at)
                                     / extract(epoch from slot_interval))) end as by_floor
    from base
),
grants as (
    select *, least(:wanted, greatest(by_rank, by_floor))::integer as slots from offers
),
taken as (
    update zenhire.request_budget b
    set next_slot_at = case when g.slots > 0 then g.first_at + g.slots * g.slot_interval else g.capped_at end,
        {share}_owed_at = g.owed + g.slots * g.slot_interval / :floor
    from grants g
    where b.account = g.account and (g.slots > 0 or g.capped_at < g.next_slot_at)
)
select slots, extract(epoch from first_at - asked_at)::double precision as first_in,
       extract(epoch from slot_interval)::double precision as distance,
       extract(epoch from least(first_at - cast(:reach as interval),
                                greatest(first_at - cast(:allotment as interval), owed)) - asked_at
              )::double precision as retry_in
from grants
"""
    )
    for share in Share
}
#: Which share a step's lane belongs to, unless it says so itself.
SHARES = {
    Lane.START: Share.STARTS,
    Lane.PERSONA: Share.STARTS,
    Lane.LOOK: Share.OUTCOMES,
    Lane.LIST: Share.OUTCOMES,
    Lane.ARTIFACT: Share.ARTIFACTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a reservation gave: so many slots; none and a time to wait; or none at all."""

    slots: int
    probe: bool = False
    retry_in: float | None = None  #: seconds until slots may be had; None: not in this tick


CLOSED = Grant(slots=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the database offers, in seconds from its answer; until the transaction is committed nobody may use it."""

    asked_at: float  #: the loop's time
    slots: int = 0
    first_in: float = 0.0
    distance: float = 0.0
    retry_in: float = ALLOTMENT.total_seconds()  #: from the question


class Budget:
    """One account's slots as this replica holds them. Implements the transport's `SlotSource`."""

    def __init__(self, engine: AsyncEngine, *, account: str, requests_per_minute: int, stopping: asyncio.Event) -> None:
        self._engine = engine
        self._stopping = stopping
        self._account = account
        self._per_minute = requests_per_minute
        self._interval = slot_interval(requests_per_minute)
        self._slots: dict[Share, deque[float]] = {share: deque() for share in Share}
        self._spare: list[float] = []  # reserved by a step that then found less to do

    @property
    def requests_per_minute(self) -> int:
        """The account's limit as this replica's settings have it."""
        return self._per_minute

    async def reserve(self, lane: Lane, wanted: int, *, share: Share | None = None) -> Grant:
        """Reserve up to `wanted` slots for a step, if the account may ask in this lane."""
        share = share or SHARES[lane]
        async with transaction(self._engine) as connection:
            gate, waits = await self._gate(connection, lane)
            if waits:
                self._drop_all()  # handed out before the vendor asked to wait
            if gate == "closed":
                return CLOSED
            probe = gate == "probe"
            wanted = 1 if probe else wanted
            missing = wanted - self._hold(share, wanted)
            offer = await self._ask(connection, share, missing) if missing > 0 else None
        retry_in = self._keep(share, offer) if offer is not None else 0.0
        slots = min(len(self._slots[share]), wanted)
        return Grant(slots=slots, probe=probe, retry_in=None if slots else retry_in)

    def give_back(self, lane: Lane, slots: int, *, share: Share | None = None) -> None:
        """Leave slots for which there was nothing to do to whoever comes next."""
        held = self._slots[share or SHARES[lane]]
        for _ in range(min(slots, len(held))):
            self._spare.append(held.pop())
        self._spare.sort()

    async def acquire(self, share: Share, send_before: float) -> bool:
        """Wait for a slot and use it up; False if none opens before `send_before` (the loop's time), or on a stop."""
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            if not self._hold(share, 1):
                wait = await self._take_or_fail(share, send_before)
                if wait is None:
                    return False
                if not self._slots[share]:
                    await self._sleep(wait)
                    continue
            opens_at = self._slots[share].popleft()
            if opens_at > send_before:
                return False
            await self._sleep(opens_at - loop.time())
            if loop.time() - opens_at <= SLOT_VALID_FOR.total_seconds():
                return not self._stopping.is_set()
        return False

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _take_or_fail(self, share: Share, send_before: float) -> float | None:
        """Seconds until slots may be had, 0 if some are at hand, None if it would be too late."""
        try:
            wait = await self._take(share, 1)
        except DatabaseLost:
            return None
        too_late = asyncio.get_running_loop().time() + wait > send_before
        return None if too_late and not self._slots[share] else wait

    async def _gate(self, connection: AsyncConnection, lane: Lane) -> tuple[str, bool]:
        """Whether the lane is open, closed or to be probed; and whether the whole account waits."""
        given: dict[str, Any] = {"account": self._account, "lane": lane}
        given["probe_max"] = int(PROBE_MAX.total_seconds())
        given["probe_max_of_everything"] = int(PROBE_MAX_OF_EVERYTHING.total_seconds())
        row = (await connection.execute(GATE, given)).one_or_none()
        return (str(row.gate), bool(row.waits)) if row is not None else ("closed", False)

    async def _take(self, share: Share, wanted: int) -> float:
        """Reserve slots in the database; returns the seconds until more may be had if there were none."""
        async with transaction(self._engine) as connection:
            offer = await self._ask(connection, share, wanted)
        return self._keep(share, offer)

    async def _ask(self, connection: AsyncConnection, share: Share, wanted: int) -> Offer:
        asked_at = asyncio.get_running_loop().time()
        given = {
            "account": self._account,
            "wanted": wanted,
            "interval": self._interval,
            "per_minute": self._per_minute,
            "allotment": ALLOTMENT,
            "reach": TERMS[share].reach,
            "floor": TERMS[share].floor,
        }
        row = (await connection.execute(RESERVE[share], given)).mappings().one_or_none()
        return Offer(asked_at=asked_at) if row is None else Offer(asked_at=asked_at, **row)

    def _keep(self, share: Share, offer: Offer) -> float:
        """Take over what was reserved and committed; the seconds until more may be had if that is nothing."""
        # The reply is late rather than early: a slot counted from before the question would open too soon.
        answered_at = asyncio.get_running_loop().time()
        first_at = answered_at + offer.first_in
        self._slots[share].extend(first_at + number * offer.distance for number in range(offer.slots))
        return 0.0 if offer.slots else max(offer.retry_in - (answered_at - offer.asked_at), 0.05)

    def _hold(self, share: Share, wanted: int) -> int:
        """How many slots the share holds, spare ones taken over for what it lacks."""
        oldest = asyncio.get_running_loop().time() - SLOT_VALID_FOR.total_seconds()
        held = self._slots[share]
        while held and held[0] < oldest:
            held.popleft()
        self._spare = [slot for slot in self._spare if slot >= oldest]
        lacking = max(wanted - len(held), 0)
        taken, self._spare = self._spare[:lacking], self._spare[lacking:]
        self._slots[share] = deque(sorted([*held, *taken]))
        return len(self._slots[share])

    def _drop_all(self) -> None:
        self._spare.clear()
        for held in self._slots.values():
            held.clear()
