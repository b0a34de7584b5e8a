"""A house that tells partners, a clock that the test moves, and receivers on loopback that behave as the test says."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from standardwebhooks.webhooks import Webhook

from tallywatt.adapters.machine import MachineClock
from tallywatt.adapters.webhooks.sending import Sender
from tallywatt.entrypoints.worker import Courier
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.events import Event
from tallywatt.partners.address import read_allow_list
from tallywatt.settings import Settings
from tallywatt.wiring import House
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from tallywatt.partners.delivery import Attempt, Delivery, DeliveryState
    from tallywatt.partners.endpoint import Endpoint
    from tallywatt.workflows.ports import UnitOfWork

LOOPBACK = "127.0.0.1"
DAY = 86_400
PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Received:
    """A request as it came in."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Its webhook-id."""
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        """The message."""
        return json.loads(self.body)

    @property
    def about(self) -> tuple[str, int]:
        """Which aggregate, and which version of it."""
        return self.json["aggregate"]["id"], self.json["aggregate"]["version"]


@dataclass
class Receiver:
    """A partner's system. `answers` says how each request is answered: a status, or a status with headers and a body."""

    answers: Callable[[Received], int | tuple[int, dict[str, str], bytes]] = lambda _: 204
    seen: list[Received] = field(default_factory=list)

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:  # its sender died in the middle of it: no server hands on half a request
                    return
                received = Received({name.lower(): value for name, value in self.headers.items()}, body)
                with receiver.changed:
                    receiver.seen.append(received)
                    receiver.changed.notify_all()
                answer = receiver.answers(received)
                status, headers, content = answer if isinstance(answer, tuple) else (answer, {}, b"")
                with suppress(ConnectionError):
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.changed = threading.Condition()
        self.server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.server.server_address[1]}/hooks"

    def wait_for(self, count: int) -> None:
        """Until so many requests have come in."""
        with self.changed:
            came = self.changed.wait_for(lambda: len(self.seen) >= count, PATIENCE_SECONDS)
        assert came, f"only {len(self.seen)} of {count} requests came"

    def versions_of(self, aggregate_id: str) -> list[int]:
        """The versions of one aggregate, in the order in which they came."""
        return [one.about[1] for one in self.seen if one.about[0] == aggregate_id]


class MovedClock:
    """The machine's clock, moved on by the test."""

    def __init__(self) -> None:
        self._machine = MachineClock()
        self.ahead = 0

    def now(self) -> Instant:
        """Milliseconds since 1970."""
        return Instant(self._machine.now() + self.ahead)


class Post:
    """One operator's house and its courier."""

    def __init__(self, folder: Path, url: str, allow: str = LOOPBACK) -> None:
        self.house = House(Settings(data_dir=folder, database_url=url, webhook_allow=allow))
        self.clock = self.house.machine = self.house.draws._machine = MovedClock()  # type: ignore[assignment]  # it tells the time as well
        self.house.open(following=False)
        self.operator = self.house.new_id("operator")
        self.do(add_operator, AddOperator("dundee", "Dundee", clock_floor=Instant(0)))
        self.patience_seconds = 10.0

    def do(self, workflow: Callable[[Any, Any], Any], command: Any) -> Any:
        """Run one workflow, durably."""
        return self.house.write_now(self.operator, workflow, command, actor="person:1")

    def later(self, seconds: int) -> None:
        """Time passes."""
        self.clock.ahead += seconds * 1000

    def listen(self, receiver: Receiver, *types: str) -> tuple[str, Webhook]:
        """Add an endpoint for a receiver; its id, and what verifies its messages."""
        added = self.do(add_webhook_endpoint, AddWebhookEndpoint(receiver.url, types or ("*",), allow=LOOPBACK))
        return added.endpoint.endpoint_id, Webhook(added.secret)

    def happen(self, *aggregate_ids: str) -> None:
        """Something happens to each of these sessions, in one transaction."""

        def append(work: UnitOfWork, ids: tuple[str, ...]) -> None:
            for one in ids:
                work.events.append(Event("session", one, "SessionReleased"))

        self.do(append, aggregate_ids)

    def courier(self) -> Courier:
        """A courier of its own, as a process has it."""
        sender = Sender(read_allow_list(self.house.settings.webhook_allow), seconds=self.patience_seconds)
        return Courier(self.house, sender)

    def deliver(self) -> int:
        """Give events their positions, and send all that is due now; how many were sent."""
        self.house.store.sequence()
        return self.courier().step()

    def deliveries(self, endpoint_id: str, state: DeliveryState | None = None) -> list[Delivery]:
        """Deliveries of an endpoint, by position."""
        found = self.do(lambda work, key: work.webhook_deliveries.by(endpoint_id=key), endpoint_id)
        return sorted((one for one in found if state in {None, one.state}), key=lambda one: one.position)

    def attempts(self, endpoint_id: str) -> list[Attempt]:
        """Attempts of an endpoint, by time."""
        found = self.do(lambda work, key: work.webhook_attempts.by(endpoint_id=key), endpoint_id)
        return sorted(found, key=lambda one: (one.started_at, one.attempt_id))

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """An endpoint as it is now."""
        found: Endpoint = self.do(lambda work, key: work.webhook_endpoints.get(key), endpoint_id)
        return found

    def close(self) -> None:
        """Let go of everything."""
        self.house.close()
