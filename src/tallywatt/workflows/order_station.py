"""A person or a key orders a station about: the command, and the record of who gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput
from tallywatt.stations.command import Action
from tallywatt.stations.reservation import CANCEL, RESERVE
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.stations.command import StationCommand
    from tallywatt.workflows.ports import UnitOfWork


def _noted(row: StationCommand) -> dict[str, str]:
    return {"command": row.command_id} | ({"message": row.name} if row.name is not None else {})


def _refuse_reservations(work: UnitOfWork, command: CommandStation) -> None:
    """A reservation that was asked for by a bare message would be followed, used and priced by nobody."""
    name, content = command.payload.get("name"), command.payload.get("content")
    if name == RESERVE:
        msg = f"{RESERVE} is not sent by its name: a reservation is followed, used and priced"
        raise BadInput(msg, code="stations.use_reservation", remedy="use: tallywatt reservation create")
    if name != CANCEL or not isinstance(content, dict):
        return
    number = content.get("reservationId")
    if isinstance(number, bool) or not isinstance(number, int):
        return
    held = work.reservations.one_by(station_id=command.station_id, number=number)
    if held is not None and held.is_open:
        msg = f"{number} is a reservation of this house"
        raise BadInput(msg, code="stations.use_reservation", remedy="use: tallywatt reservation cancel")


def order_station(work: UnitOfWork, command: CommandStation) -> StationCommand:
    """Write down the command, the job that sends it, and who asked for it."""
    if command.action is Action.MESSAGE:
        _refuse_reservations(work, command)
    row = command_station(work, command)
    record_action(work, f"station.{row.action.value}", "station", row.station_id, after=_noted(row))
    return row
