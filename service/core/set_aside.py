"""What to do with a change that the database's own rules refuse: nothing is lost, nothing spins, a person decides."""

from datetime import datetime, timedelta

from service.core import lifecycle
from service.core.changes import Change, Event, SessionColumns
from service.core.lifecycle import Loss
from service.core.model import Claim, CollectClaim, PostClaim, SearchClaim

CODE = "UNSTORABLE_ANSWER"
SET_ASIDE_FOR = timedelta(hours=1)


def set_aside(claim: Claim, *, rule: str, now: datetime) -> Change:
    """The change to write instead; `rule` names what the database said."""
    message = f"The vendor's answer could not be stored: it breaks the rule {rule}."
    if isinstance(claim, PostClaim):
        loss = Loss(code=CODE, detail=message, at=now, search_at=now + SET_ASIDE_FOR)
        return lifecycle.ask_a_person(claim, loss, code=CODE, message=message)
    if isinstance(claim, CollectClaim):
        session = SessionColumns(next_collect_at=None, last_collect="unstorable")
        return lifecycle.give_up_transcript(claim, session, reason=message)
    event = Event(kind="answer_set_aside", reason=message)
    later = now + SET_ASIDE_FOR
    if isinstance(claim, SearchClaim):
        return Change(claim=claim, session=SessionColumns(next_search_at=later), event=event)
    session = SessionColumns(next_look_at=later, next_look_reason=message, last_look="unstorable")
    return Change(claim=claim, session=session, event=event)
