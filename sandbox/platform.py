"""The vendor's platform as an object: what the eight endpoints do, without HTTP (contract §2).

Deterministic: the same seed and the same calls at the same times make the same history. Candidates live on an agenda
that every call first brings up to the clock's time: nothing runs in the background, and a virtual clock works like the
real one.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sandbox import artifacts, listing
from sandbox.clock import Clock
from sandbox.faults import FaultDraw
from sandbox.filters import marks_of
from sandbox.lives import Lives
from sandbox.model import Client, Key, KeySpec, Link, Persona, Session, Source, Status
from sandbox.money import Credits
from sandbox.plans import Script
from sandbox.profile import Profile
from sandbox.refusals import Refusal, not_found
from sandbox.register import Register
from sandbox.requests import SessionRequest, parse_persona, parse_session
from sandbox.shapes import artifacts_stored
from sandbox.truth import SessionTruth, Truth, answers_by_endpoint, session_truth, sessions_of, truth_of
from sandbox.world import World


class Platform:
    """All clients, personas and sessions of one stand-in. `lock` makes it usable from several threads."""

    def __init__(
        self,
        profile: Profile,
        clock: Clock,
        seed: int = 0,
        *,
        keys: Sequence[KeySpec] = (KeySpec(),),
        script: Script | None = None,
    ) -> None:
        self.world = World(profile, clock, seed, script or Script())
        self.lives = Lives(self.world)
        self.faults = FaultDraw(seed)
        self.lock = threading.RLock()
        self.keys: dict[str, Key] = {}
        self.clients: dict[str, Client] = {}
        self.links: dict[str, Session] = {}  #: by token, those of old links too
        self.answers: Counter[tuple[str, str]] = Counter()  #: requests by endpoint and outcome
        for spec in keys:
            self.add_key(spec)

    @property
    def profile(self) -> Profile:
        return self.world.profile

    @profile.setter
    def profile(self, profile: Profile) -> None:
        self.world.profile = profile

    def add_key(self, spec: KeySpec) -> Key:
        name = spec.client or spec.value
        client = self.clients.get(name) or self._new_client(name)
        client.active = spec.client_active
        key = Key(
            value=spec.value,
            client=client,
            project_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"project {spec.value}")),
            permitted=spec.permitted,
            state=spec.state,
        )
        self.keys[spec.value] = key
        return key

    def _new_client(self, name: str) -> Client:
        client = Client(
            id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"client {name}")),  # the same at every start
            name=name,
            credits=Credits(self.profile.credits.balance),
            sessions=Register(),
        )
        self.clients[name] = client
        return client

    def create_persona(self, key: Key, document: Any) -> Persona:
        now = self.world.now()
        request = parse_persona(document, self.profile.errors)
        persona = Persona(
            id=self.world.new_id(),
            client_id=key.client.id,
            role_name=request.role_name,
            language=request.language,
            system_prompt=request.system_prompt or f"You interview candidates for {request.role_name}.",
            base_prompt_override=request.base_prompt_override,
            created_at=now,
        )
        key.client.personas[persona.id] = persona
        return persona

    def list_personas(self, key: Key, parameters: listing.Parameters = ()) -> listing.Page:
        present = [persona for persona in key.client.personas.values() if not persona.deleted]
        if self.profile.listing.order == "newest":
            present.reverse()
        return listing.list_rows(present, parameters, self.profile.listing, self.profile.errors)

    def get_persona(self, key: Key, persona_id: str) -> Persona:
        persona = key.client.personas.get(persona_id)
        if persona is None or persona.deleted:
            raise self._absent("Persona", persona_id)
        return persona

    def create_session(self, key: Key, persona_id: str, document: Any) -> Session:
        """Checks in the documented order (contract §2.2): permission is the gateway's, then credits; then the rest."""
        self.world.now()
        self._check_credits(key.client)
        persona = self.get_persona(key, persona_id)
        request = parse_session(document, self.profile.errors)
        return self._new_session(key.client, persona, request, Source.REQUESTS, key.project_id)

    def reply_told(self, session: Session) -> None:
        """The create response was sent: from here on somebody may hold the link, and come with it."""
        now = self.world.now()
        session.link.told_at = now
        if self.profile.candidates.come == "by_themselves" and session.plan is None:
            self.lives.begin(session, now)

    def reply_lost(self, session: Session) -> None:
        """The create response never arrived: nobody holds this link, so nobody will come with it."""
        session.link.reply_lost = True

    def list_sessions(self, key: Key, parameters: listing.Parameters = ()) -> listing.Page:
        self.world.now()
        return listing.list_sessions(key.client.sessions, parameters, self.profile.listing, self.profile.errors)

    def get_session(self, key: Key, session_id: str) -> Session:
        now = self.world.now()
        session = self.find_session(key, session_id)
        if self.profile.limits.poll_spacing_seconds and not session.status.is_terminal:
            self._check_spacing(session, now)
        return session

    def _check_spacing(self, session: Session, now: datetime) -> None:
        """Siblings refuse a second look within 10 s (contract §7); not divided by `speed`."""
        spacing = timedelta(seconds=self.profile.limits.poll_spacing_seconds)
        if session.read_at is not None and now - session.read_at < spacing:
            wait = session.read_at + spacing - now
            code = self.profile.limits.poll_limited_code
            raise Refusal(429, code, f"One look every {spacing.total_seconds():g} s", retry_after=wait)
        session.read_at = now

    def find_session(self, key: Key, session_id: str) -> Session:
        session = key.client.sessions.find(session_id)
        if session is None:
            raise self._absent("Session", session_id)
        return session

    def get_recording(self, key: Key, session_id: str) -> tuple[int, Iterator[bytes]]:
        """The file's length, and its bytes in pieces."""
        session = self._with_artifact(key, session_id, "recording")
        duration = session.duration_sec or 0
        return artifacts.recording_length(duration), artifacts.recording(duration)

    def get_transcript(self, key: Key, session_id: str) -> bytes:
        session = self._with_artifact(key, session_id, "transcript")
        shapes = self.profile.shapes
        text = (session.plan and session.plan.transcript_text) or shapes.transcript_text
        return artifacts.transcript(session.persona.role_name, text, shapes.transcript)

    def credits(self, key: Key) -> dict[str, Any]:
        self.world.now()
        return key.client.credits.document()

    def truth(self) -> Truth:
        """What really happened, whatever the clients were told."""
        with self.lock:
            now = self.world.now()
            return truth_of(self.clients.values(), self.answers, come=self.profile.candidates.come, now=now)

    def truth_page(self, offset: int, limit: int) -> tuple[list[SessionTruth], datetime]:
        """A stretch of all sessions, in the order they were made, and the time it is true for."""
        with self.lock:
            now = self.world.now()
            page = islice(sessions_of(self.clients.values()), offset, offset + limit)
            return [session_truth(session, self.profile.candidates.come, now) for session in page], now

    def counts(self) -> dict[str, Any]:
        """Cheap at any size: how many sessions are in each status, and every request by endpoint and outcome."""
        with self.lock:
            self.world.now()
            clients = self.clients.values()
            return {
                "by_status": {
                    status.value: sum(len(client.sessions.with_status(status)) for client in clients)
                    for status in Status
                },
                "waiting_at_the_door": sum(len(client.door) for client in clients),
                "answers": answers_by_endpoint(self.answers),
            }

    def session_of_link(self, url: str) -> Session | None:
        """Which session a link was made for; also when the link is dead."""
        return self.links.get(url.rpartition("#t=")[2])

    def new_link(self, session: Session | None = None) -> Link:
        """A fresh link; a session that had one keeps the old one for the record."""
        now = self.world.now()
        link = Link(token=self.world.new_token(), minted_at=now, expires_at=now + self.profile.link_ttl)
        if session is not None:
            session.older_links.append(session.link)
            self._attach(session, link)
        return link

    def _attach(self, session: Session, link: Link) -> None:
        session.link = link
        self.links[link.token] = session
        self.lives.expect_expiry(session)

    def _new_session(
        self,
        client: Client,
        persona: Persona,
        request: SessionRequest,
        source: Source,
        project_id: str | None,
    ) -> Session:
        link = self.new_link()
        session = Session(
            number=len(client.sessions),
            id=self.world.new_id(),
            client=client,
            project_id=project_id,
            persona=persona,
            consent_mode=request.consent_mode,
            candidate_ref=request.candidate_ref,
            metadata=request.metadata,
            tags=request.tags,
            source=source,
            created_at=link.minted_at,
            link=link,
        )
        client.sessions.add(session, session.status, marks_of(session))
        self._attach(session, link)
        return session

    def copy_session(self, session: Session) -> Session:
        """A console session for the same candidate (contract §3: whether a re-invite makes one is not known)."""
        request = SessionRequest(
            consent_mode=session.consent_mode,
            candidate_ref=session.candidate_ref,
            metadata=session.metadata,
            tags=session.tags,
        )
        return self._new_session(session.client, session.persona, request, Source.PLAYGROUND, session.project_id)

    def _check_credits(self, client: Client) -> None:
        minimum, balance = self.profile.credits.minimum, client.credits.balance
        if balance >= minimum:
            return
        details = {
            "required_balance": {"required": minimum, "balance": balance},
            "cost_available": {"cost": minimum, "available": balance},
            "none": None,
        }[self.profile.errors.credit_details]
        raise Refusal(402, "INSUFFICIENT_CREDITS", "The credit balance is below the session minimum", details=details)

    def _with_artifact(self, key: Key, session_id: str, kind: str) -> Session:
        """The session, once this artifact of it is there; a failed one says "not ready" for ever (contract §2.5)."""
        now = self.world.now()
        session = self.find_session(key, session_id)
        wanted = session.plan is not None and (
            session.plan.recording if kind == "recording" else session.plan.transcript
        )
        if not (wanted and artifacts_stored(session, now)):
            status = self.profile.errors.not_ready_status
            details = {"status": session.status.value}
            raise Refusal(status, "ARTIFACT_NOT_READY", f"The {kind} is not ready", details=details)
        return session

    def _absent(self, what: str, given_id: str) -> Refusal:
        if self.profile.errors.malformed_id == "invalid" and not _is_uuid(given_id):
            return Refusal(400, self.profile.errors.invalid_code, f"{what} id must be a uuid")
        return not_found(self.profile.errors, what)


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
