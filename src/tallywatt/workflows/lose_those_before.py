"""A transaction begins at an EVSE: whatever ran there before has ended, and its register tells what that one took unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.metering.measure import Flag
from tallywatt.metering.session import SessionState
from tallywatt.workflows.listen import to_inbox
from tallywatt.workflows.lose_stop import count_without_stop, note_unseen, presume_lost, was_decided_without_stop

if TYPE_CHECKING:
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork


def end_those_before(work: UnitOfWork, session: Session) -> None:
    """A new transaction at an EVSE: the stop of the one before is lost, and its register tells what that one took."""
    assert session.evse_id is not None, "only called for a known EVSE"
    # What came before the first value of a session whose start is missing may have been its own.
    register_now = None if Flag.START_MISSING in session.flags else session.meter_start
    for other in work.queries.open_sessions_at(session.evse_id):
        if other.session_id == session.session_id:
            continue  # it has told its place only now
        same = (other.token_uid, other.meter_start) == (session.token_uid, session.meter_start)
        if same and not work.meter_readings.by(session_id=other.session_id):
            # RULES §1: a station that got its clock back may tell the same start again, with another time.
            to_inbox(
                work,
                "suggested_duplicate",
                f"transactions {other.transaction_id} and {session.transaction_id} begin alike, with nothing between",
                other.session_id,
                session.session_id,
                station_id=session.station_id,
                session_id=other.session_id,
                frame_id=session.start_frame_id,
            )
        presume_lost(work, other, register_now=register_now, cause=session.session_id)
    last = work.queries.last_session_at(session.evse_id)
    if last is not None and last.state is SessionState.HELD and last.transaction_ended_at is None:
        presume_lost(work, last, register_now=register_now, cause=session.session_id)
    elif last is not None and was_decided_without_stop(last) and register_now is not None:
        counted = count_without_stop(work, work.sessions.lock(last.session_id), register_now)
        note_unseen(work, work.sessions.lock(last.session_id), counted.milliwatt_hours, session.session_id)


def tell_the_one_before(work: UnitOfWork, session: Session) -> None:
    """The start of a session that began without it has come: now its register tells what a lost one before it took."""
    held = [
        one
        for one in work.sessions.by(evse_id=session.evse_id, state=SessionState.HELD.value)
        if one.transaction_ended_at is None and one.session_id != session.session_id
    ]
    before = [one for one in held if (one.started_at, one.session_id) < (session.started_at, session.session_id)]
    if before:
        last = max(before, key=lambda one: (one.started_at, one.session_id))
        presume_lost(work, last, register_now=session.meter_start, cause=session.session_id)
