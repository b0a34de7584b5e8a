"""The load generator says what a real client says; otherwise it would measure something else."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from ocpp.messages import unpack, validate_payload
from ocpp.v16 import ChargePoint, call
from ocpp.v16.datatypes import MeterValue, SampledValue

from benchmarks import ocpp_load
from tallywatt.metering.facts import Booted, Sampled, Started, Stopped
from tests.adapters.ocpp.house import a_credential

if TYPE_CHECKING:
    from tests.adapters.ocpp.conftest import House

AT = "2026-11-21T08:01:00.000Z"
SAMPLED = [
    SampledValue("1400", "Sample.Periodic", None, "Energy.Active.Import.Register", None, "Outlet", "Wh"),
    SampledValue("7200", "Sample.Periodic", None, "Power.Active.Import", None, "Outlet", "W"),
]


class Wire:
    """A connection that keeps what is sent over it."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, text: str) -> None:
        self.sent.append(text)

    async def recv(self) -> str:
        await asyncio.sleep(60)
        return ""


async def as_the_client_says_it(request: Any) -> list[Any]:
    """The frame that the `ocpp` package's station sends for a request."""
    wire = Wire()
    point = ChargePoint("CP1", wire, response_timeout=1)
    asking = asyncio.create_task(point.call(request))
    while not wire.sent:  # noqa: ASYNC110  # the client's thread pool sets no event
        await asyncio.sleep(0.001)
    asking.cancel()
    frame: list[Any] = json.loads(wire.sent[0])
    return frame


@pytest.mark.parametrize(
    ("frame", "request_"),
    [
        (
            ocpp_load.status(1, 60, "SuspendedEV"),
            call.StatusNotification(connector_id=1, error_code="NoError", status="SuspendedEV", timestamp=AT),
        ),
        (ocpp_load.boot(1), call.BootNotification(charge_point_model="L1", charge_point_vendor="Load")),
        (
            ocpp_load.start(1, 60, 500),
            call.StartTransaction(connector_id=1, id_tag=ocpp_load.TOKEN, meter_start=500, timestamp=AT),
        ),
        (
            ocpp_load.values(1, 60, 1400, 7),
            call.MeterValues(connector_id=1, transaction_id=7, meter_value=[MeterValue(AT, SAMPLED)]),
        ),
        (
            ocpp_load.stop(1, 60, 1500, 7),
            call.StopTransaction(
                transaction_id=7, meter_stop=1500, timestamp=AT, id_tag=ocpp_load.TOKEN, reason="Local"
            ),
        ),
        (next(ocpp_load.heartbeats(None)), call.Heartbeat()),  # type: ignore[arg-type]  # it needs no station
    ],
    ids=["status", "boot", "start", "values", "stop", "heartbeat"],
)
async def test_each_frame_is_the_one_of_a_real_client(frame: bytes, request_: Any) -> None:
    """By its schema and by its content; only the id is another."""
    message = unpack(frame)
    await validate_payload(message, "1.6")
    theirs = await as_the_client_says_it(request_)
    ours = json.loads(frame)
    assert (ours[0], ours[2], ours[3]) == (theirs[0], theirs[2], theirs[3])


async def test_a_load_of_sessions_is_answered_and_counted(house: House) -> None:
    """Every station says its first thing before the clock runs, then as much as was asked for."""
    house.neighbours.credentials = [a_credential(ocpp_load.identity(number), key=ocpp_load.KEY) for number in range(3)]
    load = await ocpp_load.run(house.url("/ocpp"), 3, 60, "sessions")
    assert (load.calls, load.errors) == (60, 0)
    assert 0 < load.p50_ms <= load.p99_ms
    kinds = [len(house.told.of(kind)) for kind in (Started, Sampled, Stopped)]
    assert sum(kinds) == 63
    assert {one.transaction_id for one in house.told.of(Sampled)} <= {str(number) for number in range(1, kinds[0] + 1)}


async def test_a_paced_load_keeps_its_pace(house: House) -> None:
    """A slow server is not asked more slowly: that would hide how slow it is."""
    house.neighbours.credentials = [a_credential(ocpp_load.identity(number), key=ocpp_load.KEY) for number in range(4)]
    load = await ocpp_load.run(house.url("/ocpp"), 4, 40, "values", a_second=200)
    assert (load.calls, load.errors) == (40, 0)
    assert load.seconds > 0.15


async def test_what_stations_say_in_a_day_is_accepted_whole(house: House) -> None:
    """Values, statuses, signs of life, and a second session after the first."""
    house.neighbours.credentials = [a_credential(ocpp_load.identity(0), key=ocpp_load.KEY)]
    load = await ocpp_load.run(house.url("/ocpp"), 1, 40, "mixed")
    assert (load.calls, load.errors) == (40, 0)
    assert [len(house.told.of(kind)) for kind in (Started, Stopped)] == [2, 1]


async def test_all_stations_that_come_back_at_once_boot(house: House) -> None:
    """None is counted before it has its answer, and each has one."""
    house.neighbours.credentials = [a_credential(ocpp_load.identity(number), key=ocpp_load.KEY) for number in range(8)]
    came = await ocpp_load.come_back(house.url("/ocpp"), 8, None)
    assert came.again == 0
    assert 0 < came.p50_ms <= came.p99_ms <= came.seconds * 1000
    assert len(house.told.of(Booted)) == 8
