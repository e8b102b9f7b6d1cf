"""What the vendor's staff, the recruiter and the candidate can do, none of which an API key can (contract §2, §3)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

from sandbox.faults import parse_rule
from sandbox.model import Key, KeyState, Link, Session, Status
from sandbox.money import stamp
from sandbox.plans import check_plan
from sandbox.platform import Platform
from sandbox.profiles import changed


class ConsoleError(ValueError):
    """Something that cannot be done, and why."""


class Console:
    """Acts on a platform from outside the API."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def send_link(self, url: str, plan: str | None = None) -> Session:
        """The candidate now has this link. With `candidates.come=when_sent` his life begins here."""
        with self._platform.lock:
            now = self._platform.world.now()
            session = self._platform.session_of_link(url)
            if session is None or session.link.url != url:
                raise ConsoleError("no session has this link")
            if session.link.sent_at is None:
                session.link.sent_at = now
                if session.plan is None:
                    self._platform.lives.begin(session, now, _checked(plan))
            return session

    def reinvite(self, session_id: str, plan: str | None = None) -> tuple[Session, Link]:
        """A fresh link for a session without a result: the same session again, or another, as the profile has it."""
        with self._platform.lock:
            now = self._platform.world.now()
            session = self._find(session_id)
            if session.link.is_live(now) or session.status is Status.COMPLETED:
                raise ConsoleError(f"session {session_id} is {session.status.value}; only a dead link is replaced")
            checked = _checked(plan)
            if self._platform.profile.limits.reinvite == "new":
                session = self._platform.copy_session(session)
            else:
                self._set_back(session)
            session.link.sent_at = now  # the console mails it itself
            self._platform.lives.begin(session, now, checked)
            return session, session.link

    def _set_back(self, session: Session) -> None:
        if session.status is not Status.INITIATED:
            self._platform.lives.move(session, Status.INITIATED)
        session.started_at = session.ended_at = session.duration_sec = None
        session.timed_out = False
        self._platform.new_link(session)

    def delete_persona(self, persona_id: str) -> None:
        with self._platform.lock:
            found = [client.personas.get(persona_id) for client in self._platform.clients.values()]
            persona = next((persona for persona in found if persona is not None), None)
            if persona is None:
                raise ConsoleError(f"there is no persona {persona_id}")
            persona.deleted = True

    def top_up(self, key: str, amount: int) -> int:
        """The new balance; a negative amount takes credits away."""
        with self._platform.lock:
            credits_ = self._key(key).client.credits
            credits_.top_up(amount, stamp(self._platform.world.now()))
            return credits_.balance

    def set_key(
        self,
        key: str,
        *,
        state: KeyState | None = None,
        permitted: bool | None = None,
        client_active: bool | None = None,
    ) -> None:
        """Revoke, restore, expire; give or take the permission; close the client."""
        with self._platform.lock:
            found = self._key(key)
            if state is not None and state not in get_args(KeyState):
                raise ConsoleError(f"a key is {', '.join(get_args(KeyState))}; not {state!r}")
            found.state = state or found.state
            found.permitted = found.permitted if permitted is None else permitted
            found.client.active = found.client.active if client_active is None else client_active

    def change_profile(self, settings: dict[str, Any]) -> None:
        """From the next request on. What is on the agenda already stays there."""
        with self._platform.lock:
            now = self._platform.world.now()
            self._platform.profile = changed(self._platform.profile, settings)
            for client in self._platform.clients.values():
                self._platform.lives.fill_places(client, now)

    def set_faults(self, rules: Iterable[str]) -> None:
        """Replace the rules; scripted ones count requests from here on."""
        with self._platform.lock:
            faults = replace(self._platform.profile.faults, rules=tuple(parse_rule(rule) for rule in rules))
            self._platform.profile = replace(self._platform.profile, faults=faults)

    def write_plan(self, pattern: str, plan: str) -> None:
        """For sessions made from now on, before any earlier line of the script."""
        with self._platform.lock:
            self._platform.world.script.put(pattern, plan)

    def advance(self, by: timedelta) -> None:
        """Push the clock forward; a real clock stays ahead by as much."""
        with self._platform.lock:
            self._platform.world.clock.advance(by)
            self._platform.world.now()

    def busiest_minute(self, key: str) -> int:
        """The most requests this key ever sent within 60 seconds, refused ones among them."""
        with self._platform.lock:
            return self._key(key).arrivals.busiest()

    def _find(self, session_id: str) -> Session:
        found = [client.sessions.find(session_id) for client in self._platform.clients.values()]
        session = next((session for session in found if session is not None), None)
        if session is None:
            raise ConsoleError(f"there is no session {session_id}")
        return session

    def _key(self, value: str) -> Key:
        if value not in self._platform.keys:
            raise ConsoleError(f"there is no key {value!r}; there are {', '.join(self._platform.keys)}")
        return self._platform.keys[value]


def _checked(plan: str | None) -> str | None:
    if plan is not None:
        check_plan(plan)
    return plan
