"""Pure: a tariff made ready to rate, once: whole-number weights, restrictions as plain tests, and where to cut periods.

Prices are exact without fractions: every amount of a tariff is a whole number over one denominator, because kWh in
milliwatt-hours and hours in milliseconds have the common multiple 18,000,000.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tallywatt.rating.index import Missing, index_data
from tallywatt.rating.period import (
    DAY,
    ELAPSED,
    ENERGY,
    MILLIAMPS,
    MONTH_ENERGY,
    MOST_MILLIAMPS,
    MOST_WATTS,
    START,
    TARIFF,
    TIME_OF_DAY,
    WATTS,
    ChargingPeriod,
)
from tallywatt.rating.records import Dimension, Unit
from tallywatt.rating.tariff import (
    MINUTES_PER_DAY,
    PriceLimit,
    Restrictions,
    Tariff,
    below_data,
    grace_data,
    plain,
    restriction_data,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from tallywatt.rating.index import Index
    from tallywatt.rating.tariff import Cap, Component, Discount, Element, GraceAfter, IdleBelow, IdleGrace

MS_PER_MINUTE: Final = 60_000
MS_PER_DAY: Final = MINUTES_PER_DAY * MS_PER_MINUTE
COMMON: Final = 18_000_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_FOR_EVER: Final = 1 << 62
_EVERY_DAY: Final = 0b111_1111

_UNITS: Final = {
    Dimension.ENERGY: (Unit.MILLIWATT_HOURS, COMMON // 1_000_000, 1_000),
    Dimension.TIME: (Unit.MILLISECONDS, COMMON // 3_600_000, 1_000),
    Dimension.PARKING_TIME: (Unit.MILLISECONDS, COMMON // 3_600_000, 1_000),
    Dimension.FLAT: (Unit.TIMES, COMMON, 1),
}
"""Of each dimension: what a quantity counts, the common parts that one of it weighs, and how many a step of 1 has."""

Test = tuple[int, int, int, bool]
"""A fact's place in a period, the lowest value, the value that is too high, and whether to be within or outside of them."""


class Priced(NamedTuple):
    """One price component, ready to rate."""

    dimension: Dimension
    element_index: int
    price: Decimal
    tax_rate: Decimal | None
    tax: tuple[int, int] | None
    """The tax rate as a fraction of the net amount."""
    weight: int
    """The amount of one unit of quantity, in parts of the plan's denominator."""
    step: int
    """Block size in units of quantity; 0: by the unit."""
    tests: tuple[Test, ...]
    weekdays: int
    """Bit n: applies on weekday n."""
    unit: Unit
    reason: dict[str, Any]
    """The restrictions under which it applies, and its block: the parameters of the reason code."""
    always: bool
    """Whether it applies at any time."""
    tariff: int = 0
    """Which of several tariffs it is of."""
    of_parking: bool = False
    """Whether its element prices parking and nothing else that is used: its flat price is a cost of parking (OCPI CDR)."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """At what a new period must begin for this tariff."""

    wall_clock: tuple[int, ...] = ()
    """Milliseconds since local midnight."""
    energy: tuple[int, ...] = ()
    elapsed: tuple[int, ...] = ()
    instants: tuple[int, ...] = ()
    """Moments of the market's clock, in order: at them another slot begins."""
    month: tuple[int, ...] = ()
    """Milliwatt-hours of the calendar month."""
    signals: bool = False
    """Whether power or current decide: then every reading begins a period."""


class Limits(NamedTuple):
    """What a session costs at least and at most, before and after tax."""

    least_before: Fraction | None
    least_after: Fraction | None
    most_before: Fraction | None
    most_after: Fraction | None
    tax_rate: Decimal | None
    """The rate at which a minimum is taxed where nothing else was charged: that of the tariff's first price."""
    tariff: Tariff | None
    """Whose limits they are; None: a cap's, which names itself."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A tariff, ready to rate."""

    energy: tuple[Priced, ...]
    time: tuple[Priced, ...]
    parking: tuple[Priced, ...]
    flat: tuple[Priced, ...]
    denominator: int
    cuts: Cuts
    reserved: Mapping[tuple[Dimension, bool], tuple[Priced, ...]]
    """What a reservation costs, by dimension and by whether it is the price of one that expired."""
    reservation_cuts: Cuts
    limits: Limits | None
    caps: tuple[Cap, ...] = ()
    discounts: tuple[Discount, ...] = ()
    by_day: bool = False
    """Whether lines are cut at local midnight, because a cap holds for a day."""
    grace: IdleGrace | None = None
    """How long a vehicle may idle before its idle time is charged."""
    idle_below: IdleBelow | None = None
    """When low power counts as idling."""
    follows_market: bool = False
    idle_free: tuple[tuple[tuple[Test, ...], int], ...] = ()
    """The windows in which idling costs nothing: of each its tests and its weekdays."""
    grace_after: GraceAfter | None = None


@lru_cache(maxsize=4096)
def plan_of(tariff: Tariff) -> Plan:
    """The plan of a tariff, compiled once for each version."""
    return compile_tariff(tariff)


def compile_tariff(tariff: Tariff) -> Plan:
    """Make a tariff ready to rate."""
    return _compiled([(0, element) for element in tariff.elements], tariff, told_apart=False)


@lru_cache(maxsize=1024)
def joined_plan(tariffs: tuple[Tariff, ...]) -> Plan:
    """One plan of several tariffs, each of which applies in the periods that name it; limits and grace are those of the first.

    OCPI lets a session change its tariff (a driver chooses another profile), and counts its blocks over all of it.
    """
    elements = [(number, element) for number, tariff in enumerate(tariffs) for element in tariff.elements]
    return _compiled(elements, tariffs[0], told_apart=True)


def _compiled(elements: Sequence[tuple[int, Element]], first: Tariff, *, told_apart: bool) -> Plan:
    """What is priced for a reservation alone never applies to charging, nor the other way round."""
    grace = first.idle_grace
    windows = first.idle_free.windows if first.idle_free is not None else ()
    components = [component for _, element in elements for component in element.components]
    places = max(
        (max(places_of(one.price), one.index.places if one.index is not None else 0) for one in components), default=0
    )
    priced: dict[tuple[Dimension, str | None], list[Priced]] = {}
    for number, element in elements:
        tests = tuple(_tests(element.restrictions))
        if told_apart:
            tests = ((TARIFF, number, number + 1, True), *tests)
        for component in element.components:
            place = component.dimension, element.restrictions.reservation
            one = _priced(number, element, component, tests, places, first)
            # A price that follows a market stands before what holds in slots without one.
            priced.setdefault(place, []).extend((*_in_slots(one, component.index, places), one))
    used = {dimension: tuple(priced.get((dimension, None), ())) for dimension in Dimension}
    charging = [element.restrictions for _, element in elements if element.restrictions.reservation is None]
    by_day = any(cap.per == "day" for cap in first.caps)
    # A discount holds by the local day on which the session started.
    asks_the_day = by_day or any(one.start_date or one.end_date for one in first.discounts)
    return Plan(
        energy=used[Dimension.ENERGY],
        time=used[Dimension.TIME],
        parking=used[Dimension.PARKING_TIME],
        flat=used[Dimension.FLAT],
        denominator=COMMON * 10**places,
        cuts=replace(_cuts([*charging, *windows], asks_the_day), instants=_slot_edges(components)),
        reserved={
            (dimension, reservation == "RESERVATION_EXPIRES"): tuple(found)
            for (dimension, reservation), found in priced.items()
            if reservation is not None
        },
        reservation_cuts=_cuts(
            (element.restrictions for _, element in elements if element.restrictions.reservation is not None),
            asks_the_day,
        ),
        limits=_limits(first),
        caps=first.caps,
        discounts=first.discounts,
        by_day=by_day,
        grace=grace,
        idle_below=first.idle_below,
        idle_free=tuple((tuple(_tests(window)), _weekdays(window)) for window in windows),
        grace_after=first.idle_free.grace if first.idle_free is not None else None,
        follows_market=any(one.index is not None for one in components),
    )


def _priced(
    number: int, element: Element, component: Component, tests: tuple[Test, ...], places: int, tariff: Tariff
) -> Priced:
    unit, factor, multiplier = _UNITS[component.dimension]
    weekdays = _weekdays(element.restrictions)
    reason = restriction_data(element.restrictions)
    if component.step_size > 1:
        reason["step_size"] = component.step_size
    if tariff.idle_grace is not None and component.dimension is Dimension.PARKING_TIME:
        reason["idle_grace"] = grace_data(tariff.idle_grace)
    if tariff.idle_free is not None and component.dimension is Dimension.PARKING_TIME:
        reason["idle_free"] = [restriction_data(window) for window in tariff.idle_free.windows]
    if tariff.idle_below is not None and component.dimension is Dimension.PARKING_TIME:
        reason["idle_below"] = below_data(tariff.idle_below)
    if component.index is not None:
        rule = index_data(replace(component.index, slots=None), plain)
        reason["index"] = {name: rule[name] for name in ("market", "minutes", "missing")}
    dimensions = {one.dimension for one in element.components}
    return Priced(
        dimension=component.dimension,
        element_index=element.index,
        price=component.price,
        tax_rate=component.tax_rate,
        tax=tax_fraction(component.tax_rate),
        weight=int(component.price.scaleb(places)) * factor,
        step=component.step_size * multiplier,
        tests=tests,
        weekdays=weekdays,
        unit=unit,
        reason=reason,
        always=not tests and weekdays == _EVERY_DAY,
        tariff=number,
        of_parking=Dimension.PARKING_TIME in dimensions and dimensions <= {Dimension.PARKING_TIME, Dimension.FLAT},
    )


def _weekdays(restrictions: Restrictions) -> int:
    return sum(1 << day for day in restrictions.days) or _EVERY_DAY


def _in_slots(rest: Priced, index: Index | None, places: int) -> list[Priced]:
    """The price of each slot, ready to rate; where the last known price goes on, until the next one."""
    if index is None or not index.slots:
        return []
    spans = [(int(at), at + index.milliseconds, market_price, False) for at, market_price in index.slots]
    if index.missing is Missing.LAST_KNOWN:
        starts = [*(at for at, _ in index.slots[1:]), _FOR_EVER]
        gaps = [(end, then, known, True) for (_, end, known, _), then in zip(spans, starts, strict=True) if end < then]
        spans = sorted([*spans, *gaps])
    found = []
    for at, end, market_price, is_missing in spans:
        price = index.price(market_price)
        said = {**rest.reason["index"], "market_price": plain(market_price)}
        if not is_missing:
            del said["missing"]
        found.append(
            rest._replace(
                price=price,
                weight=int(price.scaleb(places)) * _UNITS[Dimension.ENERGY][1],
                tests=((START, at, end, True), *rest.tests),
                reason={**rest.reason, "index": said},
                always=False,
            )
        )
    return found


def _slot_edges(components: Iterable[Component]) -> tuple[int, ...]:
    edges: set[int] = set()
    for one in components:
        if one.index is not None:
            edges.update(edge for at, _ in one.index.slots or () for edge in (at, at + one.index.milliseconds))
    return tuple(sorted(edges))


def _limits(tariff: Tariff) -> Limits | None:
    if tariff.min_price is None and tariff.max_price is None:
        return None
    least, most = tariff.min_price or PriceLimit(), tariff.max_price or PriceLimit()
    rates = (one.tax_rate for element in tariff.elements for one in element.components if one.price)
    return Limits(
        _fraction(least.before_taxes),
        _fraction(least.after_taxes),
        _fraction(most.before_taxes),
        _fraction(most.after_taxes),
        next(rates, None),
        tariff,
    )


def _fraction(number: Decimal | None) -> Fraction | None:
    return None if number is None else Fraction(number)


def pick(candidates: tuple[Priced, ...], period: ChargingPeriod, unknown_matches: bool) -> Priced | None:
    """The first component whose restrictions all hold; what is not known matches or not, as the policy says."""
    for one in candidates:
        if one.always:
            return one
        # 1970-01-01 was a Thursday, the fourth day of the week.
        if one.weekdays >> (period.day + 3) % 7 & 1:
            for place, low, high, within in one.tests:
                value = period[place]
                if (unknown_matches if value is None else low <= value < high) is not within:
                    break
            else:
                return one
    return None


def idles_free(plan: Plan, period: ChargingPeriod) -> bool:
    """Whether idling costs nothing in a period."""
    return any(
        weekdays >> (period.day + 3) % 7 & 1
        and all((low <= (period[place] or 0) < high) is within for place, low, high, within in tests)
        for tests, weekdays in plan.idle_free
    )


def tax_fraction(rate: Decimal | None) -> tuple[int, int] | None:
    """A tax rate in percent as a fraction of the net amount."""
    return None if rate is None else (rate / 100).as_integer_ratio()


def places_of(number: Decimal) -> int:
    """How many decimal places a figure has."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int), "a price is a finite number"
    return max(0, -exponent)


def _tests(restrictions: Restrictions) -> list[Test]:
    tests: list[Test] = []
    window = _window(restrictions)
    if window is not None:
        start, end = window
        tests.append((TIME_OF_DAY, start, end, True) if start < end else (TIME_OF_DAY, end, start, False))
    if restrictions.start_date is not None or restrictions.end_date is not None:
        first = restrictions.start_date.toordinal() - _EPOCH_DAY if restrictions.start_date else -_FOR_EVER
        end_day = restrictions.end_date.toordinal() - _EPOCH_DAY if restrictions.end_date else _FOR_EVER
        tests.append((DAY, first, end_day, True))
    for place, low, high, scale in (
        (ENERGY, restrictions.min_milliwatt_hours, restrictions.max_milliwatt_hours, 1),
        (MONTH_ENERGY, restrictions.min_month_milliwatt_hours, restrictions.max_month_milliwatt_hours, 1),
        (ELAPSED, restrictions.min_seconds, restrictions.max_seconds, 1000),
        (WATTS, restrictions.min_watts, None, 1),
        (MOST_WATTS, None, restrictions.max_watts, 1),
        (MILLIAMPS, restrictions.min_milliamps, None, 1),
        (MOST_MILLIAMPS, None, restrictions.max_milliamps, 1),
    ):
        if low is not None or high is not None:
            tests.append(
                (place, -_FOR_EVER if low is None else low * scale, _FOR_EVER if high is None else high * scale, True)
            )
    return tests


def _window(restrictions: Restrictions) -> tuple[int, int] | None:
    """The daily window in milliseconds; a missing bound is midnight; equal bounds mean the whole day."""
    start = restrictions.start_time or 0
    end = MINUTES_PER_DAY if restrictions.end_time is None else restrictions.end_time
    if start == end or (start == 0 and end == MINUTES_PER_DAY):
        return None
    return start * MS_PER_MINUTE, end * MS_PER_MINUTE


def _cuts(all_restrictions: Iterable[Restrictions], at_midnight: bool) -> Cuts:
    wall_clock = {0} if at_midnight else set[int]()
    energy: set[int] = set()
    elapsed: set[int] = set()
    month: set[int] = set()
    signals = False
    for one in all_restrictions:
        wall_clock.update(bound % MS_PER_DAY for bound in _window(one) or ())
        if one.days or one.start_date or one.end_date:
            wall_clock.add(0)
        energy.update(bound for bound in (one.min_milliwatt_hours, one.max_milliwatt_hours) if bound)
        months = (one.min_month_milliwatt_hours, one.max_month_milliwatt_hours)
        month.update(bound for bound in months if bound)
        elapsed.update(bound * 1000 for bound in (one.min_seconds, one.max_seconds) if bound)
        bounds = (one.min_watts, one.max_watts, one.min_milliamps, one.max_milliamps)
        signals = signals or any(bound is not None for bound in bounds)
    return Cuts(
        tuple(sorted(wall_clock)),
        tuple(sorted(energy)),
        tuple(sorted(elapsed)),
        signals=signals,
        month=tuple(sorted(month)),
    )
