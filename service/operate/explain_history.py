"""The history of an invite in words that a person understands, one line for each event."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from service.operate.explain_facts import Happening, Invite, Post
from service.operate.show import Line, paragraph
from service.operate.words import clause, safe

_INDENT = 2
_TEXT_AT = 23  # two blanks, the time, two blanks

#: The sentence of each kind; {} are details, `why` the reason with its code.
_SENTENCES = {
    "start_claimed": "asked ZenHire for {link}",
    "link_published": "{link} is there",
    "post_lost": "no clear answer to {link}, which counts as lost: {why}",
    "post_not_made": "no session was made, it waits again: {why}",
    "probe_lost": "used to probe a stopped account, which failed: {why}",
    "orphan_recorded": "a session is on record whose link nobody holds; it is watched until it is dead",
    "invite_refused": "ZenHire refused it: {why}",
    "review_needed": "a person must decide: {why}",
    "interview_started": "the interview started",
    "interview_completed": "the interview is finished, its outcome stored",
    "interview_failed": "the interview failed: {why}",
    "link_expired": "the link is dead: {why}",
    "next_link_wanted": "a fresh link is wanted: {why}",
    "console_reinvited": "re-invited in ZenHire's console: {why}",
    "console_session_recorded": "ZenHire's console made another session for it; it is watched until it is dead",
    "survey_arrived": "the candidate rated the interview {rating} of 5",
    "step_back_seen": "ZenHire showed {to} after {from}; a second look decides whether that counts",
    "outcome_of_another_link": "another interview of the candidate is finished: its outcome stays with its session",
    "outcome_after_cancellation": "finished after the cancellation: the outcome stays with the session",
    "transcript_stored": "the transcript is stored ({bytes} bytes)",
    "transcript_unavailable": "there will be no transcript: {why}",
    "late_session_recorded": "an answer came too late to count: {why}",
    "answer_set_aside": "an answer was set aside: {why}",
    "search_ended": "the last search found nothing of a lost post; its link would be dead by now",
    "stop_after_passed": "cancelled: {why}",
    "account_stopped": "waits again: {why}",
    "invite_cancelled": "cancelled by {actor}: {why}",
    "invite_retried": "sent back to try again by {actor}: {why}",
    "new_link_wanted": "{link} is wanted by {actor}: {why}",
    "history_forgotten": "what happened before was forgotten",
    "look_wanted": "a look is wanted at once by {actor}: {why}",
}


def history(invite: Invite, posts: Sequence[Post], happenings: Sequence[Happening]) -> list[Line]:
    """From the insert on. What repeats itself (an account that is told to wait, again and again) is told once."""
    links = {post.post_id: post for post in posts}
    lines = _line(f"{invite.created_at:%Y-%m-%d %H:%M:%S}", "inserted")
    for _, group in groupby(_steps(happenings), key=_likeness):
        steps = list(group)
        for happening in steps[0]:
            post = links.get(happening.post_id) if happening.post_id else None
            lines += _line(f"{happening.at:%Y-%m-%d %H:%M:%S}", in_words(happening, post))
        if len(steps) > 1:
            lines += _line(f"{steps[-1][-1].at:%Y-%m-%d %H:%M:%S}", f"the same again, for the {_nth(len(steps))} time")
    return lines


def _line(time: str, text: str) -> list[Line]:
    return paragraph(f"{time}  {text}", indent=_INDENT, hanging=_TEXT_AT)


def _steps(happenings: Sequence[Happening]) -> Iterator[tuple[Happening, ...]]:
    """A claim and what became of its post belong together, so that both can repeat as one."""
    claim: Happening | None = None
    for happening in happenings:
        if claim is not None and claim.post_id == happening.post_id:
            yield claim, happening
            claim = None
            continue
        if claim is not None:
            yield (claim,)
        claim = happening if happening.kind == "start_claimed" else None
        if claim is None:
            yield (happening,)
    if claim is not None:
        yield (claim,)


def _likeness(step: tuple[Happening, ...]) -> tuple[tuple[str, str, str | None], ...]:
    """Steps that differ in nothing but their time and their post are alike."""
    return tuple((happening.kind, _why(happening), happening.to_status) for happening in step)


def _nth(number: int) -> str:
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def in_words(happening: Happening, post: Post | None) -> str:
    """One event; a kind of a later version is told by its name."""
    template = _SENTENCES.get(happening.kind, "{kind}: {why}")
    given = _Given(_texts(happening.details))
    given["why"] = _why(happening) or "no reason on record"
    given["link"] = _link(happening, post)
    given["actor"] = safe(happening.actor) or "somebody"
    given["kind"] = happening.kind.replace("_", " ")
    moved = f" → {happening.to_status}" if happening.to_status else ""
    return template.format_map(given) + moved


class _Given(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def _texts(details: Mapping[str, Any]) -> dict[str, str]:
    return {key: f"{value:,}" if isinstance(value, int) else safe(str(value)) or "?" for key, value in details.items()}


def _why(happening: Happening) -> str:
    code = happening.details.get("code")
    reason = clause(happening.reason or "")
    if code and str(code) not in reason:
        return f"{reason} ({safe(str(code))})" if reason else safe(str(code)) or ""
    return reason


def _link(happening: Happening, post: Post | None) -> str:
    number = happening.details.get("link_number") or (post.link_number if post else None)
    again = f", post {post.post_number}" if post and post.post_number > 1 else ""
    return f"link {number}{again}" if number else "a link"
