"""The status on one screen: is everything all right, and if not, what is to be done."""

from datetime import datetime

from service.core.model import InviteStatus
from service.operate.account_facts import Account
from service.operate.account_figures import in_sentences
from service.operate.account_words import in_short, troubles
from service.operate.show import Line, Tone, paragraph, statement
from service.operate.status_facts import LATELY, Attention, Invites, Precision, Replica, Sessions, Status, Waiting
from service.operate.waits import WaitReason
from service.operate.words import STATUS_WORDS, ago, counted, due, moment, span

ROWS_MAX = 10  #: of each list; the table or view has the rest

_ORDER = (
    InviteStatus.PENDING,
    InviteStatus.STARTING,
    InviteStatus.LINK_READY,
    InviteStatus.IN_PROGRESS,
    InviteStatus.NEEDS_REVIEW,
    InviteStatus.COMPLETED,
    InviteStatus.FAILED,
    InviteStatus.EXPIRED,
    InviteStatus.CANCELLED,
    InviteStatus.REFUSED,
)
_MARKS = {Precision.EXACT: "", Precision.ESTIMATED: "~", Precision.AT_LEAST: ">="}


def screen(status: Status, *, attention_first: bool = False) -> list[Line]:
    """`attention_first`: for a window whose lower end may be cut off."""
    needs = _attention(status)
    lines = [*_headline(status), Line(f"As of {status.at:%Y-%m-%d %H:%M:%S} UTC, by the database's clock.")]
    if attention_first:
        lines += needs
    lines += _invites(status.invites, status.at)
    lines += _waiting(status)
    lines += _sessions(status.sessions, status.at)
    lines += _replicas(status)
    lines += _accounts(status)
    return lines if attention_first else lines + needs


def _headline(status: Status) -> list[Line]:
    how_many = _how_many(status.invites)
    if status.all_right:
        return paragraph(f"All right: {how_many}, nothing needs a person.", tone=Tone.GOOD)
    things = "1 thing needs" if status.attention_count == 1 else f"{status.attention_count:,} things need"
    return paragraph(f"{things} a person: see ATTENTION. {how_many[0].upper()}{how_many[1:]}.", tone=Tone.BAD)


def _how_many(invites: Invites) -> str:
    if not invites.total:
        return "no invites yet"
    about = {Precision.EXACT: "", Precision.ESTIMATED: "about ", Precision.AT_LEAST: "more than "}
    still_open = f" ({invites.open:,} open)" if invites.open else " (none open)"
    return f"{about[invites.finished_precision]}{counted(invites.total, 'invite')}{still_open}"


def _invites(invites: Invites, now: datetime) -> list[Line]:
    window = now - invites.lately_since
    last = "last hour" if window == LATELY else f"last {span(window)}"
    lines = [Line(), Line(f"{'INVITES':<14}{'now':>12}{last:>14}", Tone.TITLE)]
    for status in _ORDER:
        count = invites.by_status[status]
        mark = _MARKS[invites.finished_precision] if status.is_final else ""
        number = f"{mark}{count.invites:,}"
        lately = f"+{count.lately:,}" if count.lately else "-"
        lines.append(Line(f"  {status:<12}{number:>12}{lately:>14}   {STATUS_WORDS[status]}"))
    if invites.finished_precision is not Precision.EXACT:
        what = {Precision.ESTIMATED: "~: from the table's statistics", Precision.AT_LEAST: ">=: counted up to here"}
        lines += paragraph(f"{what[invites.finished_precision]}; all finished invites are not counted.", indent=2)
    return lines


def _waiting(status: Status) -> list[Line]:
    if not status.waiting:
        return []
    lines = [Line(), Line("WAITING", Tone.TITLE)]
    many_accounts = len(status.accounts) > 1
    for waiting in status.waiting[:ROWS_MAX]:
        where = f" [{waiting.account}]" if many_accounts else ""
        reason = _why_waiting(waiting, status)
        which = (
            counted(waiting.count, "transcript")
            if waiting.what == "transcript"
            else f"{waiting.count:,} {waiting.what}"
        )
        lines += paragraph(f"{which}{where}: {reason}", indent=2, hanging=4)
    return lines + _and_more(len(status.waiting), "groups")


def _why_waiting(waiting: Waiting, status: Status) -> str:
    match waiting.what:
        case "pending":
            return _why_pending(waiting, status)
        case "starting":
            return _why_starting(waiting, status.at)
        case _:
            return _why_transcript(waiting, status.at)


def _why_pending(waiting: Waiting, status: Status) -> str:
    then = f"; {{}} {due(waiting.next_at, status.at)}" if waiting.next_at else ""
    code = f" ({waiting.code})" if waiting.code else ""
    match WaitReason(waiting.reason):
        case WaitReason.TIME:
            return f"their time has not come{then.format('the first')}"
        case WaitReason.NO_KEY:
            return "no replica has a key for their account"
        case WaitReason.PAUSED:
            return "their account is paused"
        case WaitReason.STOPPED:
            return f"their account is stopped{code}{then.format('next probe')}"
        case WaitReason.TOLD_TO_WAIT:
            return f"their account waits: ZenHire asked it to, or could not be reached{then.format('it goes on')}"
        case WaitReason.PERSONA:
            return f"their persona is being found or created{code}{then.format('next try')}"
        case WaitReason.TURN:
            return _their_turn(waiting, status)


def _their_turn(waiting: Waiting, status: Status) -> str:
    if not status.is_served:
        return "no replica is running that would start them"
    oldest = f", the first for {span(status.at - waiting.since)}" if waiting.since else ""
    return f"their turn in the request budget{oldest}"


def _why_starting(waiting: Waiting, now: datetime) -> str:
    if waiting.reason == "on_its_way":
        oldest = f", the first for {span(now - waiting.since)}" if waiting.since else ""
        return f"ZenHire's answer{oldest}"
    then = f"; next post {due(waiting.next_at, now)}" if waiting.next_at else ""
    return f"the last post was lost ({waiting.code}), another follows{then}"


def _why_transcript(waiting: Waiting, now: datetime) -> str:
    if waiting.reason == "new":
        return "about to be fetched"
    then = f"; next try {due(waiting.next_at, now)}" if waiting.next_at else ""
    reasons = {
        "not_ready": "ZenHire has not made it yet",
        "not_sent": "the last request could not be sent",
        "wait": "ZenHire asked to wait",
    }
    return reasons.get(waiting.reason, f"the last try failed ({waiting.reason})") + then


def _sessions(sessions: Sessions, now: datetime) -> list[Line]:
    lines = [Line(), Line("SESSIONS", Tone.TITLE)]
    next_look = f"next look {due(sessions.next_look_at, now)}" if sessions.next_look_at else "none to look at"
    if sessions.looks_due and sessions.next_look_at:
        next_look = f"{counted(sessions.looks_due, 'look')} due, the first for {span(now - sessions.next_look_at)}"
    lines += paragraph(f"{sessions.watched:,} watched; {next_look}", indent=2, hanging=4)
    search = f", next {due(sessions.next_search_at, now)}" if sessions.next_search_at else ""
    lost, orphans = counted(sessions.lost_posts_searched, "lost post"), counted(sessions.orphans_watched, "orphan")
    lines += paragraph(f"{lost} searched for{search}; {orphans} watched until dead", indent=2, hanging=4)
    if sessions.posts_lost_lately or sessions.orphans_recorded_lately:
        posts = counted(sessions.posts_lost_lately, "post")
        new = counted(sessions.orphans_recorded_lately, "orphan")
        lines += paragraph(f"lately: {posts} lost, {new} recorded", indent=2, hanging=4)
    return lines


def _replicas(status: Status) -> list[Line]:
    lines = [Line(), Line("REPLICAS", Tone.TITLE)]
    live = sum(replica.is_live for replica in status.replicas)
    if not live:
        last = f"the last ticked {ago(status.last_tick_at, status.at)}" if status.last_tick_at else "none has ever run"
        lines += paragraph(f"none is running; {last}: start one with `zenhire-sync run`", indent=2, hanging=4)
    for replica in status.replicas[:ROWS_MAX]:
        lines += paragraph(_replica(replica, status.at), indent=2, hanging=4)
    return lines + _and_more(len(status.replicas), "replicas")


def _replica(replica: Replica, now: datetime) -> str:
    where = f"{replica.host}, process {replica.pid}, version {replica.version}"
    if not replica.is_live:
        return f"{where}: SILENT, last tick {ago(replica.last_tick_at, now)}; another takes its work over"
    leases = f", holds {counted(replica.leases, 'lease')}" if replica.leases else ""
    return f"{where}: last tick {ago(replica.last_tick_at, now)}{leases}"


def _accounts(status: Status) -> list[Line]:
    lines = [Line(), Line("ACCOUNTS", Tone.TITLE)]
    if not status.accounts:
        lines.append(Line("  none yet: a replica makes them known when it starts"))
    figures = {one.account: one for one in status.figures}
    for account in sorted(status.accounts, key=lambda account: account.works)[:ROWS_MAX]:
        lines += _account(account, status.at)
        if account.works and account.account in figures:
            for said in in_sentences(figures[account.account]):
                lines += paragraph(said, indent=4)
    return lines + _and_more(len(status.accounts), "accounts")


def _account(account: Account, now: datetime) -> list[Line]:
    look = f"last look {ago(account.last_look_at, now)}" if account.last_look_at else "no look yet"
    link = f"last link {ago(account.last_link_at, now)}" if account.last_link_at else "no link yet"
    lines = paragraph(f"{account.account}: {in_short(account)}; {look}, {link}", indent=2, hanging=4)
    for trouble in troubles(account, now):
        lines += paragraph(trouble, indent=4)
    if account.waits_until:
        until = due(account.waits_until, now)
        lines += paragraph(f"It waits: ZenHire asked it to, or could not be reached; it goes on {until}.", indent=4)
    return lines


def _attention(status: Status) -> list[Line]:
    if status.all_right:
        return []
    lines = [Line(), Line("ATTENTION", Tone.TITLE)]
    for number, row in enumerate(status.attention[:ROWS_MAX], start=1):
        lines += paragraph(f"{number}. {_what(row, status.at)}", indent=2, hanging=5, tone=Tone.BAD)
        lines += paragraph(row.why, indent=5)
        if row.statement:
            lines += statement(row.statement, indent=5)
    if status.attention_count > ROWS_MAX:
        rest = status.attention_count - ROWS_MAX
        lines.append(Line(f"  and {rest:,} more: select * from zenhire.attention;"))
    return lines


def _what(row: Attention, now: datetime) -> str:
    of = f" of account {row.account}" if row.account and row.what != "account" else f" {row.account or ''}".rstrip()
    invite = f", invite {row.invite_id}" if row.invite_id else ""
    since = f", since {moment(row.since)} ({ago(row.since, now)})" if row.since else ""
    return f"{row.code or 'UNKNOWN'}: {row.what}{of}{invite}{since}"


def _and_more(rows: int, noun: str) -> list[Line]:
    return [Line(f"  and {rows - ROWS_MAX:,} more {noun}")] if rows > ROWS_MAX else []
