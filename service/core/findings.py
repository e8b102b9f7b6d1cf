"""What `verify` says: findings, what each asks for, and who mends it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Level(StrEnum):
    """What a finding asks for."""

    DRIFT = "drift"  #: wrong, and nothing mends it, or what should have is overdue
    IN_PROGRESS = "in_progress"  #: a step of the service mends it in its own time
    NOTE = "note"  #: worth knowing; nothing is wrong


class Kind(StrEnum):
    """What is wrong. The names are part of `verify --json` and stay."""

    INVITE_WITHOUT_SESSION = "invite_without_session"
    TWO_LIVE_LINKS = "two_live_links"
    ANOTHER_LINK_SHOWN = "another_link_shown"
    END_NOT_TAKEN = "end_not_taken"
    TRANSCRIPT_MISSING = "transcript_missing"
    TRANSCRIPT_NEVER_COMES = "transcript_never_comes"
    TRANSCRIPT_OVERDUE = "transcript_overdue"
    TRANSCRIPT_NOT_WANTED = "transcript_not_wanted"
    RECORDING_MISSING = "recording_missing"
    BYTES_DIFFER = "bytes_differ"
    BYTES_UNPROVEN = "bytes_unproven"
    EVENT_MISSING = "event_missing"
    HISTORY_BROKEN = "history_broken"
    POST_ABANDONED = "post_abandoned"
    REPOST_NEVER_COMES = "repost_never_comes"
    REPOST_OVERDUE = "repost_overdue"
    SEARCH_NEVER_COMES = "search_never_comes"
    SEARCH_OVERDUE = "search_overdue"
    LOOK_NEVER_COMES = "look_never_comes"
    LOOK_OVERDUE = "look_overdue"
    # What the vendor's list shows beside the database; the first of these are named as in core/comparing.py.
    LOST_POST_FOUND = "lost_post_found"
    CONSOLE_REINVITE = "console_reinvite"
    TWICE_MADE = "twice_made"
    UNKNOWN_POST = "unknown_post"
    LIKELY_REINVITE = "likely_reinvite"
    FINAL_THERE = "final_there"
    ACTIVE_THERE = "active_there"
    ALIVE_AGAIN = "alive_again"
    WENT_BACK = "went_back"
    SESSION_GONE = "session_gone"
    NOT_LISTED = "not_listed"
    LIST_UNPROVEN = "list_unproven"


#: Found by asking the vendor; the database alone cannot tell whether they still hold.
ASKED = frozenset(list(Kind)[list(Kind).index(Kind.LOST_POST_FOUND) :])


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not fit."""

    kind: Kind
    level: Level
    account: str
    what: str  #: what is wrong, in a sentence
    invite_id: UUID | None = None
    post_id: UUID | None = None
    session_id: str | None = None
    mended_by: str | None = None  #: the step of the service that mends it
    statement: str | None = None  #: the SQL that mends it, or lets a step mend it

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two findings of different moments the same."""
        return self.kind, self.account, self.invite_id, self.post_id, self.session_id


def do_at_once(post_id: UUID, column: str, **also: str | None) -> str:
    """The statement that makes a row due for the step which goes by `column`."""
    others = "".join(f", {name} = {'null' if value is None else repr(value)}" for name, value in also.items())
    return f"update zenhire.interview_sessions set {column} = zenhire.clock(){others} where post_id = '{post_id}';"


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
