"""Stations of a scene that were told to keep to a limit of power, or to show a text, and what they said to it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.identity import StationId
from tallywatt.metering.facts import Heard, Reported
from tallywatt.stations import charging
from tallywatt.stations import messages_shown as texts
from tallywatt.stations.command import Action
from tallywatt.stations.messages import NEW, OLD
from tallywatt.workflows.close_gap import hear_answer
from tallywatt.workflows.command_station import CommandAnswered, CommandStation, NoteSent, note_sent
from tallywatt.workflows.hear_report import hear_report
from tallywatt.workflows.order_station import order_station
from tallywatt.workflows.ports import LinkAnswer

if TYPE_CHECKING:
    from tallywatt.stations.command import StationCommand

YES = LinkAnswer("accepted", "Accepted")


def speaks(scene: Any, identity: str, protocol: str) -> StationId:
    """The station, as if it had connected once in that version."""
    station_id = StationId(scene.station(identity)["id"])
    scene.do(lambda work, key: work.stations.put(replace(work.stations.lock(key), protocol=protocol)), station_id)
    return station_id


def told(
    scene: Any, station: StationId, message: tuple[str, dict[str, Any]], answer: LinkAnswer = YES
) -> StationCommand:
    """Asked, sent and answered."""
    name, content = message
    asked = CommandStation(station, Action.MESSAGE, {"name": name, "content": content})
    row: StationCommand = scene.do(order_station, asked)
    scene.do(note_sent, NoteSent(row.command_id, is_sent=True))
    scene.do(hear_answer, CommandAnswered(row.command_id, answer))
    return row


def reported(scene: Any, station: StationId, asked: StationCommand, name: str, content: dict[str, Any]) -> None:
    """The only part of a report."""
    heard = Heard(station, NEW, name, f"r{asked.request_number}", b"{}", scene.house.machine.now())
    told_ = {"requestId": asked.request_number, **content}
    scene.do(hear_report, Reported(heard, name, asked.request_number, 0, is_last=True, status=None, content=told_))


def limited(scene: Any, identity: str) -> str:
    """A station of OCPP 1.6 with two limits, one refused, and what it says that they come to; its page."""
    station, now = speaks(scene, identity, OLD), scene.house.machine.now()
    for place, amount in ((None, "43.5"), (1, "11")):
        wanted = charging.Limit(place, Decimal(amount), charging.Unit.KW, now, None if place is None else 120)
        told(scene, station, charging.limiting(OLD, wanted))
    wanted = charging.Limit(2, Decimal(16), charging.Unit.A, now, None)
    told(scene, station, charging.limiting(OLD, wanted), LinkAnswer("rejected", "NotSupported"))
    periods = [{"startPeriod": 0, "limit": 11000.0}, {"startPeriod": 7200, "limit": 43500.0}]
    schedule = {"chargingRateUnit": "W", "duration": 86400, "chargingSchedulePeriod": periods}
    answer = {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2026-11-20T10:00:00Z",
        "chargingSchedule": schedule,
    }
    told(
        scene,
        station,
        charging.asking_schedule(OLD, 1, 1440, charging.Unit.KW),
        LinkAnswer("accepted", "Accepted", answer),
    )
    return f"/console/stations/{identity}/power"


def displayed(scene: Any, identity: str) -> str:
    """A station of OCPP 2.0.1 with a text of ours and one of its own; its page."""
    station, now = speaks(scene, identity, NEW), scene.house.machine.now()
    asked = told(scene, station, texts.asking())
    own = {"id": 1, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "Welcome"}}
    reported(scene, station, asked, "NotifyDisplayMessages", {"messageInfo": [own]})
    wanted = texts.Text(7, "Bay 2 is closed on Monday for works.", "InFront", "Idle", "en", now, None)
    told(scene, station, texts.showing(NEW, wanted))
    return f"/console/stations/{identity}/display"
