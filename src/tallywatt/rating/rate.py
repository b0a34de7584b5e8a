"""Pure: what a session costs, exactly and with reasons: one function for display, limit, invoice, CDR and check."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING, Final, NamedTuple

from tallywatt.rating.limits import Adjustment, adjustments
from tallywatt.rating.period import SIGNALS, ChargingPeriod, Use
from tallywatt.rating.plan import Plan, Priced, idles_free, pick, plan_of
from tallywatt.rating.policy import STANDARD, FedBack, FlatScope, Interpolation, Policy, StepSize, UnknownSignal
from tallywatt.rating.records import Dimension, TaxBasis
from tallywatt.rating.segment import reserved_periods, segment
from tallywatt.rating.tariff import GraceAfter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.identity import PolicyVersionId, SessionId, TariffVersionId
    from tallywatt.kernel.money import Currency
    from tallywatt.metering.metered import MeteredSession
    from tallywatt.rating.tariff import IdleGrace, Tariff

ENGINE_VERSION: Final = "1"
"""Raised whenever the same input could give another result; stored with every rated result."""


class Reason(StrEnum):
    """Why there is a line: a closed list. The sentences are in `explain`."""

    ENERGY = "energy"
    CHARGING_TIME = "charging_time"
    IDLE_TIME = "idle_time"
    IDLE_TIME_FREE = "idle_time_free"
    """Idling in a window in which the tariff charges none."""
    SESSION_FEE = "session_fee"
    ENERGY_FED_BACK = "energy_fed_back"
    """Energy that the vehicle gave: a credit, or nothing by policy; never a negative quantity of a sale."""
    RESERVATION_TIME = "reservation_time"
    RESERVATION_FEE = "reservation_fee"
    EXPIRED_RESERVATION_TIME = "expired_reservation_time"
    """The price of the time of a reservation to which nobody came."""
    EXPIRED_RESERVATION_FEE = "expired_reservation_fee"
    MINIMUM_PRICE = "minimum_price"
    """What was missing to the least that a session costs."""
    MAXIMUM_PRICE = "maximum_price"
    """What was above the most that a session costs: taken off."""
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
    MARKET_PRICE_MISSING = "market_price_missing"
    """For some of the energy the market's price was not known at the offer; the tariff says what holds then."""
    MARKET_PRICE_AWAITED = "market_price_awaited"
    """The same, and by the tariff a person looks at the session before it is billed."""
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
    """Energy, charging time, idle time, session fees, what was fed back, the reservation, price limits; each by time."""
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


class Run:
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
    reserved = reserved_periods(session, plan) if session.reserved_at is not None else []
    periods = [] if session.reservation_expired else segment(session, plan, policy)
    return price_periods(session, tariff, policy, periods, reserved)


def price_periods(
    session: MeteredSession,
    tariff: Tariff,
    policy: Policy,
    periods: list[ChargingPeriod],
    reserved: list[ChargingPeriod],
) -> RatedSession:
    """Price the periods of a session, however they were come by: cut at once, or one reading after the other (`live`)."""
    plan = plan_of(tariff)
    warnings: list[Doubt] = []
    energy = _energy_runs(session, plan, policy, periods, warnings)
    used = Used(periods, reserved, session.reservation_expired, session.clock_is_usable)
    denominator, lines = price_used(used, plan, policy, energy, warnings, tariff.tax_basis)
    return RatedSession(
        session.session_id,
        tariff.version_id,
        policy.version_id,
        tariff.currency,
        tariff.tax_basis,
        denominator,
        lines,
        tuple(periods) if not reserved else (*reserved, *periods),
        periods[-1].energy_to if periods else 0,
        sum([run.measured for run in energy]),
        tuple(warnings),
    )


class Used(NamedTuple):
    """What a session used beside its energy: charging periods, the time of a reservation, and how that ended."""

    periods: list[ChargingPeriod]
    reserved: list[ChargingPeriod]
    expired: bool = False
    clock_is_usable: bool = True
    has_fed_back: bool = False


def price_used(
    used: Used,
    plan: Plan,
    policy: Policy,
    energy: list[Run],
    warnings: list[Doubt],
    basis: TaxBasis,
) -> tuple[int, tuple[Line, ...]]:
    """All lines, and the denominator of their amounts; doubts are added to the warnings."""
    periods = used.periods
    unknown_matches = policy.unknown_signal is UnknownSignal.MATCHES
    time, parking = _time_runs(plan, periods, unknown_matches)
    kept = _kept_runs(plan, used, unknown_matches) if used.reserved else []
    if policy.step_size is not StepSize.OFF:
        _fill_all_blocks(policy.step_size, energy, time, parking)
        _fill_blocks(kept)
    if plan.cuts.signals and _lacks_signals(plan, periods):
        warnings.append(Doubt.SIGNAL_NOT_KNOWN)
    if plan.follows_market:
        warnings += _missing_prices(energy)
    if not used.clock_is_usable and (time or parking or kept):
        warnings.append(Doubt.CLOCK_NOT_USABLE)
    to_line = _line if used.clock_is_usable else _unpriced
    lines = [*map(_line, energy), *map(to_line, time), *map(to_line, parking)]
    if plan.idle_free:
        lines += _free_idling(plan, periods, unknown_matches)
    if plan.flat:
        lines += _flat(plan, periods, policy, unknown_matches)
    if used.has_fed_back:
        lines += _fed_back(plan, periods, policy, unknown_matches)
    if used.reserved:
        lines += [*map(to_line, kept), *_reservation_fee(plan, used, unknown_matches)]
    if plan.limits is None:
        return plan.denominator, tuple(lines)
    return _limited(lines, plan, basis, may_be_raised=bool(periods))


def _energy_runs(
    session: MeteredSession, plan: Plan, policy: Policy, periods: list[ChargingPeriod], warnings: list[Doubt]
) -> list[Run]:
    """Energy by component, in order of time."""
    unknown_matches = policy.unknown_signal is UnknownSignal.MATCHES
    runs: list[Run] = []
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


def _extend(runs: list[Run], priced: Priced, period: ChargingPeriod) -> Run:
    """The run to which a period belongs: the last one while the component stays the same, else a new one."""
    if not runs or runs[-1].priced is not priced:
        runs.append(Run(priced, period.start))
    run = runs[-1]
    run.end = period.end
    return run


def _mark_interpolated(session: MeteredSession, runs: list[Run]) -> None:
    known = {reading.at for reading in session.readings} | {session.started_at, session.ended_at}
    for run in runs:
        if run.start not in known or run.end not in known:
            run.assumptions = (Assumption.ENERGY_INTERPOLATED,)


def _measured_runs(
    session: MeteredSession, plan: Plan, periods: list[ChargingPeriod], unknown_matches: bool, warnings: list[Doubt]
) -> list[Run]:
    """Energy by component where only measured values may be billed: between two readings the lowest price holds.

    No price at all is the lowest. The comparison walks along the energy, where readings and periods share one scale.
    """
    runs: list[Run] = []
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


def _time_runs(plan: Plan, periods: list[ChargingPeriod], unknown_matches: bool) -> tuple[list[Run], list[Run]]:
    """Charging time and parking time by component, each in order of time."""
    time: list[Run] = []
    parking: list[Run] = []
    for period in charged(periods, plan) if plan.time or plan.parking else ():
        passed, use = period.end - period.start, period.use
        if passed and use is not Use.NOTHING:
            candidates, runs = (plan.parking, parking) if use is Use.PARKING else (plan.time, time)
            priced = pick(candidates, period, unknown_matches)
            if priced is not None and not (plan.idle_free and use is Use.PARKING and idles_free(plan, period)):
                run = _extend(runs, priced, period)
                run.measured += passed
                if period.assumed:
                    run.assumptions = (Assumption.IDLE_SINCE_ENERGY_ENDED,)
    return time, parking


def charged(periods: list[ChargingPeriod], plan: Plan) -> list[ChargingPeriod]:
    """The same periods, each without what is forgiven of its idling at its beginning."""
    return periods if plan.grace is None else _after_grace(periods, plan.grace, plan)


def _after_grace(periods: list[ChargingPeriod], grace: IdleGrace, plan: Plan) -> list[ChargingPeriod]:
    """The periods with what is forgiven of idling taken out of them.

    Charging begins the grace anew. Time that nobody is charged for (an outage) does not: the vehicle idles on after it. What a
    window without a charge does to the grace, the tariff says.
    """
    allowed = grace.seconds * 1000
    counts_free = plan.grace_after is GraceAfter.RUNS
    spells: list[list[tuple[ChargingPeriod, bool]]] = [[]]
    for period in periods:
        lasts, is_free = period.end > period.start, period.use is Use.PARKING and idles_free(plan, period)
        if period.use is Use.CHARGING and lasts:
            spells.append([])
        spells[-1].append((period, is_free))
        if is_free and lasts and plan.grace_after is GraceAfter.BEGINS_ANEW:
            spells.append([])
    found: list[ChargingPeriod] = []
    for spell in spells:
        idle = sum(one.end - one.start for one, free in spell if one.use is Use.PARKING and (counts_free or not free))
        left = 0 if grace.is_retroactive and idle > allowed else allowed
        for period, is_free in spell:
            counts = period.use is Use.PARKING and (counts_free or not is_free)
            used = min(left, period.end - period.start) if counts else 0
            left -= used
            found.append(period._replace(start=period.start + used) if used and not is_free else period)
    return found


def _free_idling(plan: Plan, periods: list[ChargingPeriod], unknown_matches: bool) -> list[Line]:
    """Lines of nothing for idling in a window in which it costs nothing: whoever reads the bill sees that it was seen."""
    lines: list[Line] = []
    for period in periods:
        if period.use is Use.PARKING and period.end > period.start and idles_free(plan, period):
            priced = pick(plan.parking, period, unknown_matches)
            passed = period.end - period.start
            if priced is None:
                continue
            if lines and lines[-1].end == period.start and lines[-1].priced.element_index == priced.element_index:
                lines[-1] = lines[-1]._replace(end=period.end, measured=lines[-1].measured + passed)
            else:
                free = priced._replace(price=Decimal(0), weight=0, step=0)
                lines.append(Line(free, period.start, period.end, passed, 0, 0, Reason.IDLE_TIME_FREE))
    return lines


def _fill_blocks(runs: list[Run]) -> None:
    """Round the total up to whole blocks of the component used last; the surplus is billed there, at its price."""
    if runs and runs[-1].priced.step:
        runs[-1].extra = -sum(run.measured for run in runs) % runs[-1].priced.step


def _fill_all_blocks(how: StepSize, energy: list[Run], time: list[Run], parking: list[Run]) -> None:
    if how is StepSize.BY_COMPONENT:
        for runs in (energy, time, parking):
            for component in {id(run.priced): run.priced for run in runs}.values():
                _fill_blocks([run for run in runs if run.priced is component])
        return
    _fill_blocks(energy)
    if how is StepSize.COMBINED:
        _fill_blocks(sorted([*time, *parking], key=lambda run: run.end))
    elif how is StepSize.BY_DIMENSION:
        _fill_blocks(time)
        _fill_blocks(parking)
    else:
        # Time and parking are one block: where parking was priced, it alone is filled up (OCPI 2.3.0, CDR "step_size").
        _fill_blocks(parking or time)


def _flat(plan: Plan, periods: list[ChargingPeriod], policy: Policy, unknown_matches: bool) -> list[Line]:
    """The session fee: once, the first that applies; by policy once for each element that comes to apply."""
    lines: dict[int, Line] = {}
    for period in periods:
        priced = pick(plan.flat, period, unknown_matches)
        if priced is not None and id(priced) not in lines:
            lines[id(priced)] = _fee(priced, period, Reason.SESSION_FEE)
            if policy.flat_scope is FlatScope.SESSION:
                break
    return list(lines.values())


def _fee(priced: Priced, period: ChargingPeriod, reason: Reason) -> Line:
    return Line(priced, period.start, period.start, 1, 1, priced.weight, reason)


def _kept(plan: Plan, dimension: Dimension, period: ChargingPeriod, expired: bool, unknown: bool) -> Priced | None:
    """What a reservation costs: of one that expired, the price of expiry if there is one (ReservationRestrictionType)."""
    found = pick(plan.reserved.get((dimension, True), ()), period, unknown) if expired else None
    return found or pick(plan.reserved.get((dimension, False), ()), period, unknown)


def _kept_runs(plan: Plan, used: Used, unknown_matches: bool) -> list[Run]:
    runs: list[Run] = []
    for period in used.reserved:
        priced = _kept(plan, Dimension.TIME, period, used.expired, unknown_matches)
        if priced is not None and period.end > period.start:
            _extend(runs, priced, period).measured += period.end - period.start
    return runs


def _reservation_fee(plan: Plan, used: Used, unknown_matches: bool) -> list[Line]:
    """The fee of the reservation itself, beside the session's (OCPI's own example has both)."""
    for period in used.reserved:
        priced = _kept(plan, Dimension.FLAT, period, used.expired, unknown_matches)
        if priced is not None:
            return [_fee(priced, period, _reason(priced))]
    return []


def _fed_back(plan: Plan, periods: list[ChargingPeriod], policy: Policy, unknown_matches: bool) -> list[Line]:
    """Energy that the vehicle gave, by component: a credit of its own, never a negative quantity of a sale."""
    runs: list[Run] = []
    for period in periods:
        priced = pick(plan.energy, period, unknown_matches) if period.fed_back else None
        if priced is not None:
            _extend(runs, priced, period).measured += period.fed_back
    sign = -1 if policy.fed_back is FedBack.CREDITED else 0
    return [
        _line(run)._replace(
            priced=run.priced._replace(price=sign * run.priced.price, weight=sign * run.priced.weight),
            quantity=run.measured,
            numerator=sign * run.measured * run.priced.weight,
            reason=Reason.ENERGY_FED_BACK,
        )
        for run in runs
    ]


def plain_energy_runs(plan: Plan, periods: Iterable[ChargingPeriod], policy: Policy) -> list[Run]:
    """Energy by component where the periods are given: each has one price, that at its start."""
    unknown_matches = policy.unknown_signal is UnknownSignal.MATCHES
    runs: list[Run] = []
    for period in periods:
        delivered = period.energy_to - period.energy_from
        priced = pick(plan.energy, period, unknown_matches) if delivered else None
        if priced is not None:
            _extend(runs, priced, period).measured += delivered
    return runs


def _reason(priced: Priced) -> Reason:
    reservation = priced.reason.get("reservation")
    if reservation is None:
        return _REASONS[priced.dimension]
    is_time = priced.dimension is Dimension.TIME
    if reservation == "RESERVATION":
        return Reason.RESERVATION_TIME if is_time else Reason.RESERVATION_FEE
    return Reason.EXPIRED_RESERVATION_TIME if is_time else Reason.EXPIRED_RESERVATION_FEE


def _limited(lines: list[Line], plan: Plan, basis: TaxBasis, *, may_be_raised: bool) -> tuple[int, tuple[Line, ...]]:
    """The lines with what brings the whole up to the tariff's minimum or down to its maximum, a line for each tax rate."""
    assert plan.limits is not None, "only asked of a tariff with limits"
    sums: dict[tuple[int, int] | None, tuple[Decimal | None, Fraction]] = {}
    for line in lines:
        _, before = sums.get(line.priced.tax, (None, Fraction(0)))
        sums[line.priced.tax] = line.priced.tax_rate, before + Fraction(line.numerator, plan.denominator)
    found = adjustments(sums, plan.limits, basis, may_be_raised=may_be_raised)
    if not found:
        return plan.denominator, tuple(lines)
    denominator = lcm(plan.denominator, *(one.amount.denominator for one in found))
    scale = denominator // plan.denominator
    start = lines[0].start if lines else 0
    end = max((line.end for line in lines), default=start)
    scaled = [line._replace(numerator=line.numerator * scale) for line in lines]
    return denominator, (*scaled, *(_adjusting(one, denominator, start, end) for one in found))


def _adjusting(one: Adjustment, denominator: int, start: int, end: int) -> Line:
    numerator = one.amount.numerator * (denominator // one.amount.denominator)
    return Line(one.priced, start, end, 1, 1, numerator, Reason.MINIMUM_PRICE if one.raises else Reason.MAXIMUM_PRICE)


def _line(run: Run) -> Line:
    priced, quantity = run.priced, run.measured + run.extra
    return Line(
        priced,
        run.start,
        run.end,
        run.measured,
        quantity,
        quantity * priced.weight,
        _reason(priced),
        run.assumptions,
    )


def _unpriced(run: Run) -> Line:
    return Line(run.priced, run.start, run.end, run.measured, 0, 0, Reason.TIME_WITHOUT_CLOCK, run.assumptions)


def _missing_prices(energy: list[Run]) -> list[Doubt]:
    """What is to be told of energy for which the market's price was not known at the offer."""
    rules = {run.priced.reason.get("index", {}).get("missing") for run in energy}
    found = [Doubt.MARKET_PRICE_MISSING] if rules & {"fallback", "last_known"} else []
    return [*found, Doubt.MARKET_PRICE_AWAITED] if "hold" in rules else found


def _lacks_signals(plan: Plan, periods: list[ChargingPeriod]) -> bool:
    asked = {
        test[0]
        for candidates in (plan.energy, plan.time, plan.parking, plan.flat)
        for priced in candidates
        for test in priced.tests
    } & SIGNALS
    return any(period[place] is None for period in periods for place in asked)
