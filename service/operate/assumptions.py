"""What the vendor has not written down: what the service assumes of it, and what of that has been seen live."""

from dataclasses import dataclass
from typing import Any, LiteralString

from service.operate.snapshot import Snapshot

NEWEST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One thing that the vendor's documentation leaves open (contract §8)."""

    topic: str
    assumed: str
    seen: str  #: empty: not yet


#: Each gives one row with one text, or null where there is no evidence yet. Read from the newest sessions alone.
_EVIDENCE: tuple[tuple[str, str, LiteralString], ...] = (
    (
        "list: asked for one status",
        "perhaps; found out by three requests a day",
        """
        select string_agg(account || ': ' || status_filter, ', ' order by account) from zenhire.list_state
        where status_filter <> 'unknown'
        """,
    ),
    (
        "list: rows on a page",
        "as many as come; the longest page seen counts",
        "select nullif(max(page_rows), 0) || ' at most' from zenhire.list_state",
    ),
    (
        "life of an unused link",
        "7 days from the answer",
        """
        select 'from ' || min(life) || ' to ' || max(life)
        from (select date_trunc('minute', link_expires_at - answered_at) as life
              from newest where state = 'published' and answered_at is not null) l
        having count(*) > 0
        """,
    ),
    (
        "status of a link that died",
        "still initiated, or failed; either counts",
        """
        select string_agg(distinct vendor_status, ', ') from newest
        where dead_at is not null and state = 'published' and vendor_status in ('initiated', 'failed')
        """,
    ),
    (
        "a console re-invite",
        "the same session again, or another one with our mark",
        """
        select nullif(concat_ws(', ', case when bool_or(reinvited_at is not null) then 'the same session' end,
                                case when bool_or(origin = 'console') then 'another session' end), '')
        from newest
        """,
    ),
    (
        "time of an interview's end",
        "given as completed_at",
        """
        select count(*) filter (where completed_at is not null) || ' of ' || count(*) || ' completed sessions have it'
        from newest where vendor_status = 'completed' having count(*) > 0
        """,
    ),
    (
        "an artifact that is not ready",
        "ARTIFACT_NOT_READY, with any HTTP status; asked again",
        """
        select count(*) || ' transcripts were asked for again' from newest where collect_count > 1 having count(*) > 0
        """,
    ),
    (
        "form of a transcript",
        "opaque: stored as JSON where it is, else byte by byte",
        """
        select count(t.document) || ' JSON, ' || count(*) - count(t.document) || ' other'
        from newest n join zenhire.transcripts t on t.post_id = n.post_id
        having count(*) > 0
        """,
    ),
    (
        "no idempotency key",
        "each post may make another session",
        """
        select count(*) filter (where state = 'orphan') || ' orphans, '
               || count(*) filter (where state = 'lost') || ' lost posts'
        from newest having count(*) filter (where state in ('orphan', 'lost')) > 0
        """,
    ),
    (
        "limit of requests",
        "as it is set here; 429 slows the account down",
        """
        select sum(too_fast) || ' of ' || sum(sent) || ' requests got 429' from zenhire.request_counts
        where minute > %(now)s - interval '1 day' having sum(sent) > 0
        """,
    ),
    (
        "the vendor's clock",
        "may differ; times of both are never compared unawares",
        """
        select string_agg(account || ': ' || round(extract(epoch from vendor_ahead), 1) || ' s ahead', ', ')
        from zenhire.account_state where vendor_ahead is not null
        """,
    ),
    ("an outbound webhook", "there is none: polling is the only signal", "select null"),
)


def read_assumptions(seen: Snapshot) -> tuple[Assumption, ...]:
    """Every assumption, each with what the database shows of it."""
    return tuple(
        Assumption(topic=topic, assumed=assumed, seen=_text(seen.rows(_WITH_NEWEST + evidence, limit=NEWEST)))
        for topic, assumed, evidence in _EVIDENCE
    )


_WITH_NEWEST: LiteralString = """
with newest as (select * from zenhire.interview_sessions order by posted_at desc limit %(limit)s)
"""


def _text(rows: list[dict[str, Any]]) -> str:
    return str(next(iter(rows[0].values())) or "") if rows else ""
