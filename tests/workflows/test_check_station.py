"""What the janitor plans and forgets about stations, on both engines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tallywatt.adapters.storage.old_commands import forget_commands
from tallywatt.adapters.storage.old_notices import forget_notices
from tallywatt.adapters.storage.old_rows import DAY_MS
from tallywatt.kernel.clock import Instant
from tallywatt.metering.facts import Noticed
from tallywatt.stations.command import Action
from tallywatt.stations.notices import notices_of
from tallywatt.workflows.boot_station import boot_station
from tallywatt.workflows.check_station import CheckStation, check_station, plan_checks
from tallywatt.workflows.command_station import CommandStation, WatchCommand, command_station, watch_command
from tallywatt.workflows.hear_notice import hear_notice
from tallywatt.workflows.jobs import JobState
from tallywatt.workflows.keep_tariff import VERIFY_TARIFFS

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf


def test_a_station_is_asked_once_in_each_night(house: HouseOf) -> None:
    """Three days of rounds every hour: a question a night, and none in between."""
    wire = house.wire()
    house.do(boot_station, wire.booted())
    house.do(check_station, CheckStation(wire.station_id))
    assert house.do(plan_checks, None) == 0
    asked = []
    for _ in range(72):
        house.later(60)
        asked.append(house.do(plan_checks, None))
    assert sum(asked) == 3
    first = asked.index(1)
    assert [hour for hour, one in enumerate(asked) if one] == [first, first + 24, first + 48]


def test_a_station_of_2_1_is_asked_for_its_tariffs_too(quick_house: HouseOf) -> None:
    """It may have lost them since it booted; one that speaks an older version has none."""
    for identity, protocol, asked in (("CP1", "ocpp2.1", [JobState.READY]), ("CP2", "ocpp2.0.1", [])):
        if identity != "CP1":
            quick_house.station(identity)
        wire = quick_house.wire(identity, protocol)
        quick_house.do(boot_station, wire.booted())
        quick_house.do(check_station, CheckStation(wire.station_id))
        planned = quick_house.rows.stored_jobs.by(kind=VERIFY_TARIFFS, subject_id=wire.station_id)
        for job in planned:
            quick_house.do(lambda work, row: work.stored_jobs.put(row), replace(job, state=JobState.DONE))
        quick_house.do(plan_checks, None)
        for _ in range(24):
            quick_house.later(60)
            quick_house.do(plan_checks, None)
        later = quick_house.rows.stored_jobs.by(kind=VERIFY_TARIFFS, subject_id=wire.station_id)
        assert [job.state for job in later] == asked


def test_what_is_old_goes_and_what_is_new_stays(house: HouseOf) -> None:
    """Notices after their days; what the house tells displays and asks by itself, once it has ended, and nothing else."""
    wire = house.wire("CP1", "ocpp2.0.1")
    house.do(boot_station, wire.booted())
    told = tuple(notices_of("DataTransfer", {"vendorId": "V", "data": "x"}))
    house.do(hear_notice, Noticed(wire.heard("DataTransfer", {}), told))
    cost = {"name": "CostUpdated", "content": {"totalCost": 1, "transactionId": "t"}}
    shown = house.do(command_station, CommandStation(wire.station_id, Action.MESSAGE, cost), actor="worker")
    other = {"name": "ClearCache", "content": {}}
    kept = house.do(command_station, CommandStation(wire.station_id, Action.MESSAGE, other))
    asking = {
        "name": "GetVariables",
        "content": {"getVariableData": [{"component": {"name": "C"}, "variable": {"name": "V"}}]},
    }
    asked = CommandStation(wire.station_id, Action.MESSAGE, asking)
    by_itself = house.do(command_station, asked, actor="worker")
    by_hand = house.do(command_station, replace(asked, part=1), actor="cli:root")
    house.later(60)
    for one in (shown, kept, by_itself, by_hand):
        house.do(watch_command, WatchCommand(one.command_id))

    def forgotten(work: Any, days: int) -> tuple[int, int]:
        work.machine_now = Instant(work.machine_now + days * DAY_MS)
        return forget_notices(work, 30), forget_commands(work, 30)

    assert house.do(forgotten, 1) == (0, 0)
    assert house.do(forgotten, 40) == (1, 2)
    left = {one.command_id for one in house.rows.station_commands.by(station_id=wire.station_id)}
    assert left == {kept.command_id, by_hand.command_id}
