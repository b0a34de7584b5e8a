"""Pure: from what a station samples to `Sample`: the energy register and the power of the whole EVSE, exact.

What was not reported stays absent; a phase is never taken for the total, nor phases added up; an interval is not a register;
what is signed is kept with the raw frame and judged elsewhere.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Protocol

from tallywatt.adapters.ocpp.reading import SCHEMA
from tallywatt.kernel.energy import MILLIWATT_HOURS_PER_WH, milliwatt_hours
from tallywatt.kernel.errors import BadInput
from tallywatt.metering.facts import Sample, SignedSample

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.clock import Instant

REGISTER = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
PERIODIC = "Sample.Periodic"
BEGIN = "Transaction.Begin"
END = "Transaction.End"

BEFORE_CHARGER = frozenset({"Inlet", "Upstream"})
"""Locations of a meter that counts the charger's losses too; OCPP 2.1 knows the second one."""

UNKNOWN_UNIT = "unknown_unit"
UNREADABLE_VALUE = "unreadable_value"
ONLY_PHASES = "register_by_phase_only"
ELSEWHERE = "register_not_at_outlet"

_ENERGY_UNITS = {None: "Wh", "Wh": "Wh", "wh": "Wh", "WH": "Wh", "kWh": "kWh", "KWh": "kWh", "kwh": "kWh", "KWH": "kWh"}
_POWER_UNITS = {None: 0, "W": 0, "w": 0, "kW": 3, "KW": 3, "kw": 3}
_MOST_WATTS = 10**9
_PLAIN_DIGITS = 9
"""A plain whole number of so many digits is within all bounds."""
_FURTHEST_MULTIPLIER = 12


class SampledValue(Protocol):
    """One sampled value, in the words that both OCPP versions share."""

    @property
    def value(self) -> str | Decimal | None:
        """What the station wrote."""
        ...

    @property
    def figure(self) -> str | Decimal | None:
        """The figure, exact; None when it is absent, or signed and therefore not a figure."""
        ...

    @property
    def measurand(self) -> str | None:
        """What was measured; None is the energy register."""
        ...

    @property
    def context(self) -> str | None:
        """Why it was measured."""
        ...

    @property
    def phase(self) -> str | None:
        """The phase; None is the total."""
        ...

    @property
    def location(self) -> str | None:
        """Where; None is the outlet."""
        ...

    @property
    def in_unit(self) -> str | None:
        """The unit as written."""
        ...

    @property
    def power_of_ten(self) -> int:
        """OCPP 2.x multiplier."""
        ...

    @property
    def signed(self) -> str | None:
        """What the meter signed, as the station delivered it; None where this value is a plain one."""
        ...

    @property
    def delivered_key(self) -> str | None:
        """The public key beside what was signed."""
        ...


def samples_at(at: Instant, values: Iterable[SampledValue], flags: list[str]) -> list[Sample]:
    """The samples of one moment, one a context: some stations put the first and the present register into one list."""
    registers: dict[str, int] = {}
    watts: dict[str, int] = {}
    at_inlet: dict[str, int] = {}
    phases = False
    for value in values:
        measurand = value.measurand
        if value.value is None:
            flags.append(SCHEMA)
        if measurand is None or measurand == REGISTER:
            if value.phase is not None:
                phases = True
                continue
            energy = _milliwatt_hours(value, flags)
            if energy is not None and value.location != "EV":
                into = at_inlet if value.location in BEFORE_CHARGER else registers
                into.setdefault(value.context or PERIODIC, energy)
        elif measurand == POWER and value.phase is None:
            power = _watts(value, flags)
            if power is not None:
                watts.setdefault(value.context or PERIODIC, power)
    if at_inlet:
        registers = _with_inlet(registers, at_inlet, flags)
    if phases and not registers:
        flags.append(ONLY_PHASES)
    return [Sample(at, registers.get(context), watts.get(context), context) for context in {**registers, **watts}]


def signed_at(at: Instant, values: Iterable[SampledValue]) -> list[SignedSample]:
    """What was signed at one moment."""
    return [
        SignedSample(at, value.signed, value.context, value.delivered_key)
        for value in values
        if value.signed is not None
    ]


def _with_inlet(registers: dict[str, int], at_inlet: dict[str, int], flags: list[str]) -> dict[str, int]:
    """A meter before the charger counts its losses too: it speaks only where no other does, and that is flagged."""
    if not registers.keys() >= at_inlet.keys():
        flags.append(ELSEWHERE)
    return {**at_inlet, **registers}


def _milliwatt_hours(value: SampledValue, flags: list[str]) -> int | None:
    figure, unit = value.figure, _ENERGY_UNITS.get(value.in_unit)
    if figure is None:
        return None
    if unit is None:
        flags.append(UNKNOWN_UNIT)
        return None
    if unit == "Wh" and isinstance(figure, str) and figure.isdecimal() and len(figure) <= _PLAIN_DIGITS:
        return int(figure) * MILLIWATT_HOURS_PER_WH  # what most stations write, at a fifth of the cost
    try:
        return milliwatt_hours(_scaled(figure, value.power_of_ten) if value.power_of_ten else figure, unit)
    except (BadInput, ArithmeticError):
        flags.append(UNREADABLE_VALUE)
        return None


def _watts(value: SampledValue, flags: list[str]) -> int | None:
    figure, scale = value.figure, _POWER_UNITS.get(value.in_unit)
    if figure is None:
        return None
    if scale is None:
        flags.append(UNKNOWN_UNIT)
        return None
    if scale == 0 and isinstance(figure, str) and figure.isdecimal() and len(figure) <= _PLAIN_DIGITS:
        return int(figure)
    try:
        exact = _scaled(figure, scale + value.power_of_ten)
        if exact.is_finite() and abs(exact) < _MOST_WATTS:
            return int(exact.to_integral_value(ROUND_HALF_EVEN))
    except ArithmeticError:
        pass  # Decimal could not read it; the answer is the same as for a figure that no meter has
    flags.append(UNREADABLE_VALUE)
    return None


def _scaled(figure: str | Decimal, power_of_ten: int) -> Decimal:
    if abs(power_of_ten) > _FURTHEST_MULTIPLIER:
        msg = "no meter scales that far"
        raise ArithmeticError(msg)
    return Decimal(figure).scaleb(power_of_ten)


def first_register(samples: tuple[Sample, ...]) -> int | None:
    """The register at the start of a transaction: what says so itself, else the earliest that does not speak of the end."""
    told = next((one.register for one in samples if one.context == BEGIN and one.register is not None), None)
    if told is not None:
        return told
    others = [one for one in samples if one.register is not None and one.context != END]
    return min(others, key=lambda one: one.at).register if others else None


def last_register(samples: tuple[Sample, ...]) -> int | None:
    """The register at the end of a transaction: what says so itself, else the latest that does not speak of the start."""
    told = next((one.register for one in reversed(samples) if one.context == END and one.register is not None), None)
    if told is not None:
        return told
    others = [one for one in samples if one.register is not None and one.context != BEGIN]
    return max(reversed(others), key=lambda one: one.at).register if others else None
