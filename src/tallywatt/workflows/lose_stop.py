"""A stop that never came: the session is presumed to have ended, and held until somebody looks, or the stop comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.events import Event
from tallywatt.metering.measure import Flag, measure
from tallywatt.metering.session import Reason, SessionState
from tallywatt.workflows.explain import explain
from tallywatt.workflows.hold_ends import look_before_it_ends
from tallywatt.workflows.listen import to_inbox, with_flags

if TYPE_CHECKING:
    from tallywatt.kernel.identity import SessionId
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork


FREE: Final = "Available"
"""What a connector is called, in every version, when no vehicle is plugged in."""


@dataclass(frozen=True, slots=True)
class LoseStop:
    """The grace of an open transaction whose connector is free again has passed."""

    session_id: SessionId


def lose_stop(work: UnitOfWork, command: LoseStop) -> Session:
    """Presume the end of a transaction whose stop has not come in time."""
    session = work.sessions.lock(command.session_id)
    if not session.is_open or _goes_on(work, session):
        return session
    return presume_lost(work, session, register_now=None, cause="grace")


def _goes_on(work: UnitOfWork, session: Session) -> bool:
    """Whether the station has shown, since its connector was free, that the transaction goes on all the same.

    A restart, or a plug that sat badly, makes a connector free for a moment; energy that is counted after that is no lost stop.
    """
    if session.evse_id is None:
        return False
    shown = work.connectors.by(evse_id=session.evse_id)
    free = [one for one in shown if one.status == FREE]
    if shown and not free:
        return True
    if not free:
        return False
    # By the station's own clock: what it had queued is told later, and was metered before.
    since = max(one.occurred_at for one in free)
    return any(one.occurred_at > since for one in work.meter_readings.by(session_id=session.session_id))


def presume_lost(work: UnitOfWork, session: Session, *, register_now: int | None, cause: str) -> Session:
    """Hold a session whose stop is lost. The register that the next transaction starts from tells what it took unseen.

    It is not closed: a stop that comes late is taken as the good stop that it is.
    """
    before = work.sessions.lock(session.session_id)
    session = count_without_stop(work, before, register_now)
    session = replace(session, state=SessionState.HELD, flags=with_flags(session.flags, Flag.LOST_STOP))
    if session == before:
        return before
    session = work.sessions.put(session)
    explain(work, session, session.milliwatt_hours, Reason.LOST_STOP, cause)
    to_inbox(
        work,
        "lost_stop",
        f"transaction {session.transaction_id} never stopped; its energy is held",
        session.session_id,
        station_id=session.station_id,
        session_id=session.session_id,
        frame_id=session.start_frame_id,
    )
    look_before_it_ends(work, session)
    work.events.append(
        Event(
            "session",
            session.session_id,
            "SessionHeld",
            {"reason": Reason.LOST_STOP.value, "milliwatt_hours": session.milliwatt_hours},
        )
    )
    return session


def count_without_stop(work: UnitOfWork, session: Session, register_now: int | None = None) -> Session:
    """A session with the energy that its readings show, and the register that was seen at its EVSE since, if it is higher.

    A lower one is another count: the meter was changed or reset, and tells nothing about this session.
    """
    readings = [one for one in work.meter_readings.by(session_id=session.session_id) if one.register >= 0]
    newest = max(readings, key=lambda one: (one.occurred_at, one.register), default=None)
    seen = newest.register if newest is not None else session.meter_start
    shown = None if seen is None else max(seen, session.last_register or 0, register_now or 0)
    at = session.last_reading_at or session.started_at
    measured = measure(session.started_at, session.meter_start, readings, at, shown)
    return replace(session, milliwatt_hours=measured.milliwatt_hours, last_register=shown)


def note_unseen(work: UnitOfWork, session: Session, metered: int, cause: str) -> Session:
    """More energy than was known shows of a session after a person has decided on it: explained by rows, listed, never billed.

    `metered` is all that it took by what is known now. Less than was known is no explanation: then the audit says so.
    """
    known = session.milliwatt_hours + (_explained(work, session) if session.state is SessionState.BILLED else 0)
    if metered <= known:
        return session
    if session.state is SessionState.BILLED:
        explain(work, session, metered - session.milliwatt_hours, Reason.LOST_STOP, cause)
    else:
        session = work.sessions.put(replace(session, milliwatt_hours=metered))
        explain(work, session, metered, Reason.WRITTEN_OFF, cause)
    to_inbox(
        work,
        "energy_after_decision",
        f"transaction {session.transaction_id} took more than was known when it was decided on; the rest is not billed",
        session.session_id,
        cause,
        station_id=session.station_id,
        session_id=session.session_id,
    )
    return session


def _explained(work: UnitOfWork, session: Session) -> int:
    return sum(row.milliwatt_hours for row in work.explanations.by(session_id=session.session_id))


def was_decided_without_stop(session: Session | None) -> bool:
    """Whether a person has ended this session because its stop was lost, and the station has not told it since."""
    if session is None or session.stop_frame_id is not None or Flag.LOST_STOP not in session.flags:
        return False
    return session.state in {SessionState.BILLED, SessionState.EXPLAINED}
