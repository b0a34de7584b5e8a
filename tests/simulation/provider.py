"""The payment provider in this thread: its simulator behind the official SDK, with the wire between them in our hands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import stripe

from tallywatt.adapters.machine import MachineClock
from tallywatt.adapters.providers.stripe_cards import StripeCards
from tallywatt.simulators.psp.delivery import signature
from tallywatt.simulators.psp.faults import Fault
from tallywatt.simulators.psp.options import Options
from tallywatt.simulators.psp.server import Psp
from tallywatt.simulators.psp.wire import Request
from tests.simulation.world import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from tallywatt.simulators.psp.wire import Response
    from tests.simulation.world import World

KEY = "sk_test_simulation"
HOOK = "whsec_simulation"
READERS = ("tmr_simulated_kiosk", "tmr_simulated_post")
"""One for all EVSEs, one for those of SIM1 and SIM2."""
WEBHOOK_FAULTS = frozenset({"duplicate_webhook", "reordered_webhook", "lost_webhook"})
PAUSES = (1, 2, 5, 10, 30, 60, 300, 1800, 3600)
"""Seconds after which a webhook that was not taken is told again; the last one repeats."""


class SimulatedProvider:
    """One provider: outlives every crash of the house, and tells its webhooks until they are taken."""

    def __init__(self, state: Path, world: World) -> None:
        if not state.exists():
            state.write_text(json.dumps({"provider": "simulation", "version": 1, "seed": "simulation"}) + "\n")
        self.psp = Psp(Options(0, state, webhook_secret=HOOK), lambda: world.now // SECOND)
        self.psp.delivery.announce = self._announce  # type: ignore[method-assign]  # ours waits on the world's clock
        self._world = world
        self._luck = world.chance("webhooks")
        self._held_back: list[dict[str, Any]] = []
        self.refuses_until = 0
        self.deliver: Callable[[dict[str, str], bytes], bool] = lambda _headers, _body: False
        """Brings a webhook to the house; whether it was taken."""
        self.cards = _cards(self)

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

    def at_reader(self, path: str, **told: str) -> list[dict[str, Any]]:
        """Somebody does something at a card reader, or to it: what the readers are like then."""
        answer = self.answer("POST", path, {"content-type": "application/json"}, json.dumps(told).encode())
        return [] if answer is None else list(json.loads(answer.body))

    def fault(self, kind: str, times: int, path: str) -> None:
        """Let something go wrong."""
        self.psp.faults.active.append(Fault(kind, times=times, path=path))

    def refuse(self, seconds: int) -> None:
        """Nobody gets a connection for a while."""
        self.refuses_until = self._world.now + seconds * SECOND

    def heal(self) -> None:
        """Nothing goes wrong from now on."""
        self.psp.faults.active = []
        self.refuses_until = 0
        for reader in READERS:
            self.at_reader("/_readers", reader=reader, status="online")
        held, self._held_back = self._held_back, []
        for event in held:
            self._tell_later(event)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Its own books: what it knows, whoever asked."""
        return [thing for _, thing in self.psp.book._objects.values() if thing["object"] == kind]

    def close(self) -> None:
        """Let go of its file."""
        self.psp.book.close()

    # --- webhooks ---

    def _announce(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["type"] in self.psp.options.events:
                self._arrange(event)

    def _arrange(self, event: dict[str, Any]) -> None:
        fault = self.psp.faults.strike("", event["type"], WEBHOOK_FAULTS)
        kind = None if fault is None else fault.kind
        if kind == "lost_webhook":
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
            body = json.dumps(event, indent=2).encode()
            # Freshness of a signature is judged by the real clock.
            signed = signature(body.decode(), HOOK, MachineClock().now() // SECOND)
            if not self.deliver({"stripe-signature": signed}, body):
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


class CardsOnTheWire(StripeCards):
    """The adapter as it is, on a wire of ours. The SDK's client costs much to make: it is made once a process."""

    def __init__(self, wire: _Wire) -> None:
        self._webhook_secrets = (HOOK,)
        self._live = False
        client = stripe.HTTPXClient(allow_sync_methods=True)
        client._client = httpx.Client(transport=wire, trust_env=False)
        base = {"api": "http://127.0.0.1:1"}
        self._client = stripe.StripeClient(KEY, base_addresses=base, http_client=client, max_network_retries=0).v1  # type: ignore[arg-type]  # one of its addresses is enough
        self._hasty = self._client


_THE_WIRE = _Wire()
_MADE: list[CardsOnTheWire] = []


def _cards(provider: SimulatedProvider) -> CardsOnTheWire:
    _THE_WIRE.provider = provider
    if not _MADE:
        _MADE.append(CardsOnTheWire(_THE_WIRE))
    return _MADE[0]
