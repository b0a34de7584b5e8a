"""Sessions of which nothing was heard for long: their stations are asked, and those that nobody answers for are presumed ended.

A station that lost its memory never stops what it has begun; one of OCPP 2.x that was offline at the end may never tell it.
Silence alone ends nothing: the station is asked first, and whoever answers lives. What is presumed is held,
and a stop that comes after all is taken as the good stop that it is (`lose_stop.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant
from tallywatt.stations.command import Action, StationCommand
from tallywatt.stations.messages import OLD
from tallywatt.stations.station import StationState
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.lose_stop import presume_lost

if TYPE_CHECKING:
    from tallywatt.metering.session import Session
    from tallywatt.stations.station import Station
    from tallywatt.workflows.ports import UnitOfWork

ANSWER_SECONDS: Final = 600
"""Within this a station that lives has been connected and has answered."""
MOST: Final = 50
"""Of one operator in one round."""
SILENCE: Final = "silence"


@dataclass(frozen=True, slots=True)
class SweepQuiet:
    """Look at sessions of which nothing was heard for so long."""

    quiet_seconds: int


def sweep_quiet(work: UnitOfWork, command: SweepQuiet) -> int:
    """Ask about quiet sessions, and presume the end of those for which nobody answered; how many were presumed ended."""
    since = Instant(work.machine_now - command.quiet_seconds * 1000)
    presumed = 0
    for number, quiet in enumerate(work.queries.quiet_sessions(since, MOST)):
        assert quiet.station_id is not None, "only sessions of stations are quiet"
        station = work.stations.get(quiet.station_id)
        asked = _last_question(work, quiet, since)
        if station.state is not StationState.ADOPTED or (asked is not None and _came_to_nothing(asked)):
            session = work.sessions.lock(quiet.session_id)
            if session.is_open:
                presume_lost(work, session, register_now=None, cause=SILENCE)
                presumed += 1
        elif asked is None:
            _ask(work, station, quiet, number)
    return presumed


def _last_question(work: UnitOfWork, session: Session, since: Instant) -> StationCommand | None:
    """The newest question about this session within the quiet time."""
    assert session.station_id is not None, "as above"
    asked = [one for one in work.queries.commands_since(session.station_id, since) if _is_about(one, session)]
    return asked[-1] if asked else None


def _is_about(command: StationCommand, session: Session) -> bool:
    if command.session_id != session.session_id:
        return False
    return command.action is Action.TRANSACTION_STATUS or command.name == "TriggerMessage"


def _came_to_nothing(command: StationCommand) -> bool:
    """Whoever answers lives, whatever the answer is."""
    return not command.is_open and command.answered_at is None


def _ask(work: UnitOfWork, station: Station, session: Session, part: int) -> None:
    """OCPP 2.x is asked for the transaction; 1.6 for the status of the connector, which may be free long since."""
    if station.protocol in {None, OLD}:
        evse = work.evses.find(session.evse_id) if session.evse_id else None
        which = {} if evse is None else {"connectorId": evse.number}
        action = Action.MESSAGE
        told: dict[str, Any] = {
            "name": "TriggerMessage",
            "content": {"requestedMessage": "StatusNotification", **which},
        }
    else:
        action, told = Action.TRANSACTION_STATUS, {"transaction_id": session.transaction_id}
    command_station(
        work,
        CommandStation(
            station.station_id,
            action,
            told,
            session_id=session.session_id,
            deadline_seconds=ANSWER_SECONDS,
            part=part,
        ),
    )
