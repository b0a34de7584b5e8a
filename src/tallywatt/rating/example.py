"""Pure: what an example session would cost under a tariff, by the one price function, before anybody is charged by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RatedId, SessionId
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession, Reading
from tallywatt.rating.before import NOTHING, Before
from tallywatt.rating.results import RatedRows, price, rated_rows

if TYPE_CHECKING:
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Tariff

NOWHERE: Final = "example"
"""Nothing is stored under it."""
MS_PER_MINUTE: Final = 60_000


@dataclass(frozen=True, slots=True)
class Example:
    """A session as somebody imagines it: steady power, then idle until the vehicle leaves."""

    started_at: Instant
    milliwatt_hours: int
    charging_minutes: int
    idle_minutes: int = 0

    def session(self, zone: str) -> MeteredSession:
        """As the meter would have told it: a reading each minute, so that a change of price finds one."""
        charged = Instant(self.started_at + self.charging_minutes * MS_PER_MINUTE)
        left = Instant(charged + self.idle_minutes * MS_PER_MINUTE)
        minutes = max(1, self.charging_minutes)
        readings = tuple(
            Reading(
                Instant(self.started_at + minute * (charged - self.started_at) // minutes),
                self.milliwatt_hours * minute // minutes,
            )
            for minute in range(1, minutes + 1)
        )
        idle = (ActivityChange(charged, Activity.SUSPENDED_EV),) if self.idle_minutes else ()
        return MeteredSession(
            SessionId(NOWHERE),
            zone,
            self.started_at,
            left,
            energy_ended_at=charged,
            readings=readings,
            activities=idle,
        )


def price_example(example: Example, tariff: Tariff, policy: Policy, zone: str, before: Before = NOTHING) -> RatedRows:
    """The rows that such a session would have: the same function, the same rounding."""
    session = example.session(zone)
    rated, amounts = price(session, tariff, policy, before)
    return rated_rows(RatedId(NOWHERE), session, rated, amounts, created_at=session.ended_at, zone_data_version="")
