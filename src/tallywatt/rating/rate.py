"""Pure: what a session costs, exactly and with reasons: one function for display, limit, invoice, CDR and check."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING, Final, NamedTuple

from tallywatt.rating.before import NOTHING, Before, concerns
from tallywatt.rating.limits import adjustments
from tallywatt.rating.period import SIGNALS, Assumed, ChargingPeriod, Use
from tallywatt.rating.plan import Plan, Priced, idles_free, pick, plan_of
from tallywatt.rating.policy import (
    STANDARD,
    FedBack,
    FlatScope,
    Interpolation,
    MinimumPrice,
    Policy,
    StepSize,
    UnknownSignal,
)
from tallywatt.rating.records import Dimension, TaxBasis
from tallywatt.rating.reductions import Charged, TakenOff, above_caps, days_of, discounted, price_of
from tallywatt.rating.segment import reserved_periods, segment
from tallywatt.rating.tariff import GraceAfter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tallywatt.kernel.identity import PolicyVersionId, SessionId, TariffVersionId
    from tallywatt.kernel.money import Currency
    from tallywatt.metering.metered import MeteredSession
    from tallywatt.rating.plan import Limits
    from tallywatt.rating.tariff import Cap, IdleGrace, Tariff

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
    CAP = "cap"
    """What was above a cap, of the session or of the day: taken off."""
    DISCOUNT = "discount"
    COUPON = "coupon"
    """A discount that a coupon granted to this session."""
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
    IDLE_BELOW_POWER = "idle_below_power"
    """Likewise; it is concluded from the power, as the tariff says."""


_CONCLUDED: Final = {
    Assumed.ENERGY_ENDED: Assumption.IDLE_SINCE_ENERGY_ENDED,
    Assumed.POWER_FELL: Assumption.IDLE_BELOW_POWER,
}


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
    day: int = 0
    """The local day on which it began, where the tariff asks for it."""


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
    before: Before = NOTHING
    """What the payer had before it, and what was granted to it."""

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

    __slots__ = ("assumptions", "day", "end", "extra", "measured", "priced", "start")

    def __init__(self, priced: Priced, start: int, day: int = 0) -> None:
        self.priced = priced
        self.day = day
        self.start = start
        self.end = start
        self.measured = 0
        self.extra = 0
        self.assumptions: tuple[Assumption, ...] = ()


def rate(session: MeteredSession, tariff: Tariff, policy: Policy = STANDARD, before: Before = NOTHING) -> RatedSession:
    """Price a session: the first matching component of each dimension in each period (OCPI 2.3.0, Tariff object)."""
    plan = plan_of(tariff)
    reserved = reserved_periods(session, plan) if session.reserved_at is not None else []
    month = before.month_milliwatt_hours
    periods = [] if session.reservation_expired else segment(session, plan, policy, month=month)
    return price_periods(session, tariff, policy, periods, reserved, before)


def price_periods(
    session: MeteredSession,
    tariff: Tariff,
    policy: Policy,
    periods: list[ChargingPeriod],
    reserved: list[ChargingPeriod],
    before: Before = NOTHING,
) -> RatedSession:
    """Price the periods of a session, however they were come by: cut at once, or one reading after the other (`live`)."""
    plan = plan_of(tariff)
    warnings: list[Doubt] = []
    energy = _energy_runs(session, plan, policy, periods, warnings)
    used = Used(periods, reserved, session.reservation_expired, session.clock_is_usable, before=before)
    denominator, lines = price_used(used, plan, policy, energy, warnings, tariff)
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
        before,
    )


class Used(NamedTuple):
    """What a session used beside its energy: charging periods, the time of a reservation, and how that ended."""

    periods: list[ChargingPeriod]
    reserved: list[ChargingPeriod]
    expired: bool = False
    clock_is_usable: bool = True
    has_fed_back: bool = False
    before: Before = NOTHING


def price_used(
    used: Used,
    plan: Plan,
    policy: Policy,
    energy: list[Run],
    warnings: list[Doubt],
    tariff: Tariff,
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
    return _bounded(lines, plan, policy, tariff, used)


def _bounded(lines: list[Line], plan: Plan, policy: Policy, tariff: Tariff, used: Used) -> tuple[int, tuple[Line, ...]]:
    """The lines with what limits, caps and discounts add to them; most tariffs have none."""
    if plan.caps or plan.discounts or used.before.granted:
        return _reduced(lines, plan, policy, tariff, used)
    if plan.limits is None:
        return plan.denominator, tuple(lines)
    return _limited(plan.denominator, lines, plan.limits, tariff.tax_basis, may_be_raised=bool(used.periods))


def _energy_runs(
    session: MeteredSession, plan: Plan, policy: Policy, periods: list[ChargingPeriod], warnings: list[Doubt]
) -> list[Run]:
    """Energy by component, in order of time."""
    unknown_matches = policy.unknown_signal is UnknownSignal.MATCHES
    runs: list[Run] = []
    candidates, is_split = plan.energy, False
    before: Priced | None = None
    day = 0
    for period in periods if candidates else ():
        delivered = period.energy_to - period.energy_from
        if delivered:
            priced = pick(candidates, period, unknown_matches)
            if priced is not None:
                _extend(runs, priced, period, plan.by_day).measured += delivered
            changed = priced is not before or (plan.by_day and period.day != day)
            is_split = is_split or (changed and period.energy_from > 0)
            before, day = priced, period.day
    if is_split and policy.interpolation is Interpolation.MEASURED_ONLY:
        return _measured_runs(session, plan, periods, unknown_matches, warnings)
    if is_split:
        _mark_interpolated(session, runs)
    return runs


def _extend(runs: list[Run], priced: Priced, period: ChargingPeriod, by_day: bool = False) -> Run:
    """The run to which a period belongs: the last one while the component (and the day, if asked) stays the same."""
    if not runs or runs[-1].priced is not priced or (by_day and runs[-1].day != period.day):
        runs.append(Run(priced, period.start, period.day))
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
        # What cannot be split belongs to the day on which it began.
        run = _extend(runs, lowest, touched[-1][1]._replace(day=touched[0][1].day), plan.by_day)
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
                run = _extend(runs, priced, period, plan.by_day)
                run.measured += passed
                if period.assumed:
                    run.assumptions = (_CONCLUDED[period.assumed],)
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
                lines.append(Line(free, period.start, period.end, passed, 0, 0, Reason.IDLE_TIME_FREE, day=period.day))
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
    return Line(priced, period.start, period.start, 1, 1, priced.weight, reason, day=period.day)


def _kept(plan: Plan, dimension: Dimension, period: ChargingPeriod, expired: bool, unknown: bool) -> Priced | None:
    """What a reservation costs: of one that expired, the price of expiry if there is one (ReservationRestrictionType)."""
    found = pick(plan.reserved.get((dimension, True), ()), period, unknown) if expired else None
    return found or pick(plan.reserved.get((dimension, False), ()), period, unknown)


def _kept_runs(plan: Plan, used: Used, unknown_matches: bool) -> list[Run]:
    runs: list[Run] = []
    for period in used.reserved:
        priced = _kept(plan, Dimension.TIME, period, used.expired, unknown_matches)
        if priced is not None and period.end > period.start:
            _extend(runs, priced, period, plan.by_day).measured += period.end - period.start
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
            _extend(runs, priced, period, plan.by_day).measured += period.fed_back
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
            _extend(runs, priced, period, plan.by_day).measured += delivered
    return runs


def _reason(priced: Priced) -> Reason:
    reservation = priced.reason.get("reservation")
    if reservation is None:
        return _REASONS[priced.dimension]
    is_time = priced.dimension is Dimension.TIME
    if reservation == "RESERVATION":
        return Reason.RESERVATION_TIME if is_time else Reason.RESERVATION_FEE
    return Reason.EXPIRED_RESERVATION_TIME if is_time else Reason.EXPIRED_RESERVATION_FEE


def _limited(
    denominator: int,
    lines: Sequence[Line],
    limits: Limits,
    basis: TaxBasis,
    *,
    may_be_raised: bool,
    by_day: bool = False,
) -> tuple[int, tuple[Line, ...]]:
    """The lines with what brings the whole up to the tariff's minimum or down to its maximum, a line for each tax rate."""
    sums: dict[tuple[int, int] | None, tuple[Decimal | None, Fraction]] = {}
    for line in lines:
        _, before = sums.get(line.priced.tax, (None, Fraction(0)))
        sums[line.priced.tax] = line.priced.tax_rate, before + Fraction(line.numerator, denominator)
    found = adjustments(sums, limits, basis, may_be_raised=may_be_raised)
    charged = _charged((denominator, lines)) if by_day else []
    added: list[_Added] = []
    for one in found:
        reason = Reason.MINIMUM_PRICE if one.raises else Reason.MAXIMUM_PRICE
        if by_day:
            parts = days_of(charged, one.priced.tax, one.amount, by_day=True)
            added += [(reason, one.priced._replace(price=price_of(amount)), amount, day) for day, amount in parts]
        else:
            added.append((reason, one.priced, one.amount, None))
    return _with(denominator, lines, added)


_Added = tuple[Reason, Priced, Fraction, int | None]
"""What is added to the lines: why, what is told of it, how much, and on which day if it is of one."""


def _with(denominator: int, lines: Sequence[Line], added: Sequence[_Added]) -> tuple[int, tuple[Line, ...]]:
    """The lines and what is added to them, over one denominator. It stands over the time of the lines of its day."""
    if not added:
        return denominator, tuple(lines)
    common = lcm(denominator, *(amount.denominator for _, _, amount, _ in added))
    scale = common // denominator
    new = []
    for reason, priced, amount, day in added:
        own = [line for line in lines if day in (None, line.day)] or lines
        start = own[0].start if own else 0
        end = max((line.end for line in own), default=start)
        of = (own[0].day if own else 0) if day is None else day
        new.append(Line(priced, start, end, 1, 1, amount.numerator * (common // amount.denominator), reason, day=of))
    return common, (*(line._replace(numerator=line.numerator * scale) for line in lines), *new)


def _reduced(lines: list[Line], plan: Plan, policy: Policy, tariff: Tariff, used: Used) -> tuple[int, tuple[Line, ...]]:
    """The lines with all that is taken off them and added to them, in the order that `reductions` explains."""
    basis, currency, before = tariff.tax_basis, tariff.currency, used.before
    periods = used.periods or used.reserved
    day, raised = (periods[0].day if periods else 0), bool(used.periods)
    discounts = (*plan.discounts, *before.granted)
    holds = policy.minimum_price is MinimumPrice.HOLDS
    now: tuple[int, Sequence[Line]] = plan.denominator, lines

    def cap(caps: Iterable[Cap]) -> tuple[int, Sequence[Line]]:
        taken = above_caps(_charged(now), caps, before, basis, currency, by_day=plan.by_day)
        return _taken_off(now, taken)

    def limit(limits: Limits | None, *, may_be_raised: bool) -> tuple[int, Sequence[Line]]:
        if limits is None:
            return now
        return _limited(*now, limits, basis, may_be_raised=may_be_raised, by_day=plan.by_day)

    whole = [one for one in plan.caps if not one.dimensions]
    now = cap(one for one in plan.caps if one.dimensions)
    now = limit(plan.limits, may_be_raised=raised and not (holds and discounts))
    now = cap(whole)
    now = _taken_off(now, discounted(_charged(now), discounts, day, basis, currency, by_day=plan.by_day))
    if holds and discounts:
        now = limit(plan.limits, may_be_raised=raised)
        now = cap(whole)
    return now[0], tuple(now[1])


def _charged(now: tuple[int, Sequence[Line]]) -> list[Charged]:
    denominator, lines = now
    return [
        Charged(
            concerns(line.reason, line.priced.dimension, line.priced.reason),
            line.day,
            line.priced.tax_rate,
            line.priced.tax,
            Fraction(line.numerator, denominator),
        )
        for line in lines
    ]


def _taken_off(now: tuple[int, Sequence[Line]], taken: Sequence[TakenOff]) -> tuple[int, Sequence[Line]]:
    return _with(*now, [(Reason(one.code), one.priced, one.amount, one.day) for one in taken])


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
        run.day,
    )


def _unpriced(run: Run) -> Line:
    return Line(run.priced, run.start, run.end, run.measured, 0, 0, Reason.TIME_WITHOUT_CLOCK, run.assumptions, run.day)


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
