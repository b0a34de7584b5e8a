"""A person or a key orders a station about: the command, and the record of who gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.stations.command import StationCommand
    from tallywatt.workflows.ports import UnitOfWork


def _noted(row: StationCommand) -> dict[str, str]:
    return {"command": row.command_id} | ({"message": row.name} if row.name is not None else {})


def order_station(work: UnitOfWork, command: CommandStation) -> StationCommand:
    """Write down the command, the job that sends it, and who asked for it."""
    row = command_station(work, command)
    record_action(work, f"station.{row.action.value}", "station", row.station_id, after=_noted(row))
    return row
