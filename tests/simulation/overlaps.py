"""Links that worked at the same time in one candidate's hands, and the three ways in which that may come about."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from sandbox.model import Source
from sandbox.truth import LinkTruth, SessionTruth, Truth
from tests.simulation.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A link that worked, for as long as somebody had it."""

    session: SessionTruth
    link: LinkTruth
    since: datetime
    until: datetime

    @property
    def is_of_the_console(self) -> bool:
        return self.session.source is Source.PLAYGROUND or self.link is not self.session.links[0]


def unexcused_overlaps(evidence: Evidence) -> Iterator[tuple[str, Held, Held]]:
    """The candidate, and the two links; the earlier one first."""
    for candidate, links in _held(evidence.truth).items():
        for first, second in combinations(sorted(links, key=lambda held: held.since), 2):
            if second.since < first.until and not _is_excused(evidence, first, second):
                yield candidate, first, second


def _held(truth: Truth) -> dict[str, list[Held]]:
    links: defaultdict[str, list[Held]] = defaultdict(list)
    for session in truth.sessions:
        for link in session.links:
            until = link.died_at or truth.at
            if session.candidate_ref is not None and link.in_hand_from is not None and link.in_hand_from < until:
                links[session.candidate_ref].append(
                    Held(session=session, link=link, since=link.in_hand_from, until=until)
                )
    return links


def _is_excused(evidence: Evidence, first: Held, second: Held) -> bool:
    """
    The console makes a link where there is one already, and is asked by nobody; an operator forces one; and a candidate
    may wait at the vendor's door for longer than the grace, when a look that says `initiated` is all that anybody can
    know (a look past the grace declares a link dead).
    """
    if first.is_of_the_console or second.is_of_the_console:
        return True
    return _was_forced(evidence, first, second) or _waited_at_the_door(evidence, first)


def _was_forced(evidence: Evidence, first: Held, second: Held) -> bool:
    return any(
        event["kind"] == "new_link_wanted"
        and first.session.id in event["details"].get("still_working", ())
        and event["at"] <= second.since
        for event in evidence.events
    )


def _waited_at_the_door(evidence: Evidence, held: Held) -> bool:
    grace = timedelta(seconds=evidence.world.scenario.expiry_grace)
    went_in_at = held.session.started_at or evidence.truth.at
    return held.link.opened_at is not None and went_in_at >= held.link.expires_at + grace
