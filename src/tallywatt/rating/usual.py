"""Pure: the charges that people usually have at a place, and what each would cost here and now: numbers to picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.rating.before import NOTHING
from tallywatt.rating.example import Example, price_example
from tallywatt.rating.records import Dimension

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.rating.before import Before
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Tariff

MILLIWATT_HOURS_PER_KWH: Final = 1_000_000
FAST_WATTS: Final = 60_000
LONG_IDLE_MINUTES: Final = 120


def usual(current: str, max_watts: int | None, tariff: Tariff, at: Instant) -> tuple[Example, ...]:
    """As much as the place's power gives, and one that stays too long where that costs."""
    if current == "dc" and (max_watts or FAST_WATTS) >= FAST_WATTS:
        kilowatt_hours, minutes = 30, 30
    elif current == "dc":
        kilowatt_hours, minutes = _at_most(30, 60, max_watts), 60
    else:
        kilowatt_hours, minutes = _at_most(20, 120, max_watts), 120
    energy = kilowatt_hours * MILLIWATT_HOURS_PER_KWH
    first = Example(at, energy, minutes)
    dimensions = {component.dimension for element in tariff.elements for component in element.components}
    if Dimension.PARKING_TIME not in dimensions:
        return (first,)
    return (first, Example(at, energy, minutes, LONG_IDLE_MINUTES))


def _at_most(kilowatt_hours: int, minutes: int, max_watts: int | None) -> int:
    if max_watts is None:
        return kilowatt_hours
    # A vehicle takes a tenth less than a station's plate says.
    return max(1, min(kilowatt_hours, max_watts * 9 * minutes // 600_000))


def usual_data(
    tariff: Tariff,
    policy: Policy,
    at: Instant,
    zone: str,
    current: str,
    max_watts: int | None,
    before: Before = NOTHING,
) -> list[dict[str, Any]]:
    """The usual charges with what each would cost that payer, tax included, if it began at that instant."""
    shown = []
    for one in usual(current, max_watts, tariff, at):
        result = price_example(one, tariff, policy, zone, before).result
        shown.append(
            {
                "kilowatt_hours": one.milliwatt_hours // MILLIWATT_HOURS_PER_KWH,
                "charging_minutes": one.charging_minutes,
                "idle_minutes": one.idle_minutes,
                "gross_minor": result.gross_minor,
                "currency": result.currency,
            }
        )
    return shown
