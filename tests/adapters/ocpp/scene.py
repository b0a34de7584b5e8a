"""A whole house behind a real socket: gateway, writer, workflows and database, shared by many stations, one a story.

Each story adds a station of its own, so that hundreds of them share one database and one gateway, and cost little.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Self, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tallywatt.adapters.machine import MachineClock, WorldDraws
from tallywatt.adapters.ocpp.connection import Intake
from tallywatt.adapters.ocpp.server import Gateway, GatewayOptions
from tallywatt.adapters.storage.connections import connect as connect_database
from tallywatt.adapters.storage.evidence import audit
from tallywatt.adapters.storage.store import Store
from tallywatt.adapters.storage.vault import Vault
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import OperatorId, StationId
from tallywatt.metering.session import Frame, InboxItem, MeterReading, Session
from tallywatt.stations.command import StationCommand
from tallywatt.stations.credentials import StationCredential, hash_key
from tallywatt.stations.station import Current
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station, knock
from tallywatt.workflows.boot_station import boot_station
from tallywatt.workflows.follow import follow
from tallywatt.workflows.plug_in import plug_in
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.report_status import report_status
from tallywatt.workflows.show_token import show_token
from tallywatt.workflows.take_unreadable import take_unreadable
from tallywatt.workflows.unplug import unplug
from tests.adapters.ocpp.house import KEY, PEPPER, Neighbours, basic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tallywatt.evidence.findings import AuditReport

OPERATOR = OperatorId("01a1fd31-0000-7000-8000-000000000001")
VAULT_KEY = b"k" * 32
PER_KWH: dict[str, Any] = {
    "id": "plain",
    "currency": "EUR",
    "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.50, "vat": 19, "step_size": 1}]}],
}


def at(clock: str) -> str:
    """A time on the day of all stories, as stations write it; a whole time is left alone."""
    return clock if "T" in clock else f"2026-11-20T{clock}Z"


@dataclass
class Scene:
    """The house, and who has been in it."""

    store: Store
    neighbours: Neighbours = field(default_factory=Neighbours)
    numbers: Any = field(default_factory=lambda: count(1))
    gateway: Gateway = field(init=False)

    def __post_init__(self) -> None:
        intake = Intake(boot_station, report_status, show_token, plug_in, follow, unplug, take_unreadable, knock)
        options = GatewayOptions(keeps_log=True)
        self.gateway = Gateway(self.store.writer, intake, self.neighbours, MachineClock(), PEPPER, options)

    @classmethod
    def opened(cls, url: str) -> Self:
        """A scene over an empty database, furnished."""
        store = Store(url, WorldDraws().draw, VAULT_KEY)
        store.start()
        scene = cls(store)
        scene.do(add_operator, AddOperator("op", "Operator", currency="EUR"))
        scene.do(add_location, AddLocation("here", "Here"))
        for card in ("driver", "other"):
            scene.do(add_customer, AddCustomer(card))
            scene.do(add_token, AddToken({"driver": "CARD", "other": "SECOND"}[card], card))
        scene.do(add_token, AddToken("FLEET-1", "other", group="FLEET"))
        put = scene.do(put_tariff, PutTariff(PER_KWH))
        scene.do(assign_tariff, AssignTariff(put.version.tariff_version_id, valid_from=Instant(0)))
        return scene

    def do(self, workflow: Any, command: object) -> Any:
        """Run a workflow, and wait until it is durable."""
        return self.store.write_now(OPERATOR, workflow, command, actor="test")

    def newcomer(self, protocol: str = "ocpp1.6", evses: int = 1, max_watts: int | None = 22_000) -> Point:
        """A station that nobody has seen before, adopted."""
        identity = f"CP{next(self.numbers)}"
        new = tuple(NewEvse(number, Current.AC, max_watts) for number in range(1, evses + 1))
        row = self.do(add_station, AddStation(identity, "here", hash_key(KEY, PEPPER), new))
        self.neighbours.credentials.append(
            StationCredential(OPERATOR, "op", row.station_id, row.identity, row.state, row.key_hash)
        )
        return Point(self, row.identity, row.station_id, protocol)

    def audited(self) -> AuditReport:
        """What the audit says of everything that was told until now."""
        connection = connect_database(self.store.url, read_only=True)
        try:
            return audit(connection, Vault(VAULT_KEY), OPERATOR)
        finally:
            connection.close()


@dataclass
class Point:
    """A station of the scene: what it says, and what the house made of it."""

    scene: Scene
    identity: str
    station_id: str
    protocol: str
    messages: Any = field(default_factory=lambda: count(1))
    socket: ClientConnection | None = None

    @property
    def id(self) -> StationId:
        """Its id, as commands name it."""
        return StationId(self.station_id)

    @asynccontextmanager
    async def online(self) -> AsyncIterator[Self]:
        """Connected, until the story says otherwise."""
        async with connect(
            f"ws://127.0.0.1:{self.scene.gateway.port}/ocpp/op/{self.identity}",
            subprotocols=[Subprotocol(self.protocol)],
            additional_headers=basic(self.identity),
            compression=None,
        ) as self.socket:
            yield self
        self.socket = None

    async def say(self, action: str, payload: dict[str, Any], message_id: str | None = None) -> Any:
        """Make a call, and take the answer, which must be one: the payload of its CALLRESULT."""
        answer = await self.call(action, payload, message_id)
        assert answer[0] == 3, f"{action} was refused: {answer}"
        return answer[2]

    async def call(self, action: str, payload: dict[str, Any], message_id: str | None = None) -> list[Any]:
        """Make a call; the whole answer."""
        assert self.socket is not None, "only whoever is online can speak"
        named = message_id or f"{self.identity}-{next(self.messages)}"
        await self.socket.send(json.dumps([2, named, action, payload]))
        answer: list[Any] = json.loads(await self.socket.recv())
        assert answer[1] == named
        return answer

    # OCPP 1.6, in as few words as stories need.

    async def start(self, when: str, meter: int, token: str = "CARD", connector: int = 1, **more: Any) -> int:
        """StartTransaction; the number that it got."""
        told = {"connectorId": connector, "idTag": token, "meterStart": meter, "timestamp": at(when), **more}
        number: int = (await self.say("StartTransaction", told))["transactionId"]
        return number

    async def values(self, number: int | None, *told: tuple[str, Any], connector: int = 1, **value: Any) -> None:
        """MeterValues: registers in Wh, unless the value says otherwise."""
        meter = [{"timestamp": at(when), "sampledValue": [{"value": str(figure), **value}]} for when, figure in told]
        payload = {"connectorId": connector, "meterValue": meter}
        await self.say("MeterValues", payload if number is None else {**payload, "transactionId": number})

    async def stop(self, number: int, when: str, meter: int, **more: Any) -> Any:
        """StopTransaction; the answer."""
        return await self.say(
            "StopTransaction", {"transactionId": number, "meterStop": meter, "timestamp": at(when), **more}
        )

    async def status(self, status: str, when: str, number: int = 1, connector: int = 1) -> None:
        """StatusNotification, in the words of the version."""
        if self.protocol == "ocpp1.6":
            told = {"connectorId": number, "status": status, "errorCode": "NoError", "timestamp": at(when)}
        else:
            told = {"evseId": number, "connectorId": connector, "connectorStatus": status, "timestamp": at(when)}
        await self.say("StatusNotification", told)

    async def boot(self) -> None:
        """BootNotification, in the words of the version."""
        if self.protocol == "ocpp1.6":
            await self.say("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        else:
            station = {"vendorName": "V", "model": "M"}
            await self.say("BootNotification", {"reason": "PowerUp", "chargingStation": station})

    # OCPP 2.x.

    async def event(
        self,
        kind: str,
        number: int,
        when: str,
        register: float | None = None,
        *,
        transaction: str = "T1",
        token: str | None = None,
        evse: int | None = 1,
        info: dict[str, Any] | None = None,
        unit: dict[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        """TransactionEvent; the answer."""
        context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": at(when),
            "triggerReason": "MeterValuePeriodic",
            "seqNo": number,
            "transactionInfo": {"transactionId": transaction, **(info or {})},
            **more,
        }
        if evse is not None:
            payload["evse"] = {"id": evse, "connectorId": 1}
        if token is not None:
            payload["idToken"] = {"idToken": token, "type": "ISO14443"}
        if register is not None:
            value = {"value": register, "context": context} | ({"unitOfMeasure": unit} if unit else {})
            payload["meterValue"] = [{"timestamp": at(when), "sampledValue": [value]}]
        return await self.say("TransactionEvent", payload)

    # What the house made of it.

    def look(self, records: str, **columns: Any) -> list[Any]:
        """Rows of one kind."""
        rows = self.scene.do(lambda work, by: getattr(work, records).by(**by), columns)
        return cast("list[Any]", rows)

    def sessions(self) -> list[Session]:
        """Its sessions, oldest start first."""
        return sorted(
            self.look("sessions", station_id=self.station_id), key=lambda one: (one.started_at, one.booked_at)
        )

    @property
    def session(self) -> Session:
        """Its only session."""
        [one] = self.sessions()
        return one

    @property
    def wh(self) -> float:
        """What its only session took."""
        return self.session.milliwatt_hours / 1000

    def billed_wh(self, session: Session | None = None) -> float:
        """What of a session is on a bill."""
        one = session or self.session
        assert one.rated_id is not None, f"it is {one.state}, with {one.flags}"
        [result] = self.look("rated_results", rated_id=one.rated_id)
        return cast("float", result.milliwatt_hours / 1000)

    def inbox(self) -> dict[str, InboxItem]:
        """What of it waits for a person, by kind."""
        return {one.kind: one for one in self.look("inbox", station_id=self.station_id) if one.state == "open"}

    def frames(self, action: str) -> list[Frame]:
        """What was kept of its messages."""
        return [one for one in self.look("frames", station_id=self.station_id) if one.action == action]

    def readings(self) -> list[MeterReading]:
        """The readings of its only session, in order of time."""
        found = self.look("meter_readings", session_id=self.session.session_id)
        return sorted(found, key=lambda one: one.occurred_at)

    def commands(self) -> list[StationCommand]:
        """What it was asked to do."""
        return self.look("station_commands", station_id=self.station_id)
