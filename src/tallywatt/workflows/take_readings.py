"""Meter readings enter a session: each once, whatever order they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.identity import natural_key
from tallywatt.metering.measure import measure
from tallywatt.metering.session import MeterReading, Reason, SessionState
from tallywatt.workflows.explain import explain
from tallywatt.workflows.lose_stop import count_without_stop

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import FrameId
    from tallywatt.metering.facts import Sample
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork


def take_readings(
    work: UnitOfWork, session: Session, samples: tuple[Sample, ...], received_at: Instant, frame_id: FrameId
) -> Session:
    """Store the samples that tell a register, and bring the session's running energy up to date.

    The running energy only grows as long as the register does; what a falling one means is worked out from all readings.
    """
    readings = as_readings(session, samples, received_at, frame_id)
    if not readings:
        return session
    work.meter_readings.note(readings)
    good = [one for one in readings if one.register >= 0]
    decided = session.state is SessionState.EXPLAINED
    if session.transaction_ended_at is not None or decided or not good:
        return session
    if session.state is SessionState.HELD:
        # Its stop is presumed lost, and its values still come: they count, and are explained as the others were.
        counted = work.sessions.put(count_without_stop(work, session))
        explain(work, counted, counted.milliwatt_hours, Reason.LOST_STOP, frame_id)
        return counted
    return _advanced(work, session, good)


def as_readings(
    session: Session, samples: tuple[Sample, ...], received_at: Instant, frame_id: FrameId | None
) -> list[MeterReading]:
    """The samples that tell a register, as readings of a session."""
    return [
        MeterReading(
            session.session_id,
            natural_key(sample.at, sample.register, sample.context),
            sample.at,
            sample.register,
            sample.watts,
            sample.context,
            received_at,
            frame_id,
        )
        for sample in samples
        if sample.register is not None
    ]


def _advanced(work: UnitOfWork, session: Session, readings: list[MeterReading]) -> Session:
    newest = max(readings, key=lambda one: (one.occurred_at, one.register))
    if session.last_reading_at is not None and newest.occurred_at < session.last_reading_at:
        return session
    start = session.meter_start if session.meter_start is not None else min(one.register for one in readings)
    last = session.last_register if session.last_register is not None else start
    if newest.register >= last and session.milliwatt_hours == last - start:
        energy = newest.register - start
    else:
        stored = work.meter_readings.by(session_id=session.session_id)
        energy = measure(session.started_at, start, stored, None, None).milliwatt_hours
    return work.sessions.change(
        session,
        meter_start=start,
        last_register=newest.register,
        last_reading_at=newest.occurred_at,
        milliwatt_hours=energy,
    )
