"""Pure: what was metered in a session, as rating reads it: readings, activities, and the three ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import SessionId


class Activity(StrEnum):
    """What the vehicle and the station are doing, in the words of both OCPP versions."""

    CHARGING = "charging"
    SUSPENDED_EV = "suspended_ev"
    """The vehicle asks for no power: the only state in which it is idle by its own doing."""
    SUSPENDED_EVSE = "suspended_evse"
    """The station or load management withholds power that the vehicle would take."""
    INTERRUPTED = "interrupted"
    """Faulted, unavailable or offline: no clock runs against the driver."""
    FINISHING = "finishing"
    """The transaction has ended, the vehicle is still plugged in."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The meter at an instant: energy since the session's start, and power and current if it told them."""

    at: Instant
    milliwatt_hours: int
    watts: int | None = None
    milliamps: int | None = None
    """The sum over all phases, as OCPI's current restrictions count it."""


@dataclass(frozen=True, slots=True)
class ActivityChange:
    """From this instant on, until the next change."""

    at: Instant
    activity: Activity


@dataclass(frozen=True, slots=True)
class MeteredSession:
    """All that decides a price, and nothing about persons: the canonical input of rating.

    While a session runs, the transaction's end is the present instant: the cost so far is the price of what is known.
    """

    session_id: SessionId
    zone: str
    """The location's IANA zone: times of day in a tariff are local."""
    started_at: Instant
    transaction_ended_at: Instant
    energy_ended_at: Instant | None = None
    """When the vehicle stopped asking for energy, as far as anybody knows; None: when the transaction ended."""
    occupancy_ended_at: Instant | None = None
    """When the vehicle left; None: when the transaction ended."""
    readings: tuple[Reading, ...] = ()
    activities: tuple[ActivityChange, ...] = ()
    """Before the first change the vehicle counts as charging."""
    clock_is_usable: bool = True
    """False: the station's clock cannot carry a price per time (1970, or not synchronised where law asks for it)."""
    reserved_at: Instant | None = None
    """From when on the station was kept for this driver; None: it was not reserved."""
    reservation_expired: bool = False
    """Nobody came: there is a reservation to pay for, and no charging."""

    def __post_init__(self) -> None:
        assert self.started_at <= self.transaction_ended_at, "a session ends before it starts"
        before = 0
        for reading in self.readings:
            assert reading.milliwatt_hours >= before, "a meter delta below zero is a metering bug"
            before = reading.milliwatt_hours

    @property
    def milliwatt_hours(self) -> int:
        """All energy delivered."""
        return self.readings[-1].milliwatt_hours if self.readings else 0

    @property
    def ended_at(self) -> Instant:
        """The last of the ends that are known."""
        return max(self.transaction_ended_at, self.occupancy_ended_at or self.transaction_ended_at)
