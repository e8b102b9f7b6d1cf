"""A plain one of each fact, for the tests of the wording."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from service.core.model import InviteStatus, PostState
from service.operate.account_facts import Account
from service.operate.account_figures import AccountFigures
from service.operate.explain_facts import Invite, Post, Record
from service.operate.status_facts import Invites, Precision, Sessions, Status, StatusCount

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _filled(kind: type[Any], values: dict[str, Any]) -> Any:
    return kind(**dict.fromkeys(kind.__dataclass_fields__) | values)


def an_account(**over: Any) -> Account:
    values = {"account": "default", "key_present": True, "needs_person": False}
    made: Account = _filled(Account, values | over)
    return made


def some_figures(**over: Any) -> AccountFigures:
    values = {
        "account": "default",
        "promise": "A change is seen within 12 seconds.",
        "seen_within": timedelta(seconds=12),
        "pace": Decimal(1),
        "allowed": 400,
        "sent": 0,
        "too_fast": 0,
        "outcomes": 0,
    }
    made: AccountFigures = _filled(AccountFigures, values | over)
    return made


def a_invite(**over: Any) -> Invite:
    values = {
        "id": UUID(int=1),
        "account": "default",
        "candidate_ref": "candidate-1",
        "persona_id": "persona-1",
        "status": InviteStatus.LINK_READY,
        "status_changed_at": NOW,
        "created_at": NOW - timedelta(hours=1),
        "start_after": NOW - timedelta(hours=1),
        "max_links": 1,
        "link_number": 1,
        "has_link": True,
        "link_expires_at": NOW + timedelta(days=6),
        "transcript_state": "none",
        "recording_state": "none",
    }
    made: Invite = _filled(Invite, values | over)
    return made


def a_post(**over: Any) -> Post:
    values = {
        "post_id": UUID(int=2),
        "link_number": 1,
        "post_number": 1,
        "state": PostState.PUBLISHED,
        "current": True,
        "posted_at": NOW - timedelta(minutes=1),
        "session_id": "session-1",
        "link_expires_at": NOW + timedelta(days=6),
        "vendor_status": "initiated",
        "next_look_at": NOW + timedelta(seconds=42),
        "next_look_reason": "the link is new",
        "look_count": 0,
        "look_failures": 0,
        "collect_count": 0,
        "search_count": 0,
    }
    made: Post = _filled(Post, values | over)
    return made


def a_record(invite: Invite, *posts: Post, **over: Any) -> Record:
    values = {
        "now": NOW,
        "invite": invite,
        "account": an_account(),
        "posts": posts,
        "history": (),
        "earlier_left_out": False,
        "decisions": (),
        "last_tick_at": NOW,
    }
    made: Record = _filled(Record, values | over)
    return made


def some_invites(precision: Precision = Precision.EXACT, **counts: int) -> Invites:
    by_status = {status: StatusCount(invites=counts.get(status, 0), lately=0) for status in InviteStatus}
    return Invites(by_status=by_status, finished_precision=precision, lately_since=NOW - timedelta(hours=1))


def a_status(**over: Any) -> Status:
    sessions = dict.fromkeys(Sessions.__dataclass_fields__, 0) | {"next_look_at": None, "next_search_at": None}
    values = {
        "at": NOW,
        "invites": some_invites(),
        "waiting": (),
        "sessions": _filled(Sessions, sessions),
        "replicas": (),
        "figures": (),
        "accounts": (),
        "attention": (),
        "attention_count": 0,
    }
    made: Status = _filled(Status, values | over)
    return made
