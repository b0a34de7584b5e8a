"""Pure: what a session costs, exactly and with reasons: one function for display, limit, invoice, CDR and check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from tallywatt.rating.period import MILLIAMPS, WATTS, ChargingPeriod, Use
from tallywatt.rating.plan import Plan, Priced, pick, plan_of
from tallywatt.rating.policy import STANDARD, Interpolation, Policy, StepSize, UnknownSignal
from tallywatt.rating.records import Dimension, TaxBasis
from tallywatt.rating.segment import segment

if TYPE_CHECKING:
    from tallywatt.kernel.identity import PolicyVersionId, SessionId, TariffVersionId
    from tallywatt.kernel.money import Currency
    from tallywatt.metering.metered import MeteredSession
    from tallywatt.rating.tariff import Tariff

ENGINE_VERSION: Final = "1"
"""Raised whenever the same input could give another result; stored with every rated result."""


class Reason(StrEnum):
    """Why there is a line: a closed list. The sentences are in `explain`."""

    ENERGY = "energy"
    CHARGING_TIME = "charging_time"
    IDLE_TIME = "idle_time"
    SESSION_FEE = "session_fee"
    TIME_WITHOUT_CLOCK = "time_without_clock"
    """Time that is not charged, because the station's clock cannot carry a price."""


class Assumption(StrEnum):
    """What a line rests on beside measurements."""

    ENERGY_INTERPOLATED = "energy_interpolated"
    """Energy at a change of price was worked out between two readings."""
    LOWER_PRICE_BETWEEN_READINGS = "lower_price_between_readings"
    """There was no reading at a change of price: the lower price holds for all energy between the two readings."""
    IDLE_SINCE_ENERGY_ENDED = "idle_since_energy_ended"
    """No status told that the vehicle was idle; it is concluded from the end of the energy."""


class Doubt(StrEnum):
    """What is doubtful about the data; the price stands."""

    SIGNAL_NOT_KNOWN = "signal_not_known"
    """The tariff asks for power or current, and it is not known for all of the session."""
    CLOCK_NOT_USABLE = "clock_not_usable"
    LOWER_PRICE_BETWEEN_READINGS = "lower_price_between_readings"


_REASONS: Final = {
    Dimension.ENERGY: Reason.ENERGY,
    Dimension.TIME: Reason.CHARGING_TIME,
    Dimension.PARKING_TIME: Reason.IDLE_TIME,
    Dimension.FLAT: Reason.SESSION_FEE,
}


class Line(NamedTuple):
    """One price over a stretch of the session."""

    priced: Priced
    """The component that applied, and under which restrictions."""
    start: int
    end: int
    measured: int
    """In the component's unit: milliwatt-hours, milliseconds, times."""
    quantity: int
    """What is billed: `measured`, and on the last line of a dimension what fills its block."""
    numerator: int
    """The exact amount, in parts of the rated session's denominator."""
    reason: Reason
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True, slots=True)
class RatedSession:
    """A session with its exact price and every line that led to it; `fix_amounts` turns it into money."""

    session_id: SessionId
    tariff_version_id: TariffVersionId
    policy_version_id: PolicyVersionId
    currency: Currency
    tax_basis: TaxBasis
    denominator: int
    lines: tuple[Line, ...]
    """Energy, charging time, idle time, session fees; within each by time."""
    periods: tuple[ChargingPeriod, ...]
    milliwatt_hours: int
    priced_milliwatt_hours: int
    warnings: tuple[Doubt, ...]

    def exact(self, line: Line) -> Fraction:
        """A line's amount in major units, on the tariff's tax basis."""
        return Fraction(line.numerator, self.denominator)

    @property
    def exact_total(self) -> Fraction:
        """The sum of the lines in major units, on the tariff's tax basis, before any rounding."""
        return Fraction(sum(line.numerator for line in self.lines), self.denominator)

    @property
    def exact_before_taxes(self) -> Fraction:
        """The total without tax in major units, before any rounding."""
        if self.tax_basis is TaxBasis.NET:
            return self.exact_total
        return sum((self.exact(line) / (1 + _tax(line)) for line in self.lines), Fraction(0))

    @property
    def exact_after_taxes(self) -> Fraction:
        """The total with tax in major units, before any rounding."""
        if self.tax_basis is TaxBasis.GROSS:
            return self.exact_total
        return sum((self.exact(line) * (1 + _tax(line)) for line in self.lines), Fraction(0))


def _tax(line: Line) -> Fraction:
    return Fraction(*line.priced.tax) if line.priced.tax else Fraction(0)


class _Run:
    """Consecutive use of one component, while it grows."""

    __slots__ = ("assumptions", "end", "extra", "measured", "priced", "start")

    def __init__(self, priced: Priced, start: int) -> None:
        self.priced = priced
        self.start = start
        self.end = start
        self.measured = 0
        self.extra = 0
        self.assumptions: tuple[Assumption, ...] = ()


def rate(session: MeteredSession, tariff: Tariff, policy: Policy = STANDARD) -> RatedSession:
    """Price a session: the first matching component of each dimension in each period (OCPI 2.3.0, Tariff object)."""
    plan = plan_of(tariff)
    periods = segment(session, plan, policy)
    unknown_matches = policy.unknown_signal is UnknownSignal.MATCHES
    warnings: list[Doubt] = []
    energy = _energy_runs(session, plan, policy, periods, warnings)
    time, parking = _time_runs(plan, periods, unknown_matches)
    if policy.step_size is StepSize.ON:
        _fill_blocks(energy)
        # Time and parking are one block: where parking was priced, it alone is filled up (OCPI 2.3.0, CDR "step_size").
        _fill_blocks(parking or time)
    if plan.cuts.signals and _lacks_signals(plan, periods):
        warnings.append(Doubt.SIGNAL_NOT_KNOWN)
    if not session.clock_is_usable and (time or parking):
        warnings.append(Doubt.CLOCK_NOT_USABLE)
    to_line = _line if session.clock_is_usable else _unpriced
    lines = [*map(_line, energy), *map(to_line, time), *map(to_line, parking), *_flat(plan, periods, unknown_matches)]
    return RatedSession(
        session.session_id,
        tariff.version_id,
        policy.version_id,
        tariff.currency,
        tariff.tax_basis,
        plan.denominator,
        tuple(lines),
        tuple(periods),
        periods[-1].energy_to,
        sum([run.measured for run in energy]),
        tuple(warnings),
    )


def _energy_runs(
    session: MeteredSession, plan: Plan, policy: Policy, periods: list[ChargingPeriod], warnings: list[Doubt]
) -> list[_Run]:
    """Energy by component, in order of time."""
    unknown_matches = policy.unknown_signal is UnknownSignal.MATCHES
    runs: list[_Run] = []
    candidates, is_split = plan.energy, False
    before: Priced | None = None
    for period in periods if candidates else ():
        delivered = period.energy_to - period.energy_from
        if delivered:
            priced = pick(candidates, period, unknown_matches)
            if priced is not None:
                _extend(runs, priced, period).measured += delivered
            is_split = is_split or (priced is not before and period.energy_from > 0)
            before = priced
    if is_split and policy.interpolation is Interpolation.MEASURED_ONLY:
        return _measured_runs(session, plan, periods, unknown_matches, warnings)
    if is_split:
        _mark_interpolated(session, runs)
    return runs


def _extend(runs: list[_Run], priced: Priced, period: ChargingPeriod) -> _Run:
    """The run to which a period belongs: the last one while the component stays the same, else a new one."""
    if not runs or runs[-1].priced is not priced:
        runs.append(_Run(priced, period.start))
    run = runs[-1]
    run.end = period.end
    return run


def _mark_interpolated(session: MeteredSession, runs: list[_Run]) -> None:
    known = {reading.at for reading in session.readings} | {session.started_at, session.ended_at}
    for run in runs:
        if run.start not in known or run.end not in known:
            run.assumptions = (Assumption.ENERGY_INTERPOLATED,)


def _measured_runs(
    session: MeteredSession, plan: Plan, periods: list[ChargingPeriod], unknown_matches: bool, warnings: list[Doubt]
) -> list[_Run]:
    """Energy by component where only measured values may be billed: between two readings the lowest price holds.

    No price at all is the lowest. The comparison walks along the energy, where readings and periods share one scale.
    """
    runs: list[_Run] = []
    pieces = [(pick(plan.energy, one, unknown_matches), one) for one in periods if one.energy_to > one.energy_from]
    edges = sorted({0, *(reading.milliwatt_hours for reading in session.readings)})
    for low, high in pairwise(edges):
        touched = [one for one in pieces if one[1].energy_from < high and one[1].energy_to > low]
        choices = {id(priced): priced for priced, _ in touched}
        lowest = min(choices.values(), key=lambda one: (one is not None, one.weight if one else 0))
        if len(choices) > 1 and Doubt.LOWER_PRICE_BETWEEN_READINGS not in warnings:
            warnings.append(Doubt.LOWER_PRICE_BETWEEN_READINGS)
        if lowest is None:
            continue
        run = _extend(runs, lowest, touched[-1][1])
        run.start = min(run.start, touched[0][1].start)
        run.measured += high - low
        if len(choices) > 1:
            run.assumptions = (Assumption.LOWER_PRICE_BETWEEN_READINGS,)
    return runs


def _time_runs(plan: Plan, periods: list[ChargingPeriod], unknown_matches: bool) -> tuple[list[_Run], list[_Run]]:
    """Charging time and parking time by component, each in order of time."""
    time: list[_Run] = []
    parking: list[_Run] = []
    for period in periods if plan.time or plan.parking else ():
        passed, use = period.end - period.start, period.use
        if passed and use is not Use.NOTHING:
            candidates, runs = (plan.parking, parking) if use is Use.PARKING else (plan.time, time)
            priced = pick(candidates, period, unknown_matches)
            if priced is not None:
                run = _extend(runs, priced, period)
                run.measured += passed
                if period.assumed:
                    run.assumptions = (Assumption.IDLE_SINCE_ENERGY_ENDED,)
    return time, parking


def _fill_blocks(runs: list[_Run]) -> None:
    """Round the total up to whole blocks of the component used last; the surplus is billed there, at its price."""
    if runs and runs[-1].priced.step:
        runs[-1].extra = -sum(run.measured for run in runs) % runs[-1].priced.step


def _flat(plan: Plan, periods: list[ChargingPeriod], unknown_matches: bool) -> list[Line]:
    """The session fee: once, the first that applies."""
    for period in periods if plan.flat else ():
        priced = pick(plan.flat, period, unknown_matches)
        if priced is not None:
            return [Line(priced, period.start, period.start, 1, 1, priced.weight, Reason.SESSION_FEE)]
    return []


def _line(run: _Run) -> Line:
    priced, quantity = run.priced, run.measured + run.extra
    return Line(
        priced,
        run.start,
        run.end,
        run.measured,
        quantity,
        quantity * priced.weight,
        _REASONS[priced.dimension],
        run.assumptions,
    )


def _unpriced(run: _Run) -> Line:
    return Line(run.priced, run.start, run.end, run.measured, 0, 0, Reason.TIME_WITHOUT_CLOCK, run.assumptions)


def _lacks_signals(plan: Plan, periods: list[ChargingPeriod]) -> bool:
    asked = {
        test[0]
        for candidates in (plan.energy, plan.time, plan.parking, plan.flat)
        for priced in candidates
        for test in priced.tests
    } & {WATTS, MILLIAMPS}
    return any(period[place] is None for period in periods for place in asked)
