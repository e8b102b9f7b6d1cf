"""What must always hold (ARCHITECTURE.md), asked of a finished run."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID

from sandbox.model import Source
from sandbox.truth import SessionTruth
from service.core.limits import ALLOTMENT, RETRY_AFTER_MAX
from service.core.marks import INVITE_MARK, POST_MARK
from tests.simulation.evidence import Changed, Evidence, Row, gather
from tests.simulation.loop import START
from tests.simulation.overlaps import unexcused_overlaps
from tests.simulation.world import EPOCH, KEYS, World

FINAL = {"completed", "failed", "expired", "cancelled", "refused"}
WINDOW = 60.0
MOMENT = 1e-3  #: two clocks, each in its own units, agree no better

# --- 1. one live link ------------------------------------------------------------------------------------------------


def one_live_link(evidence: Evidence) -> Iterator[str]:
    """No candidate ever holds two links that work. Each invite has a candidate of its own here."""
    for candidate, first, second in unexcused_overlaps(evidence):
        yield (
            f"{candidate} held two links that worked at the same time, from {second.since} to"
            f" {min(first.until, second.until)}: of session {first.session.id[:8]} and of {second.session.id[:8]}"
        )


def links_are_published_once(evidence: Evidence) -> Iterator[str]:
    """A published link is the one that was minted for its session, and each link number has one."""
    session_of_link = evidence.truth.session_of_link()
    published: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for change in evidence.changes_of("candidate_invites"):
        link = change.after["candidate_link"]
        if link is None or not (change.moved("candidate_link") or change.moved("link_number")):
            continue
        published[change.after["id"], change.after["link_number"]].add(link)
        if session_of_link.get(link) != change.after["session_id"]:
            yield f"{evidence.name(change.after['id'])} shows a link that is not its session's"
    for (invite_id, number), links in published.items():
        if len(links) > 1:
            yield f"{evidence.name(invite_id)} had {len(links)} links with number {number}"


# --- 2. nothing lost -------------------------------------------------------------------------------------------------


def nothing_lost(evidence: Evidence) -> Iterator[str]:
    """Once nothing goes wrong any more, every invite is final or a person is told of it."""
    told = {row["invite_id"] for row in evidence.attention}
    deleted = set(evidence.world.invites) - set(evidence.invites)
    for invite_id in deleted & set(evidence.posts_of):
        yield f"{evidence.name(invite_id)} is gone, and a post of it is not"
    for invite_id, invite in evidence.invites.items():
        if invite["status"] not in FINAL and invite_id not in told:
            yield f"{evidence.name(invite_id)} is {invite['status']}, and nobody is told"
    for post in evidence.posts.values():
        if post["state"] == "posting" or post["lease_until"] is not None:
            yield f"a post of {evidence.name(post['invite_id'])} is {post['state']} under a lease that nobody ends"


# --- 3. every session accounted for ----------------------------------------------------------------------------------


def every_session_accounted_for(evidence: Evidence) -> Iterator[str]:
    """A session with our mark is tied to a post, or no list ever showed it: then its post is known as lost."""
    on_record = {post["session_id"] for post in evidence.posts.values()} | evidence.unclaimed
    for session in evidence.truth.sessions:
        post = evidence.posts.get(UUID(str(session.metadata.get(POST_MARK))))
        if post is None:
            yield f"session {session.id[:8]} of {session.candidate_ref} has no post at all"
        elif session.source is not Source.REQUESTS:
            if session.id not in on_record and _list_shows(evidence, session):
                yield f"session {session.id[:8]}, which the console made for {session.candidate_ref}, was not noticed"
        elif post["session_id"] != session.id and not _may_be_lost(evidence, post, session):
            yield (
                f"session {session.id[:8]} of {session.candidate_ref} is not tied to its post, which is"
                f" {post['state']} ({post['dead_because']})"
            )


def _may_be_lost(evidence: Evidence, post: Row, session: SessionTruth) -> bool:
    ended: bool = post["state"] == "lost" and post["next_search_at"] is None and post["dead_at"] is not None
    return ended and post["session_id"] is None and not _list_shows(evidence, session)


def _list_shows(evidence: Evidence, session: SessionTruth) -> bool:
    listing = evidence.world.platform.profile.listing
    if session.source is Source.PLAYGROUND and not listing.playground_rows:
        return False
    all_of_its_client = sum(other.client == session.client for other in evidence.truth.sessions)
    return listing.paging != "none" or all_of_its_client <= min(listing.page_size, listing.page_size_max)


# --- 4. outcomes only move forward -----------------------------------------------------------------------------------


def outcomes_are_the_vendors(evidence: Evidence) -> Iterator[str]:
    """In the end an invite says what really happened at the vendor."""
    by_id = evidence.truth.by_id()
    for invite_id, invite in evidence.invites.items():
        name, status = evidence.name(invite_id), invite["status"]
        known = [by_id[post["session_id"]] for post in evidence.posts_of[invite_id] if post["session_id"] in by_id]
        done = [session for session in known if session.status == "completed"]
        if status == "completed":
            yield from _completed_without_outcome(name, invite, by_id.get(invite["session_id"]))
        elif status != "cancelled":
            for session in done:
                if not _may_be_unknown(evidence, invite, session):
                    yield f"{name} is {status}, and its session {session.id[:8]} completed"
        if status in {"failed", "expired"}:
            yield from _end_without_outcome(evidence, name, invite, by_id.get(invite["session_id"]))


def _completed_without_outcome(name: str, invite: Row, session: SessionTruth | None) -> Iterator[str]:
    if session is None or session.status != "completed":
        yield f"{name} is completed, its session is not"
    elif invite["credits_charged"] != session.credit_charged:
        yield f"{name} shows {invite['credits_charged']} credits, the vendor charged {session.credit_charged}"


def _may_be_unknown(evidence: Evidence, invite: Row, session: SessionTruth) -> bool:
    """
    A console re-invite that no list shows, of a session that nobody looks at any more; one whose outcome was there
    when an operator forced another link; and one whose candidate was erased.
    """
    reinvited = session.candidate_ref in evidence.world.console_reinvites
    return (
        invite["erased_at"] is not None
        or (reinvited and not _list_shows(evidence, session))
        or any(
            event["invite_id"] == invite["id"]
            and event["kind"] == "new_link_wanted"
            and event["details"].get("force")
            and session.ended_at is not None
            and session.ended_at <= event["at"]
            for event in evidence.events
        )
    )


def _end_without_outcome(evidence: Evidence, name: str, invite: Row, session: SessionTruth | None) -> Iterator[str]:
    wanted = {"failed": {"failed"}, "expired": {"initiated", "failed"}}[invite["status"]]
    if session is None:
        yield f"{name} is {invite['status']} with a session that does not exist"
    elif session.status not in wanted and session.candidate_ref not in evidence.world.console_reinvites:
        yield f"{name} is {invite['status']}, its session is {session.status}"


def outcomes_only_move_forward(evidence: Evidence) -> Iterator[str]:
    """`completed` is never left nor written over, and a step back needs a real re-invite."""
    may_return = evidence.world.console_reinvites
    outcome = ("status", "session_id", "interview_completed_at", "duration_seconds", "credits_charged")
    for change in evidence.changes_of("candidate_invites"):
        if change.before is None:
            continue
        name, before, after = evidence.name(change.after["id"]), change.before["status"], change.after["status"]
        if before == "completed" and change.has_moved(*outcome):
            yield f"the outcome of {name} was written over ({before} to {after})"
        if before in {"failed", "expired"} and after in {"link_ready", "in_progress"} and name not in may_return:
            yield f"{name} went from {before} to {after}, and nobody had re-invited the candidate"


def looks_only_move_forward(evidence: Evidence) -> Iterator[str]:
    """A session that completed stays so, and what was seen later is never replaced by an earlier look."""
    for change in evidence.changes_of("interview_sessions"):
        if change.before is None:
            continue
        name = evidence.name(change.after["invite_id"])
        if change.before["vendor_status"] == "completed" and change.moved("vendor_status"):
            yield f"the session of {name} was completed and is {change.after['vendor_status']} again"
        if (change.before["status_seen_at"] or "") > (change.after["status_seen_at"] or ""):
            yield f"what was seen of {name} at {change.before['status_seen_at']} was replaced by an older look"


def transcripts_are_the_vendors(evidence: Evidence) -> Iterator[str]:
    """`stored` and a transcript go together, and its bytes are those that the vendor sent."""
    for invite_id, invite in evidence.invites.items():
        stored = [post for post in evidence.posts_of[invite_id] if post["post_id"] in evidence.transcripts]
        if invite["erased_at"] is not None:
            if stored:
                yield f"{evidence.name(invite_id)} was erased, and its transcript is still there"
            continue
        if invite["status"] == "completed" and invite["transcript_state"] not in {"stored", "unavailable"}:
            yield f"the transcript of {evidence.name(invite_id)} is {invite['transcript_state']} for ever"
        if invite["transcript_state"] == "stored" and not stored:
            yield f"the transcript of {evidence.name(invite_id)} is stored nowhere"
        for post in stored:
            sent = _transcript(evidence, post["account"], post["session_id"])
            if sent is not None and hashlib.sha256(sent).digest() != evidence.transcripts[post["post_id"]]["sha256"]:
                yield f"the transcript of {evidence.name(invite_id)} is not what the vendor sent"


def _transcript(evidence: Evidence, account: str, session_id: str) -> bytes | None:
    platform = evidence.world.platform
    if evidence.truth.by_id()[session_id].status != "completed":
        return None
    return platform.get_transcript(platform.keys[KEYS[account]], session_id)


# --- 5. the budget holds ---------------------------------------------------------------------------------------------


def the_budget_holds(evidence: Evidence) -> Iterator[str]:
    """No sliding minute with more requests than an account's limit; none while the vendor has asked it to wait."""
    limit = evidence.world.scenario.requests_per_minute
    for account in evidence.world.scenario.accounts:
        sent = [sent.at for sent in evidence.world.sent if sent.account == account]
        first = 0
        for last, at in enumerate(sent):
            while sent[first] <= at - WINDOW:
                first += 1
            if last - first + 1 > limit:
                yield f"{account}: {last - first + 1} requests within a minute up to {at - START:.3f} s, of {limit}"
                break
        for told_at, until in _waits(evidence, account):
            early = [at for at in sent if told_at + ALLOTMENT.total_seconds() < at < until - MOMENT]
            if early:
                yield f"{account}: a request at {early[0] - START:.3f} s, all were to wait until {until - START:.3f} s"


def _waits(evidence: Evidence, account: str) -> Iterator[tuple[float, float]]:
    """When a wait of this account was written down, and until when it is; in the loop's time."""
    for change in evidence.changes_of("request_budget"):
        if change.after["account"] == account:
            yield _in_loop_time(change.at), _in_loop_time(datetime.fromisoformat(change.after["paused_until"]))


def _in_loop_time(at: datetime) -> float:
    return (at - EPOCH).total_seconds() + START


def waits_are_written_down(evidence: Evidence) -> Iterator[str]:
    """What the vendor asks one replica to wait is what all of them are told, if nothing came between."""
    scenario = evidence.world.scenario
    if scenario.database_refused or scenario.database_cut or scenario.commit_unanswered:
        return
    told = {account: [until for _, until in _waits(evidence, account)] for account in scenario.accounts}
    for replica in evidence.world.replicas:
        for account, at, seconds in [] if replica.troubled else replica.asked_to_wait:
            until = at + min(seconds, RETRY_AFTER_MAX.total_seconds())
            if not any(known >= until - MOMENT for known in told[account]):
                yield f"{replica.name} was asked at {at - START:.3f} s to wait {seconds} s, and told nobody"


# --- 6. only the holder decides --------------------------------------------------------------------------------------


def only_the_holder_decides(evidence: Evidence) -> Iterator[str]:
    """A lease is ended by its holder, and an invite is moved by a replica that holds a session of it."""
    held: set[tuple[int, str]] = set()  #: transactions, with the invites of which their replica held a session
    for change in evidence.changes_of("interview_sessions"):
        replica = evidence.replicas.get(change.who)
        if replica is None:
            continue
        before = change.before or change.after
        if replica in {before["lease_holder"], change.after["lease_holder"]}:
            held.add((change.transaction, change.after["invite_id"]))
        elif change.has_moved("lease_token", "vendor_status", "state") and not _ends_a_search(change):
            yield f"{change.who} decided about a post of {evidence.name(change.after['invite_id'])} without its lease"
    for change in evidence.changes_of("candidate_invites"):
        # Where no post is on its way there is no lease: the time for a link passes, a stopped account lets go.
        needs_one = change.moved("status") and change.after["status"] not in {"cancelled", "pending"}
        if needs_one and change.who in evidence.replicas and (change.transaction, change.after["id"]) not in held:
            yield f"{change.who} moved {evidence.name(change.after['id'])} without a lease"


def _ends_a_search(change: Changed) -> bool:
    """A sweep found what a search is under way for: that search does not know, so it loses its lease, and no more."""
    was_searched = change.before is not None and change.before["state"] == change.after["state"] == "lost"
    return was_searched and change.after["lease_token"] is None and change.after["session_id"] is not None


# --- 7. history is complete ------------------------------------------------------------------------------------------


def history_is_complete(evidence: Evidence) -> Iterator[str]:
    """Each change of a status has its event, and the events alone tell where an invite stands."""
    told: defaultdict[UUID, list[Row]] = defaultdict(list)
    for event in evidence.events:
        if event["to_status"] is not None:
            told[event["invite_id"]].append(event)
    moves: defaultdict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for change in evidence.changes_of("candidate_invites"):
        if change.before is not None and change.moved("status"):
            moves[change.after["id"]].append((change.before["status"], change.after["status"], change.after["version"]))
    for invite_id, invite in evidence.invites.items():
        name, line = evidence.name(invite_id), told[invite_id]
        history = [(event["from_status"], event["to_status"], event["version"]) for event in line]
        if history != moves[str(invite_id)]:
            yield f"the history of {name} tells {history}, and what happened is {moves[str(invite_id)]}"
        elif (history[-1][1] if history else "pending") != invite["status"]:
            yield f"the history of {name} ends with another status than {invite['status']}"


# --- 8. secrets stay secret ------------------------------------------------------------------------------------------


def secrets_stay_secret(evidence: Evidence) -> Iterator[str]:
    """No key, link, transcript or metadata value in a line of the log."""
    secrets = {"an API key": "zh_api_", "metadata": "metadata-value", "a transcript": '"speaker"'}
    lines = [json.dumps(line, default=str) for line in evidence.world.logs]
    tokens = [link.url.rpartition("=")[2] for session in evidence.truth.sessions for link in session.links]
    for line in lines:
        for what, secret in secrets.items():
            if secret in line:
                yield f"{what} in a log line: {line[:200]}"
        if any(token in line for token in tokens):
            yield f"a candidate link in a log line: {line[:80]}"


def nothing_unexpected(evidence: Evidence) -> Iterator[str]:
    """What goes wrong with the vendor or the database is no exception to anybody."""
    for line in evidence.world.logs:
        if "exception" in line:
            yield f"{line.get('event')}: {str(line['exception']).strip().splitlines()[-1]}"


def marks_name_their_invite(evidence: Evidence) -> Iterator[str]:
    for session in evidence.truth.sessions:
        post = evidence.posts.get(UUID(str(session.metadata.get(POST_MARK))))
        if post and session.metadata[INVITE_MARK] != f"{post['invite_id']}/{post['link_number']}":
            yield f"session {session.id[:8]} names another invite than its post"


INVARIANTS: dict[str, Callable[[Evidence], Iterator[str]]] = {
    "one live link": one_live_link,
    "a link is published once": links_are_published_once,
    "nothing lost": nothing_lost,
    "every session accounted for": every_session_accounted_for,
    "marks": marks_name_their_invite,
    "outcomes are the vendor's": outcomes_are_the_vendors,
    "outcomes only move forward": outcomes_only_move_forward,
    "looks only move forward": looks_only_move_forward,
    "transcripts": transcripts_are_the_vendors,
    "the budget holds": the_budget_holds,
    "waits are written down": waits_are_written_down,
    "only the holder decides": only_the_holder_decides,
    "history is complete": history_is_complete,
    "secrets stay secret": secrets_stay_secret,
    "nothing unexpected": nothing_unexpected,
}


def findings(world: World) -> list[str]:
    """Every violation, with the invariant that it breaks."""
    evidence = gather(world)
    return [f"{name}: {line}" for name, check in INVARIANTS.items() for line in check(evidence)]
