"""`explain`: what happened to an invite, what is next and why."""

import sys

from service.core.model import InviteStatus
from service.operate.explain_facts import Found, Invite, Record, find, read_record
from service.operate.explain_history import history
from service.operate.explain_next import sentences, what_is_next
from service.operate.explain_posts import posts
from service.operate.show import Line, Tone, paragraph, show, write
from service.operate.snapshot import snapshot
from service.operate.words import STATUS_WORDS, ago, counted, due, moment, plain, quoted, span

DONE, NOT_FOUND = 0, 1
_LABEL_WIDTH = 11


def run(database_url: str, what: str) -> int:
    with snapshot(database_url, command="explain") as seen:
        found = find(seen, what)
        records = [read_record(seen, invite_id) for invite_id in found.ids] if found else []
    if found is None:
        write(f"zenhire-sync: no invite has the id, request_key or candidate_ref {quoted(what)}\n", sys.stderr)
        return NOT_FOUND
    show(story(records[0]) if found.total == 1 else briefly(what, found, records))
    return DONE


def story(record: Record) -> list[Line]:
    """The whole story of one invite."""
    invite = record.invite
    lines = [Line(f"INVITE {invite.id}", Tone.TITLE), *_who(record)]
    lines += [Line(), Line("WHAT HAPPENED (UTC)", Tone.TITLE)]
    if record.earlier_left_out:
        lines += paragraph(f"only the last {counted(len(record.history), 'event')}", indent=2)
    lines += history(invite, record.posts, record.history)
    lines += [Line(), Line("POSTS AND SESSIONS", Tone.TITLE), *posts(record.posts, record.now)]
    lines += [Line(), Line("WHAT IS NEXT", Tone.TITLE), *what_is_next(record)]
    return lines


def _who(record: Record) -> list[Line]:
    invite, now = record.invite, record.now
    lines = _fact(
        "status", f"{invite.status} for {span(now - invite.status_changed_at)}: {STATUS_WORDS[invite.status]}"
    )
    if invite.error_code:
        lines += _fact("reason", f"{invite.error_code}: {invite.error_message or 'erased'}")
    lines += _fact("candidate", "erased" if invite.erased_at else invite.candidate_ref)
    if invite.request_key:
        lines += _fact("request", invite.request_key)
    lines += _fact("account", invite.account)
    lines += _fact("interview", _persona(invite))
    lines += _fact("link", _link(invite, record))
    if invite.status is InviteStatus.COMPLETED:
        lines += _fact("outcome", _outcome(invite))
    return lines


def _fact(label: str, text: str) -> list[Line]:
    return paragraph(f"{label:<{_LABEL_WIDTH}}{plain(text)}", indent=2, hanging=2 + _LABEL_WIDTH)


def _persona(invite: Invite) -> str:
    if invite.persona_id:
        return f"persona {invite.persona_id}"
    return f"role {quoted(invite.role_name or '')} in language {quoted(invite.language or '')}"


def _link(invite: Invite, record: Record) -> str:
    which = f"number {invite.link_number} of at most {invite.max_links}"
    if not invite.has_link:
        return (
            f"none now; there may be {counted(invite.max_links, 'link')}"
            if not invite.link_number
            else f"{which}; gone"
        )
    if invite.status.is_final or invite.link_expires_at is None:
        return which
    sent = f"; sent {ago(invite.link_sent_at, record.now)}" if invite.link_sent_at else ""
    return f"{which}, works until {moment(invite.link_expires_at)} ({due(invite.link_expires_at, record.now)}){sent}"


def _outcome(invite: Invite) -> str:
    parts = [f"transcript {invite.transcript_state}"]
    if invite.recording_state != "none":
        parts.append(f"recording {invite.recording_state}")
    if invite.rating is not None:
        parts.insert(0, f"rated {invite.rating} of 5 by the candidate")
    if invite.credits_charged is not None:
        parts.insert(0, counted(invite.credits_charged, "credit"))
    if invite.duration_seconds is not None:
        parts.insert(0, f"{invite.duration_seconds // 60} min {invite.duration_seconds % 60} s")
    return ", ".join(parts)


def briefly(what: str, found: Found, records: list[Record]) -> list[Line]:
    """Several invites, newest first."""
    head = f"{found.by} {quoted(what, 40)} names {counted(found.total, 'invite')}, newest first."
    lines = paragraph(head, tone=Tone.TITLE)
    for record in records:
        invite = record.invite
        request = f", request {quoted(invite.request_key, 30)}" if invite.request_key else ""
        since = span(record.now - invite.status_changed_at)
        lines += [Line(), Line(f"{invite.id}  {invite.status} for {since}", Tone.TITLE)]
        lines += paragraph(
            f"account {invite.account}{request}, inserted {moment(invite.created_at)}", indent=2, hanging=4
        )
        if invite.error_code:
            lines += paragraph(f"{invite.error_code}: {invite.error_message or 'erased'}", indent=2, hanging=4)
        for said in sentences(record)[:2]:
            lines += paragraph(said, indent=2, hanging=4)
        for decision in record.decisions:
            lines += paragraph(f"A person must decide: {decision.why}", indent=2, hanging=4, tone=Tone.BAD)
    if found.total > len(records):
        lines += [Line(), *paragraph(f"and {found.total - len(records):,} older ones.")]
    return [*lines, Line(), *paragraph("The whole story of one: zenhire-sync explain ID")]
