"""A connector reports its status. It may end an occupancy; it never ends a transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.events import Event
from tallywatt.metering.session import SessionState
from tallywatt.stations.messages import OLD
from tallywatt.stations.station import Connector, ConnectorState
from tallywatt.workflows.finish import finish_when_ready
from tallywatt.workflows.foresight import THE_OPERATOR, Foreseen, foresees
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.keep_reservation import hear_place_is_free
from tallywatt.workflows.listen import keep_frame, usable_time
from tallywatt.workflows.lose_stop import FREE

if TYPE_CHECKING:
    from tallywatt.metering.facts import StatusChanged
    from tallywatt.metering.session import Session
    from tallywatt.stations.station import Evse
    from tallywatt.workflows.ports import UnitOfWork

RESERVED: Final = "Reserved"


def _asked(fact: StatusChanged) -> list[Foreseen]:
    return [THE_OPERATOR, Foreseen("evses", (("station_id", fact.heard.station_id), ("number", fact.evse_number)))]


def _asked_then(work: UnitOfWork, fact: StatusChanged) -> list[Foreseen]:
    evse = work.evses.one_by(station_id=fact.heard.station_id, number=fact.evse_number)
    if evse is None:
        return []
    at, _ = usable_time(work, fact.at, fact.heard)
    connector = (("evse_id", evse.evse_id), ("number", fact.connector_number))
    told = (*connector, ("occurred_at", at), ("status", fact.status))
    return [Foreseen("connector_states", told), Foreseen("connectors", connector)]


@foresees(_asked, _asked_then)
def report_status(work: UnitOfWork, fact: StatusChanged) -> None:
    """Keep the status, and let sessions go on that waited for the vehicle to leave.

    Boot and Available may arrive before the queued MeterValues and StopTransaction of the same vehicle: closing a running
    transaction here would destroy a good stop. It gets a time of grace instead.
    """
    evse = work.evses.one_by(station_id=fact.heard.station_id, number=fact.evse_number)
    frame_id = keep_frame(work, fact.heard)
    if evse is None:
        return
    at, _ = usable_time(work, fact.at, fact.heard)
    state = ConnectorState(
        evse.evse_id, fact.connector_number, at, fact.status, fact.error_code, fact.heard.received_at, frame_id
    )
    if not work.connector_states.add(state):
        return
    before = _show(work, state)
    if fact.status == FREE:
        if before == RESERVED and fact.heard.protocol == OLD:
            hear_place_is_free(work, evse, fact.heard.received_at)
        _vehicle_left(work, evse, at)


def _show(work: UnitOfWork, state: ConnectorState) -> str | None:
    """Show the connector's present status, and what it was; an older report that comes later does not overwrite a newer one."""
    row = Connector(state.evse_id, state.number, state.status, state.error_code, state.occurred_at, state.received_at)
    shown = work.connectors.find(state.evse_id, state.number)
    if shown is None:
        work.connectors.add(row)
    elif shown.occurred_at <= state.occurred_at:
        work.connectors.put(row)
    if shown is None or shown.status != state.status:
        data = {"evse_id": state.evse_id, "status": state.status, "error_code": state.error_code}
        work.events.append(Event("evse", state.evse_id, "ConnectorStatusChanged", data))
    return None if shown is None or shown.occurred_at > state.occurred_at else shown.status


def _vehicle_left(work: UnitOfWork, evse: Evse, at: Instant) -> None:
    for waiting in work.sessions.by(evse_id=evse.evse_id, state=SessionState.ENDED.value):
        ended_at = waiting.transaction_ended_at
        assert ended_at is not None, "an ended session knows when its transaction ended"
        if waiting.occupancy_ended_at is None and at >= ended_at:
            session = work.sessions.lock(waiting.session_id)
            left_at = _left_at(work, session, evse, ended_at, at)
            finish_when_ready(work, work.sessions.put(replace(session, occupancy_ended_at=left_at)))
    grace = work.operators.get().lost_stop_after_seconds * 1000
    for running in work.queries.open_sessions_at(evse.evse_id):
        if at > running.started_at:
            work.jobs.add(Job("lose_stop", running.session_id, not_before=Instant(work.machine_now + grace)))


def _left_at(work: UnitOfWork, session: Session, evse: Evse, ended_at: Instant, free_at: Instant) -> Instant:
    """When its vehicle had left: at the latest before the next one charged there, also where no status told of that.

    Who starts again had stood there until then. How long a stranger's vehicle had stood before that nobody knows, and what
    nobody knows is not charged.
    """
    after = work.queries.next_session_at(evse.evse_id, ended_at, free_at, session.session_id)
    if after is None:
        return free_at
    is_same = session.payer_id is not None and (after.payer, after.payer_id) == (session.payer, session.payer_id)
    return after.started_at if is_same else ended_at
