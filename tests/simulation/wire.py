"""A replica's network: the sandbox's gateway in process, with a beat before a request arrives and one before its answer
is heard.
"""

import re
from typing import TYPE_CHECKING

import httpx

from sandbox.in_process import InProcessTransport
from tests.simulation.world import Sent, World

if TYPE_CHECKING:
    from tests.simulation.replica import SimulatedReplica

_SESSION = re.compile(r"/sessions/([^/]+)$")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


class Wire(httpx.AsyncBaseTransport):
    """Each request arrives when its turn comes, and is heard when its turn comes; after its deadline it is not."""

    def __init__(self, world: World, replica: "SimulatedReplica", account: str) -> None:
        self._world = world
        self._replica = replica
        self._account = account
        self._inner = InProcessTransport(world.gateway, world.wait)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        world, what = self._world, f"{request.method} {_ID.sub(_short, request.url.path.removeprefix('/api/v1'))}"
        sent_at = world.loop.time()
        world.sent.append(Sent(at=sent_at, account=self._account, who=self._replica.name, what=what))
        await world.park(self._replica, f"sends {what}")
        if world.vendor_is_away:
            world.happened("vendor: connection refused")
            raise httpx.ConnectError("connection refused", request=request)
        try:
            response = await self._inner.handle_async_request(request)
            body = await response.aread()
        except httpx.TransportError as error:
            await self._heard(request, sent_at, f"hears nothing of {what} ({type(error).__name__})")
            raise
        await self._heard(request, sent_at, f"hears {response.status_code} to {what}")
        self._note_wait(response)
        return self._perhaps_stale(
            request, httpx.Response(response.status_code, headers=response.headers, content=body)
        )

    async def _heard(self, request: httpx.Request, sent_at: float, what: str) -> None:
        await self._world.park(self._replica, what)
        within: float = request.extensions["answer_within"]
        if self._world.loop.time() - sent_at > within:
            raise httpx.ReadTimeout("no answer in time", request=request)

    def _note_wait(self, response: httpx.Response) -> None:
        """What the vendor has asked this replica to wait, in seconds from now."""
        told = response.headers.get("retry-after", "")
        if response.status_code == 429 and told.isdigit():
            self._replica.asked_to_wait.append((self._account, self._world.loop.time(), int(told)))

    def _perhaps_stale(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        """Reads may lag behind: the answer of an earlier look, once for each session, so that no two looks agree."""
        world, found = self._world, _SESSION.search(request.url.path)
        if found is None or response.status_code != 200:
            return response
        session_id = found.group(1)
        older = world.replies.setdefault(session_id, [])
        is_new = response.content not in older
        if is_new:
            older.append(response.content)
        chance = len(older) > 1 and session_id not in world.stale_once
        chance = chance and not (is_new and self._decides_alone(session_id))
        if not chance or world.dice.random() >= world.scenario.stale_answers:
            return response
        world.stale_once.add(session_id)
        world.happened("vendor: a stale answer")
        world.tell(self._replica.name, f"is shown an older state of session {session_id[:8]}")
        return httpx.Response(200, headers=response.headers, content=older[0])

    def _decides_alone(self, session_id: str) -> bool:
        """
        Past its time a single look decides about a link: a vendor whose reads lag by all of a link's
        life would have it declared dead, and only the sweep, which is not played here, would find out.
        """
        sessions = (client.sessions.find(session_id) for client in self._world.platform.clients.values())
        session = next(session for session in sessions if session is not None)
        return self._world.now >= session.link.expires_at


def _short(found: re.Match[str]) -> str:
    return found.group()[:8]
