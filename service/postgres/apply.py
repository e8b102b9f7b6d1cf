"""
Apply: the one place that writes decisions.

A batch is one transaction: the invites are locked first, then the sessions; a session is written only while its lease
token is the decision's, an invite only where it still stands as the decision thinks, each with its event.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from service.core.changes import Change, Event
from service.core.model import PostClaim, PostState
from service.postgres.engine import transaction

INVITE_COLUMNS = (
    "status", "session_id", "candidate_link", "link_expires_at", "link_number", "interview_started_at",
    "interview_completed_at", "duration_seconds", "credits_charged", "candidate_survey_rating", "transcript_state",
    "error_code", "error_message",
)  # fmt: skip

SESSION_COLUMNS = (
    "state", "counted", "answered_at", "repost_at", "error_code", "error_message", "session_id", "link_expires_at",
    "vendor_status", "status_seen_at", "step_back_seen_at", "reinvited_at", "superseded_at", "interview_started_at",
    "completed_at", "vendor_object", "dead_at", "dead_because", "next_look_at", "next_look_reason", "look_count",
    "look_failures", "first_look_at", "last_look_at", "last_look", "next_collect_at", "collect_count",
    "collect_failures", "last_collect", "next_search_at", "search_count", "last_search_at",
)  # fmt: skip

#: An invite that somebody else has locked, the ATS say, is written later: nobody waits for anybody here.
LOCK_INVITES = text("""
select id from zenhire.candidate_invites where id = any(:ids) order by id for update skip locked
""")


def _names(columns: Sequence[str], prefix: str = "") -> str:
    return ", ".join(prefix + column for column in columns)


#: What could tell of an erased candidate again.
ERASED_KEYS = "'{vendor_object,error_message,last_look}'::text[]"

WRITE = text(f"""
with
given as (
    select * from jsonb_to_recordset(cast(:changes as jsonb)) as g (
        post_id uuid, token uuid, invite_id uuid, allowed_from jsonb, only_current boolean, takes_over boolean,
        invite jsonb, session jsonb, session_alone jsonb, event jsonb, event_alone jsonb)
),
-- posts whose token still counts; `fits`: the invite stands where the decision thinks
held as (
    select g.*, i.status as from_status, i.erased_at is not null as erased,
           i.erased_at is null and (g.allowed_from is null
               or g.allowed_from ? i.status and (s.current or not g.only_current)
                  and not (g.takes_over and exists (
                      select from zenhire.interview_sessions c
                      where c.invite_id = i.id and c.current and c.session_id is not null and c.dead_at is null))
           ) as fits
    from given g
    join zenhire.interview_sessions s on s.post_id = g.post_id and s.lease_token = g.token
    join zenhire.candidate_invites i on i.id = s.invite_id
    order by g.post_id
    for update of s
),
-- a session that takes over is the invite's newest; the one before is so no longer
stepped_down as (
    update zenhire.interview_sessions s set current = false
    from held h
    where h.takes_over and h.fits and s.invite_id = h.invite_id and s.current
    returning s.invite_id
),
-- a write ends the lease
wrote_session as (
    update zenhire.interview_sessions s
    set ({_names(SESSION_COLUMNS)}) = (
            select {_names(SESSION_COLUMNS, "r.")}
            from jsonb_populate_record(s, (case when h.fits then h.session else h.session_alone end)
                                          - case when h.erased then {ERASED_KEYS} else '{{}}' end) r),
        current = s.current or coalesce(h.takes_over and h.fits, false),
        lease_token = null, lease_until = null, lease_holder = null
    from held h
    left join stepped_down d on d.invite_id = h.invite_id
    where s.post_id = h.post_id
    returning s.post_id
),
wrote_invite as (
    update zenhire.candidate_invites i
    set ({_names(INVITE_COLUMNS)}) = (
            select {_names(INVITE_COLUMNS, "r.")} from jsonb_populate_record(i, h.invite) r)
    from held h
    where i.id = h.invite_id and h.fits and h.invite <> '{{}}'
    returning h.post_id, i.status, i.version
),
-- an outcome of another session ends the wait for the next post
unposted as (
    update zenhire.interview_sessions s set repost_at = null
    from wrote_invite w join held h on h.post_id = w.post_id
    where s.invite_id = h.invite_id and s.current and s.post_id <> h.post_id and s.repost_at is not null
      and w.status <> 'starting'
),
noted as (
    insert into zenhire.invite_events
        (account, invite_id, post_id, kind, from_status, to_status, version, reason, details, replica)
    select s.account, h.invite_id, h.post_id, e.event ->> 'kind',
           case when w.status <> h.from_status then h.from_status end,
           case when w.status <> h.from_status then w.status end,
           w.version, case when not h.erased then e.event ->> 'reason' end,
           case when h.erased then '{{}}' else coalesce(e.event -> 'details', '{{}}') end, :replica
    from held h
    join zenhire.interview_sessions s on s.post_id = h.post_id
    cross join lateral (select case when h.fits then h.event else h.event_alone end as event) e
    left join wrote_invite w on w.post_id = h.post_id
    where e.event is not null and jsonb_typeof(e.event) = 'object'
)
select h.post_id, h.fits from held h join wrote_session using (post_id)
""")

STORE_TRANSCRIPTS = text("""
insert into zenhire.transcripts
    (post_id, account, session_id, invite_id, document, body, byte_count, sha256, document_sha256)
select s.post_id, s.account, s.session_id, s.invite_id, cast(:document as jsonb), :body, :byte_count, :sha256,
       sha256(convert_to(cast(cast(:document as jsonb) as text), 'UTF8'))
from zenhire.interview_sessions s
join zenhire.candidate_invites i on i.id = s.invite_id and i.erased_at is null
where s.post_id = :post_id
on conflict (post_id) do nothing
""")

READ_BACK = text("select state, session_id from zenhire.interview_sessions where post_id = :post_id")

#: A replica that lost its lease may still add the fact that a session exists; it decides nothing about the post. A
#: search that is under way loses its lease: it does not know of this session, and would put it off or give it up.
ADD_SESSION_FACT = text("""
with fact as (
    update zenhire.interview_sessions s
    set session_id = :session_id, link_expires_at = :link_expires_at,
        next_search_at = case when s.state = 'lost' then zenhire.clock() else s.next_search_at end,
        lease_token = case when s.state <> 'lost' then s.lease_token end,
        lease_until = case when s.state <> 'lost' then s.lease_until end,
        lease_holder = case when s.state <> 'lost' then s.lease_holder end
    where s.post_id = :post_id and s.session_id is null
    returning s.account, s.invite_id, s.post_id
)
insert into zenhire.invite_events (account, invite_id, post_id, kind, reason, details, replica)
select account, invite_id, post_id, 'late_session_recorded',
       'the answer came after the lease had passed to another; its link is published to nobody',
       jsonb_build_object('session_id', cast(:session_id as text)), :replica
from fact
returning post_id
""")


RULE_STATES = ("22", "23")  #: a value that does not fit, a constraint that is broken


class RuleBroken(Exception):
    """The database's own rules refused a change; `rule` names the constraint."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one transaction came to, by post."""

    written: frozenset[UUID]  #: those whose token still counted
    busy: frozenset[UUID]  #: those whose invite somebody else has locked: to be written again


class Apply:
    """Writes changes for one replica."""

    def __init__(self, engine: AsyncEngine, *, replica: UUID) -> None:
        self._engine = engine
        self._replica = replica

    async def write(self, changes: Sequence[Change]) -> Outcome:
        """
        Write `changes` (at most one for each invite) in one transaction.

        Raises `DatabaseLost`, after which the changes may or may not be written, and `RuleBroken`, after which none is.
        """
        try:
            return await self._write(changes)
        except DBAPIError as error:
            state = str(getattr(error.orig, "sqlstate", None) or "")
            if state.startswith(RULE_STATES):
                raise RuleBroken(_rule(error)) from error
            raise

    async def _write(self, changes: Sequence[Change]) -> Outcome:
        async with transaction(self._engine) as connection:
            ids = [change.claim.invite_id for change in changes]
            locked = {row.id for row in await connection.execute(LOCK_INVITES, {"ids": ids})}
            ours = [change for change in changes if change.claim.invite_id in locked]
            given = {"changes": _as_json([_row(change) for change in ours]), "replica": self._replica}
            written: set[UUID] = {row.post_id for row in await connection.execute(WRITE, given)}
            for change in ours:
                if change.transcript is not None and change.claim.post_id in written:
                    await connection.execute(STORE_TRANSCRIPTS, _transcript_row(change))
        busy = {change.claim.post_id for change in changes if change.claim.invite_id not in locked}
        return Outcome(written=frozenset(written), busy=frozenset(busy))

    async def after_refusal(self, change: Change) -> str:
        """
        Find out why a change was not written, and keep the fact that it holds.

        Returns what happened, as an event name for the log.
        """
        session_id = change.session.get("session_id")
        if not isinstance(change.claim, PostClaim) or session_id is None:
            return "lease_passed"
        async with transaction(self._engine) as connection:
            row = (await connection.execute(READ_BACK, {"post_id": change.claim.post_id})).one_or_none()
            if row is not None and row.session_id == session_id:
                return "own_commit_found" if row.state == PostState.PUBLISHED else "session_known"
            fact = {
                "session_id": session_id,
                "link_expires_at": change.session.get("link_expires_at"),
                "post_id": change.claim.post_id,
                "replica": self._replica,
            }
            recorded = (await connection.execute(ADD_SESSION_FACT, fact)).one_or_none()
            return "late_session_recorded" if recorded else "late_session_unrecorded"


def _row(change: Change) -> dict[str, Any]:
    move = change.move
    return {
        "post_id": change.claim.post_id,
        "token": change.claim.token,
        "invite_id": change.claim.invite_id,
        "allowed_from": sorted(move.allowed_from) if move else None,
        "only_current": move.only_current if move else None,
        "takes_over": move.takes_over if move else None,
        "invite": move.columns if move else {},
        "session": change.session,
        "session_alone": change.session if change.session_alone is None else change.session_alone,
        "event": _event(change.event),
        "event_alone": _event(change.event_alone or change.event),
    }


def _event(event: Event | None) -> dict[str, Any] | None:
    return None if event is None else {"kind": event.kind, "reason": event.reason, "details": event.details}


def _transcript_row(change: Change) -> dict[str, Any]:
    transcript = change.transcript
    if transcript is None:
        raise AssertionError("a change without a transcript has no transcript row")
    return {
        "post_id": change.claim.post_id,
        "document": transcript.document,
        "body": transcript.body,
        "byte_count": transcript.byte_count,
        "sha256": transcript.sha256,
    }


def _as_json(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def _rule(error: DBAPIError) -> str:
    diagnosis = getattr(error.orig, "diag", None)
    named = getattr(diagnosis, "constraint_name", None)
    return named or getattr(diagnosis, "sqlstate", None) or type(error.orig).__name__
