"""What stations say on the side is kept over a real socket, and answered as before; alarms come before a person."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.old_commands import forget_commands
from tallywatt.adapters.storage.old_notices import forget_notices
from tallywatt.adapters.storage.old_rows import DAY_MS
from tallywatt.adapters.storage.unit import SqlQueries
from tallywatt.adapters.storage.views.lists import page
from tallywatt.kernel.clock import Instant
from tallywatt.stations.command import Action
from tallywatt.stations.messages import NEW, NEWEST, OLD
from tallywatt.workflows.command_station import CommandStation, WatchCommand, command_station, watch_command
from tests.adapters.ocpp.scene import OPERATOR

if TYPE_CHECKING:
    from tallywatt.stations.command import StationCommand
    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")


def event(**told: Any) -> dict[str, Any]:
    """NotifyEvent with one event."""
    one = {
        "eventId": 1, "timestamp": "2026-11-20T08:00:00Z", "trigger": "Alerting", "actualValue": "true",
        "eventNotificationType": "HardWiredMonitor", "component": {"name": "ConnectorPlugRetentionLock"},
        "variable": {"name": "Problem"},
    }  # fmt: skip
    return {"generatedAt": "2026-11-20T08:00:00Z", "seqNo": 0, "eventData": [{**one, **told}]}


def listed(point: Point) -> list[Any]:
    """What the API and the pages show of a station."""
    connection = connect(point.scene.store.url, read_only=True)
    try:
        rows: list[Any] = page(connection, "notices", OPERATOR, 50, None, station=point.identity)["items"]
        return rows
    finally:
        connection.close()


@pytest.mark.parametrize("protocol", [OLD, NEW, NEWEST])
async def test_a_data_transfer_of_a_station_is_kept_and_its_vendor_unknown(scene: Scene, protocol: str) -> None:
    """The answer says that nobody here understands it; what it said can be read all the same."""
    async with scene.newcomer(protocol).online() as point:
        for _ in range(2):
            answer = await point.say("DataTransfer", {"vendorId": "com.maker", "messageId": "Fan", "data": "on"})
            assert answer == {"status": "UnknownVendorId"}
        rows = listed(point)
        assert {(one["message"], one["subject"], one["value"]) for one in rows} == {
            ("DataTransfer", "com.maker Fan", "on")
        }
        assert rows[0]["station"] == point.identity


@pytest.mark.parametrize("protocol", [NEW, NEWEST])
async def test_an_alarm_waits_for_a_person_until_the_station_says_it_is_over(scene: Scene, protocol: str) -> None:
    """Raised once, however often it is told; over, it leaves the inbox by itself; raised again, it is there again."""
    async with scene.newcomer(protocol).online() as point:
        for number, cleared in enumerate((False, False, True, False)):
            told = event(eventId=number, cleared=cleared, timestamp=f"2026-11-20T08:0{number}:00Z")
            for _ in range(2):
                assert await point.say("NotifyEvent", told) == {}
        assert len(listed(point)) == 4
        items = point.look("inbox", station_id=point.station_id, kind="station_alarm")
        assert sorted(one.state.value for one in items) == ["open", "resolved"]


async def test_what_is_no_alarm_is_only_listed(scene: Scene) -> None:
    """A warning of 2.1, and a value that has changed."""
    async with scene.newcomer(NEWEST).online() as point:
        await point.say("NotifyEvent", event(severity=6))
        await point.say("NotifyEvent", event(eventId=2, trigger="Delta"))
        await point.say("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "EMS"}, "evseId": 1})
        # What came in one millisecond stands in no particular order.
        assert {one["subject"] for one in listed(point)} == {"ConnectorPlugRetentionLock.Problem", "EMS"}
        assert len(listed(point)) == 3
        assert point.look("inbox", station_id=point.station_id) == []


async def test_what_breaks_its_schema_is_refused_as_before(scene: Scene) -> None:
    """It is neither money nor energy."""
    async with scene.newcomer(NEW).online() as point:
        assert (await point.call("NotifyEvent", {"eventData": []}))[0] == 4
        assert listed(point) == []


async def test_notices_end_after_their_days(scene: Scene) -> None:
    """Some at a time, of all operators; the newer ones stay."""
    async with scene.newcomer(OLD).online() as point:
        await point.say("DataTransfer", {"vendorId": "old"})
        scene.store.run_now("", forget_notices, 1, actor="test")
        assert len(listed(point)) == 1
        scene.store.run_now("", lambda work, _: forget_notices(work, -1), None, actor="test")
        assert listed(point) == []


async def test_prices_that_displays_were_told_are_thinned_out(scene: Scene) -> None:
    """What nobody waits for any more goes; what a person sent, what is open, and every other command stay."""
    point = scene.newcomer(NEW)
    async with point.online():
        await point.boot()

        def told(name: str, content: dict[str, Any]) -> str:
            wanted = CommandStation(
                point.id, Action.MESSAGE, {"name": name, "content": content}, deadline_seconds=1
            )  # fmt: skip
            return str(scene.store.write_now(OPERATOR, command_station, wanted, actor="worker").command_id)

        cost = {"totalCost": 1, "transactionId": "t"}
        shown, cleared = told("CostUpdated", cost), told("ClearCache", {})
        before = {one.command_id for one in point.look("station_commands", station_id=point.station_id)}
        assert before == {shown, cleared}

        def later(work: Any, _: object) -> int:
            work.machine_now = Instant(work.machine_now + 10 * DAY_MS)
            return forget_commands(work, 1)

        scene.store.run_now("", later, None, actor="test")
        assert {one.command_id for one in point.look("station_commands", station_id=point.station_id)} == before

        def ended(work: Any, _: object) -> None:
            work.machine_now = Instant(work.machine_now + 2000)
            for one in (shown, cleared):
                watch_command(work, WatchCommand(one))  # type: ignore[arg-type]  # ids are texts

        scene.do(ended, None)
        assert scene.store.run_now("", forget_commands, 30, actor="test") == 0
        scene.store.run_now("", later, None, actor="test")
        assert {one.command_id for one in point.look("station_commands", station_id=point.station_id)} == {cleared}


async def test_a_message_of_many_alarms_asks_once_how_bad_they_are(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is heard in the writer, for which everybody waits."""
    asked: list[int] = []
    whole = SqlQueries.monitor_commands

    def counted(queries: SqlQueries, station_id: str, since: Instant, most: int) -> list[StationCommand]:
        found = whole(queries, station_id, since, most)
        asked.append(len(found))
        return found

    monkeypatch.setattr(SqlQueries, "monitor_commands", counted)
    async with scene.newcomer(NEW).online() as point:
        await point.boot()
        for _ in range(5):
            wanted = CommandStation(point.id, Action.MESSAGE, {"name": "GetMonitoringReport", "content": {}})
            scene.do(command_station, wanted)
            scene.do(command_station, replace(wanted, payload={"name": "ClearCache", "content": {}}))
        many = [event(variableMonitoringId=one, eventId=one)["eventData"][0] for one in range(20)]
        await point.say("NotifyEvent", {**event(), "eventData": many})
        assert len(listed(point)) == 20
        assert asked == [3]


async def test_how_bad_an_alarm_of_2_0_1_is_its_monitor_tells(scene: Scene) -> None:
    """The event names its monitor alone; the station is asked once what its monitors are for; alerts are only listed."""
    async with scene.newcomer(NEW).online() as point:
        await point.boot()
        await point.say("NotifyEvent", event(variableMonitoringId=7))
        assert "station_alarm" in point.inbox(), "nobody knows yet how bad it is"
        [asked] = [one for one in point.commands() if one.name == "GetMonitoringReport"]
        monitors = [
            {
                "component": {"name": "Cooling"},
                "variable": {"name": "Temperature"},
                "variableMonitoring": [
                    {"id": number, "transaction": False, "value": 80, "type": "UpperThreshold", "severity": severity}
                ],
            }
            for number, severity in ((7, 3), (8, 6))
        ]
        told = {
            "requestId": asked.request_number,
            "seqNo": 0,
            "generatedAt": "2026-11-20T08:00:01Z",
            "monitor": monitors,
        }
        await point.say("NotifyMonitoringReport", told)
        for number in (7, 8):
            cooling = {"component": {"name": "Cooling", "instance": str(number)}, "variable": {"name": "Temperature"}}
            await point.say("NotifyEvent", event(variableMonitoringId=number, eventId=10 + number, **cooling))
        severities = {one["subject"]: one["severity"] for one in listed(point)}
        assert severities["Cooling.7.Temperature"] == 3
        assert severities["Cooling.8.Temperature"] == 6
        alarms = [one.summary for one in point.look("inbox", station_id=point.station_id, kind="station_alarm")]
        assert any("Cooling.7" in one for one in alarms)
        assert not any("Cooling.8" in one for one in alarms), "an alert is no alarm"
        assert len([one for one in point.commands() if one.name == "GetMonitoringReport"]) == 1
