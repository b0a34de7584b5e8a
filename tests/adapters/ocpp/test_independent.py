"""Stations that others wrote drive whole sessions, from plug to bill: PyPI's `ocpp` and npm's `ocpp-rpc`, in each version."""

from __future__ import annotations

import asyncio
import json
from types import ModuleType
from typing import TYPE_CHECKING, Any

import ocpp.v16
import ocpp.v16.call
import ocpp.v21
import ocpp.v21.call
import ocpp.v201
import ocpp.v201.call
import pytest
from ocpp.routing import on

from tallywatt.metering.session import SessionState
from tallywatt.stations.command import Action
from tallywatt.workflows.command_station import CommandStation, command_station
from tests.adapters.ocpp.house import KEY
from tests.adapters.ocpp.scene import at
from tests.parts import part

if TYPE_CHECKING:
    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
TWO_X: dict[str, ModuleType] = {"ocpp2.0.1": ocpp.v201, "ocpp2.1": ocpp.v21}


def a_charge(begin: Any, middle: Any, end: Any) -> list[tuple[str, int, str, int]]:
    """The events of a session of 8 kWh: what kind, which number, when, and the register."""
    return [(begin, 0, at("08:00:00"), 1000), (middle, 1, at("08:30:00"), 5000), (end, 2, at("09:00:00"), 9000)]


def is_billed(point: Point) -> bool:
    """Whether its only session is on a bill, with the energy that was told."""
    return (point.session.state, point.billed_wh()) == (SessionState.BILLED, 8000)


async def test_the_ocpp_package_charges_in_1_6(scene: Scene) -> None:
    """Its schemas check each answer of ours."""
    async with scene.newcomer("ocpp1.6").online() as point:
        station = ocpp.v16.ChargePoint(point.identity, point.socket)
        task = asyncio.create_task(station.start())
        call = ocpp.v16.call
        boot = await station.call(call.BootNotification(charge_point_model="M", charge_point_vendor="V"))
        assert boot.status == "Accepted"
        begun = await station.call(
            call.StartTransaction(connector_id=1, id_tag="CARD", meter_start=1000, timestamp=at("08:00:00"))
        )
        value = {"timestamp": at("08:30:00"), "sampled_value": [{"value": "5000"}]}
        number = begun.transaction_id
        await station.call(call.MeterValues(connector_id=1, transaction_id=number, meter_value=[value]))
        await station.call(call.StopTransaction(transaction_id=number, meter_stop=9000, timestamp=at("09:00:00")))
        task.cancel()
        assert is_billed(point)


@pytest.mark.parametrize("protocol", TWO_X)
async def test_the_ocpp_package_charges_in_2_x(scene: Scene, protocol: str) -> None:
    """A whole session by remote start, in both versions, and the cost in the last answer."""
    version = TWO_X[protocol]

    class Station(version.ChargePoint):  # type: ignore[name-defined,misc]  # a class of whichever version
        """A station that does as it is told."""

        @on("RequestStartTransaction")  # type: ignore[untyped-decorator]  # the package has no types for it
        def start_it(self, **told: Any) -> Any:
            self.remote_start_id = told["remote_start_id"]
            return version.call_result.RequestStartTransaction(status="Accepted")

    async with scene.newcomer(protocol).online() as point:
        station = Station(point.identity, point.socket)
        task = asyncio.create_task(station.start())
        call = version.call
        boot = await station.call(
            call.BootNotification(charging_station={"model": "M", "vendor_name": "V"}, reason="PowerUp")
        )
        assert boot.status == "Accepted"
        wanted = scene.do(command_station, CommandStation(point.id, Action.START, {"tag": "CARD"}))
        told = await asyncio.to_thread(scene.gateway.call, point.station_id, wanted, 5)
        assert told.outcome == "accepted"
        for kind, number, when, register in a_charge("Started", "Updated", "Ended"):
            info: dict[str, Any] = {"transaction_id": "T1"}
            if number == 0:
                info["remote_start_id"] = station.remote_start_id
            answer = await station.call(
                call.TransactionEvent(
                    event_type=kind,
                    timestamp=when,
                    trigger_reason="RemoteStart",
                    seq_no=number,
                    transaction_info=info,
                    evse={"id": 1, "connector_id": 1},
                    meter_value=[{"timestamp": when, "sampled_value": [{"value": register}]}],
                )
            )
        assert answer.total_cost == 4
        task.cancel()
        assert is_billed(point)
        [command] = point.commands()
        assert command.state == "completed"


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
async def test_ocpp_rpc_charges_in_each_version(scene: Scene, protocol: str) -> None:
    """A client in another language, with schemas of its own where it has them."""
    point = scene.newcomer(protocol)
    if protocol == "ocpp1.6":
        value = {"timestamp": at("08:30:00"), "sampledValue": [{"value": "5000"}]}
        calls = [
            ["BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}],
            ["StartTransaction", {"connectorId": 1, "idTag": "CARD", "meterStart": 1000, "timestamp": at("08:00:00")}],
            ["MeterValues", {"connectorId": 1, "transactionId": "$transaction", "meterValue": [value]}],
            ["StopTransaction", {"transactionId": "$transaction", "meterStop": 9000, "timestamp": at("09:00:00")}],
        ]
    else:
        station = {"vendorName": "V", "model": "M"}
        calls = [["BootNotification", {"reason": "PowerUp", "chargingStation": station}]]
        calls += [
            [
                "TransactionEvent",
                {
                    "eventType": kind,
                    "timestamp": when,
                    "triggerReason": "Authorized",
                    "seqNo": number,
                    "transactionInfo": {"transactionId": "T1"},
                    "evse": {"id": 1, "connectorId": 1},
                    "idToken": {"idToken": "CARD", "type": "ISO14443"},
                    "meterValue": [{"timestamp": when, "sampledValue": [{"value": register}]}],
                },
            ]
            for kind, number, when, register in a_charge("Started", "Updated", "Ended")
        ]
    plan = {
        "library": str(part("ocpp-rpc").parent),
        "endpoint": f"ws://127.0.0.1:{scene.gateway.port}/ocpp/op",
        "identity": point.identity,
        "password": KEY,
        # It prefers the newest that it was given, and is answered with what we both speak.
        "protocols": ["ocpp9.9", protocol],
        # Its schemas of 2.1 do not name the messages as it looks for them.
        "strict": [protocol] if protocol != "ocpp2.1" else False,
        "calls": calls,
    }
    script = str(part("ocpp-rpc").parents[2] / "tests/adapters/ocpp/station.cjs")
    process = await asyncio.create_subprocess_exec(
        str(part("node")), script, json.dumps(plan), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complained = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complained.decode()
    told = json.loads(said)
    assert told["protocol"] == protocol
    assert told["answers"][0]["status"] == "Accepted"
    assert is_billed(point)
