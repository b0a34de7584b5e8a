"""What a command asked for has happened: its transaction began, or ended, and the command has come to its end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.customers.customer import fold
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.events import Event
from tallywatt.stations.command import Action, CommandState
from tallywatt.workflows.keep_limit import begin_limit

if TYPE_CHECKING:
    from tallywatt.metering.facts import Sampled, Started
    from tallywatt.metering.session import Session
    from tallywatt.stations.command import StationCommand
    from tallywatt.workflows.ports import UnitOfWork

LOOK_BACK_MILLISECONDS = 24 * 3600 * 1000
"""No command is open for longer: a look at those of a day is enough."""


def remote_start(work: UnitOfWork, fact: Started | Sampled) -> StationCommand | None:
    """The command that asked for this start: by its number where the station names it (OCPP 2.x), else by token and EVSE."""
    if fact.remote_start_id is not None:
        return work.station_commands.one_by(station_id=fact.heard.station_id, remote_start_id=fact.remote_start_id)
    token = fold(fact.token_uid) if fact.token_uid else None
    return next(
        (
            one
            for one in open_commands(work, fact.heard.station_id, Action.START)
            if tag_of(one) == token and one.payload.get("evse_number") in {None, fact.evse_number}
        ),
        None,
    )


def tag_of(command: StationCommand | None) -> str | None:
    """The token with which a start was asked for, folded."""
    tag = command.payload.get("tag") if command else None
    return fold(tag) if isinstance(tag, str) else None


def fulfil_stop(work: UnitOfWork, session: Session) -> None:
    """The transaction has ended: whoever asked for that, by whichever door, is told so."""
    if session.station_id is None:
        return
    for one in open_commands(work, session.station_id, Action.STOP):
        if one.session_id == session.session_id:
            fulfil(work, one, session)


def fulfil(work: UnitOfWork, command: StationCommand, session: Session) -> None:
    """Bring a command to its good end, unless it had one already."""
    held = work.station_commands.lock(command.command_id)
    if not held.is_open:
        return
    work.station_commands.put(
        replace(held, state=CommandState.COMPLETED, session_id=session.session_id, ended_at=work.machine_now)
    )
    told = {"session_id": session.session_id, "station_id": held.station_id}
    work.events.append(Event("command", held.command_id, "CommandCompleted", told))
    if held.action is Action.START:
        begin_limit(work, session, held.payload.get("limit"))


def open_commands(work: UnitOfWork, station_id: str, action: Action) -> list[StationCommand]:
    """What a station was asked for and has not come to its end, oldest first."""
    since = Instant(work.machine_now - LOOK_BACK_MILLISECONDS)
    return [one for one in work.queries.open_commands(station_id, since) if one.action is action]
