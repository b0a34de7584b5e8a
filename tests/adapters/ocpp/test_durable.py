"""The gateway on the real writer with the real workflows, on both engines."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tallywatt.adapters.machine import MachineClock, WorldDraws
from tallywatt.adapters.ocpp.connection import Intake
from tallywatt.adapters.ocpp.server import Gateway
from tallywatt.adapters.storage.store import Store
from tallywatt.kernel.identity import OperatorId
from tallywatt.stations.credentials import StationCredential, hash_key
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_station import AddStation, add_station, knock
from tallywatt.workflows.boot_station import boot_station
from tallywatt.workflows.follow import follow
from tallywatt.workflows.plug_in import plug_in
from tallywatt.workflows.report_status import report_status
from tallywatt.workflows.show_token import show_token
from tallywatt.workflows.take_unreadable import take_unreadable
from tallywatt.workflows.unplug import unplug
from tests.adapters.ocpp.conftest import say
from tests.adapters.ocpp.house import KEY, PEPPER, Neighbours, basic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


OPERATOR = OperatorId("01a1fd31-0000-7000-8000-000000000001")
START = {"connectorId": 1, "idTag": "CARD", "meterStart": 1000, "timestamp": "2026-11-20T08:00:00Z"}
STOP = {"transactionId": 1, "meterStop": 9000, "timestamp": "2026-11-20T09:00:00Z", "reason": "Local"}
VALUES = {
    "connectorId": 1,
    "transactionId": 1,
    "meterValue": [{"timestamp": "2026-11-20T08:30:00Z", "sampledValue": [{"value": "5000", "unit": "Wh"}]}],
}


class OneOperator(Neighbours):
    """A directory of one operator, who takes in every stranger."""

    def operator_for_unknown(self, operator_slug: str | None) -> OperatorId | None:
        return OPERATOR if operator_slug == "op" else None


@dataclass
class DurableHouse:
    """A gateway, a writer and a database with one station and one customer."""

    store: Store
    neighbours: Neighbours = field(default_factory=OneOperator)

    def do(self, workflow: Any, command: object) -> Any:
        return self.store.write_now(OPERATOR, workflow, command, actor="test")

    def furnish(self) -> None:
        self.do(add_operator, AddOperator("op", "Operator"))
        self.do(add_location, AddLocation("here", "Here"))
        row = self.do(add_station, AddStation("CP1", "here", hash_key(KEY, PEPPER)))
        self.neighbours.credentials.append(
            StationCredential(OPERATOR, "op", row.station_id, row.identity, row.state, row.key_hash)
        )
        self.do(add_customer, AddCustomer("driver"))
        self.do(add_token, AddToken("CARD", "driver"))

    def gateway(self) -> Gateway:
        intake = Intake(boot_station, report_status, show_token, plug_in, follow, unplug, take_unreadable, knock)
        return Gateway(self.store.writer, intake, self.neighbours, MachineClock(), PEPPER)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.store.reading() as connection:
            found = connection.execute(sql)
            connection.rollback()
        return [tuple(row) for row in found]


@asynccontextmanager
async def station(
    gateway: Gateway, identity: str = "CP1", protocol: str = "ocpp1.6"
) -> AsyncIterator[ClientConnection]:
    async with connect(
        f"ws://127.0.0.1:{gateway.port}/ocpp/op/{identity}",
        subprotocols=[Subprotocol(protocol)],
        additional_headers=basic(identity),
    ) as socket:
        yield socket


@pytest.fixture
async def durable(house_url: str) -> AsyncIterator[tuple[DurableHouse, Gateway]]:
    """The whole way from the socket to the disk."""
    store = Store(house_url, WorldDraws().draw, b"k" * 32)
    store.start()
    house = DurableHouse(store)
    await asyncio.to_thread(house.furnish)
    gateway = house.gateway()
    await gateway.start("127.0.0.1", 0)
    yield house, gateway
    await gateway.stop(grace_seconds=2)
    store.close()


async def test_a_start_whose_answer_was_lost_is_one_session_however_often_it_comes(
    durable: tuple[DurableHouse, Gateway],
) -> None:
    """The socket drops before the reply; the station says it again with new ids."""
    house, gateway = durable
    async with station(gateway) as socket:
        await socket.send(json.dumps([2, "first", "StartTransaction", START]))
    answers = []
    for number in range(5):
        async with station(gateway) as socket:
            answers.append((await say(socket, 2, f"again-{number}", "StartTransaction", START))[2])
    assert answers == [{"transactionId": 1, "idTagInfo": {"status": "Accepted"}}] * 5
    assert house.rows("SELECT transaction_id, meter_start, payer FROM sessions") == [("1", 1_000_000, "customer")]
    assert house.rows("SELECT count(*) FROM frames") == [(6,)]


async def test_an_offline_session_is_told_after_boot_and_available(durable: tuple[DurableHouse, Gateway]) -> None:
    """Closing it at the boot would have destroyed a good stop."""
    house, gateway = durable
    async with station(gateway) as socket:
        assert (await say(socket, 2, "1", "StartTransaction", START))[2]["transactionId"] == 1
    async with station(gateway) as socket:
        boot = await say(socket, 2, "2", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        assert boot[2]["status"] == "Accepted"
        free = {"connectorId": 1, "status": "Available", "errorCode": "NoError", "timestamp": "2026-11-20T12:00:00Z"}
        assert (await say(socket, 2, "3", "StatusNotification", free))[0] == 3
        assert (await say(socket, 2, "4", "MeterValues", VALUES))[0] == 3
        assert (await say(socket, 2, "5", "StopTransaction", STOP))[0] == 3
    ((meter_stop, ended_at),) = house.rows("SELECT meter_stop, transaction_ended_at FROM sessions")
    assert (meter_stop, ended_at) == (9_000_000, 1_795_165_200_000)


async def test_stops_that_match_nothing_are_acknowledged_and_wait_for_a_person(
    durable: tuple[DurableHouse, Gateway],
) -> None:
    """A stop with a made-up id must not end another session."""
    house, gateway = durable
    async with station(gateway) as socket:
        await say(socket, 2, "1", "StartTransaction", START)
        for transaction_id in (-1, 0, 999_999):
            wrong = {**STOP, "transactionId": transaction_id}
            assert (await say(socket, 2, str(transaction_id), "StopTransaction", wrong))[0] == 3
        await socket.send('[2,"x","StopTransaction",{"transactionId":')
        assert json.loads(await socket.recv())[:2] == [3, "x"]
    assert house.rows("SELECT kind, count(*) FROM inbox GROUP BY kind ORDER BY kind") == [
        ("unknown_transaction", 3),
        ("unreadable", 1),
    ]
    assert house.rows("SELECT transaction_ended_at FROM sessions") == [(None,)]


async def test_a_stranger_is_listed_and_waits(durable: tuple[DurableHouse, Gateway]) -> None:
    """Nothing else of what it says is written."""
    house, gateway = durable
    async with station(gateway, "STRANGER") as socket:
        boot = await say(socket, 2, "1", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        assert boot[2]["status"] == "Pending"
        await socket.send(json.dumps([2, "2", "StartTransaction", START]))
        await say(socket, 2, "3", "Heartbeat", {})
    assert house.rows("SELECT identity, state, vendor FROM stations ORDER BY identity") == [
        ("CP1", "adopted", None),
        ("STRANGER", "quarantined", "V"),
    ]
    assert house.rows("SELECT count(*) FROM sessions") == [(0,)]
