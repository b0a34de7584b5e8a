"""Pure: from registers to energy. How much flowed, when, and what is odd about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.session import MeterReading, Session
    from tallywatt.stations.station import ConnectorState

ROUNDING_STEP = 1_000_000
"""A stop's register may be rounded to whole kWh (89.77 to 90): less than a step below the last sample is not a reset."""


class Flag(StrEnum):
    """What is odd about a session; each is a stable code that people can look up."""

    METER_RESET = "meter_reset"
    METER_DROPOUT = "meter_dropout"
    STOP_ROUNDED = "stop_rounded"
    NO_METER_STOP = "no_meter_stop"
    NO_METER_START = "no_meter_start"
    IMPLAUSIBLE_ENERGY = "implausible_energy"
    CLOCK_NOT_SET = "clock_not_set"
    LOST_STOP = "lost_stop"
    START_MISSING = "start_missing"
    UNKNOWN_TOKEN = "unknown_token"
    UNKNOWN_EVSE = "unknown_evse"
    REFUSED_TOKEN = "refused_token"
    LATE_READING = "late_reading"
    STOP_DIFFERS = "stop_differs"
    NO_TARIFF = "no_tariff"
    OCCUPANCY_LIMIT = "occupancy_limit"
    STATION_QUARANTINED = "station_quarantined"
    RELEASED = "released"
    ACCEPTED = "accepted"
    SEQUENCE_GAP = "sequence_gap"
    MISSING_ENERGY = "missing_energy"
    NOT_COVERED = "not_covered"
    """Nothing of its customer's could pay when it began."""
    RESERVED_FOR_ANOTHER = "reserved_for_another"
    """Its EVSE was kept for somebody else, and the station let it begin."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The energy of a session and its curve since the start, never falling."""

    milliwatt_hours: int
    curve: tuple[Reading, ...]
    flags: tuple[str, ...]
    energy_ended_at: Instant | None
    """When the last of the energy had flowed; None without any."""


def measure(
    started_at: Instant,
    meter_start: int | None,
    samples: Iterable[MeterReading],
    ended_at: Instant | None,
    meter_stop: int | None,
) -> Measured:
    """Work out the energy from the register at the start, the samples, and the register at the end.

    A register that falls and stays down was reset: what it counted before and after is added. One that falls and comes back
    was a dropout, and is passed over. Nothing is ever guessed between: what a reset swallowed is not in the sum.
    """
    # A register below zero is a broken meter's, not energy.
    has_stop = ended_at is not None and meter_stop is not None and meter_stop >= 0
    # A value from after the end is not of this session, whoever still sends it under its number.
    ordered = sorted(
        (one for one in samples if one.register >= 0 and not (has_stop and one.occurred_at > (ended_at or 0))),
        key=lambda one: (one.occurred_at, one.register),
    )
    flags: list[str] = []
    points: list[tuple[Instant, int, int | None]] = []
    if meter_start is not None:
        points.append((started_at, meter_start, None))
    elif ordered or meter_stop is not None:
        flags.append(Flag.NO_METER_START)
    points += [(one.occurred_at, one.register, one.watts) for one in ordered]
    if ended_at is not None and meter_stop is not None and meter_stop >= 0:
        last = points[-1][1] if points else meter_stop
        if 0 < last - meter_stop < ROUNDING_STEP and meter_stop % ROUNDING_STEP == 0:
            # A coarser register at the end takes nothing back from finer samples.
            flags.append(Flag.STOP_ROUNDED)
            meter_stop = last
        points.append((ended_at, meter_stop, None))
    elif ended_at is not None:
        flags.append(Flag.NO_METER_STOP)
    return _accumulate(points, flags)


def _accumulate(points: Sequence[tuple[Instant, int, int | None]], flags: list[str]) -> Measured:
    curve: list[Reading] = []
    total = 0
    energy_ended_at: Instant | None = None
    register: int | None = None
    for place, (at, value, watts) in enumerate(points):
        if register is None:
            curve.append(Reading(at, 0, watts))
        elif value < register and any(later >= register for _, later, _ in points[place + 1 :]):
            flags.append(Flag.METER_DROPOUT)
            continue
        else:
            grown = value - register
            if grown < 0:
                flags.append(Flag.METER_RESET)
                grown = value
            total += grown
            if grown > 0 or energy_ended_at is None:
                energy_ended_at = at
            curve.append(Reading(max(at, curve[-1].at), total, watts))
        register = value
    return Measured(total, tuple(curve), tuple(dict.fromkeys(flags)), energy_ended_at)


HEADROOM_PERCENT = 115
"""Real stations deliver a little above their plate; more than this is not energy but a unit or a register gone wrong."""
SHORTEST_MILLISECONDS = 60_000


def is_plausible(milliwatt_hours: int, milliseconds: int, max_watts: int | None) -> bool:
    """Whether an EVSE of that power can have delivered this energy in this time; times are known to the minute at best."""
    if max_watts is None:
        return True
    most = max_watts * HEADROOM_PERCENT * (max(milliseconds, 0) + SHORTEST_MILLISECONDS) // 360_000
    return milliwatt_hours <= most


_ACTIVITY = {
    "Charging": Activity.CHARGING,
    "SuspendedEV": Activity.SUSPENDED_EV,
    "SuspendedEVSE": Activity.SUSPENDED_EVSE,
    "Finishing": Activity.FINISHING,
    "Faulted": Activity.INTERRUPTED,
    "Unavailable": Activity.INTERRUPTED,
    "Idle": Activity.FINISHING,
}
"""OCPP 1.6 ChargePointStatus and 2.0.1 ChargingState. The others (Preparing, EVConnected) tell nothing about power."""


def activities(states: Iterable[ConnectorState], started_at: Instant) -> tuple[ActivityChange, ...]:
    """What the connector reported during a session, in the words of rating."""
    found = [
        ActivityChange(max(state.occurred_at, started_at), _ACTIVITY[state.status])
        for state in states
        if state.status in _ACTIVITY
    ]
    return tuple(found)


def metered(
    session: Session,
    measured: Measured,
    states: Iterable[ConnectorState],
    now: Instant,
    *,
    clock_is_usable: bool = True,
) -> MeteredSession:
    """A session as rating reads it. While it runs, its end is `now`."""
    end = session.transaction_ended_at or max(now, session.started_at)
    return MeteredSession(
        session_id=session.session_id,
        zone=session.zone,
        started_at=session.started_at,
        transaction_ended_at=max(end, session.started_at),
        energy_ended_at=session.energy_ended_at,
        occupancy_ended_at=session.occupancy_ended_at,
        readings=measured.curve,
        activities=activities(states, session.started_at),
        clock_is_usable=clock_is_usable,
    )
