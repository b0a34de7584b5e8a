"""A small strict platform for the simulated site: it checks every message against its schema, and can be cruel.

It stands on the server side of the `ocpp` package, and remembers every call that reached it, also those that it did not answer.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tallywatt.simulators.site.driver import Payment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

NOW = "2026-11-21T00:00:00Z"
FACTS = {"StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"}


@dataclass(frozen=True, slots=True)
class Heard:
    """One call as it came: which station, on which of its sockets, under which message id."""

    station: str
    socket: int
    message_id: str
    action: str
    payload: Mapping[str, Any]

    @property
    def content(self) -> str:
        """What it says, whatever its message id."""
        return json.dumps([self.station, self.action, self.payload], sort_keys=True)


@dataclass
class Central:
    """The platform: keys that it lets in, what it heard, whom it can reach, and how cruel it is."""

    keys: Mapping[str, str]
    swallow: Callable[[Heard], bool] = lambda heard: False  # noqa: ARG005 - kind by default
    refuse_tags: frozenset[str] = frozenset()
    pending_boots: int = 0
    heard: list[Heard] = field(default_factory=list)
    points: dict[str, Any] = field(default_factory=dict)
    transactions: dict[str, int] = field(default_factory=dict)
    sockets: Counter[str] = field(default_factory=Counter)
    port: int = 0
    turned_away: list[str] = field(default_factory=list)
    _server: Server | None = None

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            process_request=self._admit,
            select_subprotocol=self._choose,
            compression=None,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    def kill(self) -> None:
        """Be gone at once, as after SIGKILL: no goodbye on any socket."""
        assert self._server is not None, "it was never started"
        self._server.server.close()
        for connection in list(self._server.connections):
            connection.transport.abort()

    async def stop(self) -> None:
        """Close in good order."""
        assert self._server is not None, "it was never started"
        self._server.close()
        await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        station = unquote(request.path.rpartition("/")[2])
        expected = base64.b64encode(f"{station}:{self.keys.get(station)}".encode()).decode()
        if request.headers.get("Authorization") == f"Basic {expected}" and request.path.startswith("/ocpp/demo/"):
            return None
        self.turned_away.append(station)
        return connection.respond(401, "Unauthorized\n")

    def _choose(self, _connection: ServerConnection, offered: Iterable[Subprotocol]) -> Subprotocol | None:
        return next((one for one in offered if one in ("ocpp1.6", "ocpp2.0.1")), None)

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None, "a connection begins with a request"
        station = unquote(connection.request.path.rpartition("/")[2])
        self.sockets[station] += 1
        kind = Central16 if connection.subprotocol == "ocpp1.6" else Central201
        point = kind(station, connection, self, self.sockets[station])
        self.points[station] = point
        with suppress(ConnectionClosed):
            await point.start()

    async def remote_start(self, station: str, evse: int, tag: str, remote_start_id: int = 7) -> str:
        """Ask a station to start for somebody who paid."""
        point = self.points[station]
        if isinstance(point, Central16):
            answer = await point.call(call16.RemoteStartTransaction(id_tag=tag, connector_id=evse), suppress=False)
        else:
            token = {"id_token": tag, "type": "Central"}
            request = call201.RequestStartTransaction(id_token=token, remote_start_id=remote_start_id, evse_id=evse)
            answer = await point.call(request, suppress=False)
        return str(answer.status)

    async def ask(self, station: str, payload: Any) -> Any:
        """Any other command."""
        return await self.points[station].call(payload, suppress=False)

    def facts(self) -> list[Heard]:
        """What was heard about transactions."""
        return [heard for heard in self.heard if heard.action in FACTS]

    def metered(self) -> dict[str, int]:
        """Stop minus start of every transaction that has both, in mWh, by transaction."""
        registers: dict[str, dict[str, int]] = defaultdict(dict)
        for heard in self.facts():
            for key, phase, register in _register(heard, self.transactions):
                registers[key][phase] = register
        return {key: ends["end"] - ends["begin"] for key, ends in registers.items() if {"begin", "end"} <= ends.keys()}


def start_key(station: str, payload: Mapping[str, Any]) -> str:
    """The content of a 1.6 start: by this a resend is known."""
    parts = (payload["connectorId"], payload["idTag"], payload["timestamp"], payload["meterStart"])
    return "|".join(str(part) for part in (station, *parts))


def _register(heard: Heard, transactions: Mapping[str, int]) -> list[tuple[str, str, int]]:
    payload = heard.payload
    if heard.action == "StartTransaction":
        number = transactions[start_key(heard.station, payload)]
        return [(f"{heard.station}/{number}", "begin", payload["meterStart"] * 1000)]
    if heard.action == "StopTransaction":
        return [(f"{heard.station}/{payload['transactionId']}", "end", payload["meterStop"] * 1000)]
    if heard.action == "TransactionEvent" and payload["eventType"] != "Updated":
        sampled = payload["meterValue"][0]["sampledValue"][0]
        phase = "begin" if payload["eventType"] == "Started" else "end"
        return [(payload["transactionInfo"]["transactionId"], phase, int(Decimal(str(sampled["value"])) * 1000))]
    return []


class _Remembering:
    """What both versions share: note every call, and perhaps never answer it."""

    central: Central
    socket: int
    id: str
    _connection: ServerConnection

    def note(self, raw: str) -> bool:
        """Remember a call; True when the socket is to be dropped instead of an answer."""
        frame = json.loads(raw)
        if frame[0] != 2:
            return False
        heard = Heard(self.id, self.socket, frame[1], frame[2], frame[3])
        self.central.heard.append(heard)
        if not self.central.swallow(heard):
            return False
        self._connection.transport.abort()
        return True

    def boot_status(self) -> str:
        if self.central.pending_boots > 0:
            self.central.pending_boots -= 1
            return "Pending"
        return "Accepted"


class Central16(_Remembering, ChargePoint16):
    """The platform's end of a 1.6 socket."""

    def __init__(self, station: str, connection: ServerConnection, central: Central, socket: int) -> None:
        ChargePoint16.__init__(self, station, connection, 1)
        self.central, self.socket = central, socket

    async def route_message(self, raw_msg: str) -> None:
        if not self.note(raw_msg):
            await ChargePoint16.route_message(self, raw_msg)

    @on("BootNotification")
    def on_boot(self, **_: Any) -> Any:
        return result16.BootNotification(current_time=NOW, interval=300, status=self.boot_status())

    @on("StatusNotification")
    def on_status(self, **_: Any) -> Any:
        return result16.StatusNotification()

    @on("Heartbeat")
    def on_heartbeat(self, **_: Any) -> Any:
        return result16.Heartbeat(current_time=NOW)

    @on("Authorize")
    def on_authorize(self, id_tag: str, **_: Any) -> Any:
        return result16.Authorize(
            id_tag_info={"status": "Invalid" if id_tag in self.central.refuse_tags else "Accepted"}
        )

    @on("StartTransaction")
    def on_start(self, connector_id: int, id_tag: str, timestamp: str, meter_start: int, **_: Any) -> Any:
        content = {"connectorId": connector_id, "idTag": id_tag, "timestamp": timestamp, "meterStart": meter_start}
        key = start_key(self.id, content)
        number = self.central.transactions.setdefault(key, len(self.central.transactions) + 1)
        return result16.StartTransaction(transaction_id=number, id_tag_info={"status": "Accepted"})

    @on("MeterValues")
    def on_meter_values(self, **_: Any) -> Any:
        return result16.MeterValues()

    @on("StopTransaction")
    def on_stop(self, **_: Any) -> Any:
        return result16.StopTransaction()


class Central201(_Remembering, ChargePoint201):
    """The platform's end of a 2.0.1 socket."""

    def __init__(self, station: str, connection: ServerConnection, central: Central, socket: int) -> None:
        ChargePoint201.__init__(self, station, connection, 1)
        self.central, self.socket = central, socket

    async def route_message(self, raw_msg: str) -> None:
        if not self.note(raw_msg):
            await ChargePoint201.route_message(self, raw_msg)

    @on("BootNotification")
    def on_boot(self, **_: Any) -> Any:
        return result201.BootNotification(current_time=NOW, interval=300, status=self.boot_status())

    @on("StatusNotification")
    def on_status(self, **_: Any) -> Any:
        return result201.StatusNotification()

    @on("Heartbeat")
    def on_heartbeat(self, **_: Any) -> Any:
        return result201.Heartbeat(current_time=NOW)

    @on("Authorize")
    def on_authorize(self, id_token: dict[str, Any], **_: Any) -> Any:
        refused = id_token["id_token"] in self.central.refuse_tags
        return result201.Authorize(id_token_info={"status": "Invalid" if refused else "Accepted"})

    @on("TransactionEvent")
    def on_transaction_event(self, **_: Any) -> Any:
        return result201.TransactionEvent()


@dataclass
class OpenDoor:
    """A door that is always open: who pays gets a remote start at once, unless the money goes back first."""

    central: Central
    payments: list[str] = field(default_factory=list)
    wishes: dict[str, Payment] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def begin(self, evse_code: str, key: str) -> Payment:
        if key not in self.wishes:
            self.payments.append(evse_code)
            number = f"payment-{len(self.payments)}"
            self.wishes[key] = Payment(number, f"/pay/{number}.json")
        return self.wishes[key]

    async def settle(self, payment: Payment) -> bool:
        task = asyncio.create_task(self._start(payment))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _start(self, payment: Payment) -> None:
        number = int(payment.id.partition("-")[2])
        _, station, evse = self.payments[number - 1].rsplit("*", 2)
        status = None
        while status is None:  # a platform that was killed asks again, with the same tag
            try:
                status = await self.central.remote_start(station.lstrip("E"), int(evse), f"ONCE{number:04d}", number)
            except (ConnectionClosed, TimeoutError):
                await asyncio.sleep(0.1)
        assert status == "Accepted", "the station had a driver waiting"
        self.over.add(payment.id)

    async def is_over(self, payment: Payment) -> bool:
        return payment.id in self.over
