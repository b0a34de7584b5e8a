"""Meter readings enter a session: each once, whatever order they come in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.kernel.identity import natural_key
from tallywatt.metering.session import MeterReading

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

    The running energy only grows here; what a falling register means is worked out from all readings when the session ends.
    """
    readings = [
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
    if not readings:
        return session
    work.meter_readings.add_all(readings)
    if not session.is_open:
        return session
    newest = max(readings, key=lambda one: (one.occurred_at, one.register))
    if session.last_reading_at is not None and newest.occurred_at < session.last_reading_at:
        return session
    start = session.meter_start if session.meter_start is not None else min(one.register for one in readings)
    grown = newest.register - (session.last_register if session.last_register is not None else start)
    return work.sessions.put(
        replace(
            session,
            meter_start=start,
            last_register=newest.register,
            last_reading_at=newest.occurred_at,
            milliwatt_hours=session.milliwatt_hours + (grown if grown >= 0 else newest.register),
        )
    )
