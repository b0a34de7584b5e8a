"""One station that connects, charges once and leaves, in plain frames of either protocol: for whoever has no station at hand.

Its minutes are seconds: a session of half an hour is told in half a minute, as one that ends now, in readings that are a minute
apart by their own times. So a price by time can be seen too.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.errors import BadInput, Conflict, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.client import ClientConnection

ENERGY: Final = "Energy.Active.Import.Register"
CALL, ANSWER, ERROR = 2, 3, 4
PATIENCE_SECONDS: Final = 20.0
V16: Final = "ocpp1.6"
V201: Final = "ocpp2.0.1"
MS_PER_MINUTE: Final = 60_000
PAUSE_SECONDS: Final = 5.0
"""How long it waits at most before it boots again."""
PENDING_SECONDS: Final = 3600.0
"""How long it waits for somebody to adopt it."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where it connects, as whom, and what it tells."""

    url: str
    key: str
    protocol: str = V16
    token: str = "SIMULATED"
    watt_hours: int = 11_000
    minutes: int = 30
    speed: float = 60.0
    """How many seconds of the session pass in one of ours."""
    evse: int = 1


async def play(options: Options, say: Callable[..., None], now: Instant) -> None:
    """Connect, boot, charge once, and leave. `say` hears each step; the vehicle leaves at `now`: nothing is of the future."""
    identity = unquote(urlsplit(options.url).path.rstrip("/").rpartition("/")[2])
    if not identity or urlsplit(options.url).scheme not in {"ws", "wss"}:
        msg = "the address is ws://HOST:PORT/ocpp/OPERATOR/IDENTITY"
        raise BadInput(msg, code="simulator.bad_address")
    credentials = base64.b64encode(f"{identity}:{options.key}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    try:
        async with connect(options.url, subprotocols=[options.protocol], additional_headers=headers) as socket:  # type: ignore[list-item]  # a Subprotocol is a text
            say(step="connected", identity=identity, protocol=options.protocol)
            await _Station(socket, options, say, now).run()
    except InvalidStatus as refused:
        status = refused.response.status_code
        remedies = {
            401: "check the key, and that the identity in the address is the station's",
            404: "check the address",
        }
        msg = f"the platform answered {status}"
        raise NotAllowed(msg, code="simulator.refused", remedy=remedies.get(status)) from refused
    except (OSError, InvalidHandshake) as broken:
        msg = f"nobody answers at {options.url}: {broken}"
        raise NotFound(
            msg, code="simulator.nobody_there", remedy="is the server running, and is the port right?"
        ) from broken


class _Station:
    """One socket's worth of a station."""

    def __init__(self, socket: ClientConnection, options: Options, say: Callable[..., None], now: Instant) -> None:
        self._socket = socket
        self._options = options
        self._say = say
        self._at = Instant(now - options.minutes * MS_PER_MINUTE)
        self._numbers = itertools.count(1)
        self._transaction: Any = None
        self._sequence = itertools.count()

    async def run(self) -> None:
        """All of it, in order."""
        await self._boot()
        await self._status("Preparing" if self._is_16 else "Occupied")
        await self._start()
        steps = max(1, self._options.minutes)
        for minute in range(1, steps + 1):
            await asyncio.sleep(60 / self._options.speed)
            self._at = Instant(self._at + MS_PER_MINUTE)
            if minute < steps:
                await self._reading(self._options.watt_hours * minute // steps)
        await self._stop()
        await self._status("Available")
        self._say(step="left", watt_hours=self._options.watt_hours, minutes=steps)

    @property
    def _is_16(self) -> bool:
        return self._options.protocol == V16

    @property
    def _now(self) -> str:
        return rfc3339(self._at)

    async def _boot(self) -> None:
        who = {"chargePointVendor": "Tallywatt", "chargePointModel": "Simulated"}
        station = {"reason": "PowerUp", "chargingStation": {"vendorName": "Tallywatt", "model": "Simulated"}}
        waited = 0.0
        while True:
            answer = await self._call("BootNotification", who if self._is_16 else station)
            self._say(step="booted", status=answer["status"])
            if answer["status"] == "Accepted":
                return
            pause = min(PAUSE_SECONDS, float(answer.get("interval") or PAUSE_SECONDS))
            waited += pause
            if waited > PENDING_SECONDS:
                msg = "nobody adopted this station"
                raise Conflict(msg, code="simulator.not_adopted", remedy="adopt it on the console, and try again")
            await asyncio.sleep(pause)

    async def _status(self, status: str) -> None:
        place: dict[str, Any] = {"connectorId": self._options.evse, "errorCode": "NoError", "status": status}
        if not self._is_16:
            place = {"evseId": self._options.evse, "connectorId": 1, "connectorStatus": status}
        await self._call("StatusNotification", {**place, "timestamp": self._now})

    async def _start(self) -> None:
        if self._is_16:
            answer = await self._call(
                "StartTransaction",
                {
                    "connectorId": self._options.evse,
                    "idTag": self._options.token,
                    "meterStart": 0,
                    "timestamp": self._now,
                },
            )
            self._transaction, said = answer["transactionId"], answer["idTagInfo"]["status"]
            await self._status("Charging")
        else:
            self._transaction = f"sim-{self._now}"
            token = {"idToken": self._options.token, "type": "ISO14443"}
            answer = await self._event("Started", "Authorized", 0, idToken=token)
            said = answer.get("idTokenInfo", {}).get("status")
        self._say(step="started", transaction=self._transaction, token=said)

    async def _reading(self, watt_hours: int) -> None:
        if self._is_16:
            value = {"value": str(watt_hours), "measurand": ENERGY, "unit": "Wh"}
            reading = [{"timestamp": self._now, "sampledValue": [value]}]
            place = {"connectorId": self._options.evse, "transactionId": self._transaction}
            await self._call("MeterValues", {**place, "meterValue": reading})
        else:
            await self._event("Updated", "MeterValuePeriodic", watt_hours)
        self._say(step="reading", watt_hours=watt_hours)

    async def _stop(self) -> None:
        if self._is_16:
            stop = {"transactionId": self._transaction, "meterStop": self._options.watt_hours, "timestamp": self._now}
            await self._call("StopTransaction", {**stop, "idTag": self._options.token, "reason": "Local"})
        else:
            await self._event("Ended", "EVDeparted", self._options.watt_hours, stopped="EVDisconnected")
        self._say(step="stopped", watt_hours=self._options.watt_hours)

    async def _event(self, kind: str, trigger: str, watt_hours: int, *, stopped: str = "", **more: Any) -> Any:
        info = {"transactionId": self._transaction, "chargingState": "Charging"}
        if stopped:
            info = {"transactionId": self._transaction, "chargingState": "Idle", "stoppedReason": stopped}
        sample = {"value": watt_hours, "measurand": ENERGY, "unitOfMeasure": {"unit": "Wh"}}
        body = {
            "eventType": kind,
            "timestamp": self._now,
            "triggerReason": trigger,
            "seqNo": next(self._sequence),
            "transactionInfo": info,
            "evse": {"id": self._options.evse, "connectorId": 1},
            "meterValue": [{"timestamp": self._now, "sampledValue": [sample]}],
        }
        return await self._call("TransactionEvent", {**body, **more})

    async def _call(self, action: str, body: dict[str, Any]) -> Any:
        """Ask, and answer what is asked meanwhile: it does nothing from afar, and says so."""
        number = str(next(self._numbers))
        await self._socket.send(json.dumps([CALL, number, action, body]))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message = json.loads(await self._socket.recv())
                if message[0] == CALL:
                    await self._socket.send(json.dumps([ERROR, message[1], "NotSupported", "a simulated station", {}]))
                elif message[1] == number:
                    if message[0] == ERROR:
                        msg = f"the platform refused {action}: {message[2]} {message[3]}"
                        raise NotAllowed(msg, code="simulator.refused")
                    return message[2]
