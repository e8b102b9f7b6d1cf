"""
The request budget: one row per account, shared by all replicas (a generic cell rate algorithm on the database's clock).

Slots are reserved before rows are claimed, in allotments of at most a second, and used up by the HTTP transport, so
that no request leaves without one.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.limits import ALLOTMENT, PROBE_MAX, SLOT_VALID_FOR, slot_interval
from service.core.model import Lane
from service.postgres.engine import DatabaseLost, fetch

#: Whether the account may ask in this lane at all; a stopped account's probe is taken by exactly one replica.
GATE = text("""
with
state as (
    select account, paused_at, stop_code, needs_person, probe_at,
           (stop_scope = 'everything' or :lane in ('start', 'persona')) as covered
    from zenhire.account_state where account = :account
),
probe as (
    update zenhire.account_state a
    set probe_at = zenhire.clock() + coalesce(a.probe_seconds, 5) * interval '1 second',
        probe_seconds = least(coalesce(a.probe_seconds, 5) * 2, :probe_max)
    from state s
    where a.account = s.account and s.stop_code is not null and s.covered and not s.needs_person
      and not (s.paused_at is not null and :lane in ('start', 'persona'))
      and :lane <> 'list' -- its answers prove nothing of what the stop is about
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
RESERVE = text("""
with
budget as (
    select account, next_slot_at, paused_until, zenhire.clock() as asked_at,
           cast(:interval as interval) * coalesce(cast(:per_minute as double precision) / requests_per_minute, 1)
               as slot_interval
    from zenhire.request_budget where account = :account for update
),
-- no honest reservation reaches further ahead than an allotment and one slot: a clock was set back
capped as (
    select *, least(next_slot_at, asked_at + greatest(interval '2 seconds', :allotment + slot_interval)) as capped_at
    from budget
),
base as (
    select account, asked_at, slot_interval, capped_at, next_slot_at,
           greatest(capped_at, asked_at, paused_until) as first_at
    from capped
),
grants as (
    select account, asked_at, first_at, slot_interval, capped_at, next_slot_at,
           case when first_at > asked_at + :allotment then 0
                else least(:wanted, 1 + floor(extract(epoch from asked_at + :allotment - first_at)
                                              / extract(epoch from slot_interval))::integer) end as slots
    from base
),
taken as (
    update zenhire.request_budget b
    set next_slot_at = case when g.slots > 0 then g.first_at + g.slots * g.slot_interval else g.capped_at end
    from grants g
    where b.account = g.account and (g.slots > 0 or g.capped_at < g.next_slot_at)
)
select slots, extract(epoch from first_at - asked_at)::double precision as first_in,
       extract(epoch from slot_interval)::double precision as distance
from grants
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a reservation gave: so many slots; none and a time to wait; or none at all."""

    slots: int
    probe: bool = False
    retry_in: float | None = None  #: seconds until slots may be had; None: not in this tick


CLOSED = Grant(slots=0)


class Budget:
    """One account's slots as this replica holds them. Implements the transport's `SlotSource`."""

    def __init__(self, engine: AsyncEngine, *, account: str, requests_per_minute: int, stopping: asyncio.Event) -> None:
        self._engine = engine
        self._stopping = stopping
        self._account = account
        self._per_minute = requests_per_minute
        self._interval = slot_interval(requests_per_minute)
        self._slots: deque[float] = deque()

    @property
    def requests_per_minute(self) -> int:
        """The account's limit as this replica's settings have it."""
        return self._per_minute

    async def reserve(self, lane: Lane, wanted: int) -> Grant:
        """Reserve up to `wanted` slots for a step, if the account may ask in this lane."""
        gate, waits = await self._gate(lane)
        if waits:
            self._slots.clear()  # handed out before the vendor asked to wait
        if gate == "closed":
            return CLOSED
        probe = gate == "probe"
        held = self._drop_void()
        missing = (1 if probe else wanted) - held
        retry_in = await self._take(missing) if missing > 0 else 0.0
        slots = min(len(self._slots), 1 if probe else wanted)
        return Grant(slots=slots, probe=probe, retry_in=None if slots else retry_in)

    async def acquire(self, send_before: float) -> bool:
        """Wait for a slot and use it up; False if none opens before `send_before` (the loop's time), or on a stop."""
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            self._drop_void()
            if not self._slots:
                wait = await self._take_or_fail(send_before)
                if wait is None:
                    return False
                if not self._slots:
                    await self._sleep(wait)
                    continue
            opens_at = self._slots.popleft()
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

    async def _take_or_fail(self, send_before: float) -> float | None:
        """Seconds until slots may be had, 0 if some are at hand, None if it would be too late."""
        try:
            wait = await self._take(1)
        except DatabaseLost:
            return None
        too_late = asyncio.get_running_loop().time() + wait > send_before
        return None if too_late and not self._slots else wait

    async def _gate(self, lane: Lane) -> tuple[str, bool]:
        """Whether the lane is open, closed or to be probed; and whether the whole account waits."""
        given = {"account": self._account, "lane": lane, "probe_max": int(PROBE_MAX.total_seconds())}
        rows = await fetch(self._engine, GATE, given)
        return (str(rows[0]["gate"]), bool(rows[0]["waits"])) if rows else ("closed", False)

    async def _take(self, wanted: int) -> float:
        """Reserve slots in the database; returns the seconds until more may be had if there were none."""
        asked_at = asyncio.get_running_loop().time()
        given = {
            "account": self._account,
            "wanted": wanted,
            "interval": self._interval,
            "per_minute": self._per_minute,
            "allotment": ALLOTMENT,
        }
        rows = await fetch(self._engine, RESERVE, given)
        if not rows:
            return ALLOTMENT.total_seconds()
        slots, first_in, distance = rows[0]["slots"], rows[0]["first_in"], rows[0]["distance"]
        # The reply is late rather than early: a slot counted from before the question would open too soon.
        answered_at = asyncio.get_running_loop().time()
        self._slots.extend(answered_at + first_in + number * distance for number in range(slots))
        if slots:
            return 0.0
        return max(float(first_in) - ALLOTMENT.total_seconds() - (answered_at - asked_at), 0.05)

    def _drop_void(self) -> int:
        oldest = asyncio.get_running_loop().time() - SLOT_VALID_FOR.total_seconds()
        while self._slots and self._slots[0] < oldest:
            self._slots.popleft()
        return len(self._slots)
