"""How durations, numbers and other people's texts are written for a person at a terminal of 80 columns."""

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from textwrap import wrap
from unicodedata import combining, east_asian_width

from service.core.model import InviteStatus
from service.masking import mask

WIDTH = 80

STATUS_WORDS = {
    InviteStatus.PENDING: "waiting for a link",
    InviteStatus.STARTING: "link being asked for",
    InviteStatus.LINK_READY: "link ready, interview not started",
    InviteStatus.IN_PROGRESS: "interview running",
    InviteStatus.NEEDS_REVIEW: "a person must decide",
    InviteStatus.COMPLETED: "interview finished",
    InviteStatus.FAILED: "interview gave no result",
    InviteStatus.EXPIRED: "link ran out unused",
    InviteStatus.CANCELLED: "called off",
    InviteStatus.REFUSED: "refused by ZenHire",
}


def span(duration: timedelta, *, rounded: Callable[[float], int] = math.floor) -> str:
    """`12 s`, `5 min`, `3 h`, `6 days`: in the unit in which it is at least 2."""
    seconds = max(duration.total_seconds(), 0)
    if rounded(seconds) < 120:
        return f"{rounded(seconds)} s"
    if rounded(seconds / 60) < 120:
        return f"{rounded(seconds / 60)} min"
    if rounded(seconds / 3600) < 48:
        return f"{rounded(seconds / 3600)} h"
    return f"{rounded(seconds / 86400):,} days"


def ago(at: datetime, now: datetime) -> str:
    passed = now - at
    return "just now" if passed < timedelta(seconds=1) else f"{span(passed)} ago"


def due(at: datetime, now: datetime) -> str:
    """When something happens: `now` also for what is late."""
    if at <= now:
        return "now"
    return f"in {span(at - now, rounded=math.ceil)}"


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def counted(number: int, noun: str) -> str:
    """`1 invite`, `2 invites`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def sentence(text: str) -> str:
    """With one full stop at its end, whoever wrote it."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def clause(text: str) -> str:
    """To be followed by a comma, a semicolon or a bracket."""
    return text.rstrip(". ")


def plain(text: str) -> str:
    """Somebody's text on one line, and nothing in it that a terminal would obey."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def plain_or_none(text: str | None) -> str | None:
    return None if text is None else plain(text)


def safe(text: str | None) -> str | None:
    """As `plain`, without keys and link tokens: for messages and reasons, which may quote anything."""
    return None if text is None else plain(mask(text))


def quoted(text: str, width: int = 56) -> str:
    return f"“{shortened(plain(text), width)}”"


def shortened(text: str, width: int) -> str:
    """At most `width` columns of a terminal; letters of some scripts take two."""
    if sum(map(_columns, text)) <= width:
        return text
    taken, columns = 0, 1
    while columns + _columns(text[taken]) <= width:
        columns += _columns(text[taken])
        taken += 1
    return text[:taken].rstrip() + "…"


def _columns(letter: str) -> int:
    if combining(letter):
        return 0
    return 2 if east_asian_width(letter) in {"W", "F"} else 1


def wrapped(text: str, *, indent: int = 0, hanging: int | None = None) -> list[str]:
    """Lines of at most 80 columns; `hanging` is the indent of all but the first."""
    return wrap(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent if hanging is None else hanging),
        break_on_hyphens=False,
    )


_SQL_WORDS = re.compile(r"(?:'(?:[^']|'')*'|[^'\s])+")


def wrapped_sql(statement: str, *, indent: int) -> list[str]:
    """The statement in lines that still can be pasted into psql: never broken within a literal."""
    lines: list[str] = []
    for word in _SQL_WORDS.findall(statement):
        if lines and indent + len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word if not lines else f"  {word}")
    return [" " * indent + line for line in lines]
