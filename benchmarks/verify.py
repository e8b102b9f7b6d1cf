"""Whether the work was done right: a fast wrong answer is no figure. The sandbox's own record is the judge."""

from collections import Counter

from benchmarks.failed import BenchmarkFailed
from benchmarks.stage import Stage
from service.core.marks import INVITE_MARK

_LINKS = "select id::text, session_id, candidate_link, link_number from zenhire.candidate_invites"
_POSTS = "select count(*) from zenhire.interview_sessions"


def verify(stage: Stage) -> int:
    """
    Check every invite of the run against the sandbox; the number of links checked.

    Each holds the link that was minted for its session, the session bears the invite's mark, and there was one post
    for each invite, on both sides.
    """
    rows = stage.database.execute(_LINKS).fetchall()
    ours = {f"{invite_id}/{number}": (session_id, link) for invite_id, session_id, link, number in rows}
    minted: dict[str, tuple[str, str]] = {}
    posts: Counter[str] = Counter()
    for session in stage.sandbox.control.sessions():
        if not session["candidate_ref"].startswith(("bare-", "plain-")):
            mark = session["metadata"].get(INVITE_MARK)
            posts[mark] += 1
            minted[mark] = (session["id"], session["links"][-1]["url"])
    if twice := [mark for mark, count in posts.items() if count > 1]:
        raise BenchmarkFailed(f"{len(twice)} invites were posted more than once, such as {twice[0]}")
    if ours != minted:
        wrong = sorted(mark for mark in ours.keys() | minted.keys() if ours.get(mark) != minted.get(mark))
        raise BenchmarkFailed(f"{len(wrong)} links are not those that the sandbox minted, such as {wrong[0]}")
    if (count := stage.ask(_POSTS)) != len(ours):
        raise BenchmarkFailed(f"{count} posts on record for {len(ours)} invites")
    return len(ours)
