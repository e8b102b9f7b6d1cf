"""What comes next for an invite, and why: the question that `explain` is asked most."""

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

from service.core.model import InviteStatus, PostState
from service.operate.account_words import resume_statement, troubles
from service.operate.explain_facts import Post, Record
from service.operate.show import Line, Tone, paragraph, statement
from service.operate.waits import WaitReason
from service.operate.words import ago, clause, counted, due, moment, quoted, sentence


def what_is_next(record: Record) -> list[Line]:
    """Sentences, then what a person must decide and the statements for it."""
    lines: list[Line] = []
    for said in sentences(record):
        lines += paragraph(said, indent=2, hanging=4)
    for decision in record.decisions:
        lines += paragraph(f"A person must decide: {sentence(decision.why)}", indent=2, hanging=4, tone=Tone.BAD)
        lines += statement(decision.statement, indent=4) if decision.statement else []
    if not record.decisions:
        for purpose, sql in _offers(record):
            lines += [*paragraph(purpose, indent=2), *statement(sql, indent=4)]
    return lines


def sentences(record: Record) -> list[str]:
    """What is next, in order of importance."""
    said = list(_by_status(record))
    if record.invite.status.is_final or record.is_served:
        return said
    last = f"the last ticked {ago(record.last_tick_at, record.now)}" if record.last_tick_at else "none has ever run"
    return [f"No replica is running ({last}): nothing happens until one does (`zenhire-sync run`).", *said]


def _offers(record: Record) -> Iterator[tuple[str, str]]:
    """Acts that are open to a person: what for, and the statement."""
    is_refused = record.invite.status is InviteStatus.REFUSED and record.invite.erased_at is None
    if is_refused and not _too_late_since(record):
        retry = f"select zenhire.retry_invite('{record.invite.id}', 'the cause is mended');"
        yield "A person must decide. Once the cause is mended, this tries again:", retry
    held = record.invite.wait_reason in {WaitReason.PAUSED, WaitReason.STOPPED}
    if record.account and (held or _looks_are_held(record)):
        resume = resume_statement(record.account)
        if resume:
            yield "This lets it go on:", resume


def _by_status(record: Record) -> Iterator[str]:
    status = record.invite.status
    match status:
        case InviteStatus.PENDING:
            return _pending(record)
        case InviteStatus.STARTING:
            return _starting(record)
        case InviteStatus.LINK_READY | InviteStatus.IN_PROGRESS:
            return _with_link(record)
        case InviteStatus.NEEDS_REVIEW:
            return iter(() if record.decisions else ("A person must decide: see select * from zenhire.attention.",))
        case InviteStatus.COMPLETED:
            return _completed(record)
        case InviteStatus.FAILED | InviteStatus.EXPIRED | InviteStatus.CANCELLED:
            return _ended(record)
        case InviteStatus.REFUSED:
            return _refused(record)
    assert_never(status)


# --- before there is a link ------------------------------------------------------------------------------------------


def _pending(record: Record) -> Iterator[str]:
    invite = record.invite
    yield _why_pending(record)
    if invite.link_number:
        yield f"It is to get link {invite.link_number + 1}; the one before is dead."
    yield from _stop_after(record)


def _why_pending(record: Record) -> str:
    invite = record.invite
    then = due(invite.wait_until, record.now) if invite.wait_until else None
    match invite.wait_reason:
        case WaitReason.TIME:
            return f"Waits for its time: no link before {moment(invite.start_after)} ({then})."
        case WaitReason.NO_KEY | WaitReason.PAUSED | WaitReason.STOPPED:
            return f"Waits: {_account_trouble(record)}"
        case WaitReason.TOLD_TO_WAIT:
            return f"Waits: ZenHire asked account {invite.account} to wait, or could not be reached; it goes on {then}."
        case WaitReason.PERSONA:
            return _why_persona(record, then)
        case WaitReason.TURN | None:
            return "Waits for its turn: the link is asked for as soon as the request budget allows."


def _account_trouble(record: Record) -> str:
    known = troubles(record.account, record.now) if record.account else ["No replica has ever had a key for it."]
    return f"account {record.invite.account} does not work. {' '.join(known)}"


def _why_persona(record: Record, then: str | None) -> str:
    invite = record.invite
    role = f"role {quoted(invite.role_name or '')} in language {quoted(invite.language or '')}"
    if invite.persona_error_code is None:
        return f"Waits for its persona: one for {role} is being found or created."
    again = f" Next try {then}." if then else ""
    reason = clause(invite.persona_error or "no message")
    return f"Waits for its persona, for {role}: {invite.persona_error_code}, {reason}.{again}"


def _starting(record: Record) -> Iterator[str]:
    post, now = record.current, record.now
    lost = sum(p.state in {PostState.LOST, PostState.ORPHAN} for p in record.posts if _of_next_link(p, record))
    if post is None:
        yield "Its post is not on record; the service sets that right."
    elif post.state is PostState.POSTING and post.lease_until is not None and post.lease_until > now:
        yield f"ZenHire is being asked for the link, since {ago(post.posted_at, now)}."
    elif post.state is PostState.POSTING:
        yield "The replica that asked for the link stopped before the answer was stored; another takes over now."
    elif post.repost_at is not None:
        yield (
            f"The link is asked for again {due(post.repost_at, now)}, because {counted(lost, 'post')} had an unknown "
            "result. What they may have made is harmless: nobody holds its link."
        )
    yield from _stop_after(record)


def _of_next_link(post: Post, record: Record) -> bool:
    return post.link_number == record.invite.link_number + 1


def _stop_after(record: Record) -> Iterator[str]:
    stop_after = record.invite.stop_after
    if stop_after is not None:
        yield f"Without a link by {moment(stop_after)} ({due(stop_after, record.now)}) it is cancelled."


# --- with a link -----------------------------------------------------------------------------------------------------


def _with_link(record: Record) -> Iterator[str]:
    invite, post = record.invite, record.current
    if invite.status is InviteStatus.LINK_READY and invite.link_expires_at is not None:
        yield _the_link(record)
    yield _next_look(record, post) if post else "Its session is not on record; the service sets that right."
    if invite.link_number < invite.max_links and not _too_late_since(record):
        yield f"If this link dies without a result, it gets link {invite.link_number + 1} of {invite.max_links}."


def _the_link(record: Record) -> str:
    expires_at = record.invite.link_expires_at
    if expires_at is None or expires_at <= record.now:
        return "The link has run out; a last look decides whether it was used."
    return f"The candidate may open the link until {moment(expires_at)} ({due(expires_at, record.now)})."


def _next_look(record: Record, post: Post) -> str:
    if post.next_look_at is None:
        return "No further look at its session is planned."
    because = clause(post.next_look_reason or "its session is open")
    planned = f"Next look {due(post.next_look_at, record.now)} because {because}."
    if _looks_are_held(record):
        return f"{planned} But {_account_trouble(record)}"
    if record.account and record.account.waits_until:
        return f"{planned} ZenHire asked to wait; that goes on {due(record.account.waits_until, record.now)}."
    return planned


def _looks_are_held(record: Record) -> bool:
    is_looked_at = record.current is not None and record.current.next_look_at is not None
    return is_looked_at and record.account is not None and not record.account.looks


# --- at its end ------------------------------------------------------------------------------------------------------


def _completed(record: Record) -> Iterator[str]:
    collecting = next((post for post in record.posts if post.next_collect_at), None)
    looked_at = _still_looked_at(record)
    if collecting and collecting.next_collect_at:
        because = "ZenHire has not made it yet" if collecting.last_collect == "not_ready" else "it is not here yet"
        yield f"The transcript is asked for {due(collecting.next_collect_at, record.now)} because {because}."
    if looked_at:
        yield _next_look(record, looked_at)
    if not collecting and not looked_at:
        yield "Nothing more: it is completed."


def _refused(record: Record) -> Iterator[str]:
    yield f"Nothing more by itself: ZenHire refused it ({record.invite.error_code})."
    if too_late_since := _too_late_since(record):
        yield f"It wants no link after {moment(too_late_since)}: set its stop_after first, to try again."


def _too_late_since(record: Record) -> datetime | None:
    """Its `stop_after`, where that has passed: no further link is made."""
    stop_after = record.invite.stop_after
    return stop_after if stop_after is not None and stop_after <= record.now else None


def _ended(record: Record) -> Iterator[str]:
    invite, post = record.invite, record.current
    yield f"Nothing more by itself: it is {invite.status}."
    is_alive = post is not None and post.dead_at is None and post.state is PostState.PUBLISHED
    if invite.status is InviteStatus.CANCELLED and is_alive and post and post.link_expires_at:
        yield (
            f"ZenHire cannot revoke a link: its link works until {moment(post.link_expires_at)}. What comes of it is "
            "kept with the session."
        )
    looked_at = _still_looked_at(record)
    if looked_at:
        yield _next_look(record, looked_at)


def _still_looked_at(record: Record) -> Post | None:
    return next((post for post in reversed(record.posts) if post.next_look_at), None)
