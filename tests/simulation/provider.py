"""The payment provider in this thread: its simulator behind an official SDK, with the wire between them in our hands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from tallywatt.simulators.psp.faults import Fault
from tallywatt.simulators.psp.options import Options
from tallywatt.simulators.psp.server import Psp
from tallywatt.simulators.psp.wire import Request
from tests.simulation.dialects import DIALECTS, HMAC, HOOK, PORT, cards_of
from tests.simulation.world import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from tallywatt.simulators.psp.wire import Response
    from tests.simulation.world import World

READERS = ("tmr_simulated_kiosk", "tmr_simulated_post")
"""One for all EVSEs, one for those of SIM1 and SIM2."""
WEBHOOK_FAULTS = frozenset({"duplicate_webhook", "reordered_webhook", "lost_webhook"})
PAUSES = (1, 2, 5, 10, 30, 60, 300, 1800, 3600)
"""Seconds after which a webhook that was not taken is told again; the last one repeats."""


class SimulatedProvider:
    """One provider: outlives every crash of the house, and tells its webhooks until they are taken."""

    def __init__(self, state: Path, world: World, name: str) -> None:
        if not state.exists():
            state.write_text(json.dumps({"provider": "simulation", "version": 1, "seed": "simulation"}) + "\n")
        self.dialect = DIALECTS[name]
        options = Options(PORT, state, webhook_secret=HOOK, adyen_webhook="http://sim", adyen_hmac_key=HMAC)
        self.psp = Psp(options, lambda: world.now // SECOND)
        self.psp.delivery.announce = self._announce  # type: ignore[method-assign]  # ours waits on the world's clock
        self._world = world
        self._luck = world.chance("webhooks")
        self._held_back: list[dict[str, Any]] = []
        self._lost: list[dict[str, Any]] = []
        self.refuses_until = 0
        self.deliver: Callable[[dict[str, str], bytes], bool] = lambda _headers, _body: False
        """Brings a webhook to the house; whether it was taken."""
        _THE_WIRE.provider = self
        self.cards = cards_of(name, _THE_WIRE)
        self.books = self.dialect.books(self)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes, query: str = "") -> Response | None:
        """The answer to a request; None hangs up."""
        coroutine: Coroutine[Any, Any, Response | None] = self.psp.answer(Request(method, path, query, headers, body))
        try:
            coroutine.send(None)
        except StopIteration as ended:
            found: Response | None = ended.value
            return found
        msg = "nothing here waits for anything"
        raise AssertionError(msg)

    def pay(self, url: str, card: str) -> int:
        """A driver pays on a hosted page; the status of the answer."""
        answer = self.answer("POST", urlsplit(url).path, {}, f"card={card}&approve=yes".encode())
        return 0 if answer is None else answer.status

    def switch(self, path: str, **told: object) -> Any:
        """Something happens there that no request of ours causes: what it is about, as it is then."""
        answer = self.answer("POST", path, {"content-type": "application/json"}, json.dumps(told).encode())
        assert answer is not None, "its own switches always answer"
        return json.loads(answer.body)

    def fault(self, kind: str, times: int, path: str) -> None:
        """Let something go wrong."""
        struck = self.dialect.struck(path, by_webhook=kind in WEBHOOK_FAULTS)
        self.psp.faults.active.append(Fault(kind, times=times, path=struck))

    def refuse(self, seconds: int) -> None:
        """Nobody gets a connection for a while."""
        self.refuses_until = self._world.now + seconds * SECOND

    def heal(self) -> None:
        """Nothing goes wrong from now on."""
        self.psp.faults.active = []
        self.refuses_until = 0
        for reader in READERS:
            self.switch("/_readers", reader=reader, status="online")
        held, self._held_back = self._held_back, []
        for event in held:
            self._tell_later(event)

    def send_again(self, *words: str) -> bool:
        """A person has found on its pages what could not be delivered, and has it sent again; whether any was."""
        again = [one for one in self._lost if any(word in one["type"] for word in words)]
        self._lost = [one for one in self._lost if one not in again]
        for event in again:
            self._tell_later(event)
        return bool(again)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Its own books: what it knows, whoever asked."""
        return [thing for _, thing in self.psp.book._objects.values() if thing["object"] == kind]

    def close(self) -> None:
        """Let go of its file."""
        self.psp.book.close()

    # --- webhooks ---

    def _announce(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if "_send" in event or event["type"] in self.psp.options.events:
                self._arrange(event)

    def _arrange(self, event: dict[str, Any]) -> None:
        fault = self.psp.faults.strike("", event["type"], WEBHOOK_FAULTS)
        kind = None if fault is None else fault.kind
        if kind == "lost_webhook":
            self._lost.append(event)
            return
        if kind == "reordered_webhook":
            self._held_back.append(event)
            return
        for _ in range(2 if kind == "duplicate_webhook" else 1):
            self._tell_later(event)
        held, self._held_back = self._held_back, []
        for late in held:
            self._tell_later(late, behind=5 * SECOND)

    def _tell_later(self, event: dict[str, Any], behind: int = 0, told: int = 0) -> None:
        slow = self._luck.random() < 0.1
        wait = behind + self._luck.randrange(5, 20 * SECOND if slow else 300)

        def tell() -> None:
            is_taken = False
            try:
                is_taken = self.deliver(*self.dialect.letter(event))
            finally:
                # Whoever dies of it has not answered.
                if not is_taken:
                    pause = PAUSES[min(told, len(PAUSES) - 1)] * SECOND
                    self._tell_later(event, behind=pause, told=told + 1)

        self._world.after(wait, tell)


class _Wire(httpx.BaseTransport):
    """What the SDK takes for a connection. It leads to the provider of the run that is on."""

    provider: SimulatedProvider | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        provider = self.provider
        assert provider is not None, "a run is on"
        if provider._world.now < provider.refuses_until:
            msg = "connection refused"
            raise httpx.ConnectError(msg, request=request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        path, query = request.url.path, request.url.query.decode()
        answer = provider.answer(request.method, path, headers, request.read(), query)
        if answer is None:
            msg = "the line was cut"
            raise httpx.RemoteProtocolError(msg, request=request)
        return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body, request=request)


_THE_WIRE = _Wire()
