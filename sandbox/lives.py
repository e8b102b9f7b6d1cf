"""What candidates do with their links: the state machine of contract §3, moved by the agenda alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from sandbox.model import Client, Link, Session, Status
from sandbox.money import minutes_begun, stamp
from sandbox.plans import Ending, Plan, apply_text, draw_plan, written_plan
from sandbox.world import World


class Lives:
    """Opens, waits, talks, ends. Each act carries the link it belongs to and does nothing once that is replaced."""

    def __init__(self, world: World) -> None:
        self._world = world

    def begin(self, session: Session, now: datetime, text: str | None = None) -> None:
        """From here on a candidate holds the link of this session, and has a plan."""
        session.plan = self._plan(session, text)
        delay = self._world.profile.scaled(session.plan.opens_after.total_seconds())
        match session.plan.ending:
            case Ending.NEVER:
                return
            case Ending.FAILS_UNOPENED:
                self._later(now + delay, session, self._fail_unopened)
            case Ending.COMPLETED | Ending.FAILED | Ending.TIMED_OUT:
                self._later(now + delay, session, self._come_to_the_door)
            case _:
                assert_never(session.plan.ending)

    def expect_expiry(self, session: Session) -> None:
        """Some vendors may turn a session whose link died unused into a failed one (contract §8)."""
        if self._world.profile.limits.after_expiry == "failed":
            self._later(session.link.expires_at, session, self._fail_unopened)

    def fill_places(self, client: Client, now: datetime) -> None:
        """Let in those who wait, first come first served, while there are places."""
        while client.door and client.running < self._world.profile.limits.concurrency:
            self._start(client.door.popleft(), now)

    def move(self, session: Session, status: Status) -> None:
        session.client.sessions.move(session, session.status, status)
        session.status = status

    def _plan(self, session: Session, text: str | None) -> Plan:
        name = session.candidate
        attempt = session.client.links_held[name]
        session.client.links_held[name] += 1
        drawn = draw_plan(self._world.profile.candidates, self._world.dice(f"{session.client.name}:{name}:{attempt}"))
        text = text or written_plan(self._world.script, session.candidate_ref, session.metadata)
        return drawn if text is None else apply_text(drawn, text, attempt)

    def _later(self, when: datetime, session: Session, act: Callable[[Session, datetime], None]) -> None:
        self._world.agenda.at(when, partial(_if_still_its_link, session, session.link, act))

    def _come_to_the_door(self, session: Session, now: datetime) -> None:
        if session.status is not Status.INITIATED or now >= session.link.expires_at:  # contract §3
            return
        session.link.opened_at = now
        session.client.door.append(session)
        self.fill_places(session.client, now)

    def _start(self, session: Session, now: datetime) -> None:
        plan, profile = session.plan, self._world.profile
        if plan is None:
            raise AssertionError("a candidate without a plan stands at the door")
        session.client.running += 1
        session.started_at = now
        self.move(session, Status.ACTIVE)
        budget = timedelta(seconds=profile.limits.interview_budget_seconds)
        talks_for = plan.talks_for
        if plan.ending is Ending.TIMED_OUT or talks_for > budget:
            session.plan, talks_for = replace(plan, ending=Ending.TIMED_OUT), budget
        end = partial(self._end, talked=talks_for)
        self._later(now + profile.scaled(talks_for.total_seconds()), session, end)

    def _end(self, session: Session, now: datetime, *, talked: timedelta) -> None:
        plan = session.plan
        if plan is None:
            raise AssertionError("an interview without a plan has run")
        session.ended_at = session.link.dead_at = now
        if plan.ending is Ending.COMPLETED:
            self._complete(session, plan, now, talked)
        else:
            session.timed_out = plan.ending is Ending.TIMED_OUT
            self.move(session, Status.FAILED)
        session.client.running -= 1
        self.fill_places(session.client, now)

    def _complete(self, session: Session, plan: Plan, now: datetime, talked: timedelta) -> None:
        """Charged by the minute begun, and only here (contract §4)."""
        profile = self._world.profile
        session.duration_sec = int(talked.total_seconds())
        session.credit_charged = minutes_begun(talked) * profile.credits.per_minute
        session.client.credits.charge(session.credit_charged, session.id, stamp(now))
        session.artifacts_at = now + profile.scaled(plan.artifacts_after.total_seconds())
        if plan.rating is not None:
            session.feedback_at = now + profile.scaled(plan.feedback_after.total_seconds())
        self.move(session, Status.COMPLETED)

    def _fail_unopened(self, session: Session, now: datetime) -> None:
        if session.status is Status.INITIATED and session.link.opened_at is None:
            session.ended_at = session.link.dead_at = now
            self.move(session, Status.FAILED)


def _if_still_its_link(session: Session, link: Link, act: Callable[[Session, datetime], None], now: datetime) -> None:
    if session.link is link:
        act(session, now)
