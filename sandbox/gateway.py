"""The front door: which endpoint, which key, may it, how often, and what goes wrong on the way. No sockets yet."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from sandbox import breaking, listing, shapes
from sandbox.faults import Endpoint, FaultKind, FaultRule
from sandbox.keys import admitted
from sandbox.model import Key
from sandbox.platform import Platform
from sandbox.refusals import Refusal, envelope, whole_seconds
from sandbox.routes import Match, find_route
from sandbox.wire import Reply, Request

Work = Callable[[], Reply]


class Gateway:
    """Turns requests into replies. One call is one request, done whole: work first, then what becomes of the answer."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._date = (0, "")
        self._endpoints: dict[Endpoint, Callable[[Key, str, Request], Reply]] = {
            Endpoint.CREATE_PERSONA: self._create_persona,
            Endpoint.LIST_PERSONAS: self._list_personas,
            Endpoint.GET_PERSONA: self._get_persona,
            Endpoint.CREATE_SESSION: self._create_session,
            Endpoint.LIST_SESSIONS: self._list_sessions,
            Endpoint.GET_SESSION: self._get_session,
            Endpoint.GET_RECORDING: self._get_recording,
            Endpoint.GET_TRANSCRIPT: self._get_transcript,
            Endpoint.CREDITS: self._credits,
        }

    def handle(self, request: Request) -> Reply:
        with self.platform.lock:
            now = self.platform.world.now()
            route = find_route(request.method, request.path)
            if isinstance(route, Refusal):
                self.platform.answers["elsewhere", str(route.status)] += 1
                return self._refused(route, now)
            reply, outcome = self._handle(route, request, now)
            self.platform.answers[route.endpoint.value, outcome] += 1
            return reply

    def date(self) -> str:
        """The Date header by the vendor's own clock, formatted once a second."""
        now = self.platform.world.now()
        second = int(now.timestamp())
        if self._date[0] != second:
            self._date = (second, format_datetime(now, usegmt=True))
        return self._date[1]

    def delivered(self, reply: Reply) -> None:
        """The reply has been sent whole: a link that it tells is from now on the client's."""
        if reply.told is not None:
            with self.platform.lock:
                self.platform.reply_told(reply.told)

    def undelivered(self, reply: Reply) -> None:
        """The client had gone before the reply was sent whole."""
        if reply.told is not None:
            with self.platform.lock:
                self.platform.reply_lost(reply.told)

    def _handle(self, route: Match, request: Request, now: datetime) -> tuple[Reply, str]:
        if route.endpoint is Endpoint.HEALTH:
            return _json(200, {"status": "ok"}), "200"
        key = self.platform.keys.get(request.key or "")
        if key is not None:
            key.arrivals.note(now)
        faults = self.platform.profile.faults
        rule = self.platform.faults.strike(faults.rules, route.endpoint) if faults.rules else None
        work = partial(self._answer, route, request, now)
        reply = work() if rule is None else self._faulty(rule, work, now)
        outcome = str(reply.status) if rule is None else rule.kind.value
        latency = self.platform.faults.latency(faults)
        return (replace(reply, delay_seconds=reply.delay_seconds + latency) if latency else reply), outcome

    def _faulty(self, rule: FaultRule, work: Work, now: datetime) -> Reply:
        reply = Reply(status=200)
        if rule.kind is FaultKind.LATE_COMMIT:
            self.platform.world.agenda.at(now + timedelta(seconds=rule.seconds), partial(self._do_late, work))
        elif rule.does_the_work:
            reply = work()
            if breaking.loses_the_link(rule):
                reply = self._lost(reply)
        refusal = breaking.refusal_for(rule)
        return breaking.broken(rule, reply if refusal is None else self._refused(refusal, now))

    def _do_late(self, work: Work, _: datetime) -> None:
        self._lost(work())

    def _lost(self, reply: Reply) -> Reply:
        if reply.told is not None:
            self.platform.reply_lost(reply.told)
        return replace(reply, told=None)

    def _answer(self, route: Match, request: Request, now: datetime) -> Reply:
        try:
            key = admitted(self.platform, request, now)
            return self._endpoints[route.endpoint](key, route.id, request)
        except Refusal as refusal:
            return self._refused(refusal, now)

    def _create_persona(self, key: Key, _: str, request: Request) -> Reply:
        persona = self.platform.create_persona(key, self._document(request))
        return _json(201, shapes.persona_created(persona, self.platform.profile.shapes))

    def _list_personas(self, key: Key, _: str, request: Request) -> Reply:
        page = self.platform.list_personas(key, _parameters(request))
        return self._page(page, [shapes.persona_row(persona) for persona in page.rows])

    def _get_persona(self, key: Key, persona_id: str, _: Request) -> Reply:
        return _json(200, shapes.persona_detail(self.platform.get_persona(key, persona_id)))

    def _create_session(self, key: Key, persona_id: str, request: Request) -> Reply:
        session = self.platform.create_session(key, persona_id, self._document(request))
        body = shapes.session_created(session, session.link, self.platform.profile.shapes)
        return replace(_json(201, body), told=session)

    def _list_sessions(self, key: Key, _: str, request: Request) -> Reply:
        page = self.platform.list_sessions(key, _parameters(request))
        now, profile = self.platform.world.now(), self.platform.profile
        return self._page(page, [shapes.session_row(session, now, profile) for session in page.rows])

    def _get_session(self, key: Key, session_id: str, _: Request) -> Reply:
        session = self.platform.get_session(key, session_id)
        return _json(200, shapes.session_detail(session, self.platform.world.now(), self.platform.profile))

    def _get_recording(self, key: Key, session_id: str, _: Request) -> Reply:
        length, pieces = self.platform.get_recording(key, session_id)
        told = length if self.platform.profile.shapes.recording_length_header else None
        return Reply(status=200, body=pieces, content_type="audio/wav", length=told)

    def _get_transcript(self, key: Key, session_id: str, _: Request) -> Reply:
        return Reply(status=200, body=self.platform.get_transcript(key, session_id))

    def _credits(self, key: Key, _: str, __: Request) -> Reply:
        return _json(200, self.platform.credits(key))

    def _page(self, page: listing.Page, rows: list[dict[str, Any]]) -> Reply:
        return _json(200, listing.body(page, rows, self.platform.profile.listing))

    def _document(self, request: Request) -> Any:
        try:
            return json.loads(request.body)
        except ValueError:
            code = self.platform.profile.errors.invalid_code
            raise Refusal(400, code, "The request body is not valid JSON") from None

    def _refused(self, refusal: Refusal, now: datetime) -> Reply:
        profile = self.platform.profile
        body = envelope(refusal, profile.errors, now=now, request_id=f"req_{self.platform.answers.total():08d}")
        headers: tuple[tuple[str, str], ...] = ()
        if refusal.retry_after is not None and profile.limits.retry_after != "absent":
            headers = (("retry-after", _retry_after(refusal.retry_after, now, profile.limits.retry_after)),)
        return replace(_json(refusal.status, body), headers=headers)


def _retry_after(wait: timedelta, now: datetime, form: str) -> str:
    seconds = whole_seconds(wait)
    if form == "seconds":
        return str(seconds)
    # A date has whole seconds: one more, or it may name an instant just before the wait is over.
    return format_datetime((now + timedelta(seconds=seconds + 1)).replace(microsecond=0), usegmt=True)


def _json(status: int, document: Any) -> Reply:
    return Reply(status=status, body=json.dumps(document, separators=(",", ":")).encode())


def _parameters(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(request.query, keep_blank_values=True)
