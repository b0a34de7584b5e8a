"""OCPP 2.x numbers the events of a transaction: what was skipped may still come, and its bill waits for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant
from tallywatt.metering.measure import Flag
from tallywatt.metering.sequence import Sequence, read_gaps, written_gaps
from tallywatt.stations.command import Action
from tallywatt.stations.station import StationState
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.fulfil_command import open_commands
from tallywatt.workflows.jobs import Job

if TYPE_CHECKING:
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork


def counted(session: Session, number: int | None, *, is_first: bool = False) -> Session:
    """The session with one more event heard of."""
    if number is None:
        return session
    before = Sequence(session.sequence_number, read_gaps(session.missing_events))
    after = before.heard(number, is_first=is_first)
    if after == before:
        return session
    return replace(session, sequence_number=after.highest, missing_events=written_gaps(after.gaps))


def waits_for_events(work: UnitOfWork, session: Session) -> bool:
    """Whether an ended transaction still misses events; then its station is asked for them, and given the time of grace."""
    if session.missing_events is None or session.station_id is None:
        return False
    if Flag.SEQUENCE_GAP in session.flags or Flag.START_MISSING in session.flags:
        return False  # given up already; or held anyhow, until its start comes
    grace = work.operators.get().lost_stop_after_seconds * 1000
    work.jobs.add(Job("close_gap", session.session_id, not_before=Instant(work.machine_now + grace)))
    ask_for_status(work, session)
    return True


def ask_for_status(work: UnitOfWork, session: Session) -> None:
    """Ask the station whether the transaction goes on and whether messages of it wait: once at a time."""
    assert session.station_id is not None, "only called for sessions of stations"
    if work.stations.get(session.station_id).state is not StationState.ADOPTED:
        return
    asked = open_commands(work, session.station_id, Action.TRANSACTION_STATUS)
    if not any(one.session_id == session.session_id for one in asked):
        told = {"transaction_id": session.transaction_id}
        command = CommandStation(session.station_id, Action.TRANSACTION_STATUS, told, session_id=session.session_id)
        command_station(work, command)
