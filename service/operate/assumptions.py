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
    # --- the list of sessions
    (
        "list: asked for one status",
        "perhaps; found out by a few requests a day",
        """
        select string_agg(account || ': ' || status_filter, ', ' order by account) from zenhire.list_state
        where status_filter <> 'unknown'
        """,
    ),
    (
        "list: asked for one candidate",
        "perhaps; found out with the status, in three spellings",
        """
        select string_agg(account || ': ' || coalesce(ref_parameter, ref_filter), ', ' order by account)
        from zenhire.list_state where ref_filter <> 'unknown'
        """,
    ),
    (
        "list: searched by metadata",
        "not at all: rows are read and compared here",
        """
        select count(*) || ' sessions of lost posts were found by their mark' from newest
        where state = 'orphan' and search_count > 0 having count(*) > 0
        """,
    ),
    (
        "list: rows on a page",
        "as many as come; the longest page seen counts",
        "select nullif(max(page_rows), 0) || ' at most' from zenhire.list_state",
    ),
    (
        "list: paging, form and order",
        "a cursor, page numbers, offsets or none, newest or oldest first; found out with the status",
        """
        select string_agg(account || ': ' || concat_ws(', ', nullif(paging, 'unknown'), nullif(sort_order, 'unknown')),
                          '; ' order by account)
        from zenhire.list_state where paging <> 'unknown' or sort_order <> 'unknown'
        """,
    ),
    (
        "list: sessions that the console made",
        "perhaps; followed where they carry our mark",
        """
        select count(*) || ' without our mark' from zenhire.unclaimed_sessions having count(*) > 0
        """,
    ),
    # --- personas
    (
        "personas: paging and fields",
        "as the list of sessions; id, role_name and language count, the others are not read",
        """
        select count(*) filter (where not created_by_us) || ' found, '
               || count(*) filter (where created_by_us) || ' made'
        from zenhire.personas where state = 'ready' having count(*) > 0
        """,
    ),
    # --- what becomes of a session
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
        "where SESSION_TIMEOUT stands",
        "anywhere in the object, or nowhere: failed is enough",
        """
        select count(*) filter (where i.error_code = 'SESSION_TIMEOUT') || ' of ' || count(*)
               || ' failed sessions had it'
        from newest n join zenhire.candidate_invites i on i.id = n.invite_id and n.current
        where i.status = 'failed' having count(*) > 0
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
        "how long an interview may take",
        "any time: no interview is given up because of it",
        """
        select max(date_trunc('second', completed_at - interview_started_at)) || ' was the longest' from newest
        where completed_at is not null and interview_started_at is not null
        """,
    ),
    (
        "fields of the feedback",
        "a rating from 1 to 5 under any of its likely names; without it the outcome counts all the same",
        """
        select count(i.candidate_survey_rating) || ' of ' || count(*) || ' completed invites have a rating'
        from newest n join zenhire.candidate_invites i on i.id = n.invite_id and n.current
        where i.status = 'completed' having count(*) > 0
        """,
    ),
    # --- artifacts
    (
        "an artifact that is not ready",
        "ARTIFACT_NOT_READY, with any HTTP status; asked again",
        """
        select count(*) || ' transcripts were asked for again' from newest where collect_count > 1 having count(*) > 0
        """,
    ),
    (
        "a failure behind an artifact",
        "asked again, with growing distances, whatever status and code it has",
        """
        select string_agg(distinct last_collect, ', ') from newest where collect_failures > 0
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
        "parts of a recording (Range)",
        "not asked for: this version stores no recordings",
        "select null",
    ),
    # --- posts and their failures
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
        "codes of 400, 403 and 404",
        "any: the HTTP status decides, the code is kept and shown",
        """
        select string_agg(distinct i.error_code, ', ') from newest n
        join zenhire.candidate_invites i on i.id = n.invite_id where i.status = 'refused'
        """,
    ),
    (
        "codes of 5xx",
        "any: whether a session was made is unknown, so it is searched for",
        "select string_agg(distinct error_code, ', ') from newest where state = 'lost'",
    ),
    (
        "what stops an account (401, 402, 403)",
        "any code; looks go on without credits, nothing does without a key",
        """
        select string_agg(distinct details ->> 'code', ', ')
        from (select details from zenhire.invite_events where kind = 'account_stopped' and invite_id is null
              order by id desc limit %(limit)s) stops
        """,
    ),
    (
        "credits: least amount and price",
        "told by the answers: 402 stops the links, credits_charged is kept",
        """
        select 'from ' || min(i.credits_charged) || ' to ' || max(i.credits_charged) || ' for an interview'
        from newest n join zenhire.candidate_invites i on i.id = n.invite_id having count(i.credits_charged) > 0
        """,
    ),
    # --- the account
    (
        "limit of requests, and for looks",
        "as it is set here, for all requests alike; 429 slows the account down",
        """
        select sum(too_fast) || ' of ' || sum(sent) || ' requests got 429' from zenhire.request_counts
        where minute > %(now)s - interval '1 day' having sum(sent) > 0
        """,
    ),
    (
        "interviews at once",
        "some number: candidates beyond it wait at the door, and their links live on",
        "select max(running) || ' on one list' from zenhire.list_state having max(running) > 0",
    ),
    (
        "the vendor's clock",
        "may differ; times of both are never compared unawares",
        """
        select string_agg(account || ': ' || round(extract(epoch from vendor_ahead), 1) || ' s ahead', ', ')
        from zenhire.account_state where vendor_ahead is not null
        """,
    ),
    (
        "bodies of health and credits",
        "health is not asked for; a balance under any likely name, or none",
        "select nullif(count(credits_left), 0) || ' account(s) told a balance' from zenhire.account_state",
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
