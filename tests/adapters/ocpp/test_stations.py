"""A real OCPP client that we did not write, from the `ocpp` package, talks to the gateway."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201

from tallywatt.metering.facts import Booted, Noticed, Sampled, Started, StatusChanged, Stopped, TokenShown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.ocpp.conftest import House

AT = "2018-08-24T08:15:00.000Z"
AT_INSTANT = 1_535_098_500_000


@asynccontextmanager
async def charge_point(house: House, kind: type[Any], protocol: str) -> AsyncIterator[Any]:
    async with house.station(protocol=protocol) as socket:
        point = kind("CP1", socket)
        task = asyncio.create_task(point.start())
        try:
            yield point
        finally:
            task.cancel()


async def test_a_station_of_1_6_tells_a_whole_session(house: House) -> None:
    """Every message of a session in the dialect that most stations speak, checked by the client's own schemas."""
    async with charge_point(house, ChargePoint16, "ocpp1.6") as point:
        boot = await point.call(
            call16.BootNotification(charge_point_model="M", charge_point_vendor="V", firmware_version="1")
        )
        assert (boot.status, boot.interval, boot.current_time) == ("Accepted", 300, "2026-11-21T08:00:00.000Z")
        assert (await point.call(call16.Heartbeat())).current_time == "2026-11-21T08:00:00.000Z"
        await point.call(
            call16.StatusNotification(connector_id=1, error_code="NoError", status="Preparing", timestamp=AT)
        )
        assert (await point.call(call16.Authorize(id_tag="CARD"))).id_tag_info["status"] == "Accepted"
        start = await point.call(call16.StartTransaction(connector_id=1, id_tag="CARD", meter_start=1000, timestamp=AT))
        assert (start.transaction_id, start.id_tag_info["status"]) == (1, "Accepted")
        value = {"timestamp": AT, "sampled_value": [{"value": "1.5", "unit": "kWh"}]}
        await point.call(call16.MeterValues(connector_id=1, transaction_id=1, meter_value=[value]))
        await point.call(call16.StopTransaction(transaction_id=1, meter_stop=2345, timestamp=AT, reason="Local"))
        transfer = await point.call(call16.DataTransfer(vendor_id="V"))
        assert transfer.status == "UnknownVendorId"

    told = house.told.commands
    assert [type(one) for one in told] == [Booted, StatusChanged, TokenShown, Started, Sampled, Stopped, Noticed]
    booted, status, shown, started, sampled, stopped, transferred = told
    assert [one.subject for one in transferred.notices] == ["V"]
    assert (booted.vendor, booted.model, booted.firmware) == ("V", "M", "1")
    assert (status.evse_number, status.connector_number, status.status, status.error_code) == (1, 1, "Preparing", None)
    assert shown.token_uid == "CARD"
    assert (started.at, started.evse_number, started.token_uid, started.meter_start) == (
        AT_INSTANT,
        1,
        "CARD",
        1_000_000,
    )
    assert (sampled.transaction_id, sampled.samples[0].register) == ("1", 1_500_000)
    assert (stopped.transaction_id, stopped.meter_stop, stopped.reason) == ("1", 2_345_000, "Local")
    assert started.heard.payload.startswith(b'[2,"')
    assert {one.heard.flags for one in told} == {()}
    assert house.writer.callers[0] == ("id-of-op", "station:id-of-CP1", booted.heard.message_id)


async def test_a_station_of_2_0_1_tells_a_whole_session(house: House) -> None:
    """The same session under one action name, with the price said at its end."""
    house.told.total_cost = "12.40"
    token = {"id_token": "CARD", "type": "ISO14443"}
    evse = {"id": 2, "connector_id": 1}
    async with charge_point(house, ChargePoint201, "ocpp2.0.1") as point:
        boot = await point.call(
            call201.BootNotification(charging_station={"model": "M", "vendor_name": "V"}, reason="PowerUp")
        )
        assert boot.status == "Accepted"
        await point.call(
            call201.StatusNotification(timestamp=AT, connector_status="Occupied", evse_id=2, connector_id=1)
        )
        assert (await point.call(call201.Authorize(id_token=token))).id_token_info["status"] == "Accepted"

        def event(kind: str, number: int, register: float, **more: Any) -> Any:
            sampled = {"value": register, "unit_of_measure": {"unit": "kWh"}}
            return call201.TransactionEvent(
                event_type=kind,
                timestamp=AT,
                trigger_reason="Authorized",
                seq_no=number,
                transaction_info={"transaction_id": "tx-1", **more.pop("info", {})},
                meter_value=[{"timestamp": AT, "sampled_value": [sampled]}],
                **more,
            )

        started = await point.call(event("Started", 0, 1.25, id_token=token, evse=evse, info={"remote_start_id": 7}))
        assert started.id_token_info["status"] == "Accepted"
        await point.call(event("Updated", 1, 1.5, info={"charging_state": "Charging"}))
        ended = await point.call(event("Ended", 2, 1.75, info={"stopped_reason": "EVDisconnected"}))
        assert ended.total_cost == 12.4

    _, status, shown, start, sample, stop = house.told.commands
    assert (status.evse_number, status.status) == (2, "Occupied")
    assert (shown.token_uid, shown.token_type) == ("CARD", "ISO14443")
    assert (start.evse_number, start.connector_number, start.token_uid, start.transaction_id) == (2, 1, "CARD", "tx-1")
    assert (start.meter_start, start.remote_start_id, start.sequence_number) == (1_250_000, 7, 0)
    assert (sample.transaction_id, sample.samples[0].register, sample.charging_state) == ("tx-1", 1_500_000, "Charging")
    assert (stop.transaction_id, stop.meter_stop, stop.reason) == ("tx-1", 1_750_000, "EVDisconnected")


async def test_a_refused_token_still_gets_its_transaction_id(house: House) -> None:
    """Energy may flow all the same; without an id of its own it could not be told from other energy."""
    house.told.authorization = "Invalid"
    async with charge_point(house, ChargePoint16, "ocpp1.6") as point:
        start = await point.call(call16.StartTransaction(connector_id=1, id_tag="NOBODY", meter_start=0, timestamp=AT))
    assert start.transaction_id > 0
    assert start.id_tag_info["status"] == "Invalid"


async def test_2_0_1_hears_unknown_for_a_token_that_nobody_owns(house: House) -> None:
    """The newer vocabulary tells unknown from invalid."""
    house.told.authorization = "Invalid"
    async with charge_point(house, ChargePoint201, "ocpp2.0.1") as point:
        answer = await point.call(call201.Authorize(id_token={"id_token": "NOBODY", "type": "ISO14443"}))
    assert answer.id_token_info["status"] == "Unknown"


async def test_reports_that_are_not_kept_are_answered_all_the_same(house: House) -> None:
    """A station that gets no answer to a firmware report may hold back its next StopTransaction."""
    async with charge_point(house, ChargePoint16, "ocpp1.6") as point:
        await point.call(call16.FirmwareStatusNotification(status="Installed"))
        await point.call(call16.DiagnosticsStatusNotification(status="Idle"))
    async with charge_point(house, ChargePoint201, "ocpp2.0.1") as point:
        await point.call(call201.SecurityEventNotification(type="StartupOfTheDevice", timestamp=AT))
        assert (await point.call(call201.SignCertificate(csr="csr"))).status == "Rejected"
