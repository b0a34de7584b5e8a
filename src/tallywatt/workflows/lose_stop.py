"""A stop that never came: the session is presumed to have ended, and held until somebody looks, or the stop comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.events import Event
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import Reason, SessionState
from tallywatt.workflows.explain import explain
from tallywatt.workflows.listen import to_inbox, with_flags

if TYPE_CHECKING:
    from tallywatt.kernel.identity import SessionId
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class LoseStop:
    """The grace of an open transaction whose connector is free again has passed."""

    session_id: SessionId


def lose_stop(work: UnitOfWork, command: LoseStop) -> Session:
    """Presume the end of a transaction whose stop has not come in time."""
    session = work.sessions.lock(command.session_id)
    return presume_lost(work, session, register_now=None, cause="grace") if session.is_open else session


def presume_lost(work: UnitOfWork, session: Session, *, register_now: int | None, cause: str) -> Session:
    """Hold a session whose stop is lost. The register that the next transaction starts from tells what it took unseen.

    It is not closed: a stop that comes late is taken as the good stop that it is.
    """
    session = work.sessions.lock(session.session_id)
    unseen = 0
    if register_now is not None and session.last_register is not None and register_now > session.last_register:
        unseen = register_now - session.last_register
    session = work.sessions.put(
        replace(
            session,
            state=SessionState.HELD,
            milliwatt_hours=session.milliwatt_hours + unseen,
            last_register=register_now if unseen else session.last_register,
            flags=with_flags(session.flags, Flag.LOST_STOP),
        )
    )
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
    work.events.append(
        Event(
            "session",
            session.session_id,
            "SessionHeld",
            {"reason": Reason.LOST_STOP.value, "milliwatt_hours": session.milliwatt_hours},
        )
    )
    return session
