"""Pure: energy as whole milliwatt-hours."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from tallywatt.kernel.errors import BadInput

MILLIWATT_HOURS_PER_WH = 1000
MILLIWATT_HOURS_PER_KWH = 1_000_000
LARGEST_FIGURE = 10**12
"""No meter counts further, and as milliwatt-hours it still fits the 64 bits of a database's integer."""


@dataclass(frozen=True, slots=True, order=True)
class Energy:
    """Energy delivered to the vehicle, in whole milliwatt-hours; what it feeds back is counted apart."""

    milliwatt_hours: int

    def __post_init__(self) -> None:
        assert self.milliwatt_hours >= 0, "a meter delta below zero is a metering bug"

    def __add__(self, other: Energy) -> Energy:
        return Energy(self.milliwatt_hours + other.milliwatt_hours)

    def __sub__(self, other: Energy) -> Energy:
        return Energy(self.milliwatt_hours - other.milliwatt_hours)

    def __str__(self) -> str:
        return f"{self.kwh} kWh"

    @property
    def kwh(self) -> Decimal:
        """Kilowatt-hours, exact to six places."""
        return Decimal(self.milliwatt_hours).scaleb(-6)

    @property
    def wh(self) -> str:
        """Watt-hours as a decimal string with up to three places, as every command prints them."""
        return wh(self.milliwatt_hours)


def wh(milliwatt_hours: int) -> str:
    """Watt-hours of whole milliwatt-hours, as a decimal string with up to three places and no idle zeros."""
    sign, size = ("-", -milliwatt_hours) if milliwatt_hours < 0 else ("", milliwatt_hours)
    whole, part = divmod(size, MILLIWATT_HOURS_PER_WH)
    return f"{sign}{whole}" if part == 0 else f"{sign}{whole}.{part:03d}".rstrip("0")


def milliwatt_hours(value: Decimal | str, unit: str) -> int:
    """Whole milliwatt-hours of a meter's figure in Wh or kWh; a meter with more digits is rounded half-even."""
    scale = {"Wh": 3, "kWh": 6}.get(unit)
    if scale is None:
        msg = f"{unit!r} is not a unit of energy that a meter reports here (Wh, kWh)"
        raise BadInput(msg, code="energy.unknown_unit")
    try:
        exact = Decimal(value)
        if exact.is_finite() and abs(exact) < LARGEST_FIGURE:
            return int(exact.scaleb(scale).to_integral_value(ROUND_HALF_EVEN))
    except ArithmeticError:
        pass  # Decimal could not read it; the answer is the same as for a figure that no meter has
    msg = f"{value!r} is not a figure"
    raise BadInput(msg, code="energy.not_a_figure")
