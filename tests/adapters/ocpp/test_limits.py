"""Limits of sessions over a real socket: told to stations that keep them, watched for all others."""

# The `ocpp` package carries no types: its classes and decorators are Any here.
# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import ocpp.v16
import ocpp.v21
import ocpp.v201
import pytest
from ocpp.routing import on

from tallywatt.stations.command import Action
from tallywatt.stations.messages import NEW, NEWEST, OLD
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.keep_limit import SetLimit, set_limit
from tallywatt.workflows.watch_limit import WatchLimit, watch_limit
from tests.adapters.ocpp.test_messages import carried

if TYPE_CHECKING:
    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
LIMITS = {"gross_minor": 1240, "milliwatt_hours": 20_000_500, "seconds": 3600, "percent": 80}
SAID = {"maxCost": 12.40, "maxEnergy": 20000.5, "maxTime": 3600, "maxSoC": 80}


def limited(point: Point, **limits: int) -> None:
    """Somebody chooses a limit while its only session runs."""
    point.scene.do(set_limit, SetLimit(point.session.session_id, limits))


async def test_a_station_of_2_1_is_told_a_limit_until_it_says_that_it_keeps_it(scene: Scene) -> None:
    """Only answers to its events have a place for it; one may be lost, so it is said until it comes back."""
    async with scene.newcomer(NEWEST).online() as point:
        await point.boot()
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        limited(point, **LIMITS)
        for number in (1, 2):
            assert await point.event("Updated", number, "08:05:00", 1100) == {"transactionLimit": SAID}
        assert await point.event("Updated", 3, "08:06:00", 1200, info={"transactionLimit": SAID}) == {}
        assert await point.event("Updated", 4, "08:07:00", 1300) == {}, "what it keeps is not said again"
        limited(point, gross_minor=2000)
        assert await point.event("Updated", 5, "08:08:00", 1400) == {"transactionLimit": {"maxCost": 20}}


async def test_a_limit_that_is_lifted_is_forgotten_by_the_station_too(scene: Scene) -> None:
    """Told only here, it would still stop the session there; what its driver has chosen at the station stays."""
    async with scene.newcomer(NEWEST).online() as point:
        await point.boot()
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        limited(point, gross_minor=1000)
        assert await point.event("Updated", 1, "08:05:00", 1100) == {"transactionLimit": {"maxCost": 10}}
        assert await point.event("Updated", 2, "08:06:00", 1200, info={"transactionLimit": {"maxCost": 10}}) == {}
        limited(point)
        assert await point.event("Updated", 3, "08:07:00", 1300) == {"transactionLimit": {}}
        still = {"transactionLimit": {"maxCost": 10}}
        assert await point.event("Updated", 4, "08:08:00", 1400, info=still) == {"transactionLimit": {}}
        own = {"transactionLimit": {"maxCost": 7}}
        assert await point.event("Updated", 5, "08:09:00", 1500, info=own) == {}
        assert await point.event("Updated", 6, "08:10:00", 1600) == {}
        limited(point, gross_minor=2000)
        assert await point.event("Updated", 7, "08:11:00", 1700) == {"transactionLimit": {"maxCost": 20}}


async def test_a_limit_that_a_driver_chooses_at_the_station_is_left_alone(scene: Scene) -> None:
    """Nobody has lifted it: the station tells of it, and keeps it."""
    async with scene.newcomer(NEWEST).online() as point:
        await point.boot()
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        own = {"transactionLimit": {"maxEnergy": 5000}}
        assert await point.event("Updated", 1, "08:05:00", 1100, info=own) == {}
        assert await point.event("Updated", 2, "08:06:00", 1200) == {}


async def test_a_start_from_afar_carries_its_limit(scene: Scene) -> None:
    """Chosen before the start: it is told in the first answer that names the session."""
    async with scene.newcomer(NEWEST).online() as point:
        await point.boot()
        start = CommandStation(point.id, Action.START, {"tag": "CARD", "limit": {"milliwatt_hours": 5_000_000}})
        command = point.scene.do(command_station, start)
        told = await point.event(
            "Started", 0, "08:00:00", 1000, token="CARD", info={"remoteStartId": command.remote_start_id}
        )
        assert told["transactionLimit"] == {"maxEnergy": 5000}
        assert [one.subject_id for one in point.look("stored_jobs", kind="watch_limit")][-1] == point.session.session_id


async def test_earlier_versions_are_not_told_what_they_have_no_field_for(scene: Scene) -> None:
    """A field that a schema does not know makes some stations drop the whole answer."""
    async with scene.newcomer(NEW).online() as point:
        await point.boot()
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        limited(point, **LIMITS)
        assert await point.event("Updated", 1, "08:05:00", 1100) == {}


class Obeying16(ocpp.v16.ChargePoint):
    """A station of OCPP 1.6 that does as it is told."""

    told: list[tuple[str, Any]]

    @on("SetChargingProfile")
    async def cap(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        """Less power."""
        schedule = cs_charging_profiles["charging_schedule"]["charging_schedule_period"]
        self.told.append(("cap", (connector_id, cs_charging_profiles["transaction_id"], schedule[0]["limit"])))
        return ocpp.v16.call_result.SetChargingProfile(status="Accepted")

    @on("RemoteStopTransaction")
    async def stop(self, transaction_id: int) -> Any:
        """No power."""
        self.told.append(("stop", transaction_id))
        return ocpp.v16.call_result.RemoteStopTransaction(status="Accepted")


def obeying(version: Any) -> Any:
    """The same of a later version."""

    class Obeying(version.ChargePoint):
        """A station that does as it is told."""

        told: list[tuple[str, Any]]

        @on("SetChargingProfile")
        async def cap(self, evse_id: int, charging_profile: dict[str, Any]) -> Any:
            """Less power."""
            schedule = charging_profile["charging_schedule"][0]["charging_schedule_period"]
            self.told.append(("cap", (evse_id, charging_profile["transaction_id"], schedule[0]["limit"])))
            return version.call_result.SetChargingProfile(status="Accepted")

        @on("RequestStopTransaction")
        async def stop(self, transaction_id: str) -> Any:
            """No power."""
            self.told.append(("stop", transaction_id))
            return version.call_result.RequestStopTransaction(status="Accepted")

    return Obeying


KINDS = {OLD: Obeying16, NEW: obeying(ocpp.v201), NEWEST: obeying(ocpp.v21)}


async def watched(point: Point) -> list[tuple[str, Any]]:
    """What the worker does at one look, and what the station was told by it."""
    point.scene.do(watch_limit, WatchLimit(point.session.session_id))
    one = KINDS[point.protocol](point.identity, point.socket)
    one.told = []
    task = asyncio.create_task(one.start())
    for command in point.commands():
        if command.is_open and command.sent_at is None:
            await carried(point, command)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    found: list[tuple[str, Any]] = one.told
    return found


@pytest.mark.parametrize("protocol", [OLD, NEW, NEWEST])
async def test_a_session_near_its_limit_gets_less_power_and_is_stopped_before_it(scene: Scene, protocol: str) -> None:
    """Whoever wants 6.6 kWh gets nearly that, and not a kilowatt-hour more because a station was slow to stop."""
    async with scene.newcomer(protocol).online() as point:
        await point.boot()
        transaction: Any = "T1"
        if protocol == OLD:
            transaction = await point.start("08:00:00", 1000)
            await point.values(transaction, ("08:30:00", 6000))
        else:
            await point.event("Started", 0, "08:00:00", 1000, token="CARD")
            await point.event("Updated", 1, "08:30:00", 6000)
        limited(point, milliwatt_hours=8_000_000)
        assert await watched(point) == [], "three kilowatt-hours take a while"
        limited(point, milliwatt_hours=5_600_000)
        assert await watched(point) == [("cap", (1, transaction, 5000))]
        assert await watched(point) == [], "at half the power there is time again"
        limited(point, milliwatt_hours=5_050_000)
        assert await watched(point) == [("stop", transaction)]
