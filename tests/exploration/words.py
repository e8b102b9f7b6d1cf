"""A trace as a person would tell it: one step a line."""

from collections.abc import Sequence

from tests.exploration.moves import Next
from tests.exploration.rows import Event, State

WHAT = {
    "claim_post": "{who} claims the invite: the intent of post {post} is committed, nothing is sent yet",
    "take_over": "{who} takes over post {post}, whose lease is over: its result is unknown",
    "claim_look": "{who} claims a look at the session of post {post}",
    "crash": "{who} dies, with post {post} in hand",
    "hold_back": "{who} sees that its lease is over and does not send post {post}",
    "send_post": "{who} sends post {post}: ZenHire makes a session, and its link arrives",
    "lose_reply": "{who} sends post {post}: ZenHire makes a session, and the reply is lost",
    "commit_late": "{who} sends post {post}: no reply comes, and ZenHire will make the session only later",
    "answer_nothing": "{who} sends post {post}: no reply comes, and ZenHire makes nothing",
    "send_look": "{who} looks at the session of post {post}: it is {status}",
    "lose_look": "{who} looks at the session of post {post}, and the reply is lost",
    "see_old_copy": "{who} looks at the session of post {post}: it is {status}, and an old copy answers",
    "write": "{who} writes what it decided of post {post}",
    "lose_commit": "{who} writes what it decided of post {post}: it is committed, and the answer of the COMMIT is lost",
    "write_late": "{who} writes what it decided of post {post}: it does not count, the lease is gone",
    "settle": "a search of ZenHire's list accounts for post {post}",
    "vendor_commits": "ZenHire makes the session of post {post} after all",
    "open": "the candidate opens the link of post {post}",
    "complete": "the interview of post {post} ends with a result",
    "fail": "the interview of post {post} ends without a result",
    "reinvite": "a person in ZenHire's console re-invites the candidate to the session of post {post}",
    "lease_over": "time passes: every lease runs out",
    "week": "a week passes: links that are out are dead by the calendar",
    "cancel": "the ATS cancels the invite",
    "new_link": "an operator asks for a new link",
    "force_link": "an operator insists on a new link",
}


def in_words(start: State, trace: Sequence[Next]) -> list[str]:
    """One line for each step, with what the history says of it."""
    names, before, lines = ["A", "B"], start, []
    for number, step in enumerate(trace, start=1):
        kind, replica, post = step.move
        session = None if post is None or post >= len(before.sessions) else before.sessions[post]
        said = WHAT[kind].format(
            who=f"replica {names[replica]}" if replica is not None else "",
            post=None if post is None else post + 1,
            status=session.status if session else None,
        )
        lines.append(f"{number:>2}. {said}{_told(step.events)}{_now(before, step.state)}")
        if step.swapped:
            names.reverse()
        before = step.state
    return lines


def _told(events: Sequence[Event]) -> str:
    return f" ({', '.join(event.kind for event in events)})" if events else ""


def _now(before: State, after: State) -> str:
    was, now = before.rows.invite.status, after.rows.invite.status
    return f" → {now}" if was != now else ""
