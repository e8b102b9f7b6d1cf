"""Whether what is stored is still what was stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from service.core.findings import Finding, Kind, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBytes:
    """
    A transcript's hashes, compared where it is stored.

    The vendor's own hash is of the bytes as they came. Only `body` still has them; a `document` was rewritten by jsonb,
    and is compared with a hash of its own that was taken when it was stored.
    """

    post_id: UUID
    account: str
    invite_id: UUID
    session_id: str
    has_body: bool
    body_fits: bool | None
    has_document: bool
    document_fits: bool | None  #: None: no hash was taken


def check_stored(stored: StoredBytes) -> Iterator[Finding]:
    """What no longer fits, or cannot be told."""
    if stored.has_body and not stored.body_fits:
        yield _differs(stored, "The transcript's bytes are not those that came: their length or SHA-256 differs.")
    elif stored.has_document and stored.document_fits is False:
        yield _differs(stored, "The transcript is not the one that was stored: its SHA-256 differs.")
    elif stored.has_document and stored.document_fits is None:
        yield Finding(
            kind=Kind.BYTES_UNPROVEN,
            level=Level.NOTE,
            account=stored.account,
            what="The transcript was stored without a hash of its own, so nobody can tell whether it has changed.",
            invite_id=stored.invite_id,
            post_id=stored.post_id,
            session_id=stored.session_id,
        )


def _differs(stored: StoredBytes, what: str) -> Finding:
    post = f"where post_id = '{stored.post_id}'"
    fetch_again = (
        f"with gone as (delete from zenhire.transcripts {post}) "
        f"update zenhire.interview_sessions set next_collect_at = zenhire.clock() {post};"
    )
    return Finding(
        kind=Kind.BYTES_DIFFER,
        level=Level.DRIFT,
        account=stored.account,
        what=what,
        invite_id=stored.invite_id,
        post_id=stored.post_id,
        session_id=stored.session_id,
        mended_by="collect",
        statement=fetch_again,
    )
