"""What the table holds at one moment, in words for the screen, and what is new in it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import DictRow

from service.core.model import FINAL_STATUSES

STATUS_WORDS = {
    "pending": "waits",
    "starting": "being made",
    "link_ready": "link ready",
    "in_progress": "interview",
    "completed": "completed",
    "failed": "failed",
    "expired": "expired",
    "cancelled": "cancelled",
    "refused": "refused",
    "needs_review": "for review",
}

_INVITES = """
select i.candidate_ref, coalesce(i.role_name, 'unknown persona') as role, i.status, i.link_number, i.max_links,
       extract(epoch from i.start_after - zenhire.clock())::float8 as starts_in,
       extract(epoch from i.link_expires_at - zenhire.clock())::float8 as link_left,
       extract(epoch from s.repost_at - zenhire.clock())::float8 as repost_in,
       coalesce(s.state in ('lost', 'orphan'), false) as post_is_lost,
       i.duration_seconds, i.credits_charged, i.transcript_state, i.error_code, i.error_message
from zenhire.candidate_invites i
left join zenhire.interview_sessions s on s.invite_id = i.id and s.current
order by i.candidate_ref
"""
_LOST_POSTS = """
select i.candidate_ref, s.state from zenhire.interview_sessions s
join zenhire.candidate_invites i on i.id = s.invite_id
where s.state in ('lost', 'orphan')
order by s.posted_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """One row of the ATS's table, with its newest post."""

    candidate_ref: str
    role: str
    status: str
    link_number: int
    max_links: int
    starts_in: float
    link_left: float | None
    repost_in: float | None
    post_is_lost: bool
    duration_seconds: int | None
    credits_charged: int | None
    transcript_state: str
    error_code: str | None
    error_message: str | None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES

    @property
    def is_settled(self) -> bool:
        """Final, and everything fetched."""
        return self.is_final and self.transcript_state != "waiting"

    def dies_within(self, seconds: float) -> bool:
        return self.link_left is not None and self.link_left < seconds

    @property
    def status_word(self) -> str:
        return STATUS_WORDS.get(self.status, self.status)

    @property
    def link_word(self) -> str:
        if self.link_number == 0:
            return "-"
        how = {"link_ready": "out", "in_progress": "in use", "completed": "used"}.get(self.status, "dead")
        return f"{self.link_number} {how}"

    @property
    def why(self) -> str:
        """What happens next, or what came of it."""
        match self.status:
            case "pending" | "starting":
                return self._before_its_link()
            case "link_ready":
                left = self.link_left or 0
                return f"not opened yet, dies in {left:.0f} s" if left > 0 else "time is up, a last look decides"
            case "in_progress":
                return "running when last looked at"
            case "completed":
                return self._outcome()
            case "failed":
                return "ended without a result"
            case "expired":
                return "nobody opened the link"
            case _:
                return f"{self.error_code}: {(self.error_message or '').rpartition(': ')[2]}"

    def _before_its_link(self) -> str:
        if self.status == "starting":
            if not self.post_is_lost:
                return "asks for a link"
            return f"reply lost, asks again in {max(self.repost_in or 0, 0):.0f} s"
        if self.link_number > 0:
            return f"link {self.link_number} died unused, next one due"
        return f"wanted in {self.starts_in:.0f} s (start_after)" if self.starts_in > 0 else "its turn comes"

    def _outcome(self) -> str:
        charged = f"{(self.duration_seconds or 0) / 60:.0f} min, {self.credits_charged} credits"
        return charged + (", transcript" if self.transcript_state == "stored" else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """All of it at one moment."""

    invites: tuple[Invite, ...]
    lost_posts: tuple[str, ...]  #: the candidate of each post whose reply was lost
    orphans: tuple[str, ...]  #: and of those whose session was found later

    @property
    def counts(self) -> Counter[str]:
        return Counter(invite.status for invite in self.invites)

    @property
    def final_count(self) -> int:
        return sum(invite.is_final for invite in self.invites)

    @property
    def links_are_out(self) -> bool:
        """Nothing that is due waits for a link."""
        return not any(
            invite.status == "starting" or (invite.status == "pending" and invite.starts_in <= 0)
            for invite in self.invites
        )

    def posts_within(self, seconds: float) -> bool:
        """Whether a link is being asked for, or may be within that time."""
        return any(
            invite.status in {"pending", "starting"}
            or (invite.status == "link_ready" and invite.link_number < invite.max_links and invite.dies_within(seconds))
            for invite in self.invites
        )

    @property
    def is_over(self) -> bool:
        return all(invite.is_settled for invite in self.invites) and len(self.lost_posts) == len(self.orphans)

    @property
    def summary(self) -> str:
        """The counts on one line."""
        counts = self.counts
        waiting = counts["pending"] + counts["starting"]
        return (
            f"{waiting} waiting, {counts['link_ready']} link out, {counts['in_progress']} interview, "
            f"{self.final_count} final"
        )


def read_frame(database: psycopg.Connection[DictRow]) -> Frame:
    posts = database.execute(_LOST_POSTS).fetchall()
    return Frame(
        invites=tuple(Invite(**row) for row in database.execute(_INVITES).fetchall()),
        lost_posts=tuple(post["candidate_ref"] for post in posts),
        orphans=tuple(post["candidate_ref"] for post in posts if post["state"] == "orphan"),
    )


class News:
    """What deserves a sentence of explanation, each thing once."""

    def __init__(self, frame: Frame) -> None:
        self._before = frame
        self._lost_told = len(frame.lost_posts)

    def since_then(self, frame: Frame) -> Iterator[str]:
        before, self._before = self._before, frame
        # Told once their number stands still: replies that are lost together make one sentence.
        if len(before.lost_posts) == len(frame.lost_posts) > self._lost_told:
            yield _lost(frame.lost_posts[self._lost_told :])
            self._lost_told = len(frame.lost_posts)
        if len(before.orphans) < len(frame.orphans) == len(frame.lost_posts):
            yield _found(frame.orphans)
        for old, new in zip(before.invites, frame.invites, strict=True):
            # By its number: a screen that is slow may see the link first when it is in use already.
            if new.link_number > max(old.link_number, 1):
                yield _has_another_link(new)
            if old.status != new.status and (sentence := _moved(new)):
                yield sentence


def _lost(refs: Sequence[str]) -> str:
    return (
        f"The reply to the post for {' and '.join(refs)} was lost: the service cannot know whether a session "
        "was made. It asks again; that link nobody holds."
    )


def _found(refs: Sequence[str]) -> str:
    return (
        f"A search of the sessions list found what the lost posts had made ({', '.join(refs)}): "
        "orphans, now on record. Their links never went out."
    )


def _has_another_link(invite: Invite) -> str:
    return (
        f"{invite.candidate_ref} has link {invite.link_number}. "
        "The one before is dead, so nobody ever holds two that work."
    )


def _moved(invite: Invite) -> str | None:
    match invite:
        case Invite(status="refused", candidate_ref=ref, error_code=code):
            return f"{ref} asks for a persona that does not exist: refused, with the vendor's code {code}."
        case Invite(status="pending", candidate_ref=ref, max_links=most):
            return (
                f"A last look at {ref}'s link shows it dead and unused. The row allows {most} links (max_links), "
                "so one more is asked for, now and not before."
            )
        case Invite(status="expired", candidate_ref=ref):
            return f"{ref}'s only link died unused: expired."
        case Invite(status="failed", candidate_ref=ref):
            return f"{ref}'s interview ended without a result: failed, and not charged for."
        case _:
            return None
