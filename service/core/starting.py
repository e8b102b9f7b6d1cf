"""What an answer to a post means for its invite."""

from datetime import datetime, timedelta
from typing import assert_never

from service.core import cadence, lifecycle
from service.core.changes import Change
from service.core.decisions import AccountNote, Decision, Stumbled, Worked, notes_of
from service.core.failures import (
    DidNotSend,
    Meaning,
    Missing,
    NotReady,
    Refused,
    Request,
    StopAccount,
    UnknownResult,
    WaitAccount,
    WaitRow,
    classify,
)
from service.core.lifecycle import Loss
from service.core.limits import back_off
from service.core.model import (
    Lane,
    Policy,
    PostClaim,
)
from service.core.observations import Failure, Minted, MintedWithoutLink

REPOST_BASE = timedelta(seconds=2)
REPOST_CEILING = timedelta(minutes=5)


def decide_post(
    claim: PostClaim, answer: Minted | MintedWithoutLink | Failure, *, now: datetime, policy: Policy, jitter: float
) -> Decision:
    """What one answered, unanswered or abandoned POST means for its invite."""
    match answer:
        case Minted():
            first_look = _first_look(claim, answer, now=now, policy=policy, jitter=jitter)
            change = lifecycle.publish_link(claim, answer, now=now, first_look=first_look)
            cleared = claim.persona_id if claim.blamed else None
            return Decision(change=change, notes=(Worked(lane=Lane.START, cleared_persona=cleared),))
        case MintedWithoutLink():
            change = _change_for_missing_link(claim, answer, now=now, policy=policy, jitter=jitter)
            return Decision(
                change=change, notes=(Stumbled(lane=Lane.START, code="NO_LINK", invite_id=claim.invite_id),)
            )
        case _:
            meaning = classify(Request.START, answer)
            change = _change_for_failed_post(claim, meaning, now=now, policy=policy, jitter=jitter)
            return Decision(change=change, notes=_notes_of(claim, meaning))


def _first_look(claim: PostClaim, minted: Minted, *, now: datetime, policy: Policy, jitter: float) -> cadence.NextLook:
    """Soon, for some open their link at once; but where the list shows what runs, that is its affair."""
    if claim.look_every is None:
        return cadence.NextLook(at=now + policy.watch_interval * (1 + 0.2 * jitter), reason="the link is new")
    expires_at = claim.posted_at + minted.expires_in
    return cadence.first_listed_look(expires_at, every=claim.look_every, now=now, policy=policy, jitter=jitter)


def _notes_of(claim: PostClaim, meaning: Meaning) -> tuple[AccountNote, ...]:
    """A refusal may be the account's trouble or the persona's; once the persona is to blame, it is no news."""
    match meaning:
        case Refused() if claim.blamed:
            return ()
        case Refused():
            stumbled = Stumbled(
                lane=Lane.START, code=meaning.code, invite_id=claim.invite_id, persona_id=claim.persona_id
            )
            return (stumbled,)
        case _:
            return notes_of(meaning, Lane.START, claim.invite_id)


def _change_for_missing_link(
    claim: PostClaim, made: MintedWithoutLink, *, now: datetime, policy: Policy, jitter: float
) -> Change:
    posts = claim.counted_posts + 1
    if posts < policy.posts_per_link:
        return lifecycle.post_made_orphan(claim, made, now=now, repost_at=now + _repost_delay(claim, jitter))
    message = f"ZenHire made {posts} sessions and sent no link for any of them."
    return lifecycle.ask_about_missing_links(claim, made, now=now, message=message)


def refuse_for_persona(claim: PostClaim, code: str, *, now: datetime) -> Decision:
    """The invite's role and language got no persona: nothing is sent."""
    message = f"the vendor refused the persona that this role and language need ({code})"
    return Decision(change=lifecycle.refuse(claim, code=code, message=message, now=now))


def _change_for_failed_post(
    claim: PostClaim, meaning: Meaning, *, now: datetime, policy: Policy, jitter: float
) -> Change:
    match meaning:
        case DidNotSend():
            return lifecycle.back_to_pending(claim, code="NOT_SENT", detail=meaning.detail, now=now)
        case WaitAccount(may_have_acted=False) | WaitRow():
            return lifecycle.back_to_pending(claim, code=meaning.code, detail="the vendor asked to wait", now=now)
        case StopAccount():
            return lifecycle.back_to_pending(claim, code=meaning.code, detail=meaning.message, now=now)
        case Refused() if not claim.probe:
            return lifecycle.refuse(claim, code=meaning.code, message=meaning.message, now=now)
        case Refused():
            return lifecycle.back_to_pending(claim, code=meaning.code, detail=meaning.message, now=now)
        case UnknownResult():
            return _lost_post(claim, meaning.code, meaning.detail, now=now, policy=policy, jitter=jitter)
        case WaitAccount() | Missing() | NotReady():
            detail = "the vendor's answer leaves open whether a session was made"
            return _lost_post(claim, "UNCLEAR_ANSWER", detail, now=now, policy=policy, jitter=jitter)
    assert_never(meaning)


def _lost_post(claim: PostClaim, code: str, detail: str, *, now: datetime, policy: Policy, jitter: float) -> Change:
    search_at = cadence.next_search(0, claim.posted_at, now=now, policy=policy)
    loss = Loss(code=code, detail=detail, at=now, search_at=search_at)
    if claim.probe:
        return lifecycle.probe_lost(claim, loss)
    posts = claim.counted_posts + 1
    if posts >= policy.posts_per_link:
        message = f"ZenHire was asked {posts} times for a link and never gave a clear answer."
        return lifecycle.ask_a_person(claim, loss, code="TOO_MANY_LOST_POSTS", message=message)
    return lifecycle.post_lost(claim, loss, repost_at=now + _repost_delay(claim, jitter))


def _repost_delay(claim: PostClaim, jitter: float) -> timedelta:
    return back_off(claim.counted_posts + 1, base=REPOST_BASE, ceiling=REPOST_CEILING, jitter=jitter)
