"""Stations that somebody else wrote are asked over a real socket how they are configured, judged, and set right."""

# The `ocpp` package carries no types: its classes and decorators are Any here.
# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ocpp.v16
import ocpp.v201
import pytest
from ocpp.routing import on

from tallywatt.adapters.machine import MachineClock
from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.views.commissioning import billable, commissioning
from tallywatt.adapters.storage.views.offline import offline_of
from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.errors import Conflict
from tallywatt.stations.messages import NEW, OLD
from tallywatt.stations.offline import Starts
from tallywatt.workflows.check_station import (
    CHECK_STATION,
    AllowSetting,
    AskCheck,
    CheckStation,
    allow_setting,
    ask_check,
    check_station,
    judge_station,
    plan_checks,
)
from tallywatt.workflows.set_offline import SetOffline, set_offline
from tests.adapters.ocpp.scene import OPERATOR
from tests.adapters.ocpp.test_messages import carried

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
ENERGY = "Energy.Active.Import.Register"


class Station16(ocpp.v16.ChargePoint):
    """A station of OCPP 1.6 with a configuration."""

    values: dict[str, str]
    fixed: frozenset[str] = frozenset()

    @on("GetConfiguration")
    async def tell(self, **asked: Any) -> Any:
        """Only what was asked for; what it does not know it says."""
        keys = asked.get("key") or list(self.values)
        known = [
            {"key": key, "readonly": key in self.fixed, "value": self.values[key]} for key in keys if key in self.values
        ]
        unknown = [key for key in keys if key not in self.values]
        return ocpp.v16.call_result.GetConfiguration(configuration_key=known, unknown_key=unknown)

    @on("ChangeConfiguration")
    async def change(self, key: str, value: str) -> Any:
        """Taken, unless it is fixed."""
        if key in self.fixed or key not in self.values:
            return ocpp.v16.call_result.ChangeConfiguration(status="Rejected")
        self.values[key] = value
        return ocpp.v16.call_result.ChangeConfiguration(status="Accepted")


class Station201(ocpp.v201.ChargePoint):
    """A station of OCPP 2.0.1 with variables."""

    values: dict[str, str]

    @on("GetVariables")
    async def tell(self, get_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        """Each place apart."""
        return ocpp.v201.call_result.GetVariables([self._one(one) for one in get_variable_data])

    def _one(self, one: dict[str, Any]) -> dict[str, Any]:
        value = self.values.get(f"{one['component']['name']}.{one['variable']['name']}")
        told = {"component": one["component"], "variable": one["variable"]}
        if value is None:
            return {**told, "attribute_status": "UnknownVariable"}
        return {**told, "attribute_status": "Accepted", "attribute_value": value}

    @on("SetVariables")
    async def change(self, set_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        """Taken."""
        results = []
        for one in set_variable_data:
            self.values[f"{one['component']['name']}.{one['variable']['name']}"] = one["attribute_value"]
            results.append({"component": one["component"], "variable": one["variable"], "attribute_status": "Accepted"})
        return ocpp.v201.call_result.SetVariables(results)


GOOD_16 = {
    "MeterValueSampleInterval": "60",
    "MeterValuesSampledData": ENERGY,
    "StopTransactionOnInvalidId": "true",
    "TransactionMessageAttempts": "5",
    "TransactionMessageRetryInterval": "30",
}
GOOD_201 = {
    "SampledDataCtrlr.TxUpdatedInterval": "60",
    "SampledDataCtrlr.TxUpdatedMeasurands": ENERGY,
    "SampledDataCtrlr.TxStartedMeasurands": ENERGY,
    "SampledDataCtrlr.TxEndedMeasurands": ENERGY,
    "TxCtrlr.TxStartPoint": "Authorized,EVConnected",
    "TxCtrlr.TxStopPoint": "EVConnected",
    "TxCtrlr.StopTxOnInvalidId": "true",
    "OCPPCommCtrlr.MessageAttempts": "5",
    "OCPPCommCtrlr.MessageAttemptInterval": "30",
}


@asynccontextmanager
async def station(scene: Scene, protocol: str, values: dict[str, str]) -> AsyncIterator[tuple[Point, Any]]:
    """A station that has booted."""
    kind = Station16 if protocol == OLD else Station201
    async with scene.newcomer(protocol).online() as point:
        await point.boot()
        one = kind(point.identity, point.socket)
        one.values = values
        task = asyncio.create_task(one.start())
        yield point, one
        task.cancel()


async def asked(point: Point) -> None:
    """What the worker does: asks, carries what is open, judges, until nothing is open."""
    point.scene.do(check_station, CheckStation(point.id))
    await worked(point)


async def worked(point: Point) -> None:
    """Carry what is open, and judge."""
    while True:
        waiting = [one for one in point.look("station_commands", station_id=point.station_id) if one.is_open]
        for one in waiting:
            await carried(point, one)
        point.scene.do(judge_station, CheckStation(point.id))
        if not waiting:
            return


def told(point: Point) -> dict[str, Any]:
    """Is this station billable?"""
    connection = connect(point.scene.store.url, read_only=True)
    try:
        row = billable(connection, OPERATOR, point.identity)
        assert row is not None
        [same] = [one for one in commissioning(connection, OPERATOR)["items"] if one["station"] == point.identity]
        assert same == row
        return row
    finally:
        connection.close()


def off(point: Point) -> list[str]:
    """What is not as it should be."""
    return [one["code"] for one in told(point)["items"] if one["is_off"]]


@pytest.mark.parametrize(("protocol", "values"), [(OLD, GOOD_16), (NEW, GOOD_201)])
async def test_a_boot_is_answered_first_and_its_station_is_asked_later(
    scene: Scene, protocol: str, values: dict[str, str]
) -> None:
    """What is queued at the station comes first: the question is a job of half a minute later."""
    async with station(scene, protocol, {**values}) as (point, _):
        jobs = [one for one in point.look("stored_jobs", kind=CHECK_STATION) if one.subject_id == point.station_id]
        assert [one.state for one in jobs] == ["ready"]
        assert point.look("station_commands", station_id=point.station_id) == []
        assert told(point)["billable"] is None


async def test_a_station_of_1_6_that_is_configured_well_is_billable(scene: Scene) -> None:
    """Keys that it does not know are those that it need not know."""
    async with station(scene, OLD, {**GOOD_16}) as (point, _):
        await asked(point)
        assert (told(point)["billable"], off(point)) == (True, [])


async def test_a_station_of_2_0_1_tells_its_clock_too(scene: Scene) -> None:
    """All its variables in parts; a clock that was never set stands in the way."""
    async with station(scene, NEW, {**GOOD_201, "ClockCtrlr.DateTime": "1970-01-01T00:00:00Z"}) as (point, one):
        await asked(point)
        assert (told(point)["billable"], off(point)) == (False, ["clock"])
        one.values["ClockCtrlr.DateTime"] = now()
        await asked(point)
        assert (told(point)["billable"], off(point)) == (True, [])


def now() -> str:
    """What a good clock says."""
    return rfc3339(MachineClock().now())


async def test_what_is_missing_is_told_with_its_reason_and_nothing_is_written_unasked(scene: Scene) -> None:
    """The operator has not allowed it: the station keeps its values."""
    async with station(scene, OLD, {**GOOD_16, "MeterValueSampleInterval": "0"}) as (point, one):
        await asked(point)
        [item] = [each for each in told(point)["items"] if each["is_off"]]
        assert (item["place"], item["value"], item["better"]) == ("MeterValueSampleInterval", "0", "60")
        assert item["why"].startswith("Without values while it runs")
        assert one.values["MeterValueSampleInterval"] == "0"


@pytest.mark.parametrize("protocol", [OLD, NEW])
async def test_where_it_is_allowed_values_are_set_right(scene: Scene, protocol: str) -> None:
    """Written once, seen as right, and recorded with what was there before."""
    good = GOOD_16 if protocol == OLD else {**GOOD_201, "ClockCtrlr.DateTime": now()}
    key = "MeterValuesSampledData" if protocol == OLD else "SampledDataCtrlr.TxUpdatedMeasurands"
    async with station(scene, protocol, {**good, key: "Voltage"}) as (point, one):
        point.scene.do(allow_setting, AllowSetting(point.id, sets_values=True))
        await asked(point)
        assert one.values[key] == f"Voltage,{ENERGY}"
        assert (told(point)["billable"], off(point)) == (True, [])
        [action] = [each for each in point.look("actions", subject_id=point.station_id) if each.action == "station.set"]
        assert list(action.before.values()) == ["Voltage"]


async def test_a_value_that_is_refused_is_written_once_and_not_for_ever(scene: Scene) -> None:
    """A station that says no, or yes without doing it, is left to a person."""
    async with station(scene, OLD, {**GOOD_16, "TransactionMessageAttempts": "1"}) as (point, one):
        point.scene.do(allow_setting, AllowSetting(point.id, sets_values=True))
        one.route_map["ChangeConfiguration"]["_on_action"] = refuse
        await asked(point)
        changes = [
            each
            for each in point.look("station_commands", station_id=point.station_id)
            if each.name == "ChangeConfiguration"
        ]
        assert [each.state.value for each in changes] == ["rejected"]
        assert off(point) == ["attempts"]


async def refuse(**_: Any) -> Any:
    """No."""
    return ocpp.v16.call_result.ChangeConfiguration(status="Rejected")


async def test_what_has_drifted_since_it_was_right_is_listed(scene: Scene) -> None:
    """Somebody has changed it at the station: a person hears of it, once."""
    async with station(scene, OLD, {**GOOD_16}) as (point, one):
        await asked(point)
        one.values["StopTransactionOnInvalidId"] = "false"
        for _ in range(2):
            await asked(point)
        [item] = point.look("inbox", station_id=point.station_id, kind="configuration_drifted")
        assert item.detail is not None
        assert item.detail["place"] == "StopTransactionOnInvalidId"


def told_of(point: Point) -> list[str]:
    """What was told of its being billable, in order."""
    connection = connect(point.scene.store.url, read_only=True)
    try:
        asked = "SELECT type FROM events WHERE aggregate_id = ? AND type LIKE '%Billable' ORDER BY version"
        return [str(row[0]) for row in connection.execute(asked, (point.station_id,))]
    finally:
        connection.close()


async def test_a_station_that_stops_being_billable_comes_before_a_person_until_it_is_again(scene: Scene) -> None:
    """Told once, in the inbox and as an event; what is right again leaves the inbox by itself."""
    async with station(scene, OLD, {**GOOD_16}) as (point, one):
        await asked(point)
        for value in ("false", "false", "true", "false"):
            one.values["StopTransactionOnInvalidId"] = value
            await asked(point)
        items = point.look("inbox", station_id=point.station_id, kind="station_not_billable")
        assert sorted(item.state.value for item in items) == ["open", "resolved"]
        assert items[0].detail == {"missing": "invalid_id"}
        assert told_of(point) == ["StationBillable", "StationNotBillable", "StationBillable", "StationNotBillable"]


async def test_what_is_set_right_at_once_troubles_nobody(scene: Scene) -> None:
    """Between the drift and the answer to what was written it is not settled whether the station is billable."""
    async with station(scene, OLD, {**GOOD_16}) as (point, one):
        point.scene.do(allow_setting, AllowSetting(point.id, sets_values=True))
        await asked(point)
        one.values["StopTransactionOnInvalidId"] = "false"
        await asked(point)
        assert told(point)["billable"] is True
        assert point.look("inbox", station_id=point.station_id, kind="station_not_billable") == []
        one.values["StopTransactionOnInvalidId"] = "false"
        one.route_map["ChangeConfiguration"]["_on_action"] = refuse
        await asked(point)
        [item] = point.look("inbox", station_id=point.station_id, kind="station_not_billable")
        assert item.state.value == "open"


async def test_every_station_is_asked_once_in_its_night(scene: Scene) -> None:
    """Planned when it was asked first; its moment comes, and the next one is planned; a round in between asks nobody."""
    async with station(scene, OLD, {**GOOD_16}) as (point, _):
        await asked(point)
        while plan_all(scene):
            pass
        [check] = point.look("station_checks", station_id=point.station_id)
        assert check.next_at is not None
        assert 0 < check.next_at - check.asked_at <= 2 * 86_400_000
        for expected in (1, 0):
            if expected:
                scene.do(lambda work, _: work.station_checks.put(replace(check, next_at=Instant(1))), None)
            assert scene.do(plan_checks, None) == expected
        [after] = point.look("station_checks", station_id=point.station_id)
        assert after.next_at >= check.next_at


def plan_all(scene: Scene) -> bool:
    """A round; whether it left a station that was asked before without a moment."""
    scene.do(plan_checks, None)
    checks = scene.do(lambda work, _: work.station_checks.by(), None)
    return any(one.next_at is None for one in checks)


async def test_a_station_that_cannot_be_asked_stays_unknown(scene: Scene) -> None:
    """It answers with an error: what it does not tell is not held against it."""
    async with station(scene, OLD, {}) as (point, one):
        one.route_map.pop("GetConfiguration")
        await asked(point)
        assert told(point)["billable"] is None


async def test_a_station_that_never_told_its_version_cannot_be_asked(scene: Scene) -> None:
    """With what to do instead."""
    point = scene.newcomer(OLD)
    with pytest.raises(Conflict) as refused:
        scene.do(ask_check, AskCheck(point.id))
    assert refused.value.code == "stations.cannot_be_checked"


def in_words(point: Point) -> list[str]:
    """What a station's rule means, as people read it."""
    return list(offline_told(point)["words"])


def offline_told(point: Point) -> dict[str, Any]:
    """What a station may do offline, as it is read."""
    connection = connect(point.scene.store.url, read_only=True)
    try:
        row = offline_of(connection, OPERATOR, point.identity, 1)
        assert row is not None
        return row
    finally:
        connection.close()


async def test_what_a_station_may_do_offline_is_set_like_all_the_rest(scene: Scene) -> None:
    """An operator decides how much money is at risk, and hears it in words; the check writes it."""
    async with station(scene, OLD, {**GOOD_16, "LocalAuthorizeOffline": "true"}) as (point, one):
        scene.do(allow_setting, AllowSetting(point.id, sets_values=True))
        answer = scene.do(set_offline, SetOffline(point.id, Starts.NOBODY, 0))
        assert answer.is_set
        assert in_words(point) == [
            "Offline nobody can start: no money is at risk, and every driver is turned away.",
            "When the station is back and a card turns out to be refused, nothing more flows.",
        ]
        await asked(point)
        assert one.values["LocalAuthorizeOffline"] == "false"
        scene.do(set_offline, SetOffline(point.id, Starts.ANYBODY, 5000))
        assert in_words(point)[1:] == [
            "What somebody who never pays takes until the station is back is lost: up to 11.00 EUR an hour at one EVSE.",
            "When the station is back and a card turns out to be refused, 5000 Wh may still flow: up to 2.50 EUR each time.",
        ]
        one.values |= {"AllowOfflineTxForUnknownId": "false", "MaxEnergyOnInvalidId": "0"}
        await asked(point)
        assert one.values["LocalAuthorizeOffline"] == one.values["AllowOfflineTxForUnknownId"] == "true"
        assert one.values["MaxEnergyOnInvalidId"] == "5000"
        assert told(point)["billable"] is True, "what is risked knowingly stands in no way"


async def test_what_is_said_of_a_site_holds_for_its_stations_until_something_is_said_of_one(scene: Scene) -> None:
    """A depot may trust every card, and the one station at its gate nobody."""
    point = scene.newcomer(OLD)
    site = point.look("stations", identity=point.identity)[0].location_id
    assert offline_told(point)["said_of"] == "nobody"
    try:
        scene.do(set_offline, SetOffline(None, Starts.KNOWN, 100))
        assert (offline_told(point)["said_of"], offline_told(point)["refused_wh"]) == ("operator", 100)
        scene.do(set_offline, SetOffline(None, Starts.ANYBODY, location_id=site))
        assert (offline_told(point)["said_of"], offline_told(point)["starts"]) == ("location", "anybody")
        scene.do(set_offline, SetOffline(point.id, Starts.NOBODY))
        assert (offline_told(point)["said_of"], offline_told(point)["starts"]) == ("station", "nobody")
    finally:
        # Rules stay, and the other tests of this house know of none.
        scene.do(set_offline, SetOffline(None, Starts.KNOWN, 0))
        scene.do(set_offline, SetOffline(None, Starts.KNOWN, 0, site))


async def test_a_drift_that_ends_all_billing_is_one_thing_before_a_person(scene: Scene) -> None:
    """The reason and what follows from it need one click, not two."""
    async with station(scene, OLD, {**GOOD_16}) as (point, one):
        await asked(point)
        one.values["StopTransactionOnInvalidId"] = "false"
        await asked(point)
        assert sorted(point.inbox()) == ["station_not_billable"]
        [drift] = point.look("inbox", station_id=point.station_id, kind="configuration_drifted")
        assert drift.state.value == "resolved"
