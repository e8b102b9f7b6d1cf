"""What the ATS, operators and recruiters do while replicas are in the middle of something."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from sandbox.console import ConsoleError
from tests.simulation.scenario import InvitePlan
from tests.simulation.world import KEYS, World

REINVITED_WITHIN = timedelta(days=6)  #: after the death of a link; for a week, its console says (contract §3)


class People:
    """Each act is one transaction; what the tables refuse is told and forgotten, as people do."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sent: set[str] = set()
        self._locked = False

    # --- the ATS -----------------------------------------------------------------------------------------------------

    def insert(self, plan: InvitePlan) -> None:
        world, values = self._world, dict(plan.values)
        invite_id = UUID(int=world.dice.getrandbits(128), version=4)
        for name, column in (("start_after_in", "start_after"), ("stop_after_in", "stop_after")):
            seconds = values.pop(name, None)
            if seconds is not None:
                values[column] = world.now + timedelta(seconds=seconds)
        if "start_after" in values:
            values.pop("stop_after", None)
        if "persona_id" in values:
            values["persona_id"] = self._persona(values["account"])
        values["metadata"] = Jsonb(values["metadata"])
        values["id"] = invite_id
        world.invites[invite_id], world.account_of[invite_id] = values["candidate_ref"], values["account"]
        statement = psycopg.sql.SQL("insert into zenhire.candidate_invites ({}) values ({})").format(
            psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, values)),
            psycopg.sql.SQL(", ").join(map(psycopg.sql.Placeholder, values)),
        )
        self._act("ats", f"inserts {values['candidate_ref']}", statement, values)

    def _persona(self, account: str) -> str:
        return next(iter(self._world.platform.keys[KEYS[account]].client.personas))

    def hand_over_links(self) -> None:
        """What is new in the table goes to its candidate, in one transaction: a link that was replaced is not sent."""
        world = self._world
        if self._locked:
            return
        world.database.tell(world.now, "ats")
        rows = world.database.fetch(
            "update zenhire.candidate_invites set seen_version = version, link_sent_at = case"
            " when status = 'link_ready' then zenhire.clock() else link_sent_at end"
            " where version > seen_version and erased_at is null returning candidate_ref, candidate_link, status"
        )
        for row in rows:
            link = row["candidate_link"]
            if row["status"] == "link_ready" and link is not None and link not in self._sent:
                self._sent.add(link)
                world.tell("ats", f"hands {row['candidate_ref']} the link")
                world.console.send_link(link)

    def ats_acts(self) -> None:
        acts: Sequence[Callable[[], None]] = (
            self.hand_over_links, self.hand_over_links, self.hand_over_links, self._change_priority, self._change_stop,
            self._change_links, self._cancel, self._lock_or_unlock, self._delete,
        )  # fmt: skip
        self._world.dice.choice(acts)()

    def _change_priority(self) -> None:
        self._on_one("ats", "update zenhire.candidate_invites set priority = priority + 1 where id = %s", "priority")

    def _change_stop(self) -> None:
        self._on_one(
            "ats",
            "update zenhire.candidate_invites set stop_after = greatest(start_after, zenhire.clock())"
            " + interval '1 hour' where id = %s",
            "stop_after",
        )

    def _change_links(self) -> None:
        self._on_one(
            "ats",
            "update zenhire.candidate_invites set max_links = 3 - max_links where id = %s",
            "changes max_links of",
        )

    def _delete(self) -> None:
        self._on_one("ats", "delete from zenhire.candidate_invites where id = %s", "deletes")

    def _cancel(self) -> None:
        if self._world.dice.random() < 0.5:
            self._on_one("ats", "select zenhire.cancel_invite(%s, 'the candidate withdrew')", "cancels")

    def _lock_or_unlock(self) -> None:
        """A transaction of the ATS's that stays open for a while, with a row locked."""
        if self._locked or not self._world.invites:
            self.unlock()
            return
        invite_id = self._any_invite()
        self._world.tell("ats", f"holds a lock on {self._world.invites[invite_id]}")
        self._world.happened("ats: holds a lock")
        self._world.database.lock_invite(invite_id)
        self._locked = True
        self._world.plan(self._world.loop.time() + self._world.dice.choice([0.1, 1.0, 20.0]), self.unlock)

    def unlock(self) -> None:
        if self._locked:
            self._world.tell("ats", "lets go of its lock")
            self._world.database.unlock()
            self._locked = False

    # --- operators ---------------------------------------------------------------------------------------------------

    def operator_acts(self) -> None:
        acts: Sequence[Callable[[], None]] = (
            self._retry, self._retry, self._pause, self._resume, self._erase, self._new_link, self._new_link,
            self._force_new_link, self._look_now, self._look_now,
        )  # fmt: skip
        self._world.dice.choice(acts)()

    def _retry(self) -> None:
        self._on_one("operator", "select zenhire.retry_invite(%s, 'looked at')", "retries")

    def _pause(self) -> None:
        account = self._any_account()
        self._act("operator", f"pauses {account}", "select zenhire.pause_account(%s, 'a look around')", (account,))

    def _resume(self, account: str | None = None) -> None:
        account = account or self._any_account()
        self._act("operator", f"resumes {account}", "select zenhire.resume_account(%s, 'mended')", (account,))

    def _new_link(self) -> None:
        self._on_one("operator", "select zenhire.new_link(%s, 'asked for another')", "wants another link of")

    def _force_new_link(self) -> None:
        self._on_one("operator", "select zenhire.new_link(%s, 'whatever it takes', force => true)", "forces a link of")

    def _look_now(self) -> None:
        self._on_one("operator", "select zenhire.look_now(%s, 'curious')", "looks at")

    def _erase(self) -> None:
        if self._world.invites and self._world.dice.random() < 0.2:
            invite_id = self._any_invite()
            account, candidate_ref = self._world.account_of[invite_id], self._world.invites[invite_id]
            erase: LiteralString = "select zenhire.erase_candidate(%s, %s, 'asked to')"
            self._act("operator", f"erases {candidate_ref}", erase, (account, candidate_ref))

    def end_pauses(self) -> None:
        """When the storm is over an operator lets a paused account go on; a stopped one finds out by itself."""
        for row in self._world.database.fetch("select account from zenhire.account_state where paused_at is not null"):
            self._resume(row["account"])

    # --- the vendor's console ----------------------------------------------------------------------------------------

    def console_acts(self) -> None:
        """A recruiter invites somebody again whose interview gave no result, or never began."""
        world = self._world
        dead = [
            session
            for session in world.platform.truth().sessions
            if session.status != "completed"
            and session.candidate_ref not in {None, *world.console_reinvites}
            and session.links[-1].in_hand_from is not None
            and session.links[-1].died_at is not None
            and world.now - session.links[-1].died_at < REINVITED_WITHIN
        ]
        if not dead:
            return
        session = world.dice.choice(dead)
        try:
            world.console.reinvite(session.id)
        except ConsoleError:
            return
        world.console_reinvites.add(str(session.candidate_ref))
        world.happened("console: re-invites")
        world.tell("console", f"re-invites {session.candidate_ref} to session {session.id[:8]}")

    # --- how ---------------------------------------------------------------------------------------------------------

    def _any_account(self) -> str:
        return self._world.dice.choice(self._world.scenario.accounts)

    def _any_invite(self) -> UUID:
        return self._world.dice.choice(list(self._world.invites))

    def _on_one(self, who: str, statement: LiteralString, what: str) -> None:
        if self._world.invites:
            invite_id = self._any_invite()
            self._act(who, f"{what} {self._world.invites[invite_id]}", statement, (invite_id,))

    def _act(self, who: str, what: str, statement: Any, parameters: Any) -> None:
        world = self._world
        if self._locked:
            self.unlock()
        world.database.tell(world.now, who)
        try:
            world.database.execute(statement, parameters)
        except psycopg.DatabaseError as refused:
            world.tell(who, f"{what}: {str(refused).splitlines()[0]}")
        else:
            world.happened(f"{who}: {what.split(maxsplit=1)[0]}")
            world.tell(who, what)
            world.tell_changes(who)
