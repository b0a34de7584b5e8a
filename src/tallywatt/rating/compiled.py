"""Pure: a tariff under a policy made ready to price columns: tables in which a period finds its price by its state.

A state is a number: which of the tariff's daily windows and weekdays hold, and which of its other restrictions. Each
dimension has one table from the state to its price, so that a restriction is asked once for all dimensions. What this
form does not know is refused here, and `batch` leaves it to the pricer: never a wrong price for a fast one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, gcd, lcm
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tallywatt.rating.limits import adjustments
from tallywatt.rating.period import ENERGY, TIME_OF_DAY
from tallywatt.rating.plan import plan_of, tax_fraction
from tallywatt.rating.policy import Amounts, FlatScope, StepSize
from tallywatt.rating.records import TaxBasis
from tallywatt.rating.tariff import to_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from tallywatt.rating.columns import Column
    from tallywatt.rating.plan import Limits, Plan, Priced, Test
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Tariff

MINUTES_PER_WEEK: Final = 7 * 24 * 60
MOST_STATES: Final = 1 << 16
LARGEST: Final = 1 << 62
"""No number on the way to a price is above it, so that 64 bits always hold one more bit."""
MOST_AT_ONCE: Final = 1 << 48
"""More milliwatt-hours or milliseconds than that are no session's; so sums of them stay far inside 64 bits."""

LONGEST: Final = 10**14
"""Three thousand years in milliseconds: beyond it there is no calendar to ask."""

_TARIFF_KEYS: Final = {"id", "name", "currency", "tax_included", "elements", "min_price", "max_price", "idle_below"}
"""`idle_below` is for readings: a record tells its idle time itself."""
_ELEMENT_KEYS: Final = {"price_components", "restrictions"}
_COMPONENT_KEYS: Final = {"type", "price", "step_size", "vat"}
_RESTRICTION_KEYS: Final = {
    "start_time", "end_time", "start_date", "end_date", "min_kwh", "max_kwh", "min_current", "max_current", "min_power",
    "max_power", "min_duration", "max_duration", "day_of_week", "reservation",
}  # fmt: skip
_PLAN_FIELDS: Final = {
    "energy", "time", "parking", "flat", "denominator", "cuts", "reserved", "reservation_cuts", "limits", "idle_below",
}  # fmt: skip
_POLICY_FIELDS: Final = {
    "name", "interpolation", "step_size", "unknown_signal", "withheld_time", "amounts", "rounding", "longest_wait_seconds",
    "flat_scope", "fed_back",
}  # fmt: skip


class Charge(NamedTuple):
    """Into which group of one tax rate a price goes, and at what weight."""

    group: int
    weight: int
    step: int
    """1 where there are no blocks: then there is never anything to fill up."""
    of_parking: bool


@dataclass(frozen=True, slots=True)
class Table:
    """One dimension: which of its prices holds in which state."""

    charges: tuple[Charge, ...]
    by_state: Column
    """The place among `charges`; below zero: none."""
    only: int | None
    """The place that holds in every state; None: it depends."""
    weights: tuple[tuple[int, Column], ...]
    """Of each group of a tax rate: the weight by state."""
    covers: bool
    """Whether some price holds in every state."""
    asks_energy: bool
    """Whether it depends on how much was delivered before."""

    @property
    def has_blocks(self) -> bool:
        """Whether anything may have to be filled up."""
        return any(one.step > 1 for one in self.charges)

    @property
    def heaviest(self) -> int:
        """The largest weight, whatever its sign."""
        return max((abs(one.weight) for one in self.charges), default=0)


class Group(NamedTuple):
    """What is taxed at one rate, and how its sum becomes amounts."""

    part: int
    whole: int
    """The rate as a fraction of the net amount: part / whole."""
    to_before: int
    to_after: int
    """What its sum is multiplied by, to be in parts of the denominator."""
    to_minor: int
    minor_whole: int
    """Its sum times `to_minor` over `minor_whole` is its total in minor units, on the basis that is rounded first."""


class Bound(NamedTuple):
    """From which total on a price limit decides alone, and what the session costs then."""

    of_net: bool
    """Whether it is asked of the total before tax, or of the one after."""
    below: bool
    """Whether totals below the threshold are meant, or those above it."""
    threshold: int
    """In parts of the denominator."""
    instead: int | None
    """The sum that there is instead; None: what then happens is the pricer's business."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A tariff under a policy, ready to price columns."""

    tests: tuple[Test, ...]
    """Restrictions other than daily windows and weekdays; each is a bit of the state."""
    week: Column | None
    """By the minute of the local week: the state's part that windows and weekdays make. None: they decide nothing."""
    energy: Table
    time: Table
    parking: Table
    flat: Table
    groups: tuple[Group, ...]
    denominator: int
    to_minor: int
    minor_whole: int
    """A total times `to_minor` over `minor_whole` is in minor units."""
    gross_first: bool
    bounds: tuple[Bound, ...]
    asks_the_clock: bool
    splits_by_energy: bool
    """Whether a period that is charging and then parking may have two prices, because energy decides."""
    most_milliwatt_hours: int
    most_charging: int
    most_parking: int
    """Beyond these 64 bits might not hold a sum."""


@lru_cache(maxsize=4096)
def compiled(tariff: Tariff, policy: Policy) -> Compiled | None:
    """The tables of a tariff under a policy; None where only the pricer knows what it costs."""
    plan = plan_of(tariff)
    if not (knows(to_data(tariff)) and _knows_plan(plan) and _knows_policy(policy, plan)):
        return None
    return _compiled(tariff, plan, policy)


def knows(data: Mapping[str, Any]) -> bool:
    """Whether there is nothing in a tariff's data that this form has not heard of; what is added later is not known."""
    elements: list[Mapping[str, Any]] = data["elements"]
    return (
        data.keys() <= _TARIFF_KEYS
        and all(one.keys() <= _ELEMENT_KEYS for one in elements)
        and all(component.keys() <= _COMPONENT_KEYS for one in elements for component in one["price_components"])
        and all(one.get("restrictions", {}).keys() <= _RESTRICTION_KEYS for one in elements)
    )


def _knows_plan(plan: Plan) -> bool:
    """The same of what a tariff was made into, should a field ever be left out of its data."""
    return not any(getattr(plan, one.name) for one in fields(plan) if one.name not in _PLAN_FIELDS)


def _knows_policy(policy: Policy, plan: Plan) -> bool:
    """Whether a policy asks for nothing that depends on more than sums: rare scopes of blocks and fees."""
    if any(getattr(policy, one.name) != one.default for one in fields(policy) if one.name not in _POLICY_FIELDS):
        return False
    by_time = any(one.step for one in (*plan.time, *plan.parking))
    by_energy = any(one.step for one in plan.energy)
    if policy.step_size is StepSize.BY_COMPONENT and (by_time or by_energy):
        return False
    if policy.step_size is StepSize.COMBINED and by_time:
        return False
    return policy.flat_scope is FlatScope.SESSION or len(plan.flat) < 2


def _compiled(tariff: Tariff, plan: Plan, policy: Policy) -> Compiled | None:
    every = (*plan.energy, *plan.time, *plan.parking, *plan.flat)
    states = _States(every)
    if not every or states.number > MOST_STATES:
        return None
    taxes = list(dict.fromkeys(one.tax for one in every))
    decided = _decided_by_limits(plan, taxes, tariff.tax_basis)
    parts = _parts(plan, every, [total for *_, total in decided if total is not None])
    blocks = policy.step_size is not StepSize.OFF

    def table(candidates: Sequence[Priced]) -> Table:
        charges = [
            Charge(
                taxes.index(one.tax),
                one.weight * parts // plan.denominator,
                (one.step if blocks else 0) or 1,
                one.of_parking,
            )
            for one in candidates
        ]
        asks_energy = any(test[0] == ENERGY for one in candidates for test in one.tests)
        return _table(charges, [states.in_which(one) for one in candidates], states.number, asks_energy=asks_energy)

    energy, time, parking, flat = (table(one) for one in (plan.energy, plan.time, plan.parking, plan.flat))
    gross_tariff = tariff.tax_basis is TaxBasis.GROSS
    gross_first = gross_tariff if policy.amounts is Amounts.BY_TARIFF else policy.amounts is Amounts.GROSS_FIRST
    scale = 10**tariff.currency.exponent
    groups, denominator = _groups(taxes, parts, scale, gross_tariff=gross_tariff, gross_first=gross_first)
    bounds = tuple(_bound(*one, parts=parts, denominator=denominator) for one in decided)
    to_minor, minor_whole = _reduced(scale, denominator)
    most = _most(groups, denominator, to_minor, bounds)
    limits = [_limit(energy, most, MOST_AT_ONCE), _limit(time, most, LONGEST), _limit(parking, most, LONGEST)]
    if min(limits) < 1 or flat.heaviest > most:
        return None
    return Compiled(
        tests=states.tests,
        week=states.week,
        energy=energy,
        time=time,
        parking=parking,
        flat=flat,
        groups=groups,
        denominator=denominator,
        to_minor=to_minor,
        minor_whole=minor_whole,
        gross_first=gross_first,
        bounds=bounds,
        asks_the_clock=plan.cuts.wall_clock != () or plan.reservation_cuts.wall_clock != (),
        splits_by_energy=parking.asks_energy or flat.asks_energy,
        most_milliwatt_hours=limits[0],
        most_charging=limits[1],
        most_parking=limits[2],
    )


# States


class _States:
    """The states of a tariff: what tells them apart, how many there are, and in which of them a price holds."""

    def __init__(self, every: Sequence[Priced]) -> None:
        self.tests = tuple(dict.fromkeys(test for one in every for test in one.tests if test[0] != TIME_OF_DAY))
        windows = list(dict.fromkeys(_window(one) for one in every))
        patterns, kinds = _weeks(windows)
        self.number = patterns.shape[1] << len(self.tests)
        self.week = None if patterns.shape[1] == 1 else kinds << len(self.tests)
        if self.number > MOST_STATES:
            return
        states = np.arange(self.number)
        self._holds = dict(zip(windows, patterns[:, states >> len(self.tests)], strict=True))
        self._met = {test: (states >> bit & 1).astype(np.bool_) for bit, test in enumerate(self.tests)}

    def in_which(self, one: Priced) -> Any:
        """Of each state whether a price holds in it."""
        holds = self._holds[_window(one)]
        for test in one.tests:
            holds = holds & self._met[test] if test in self._met else holds
        return holds


_Window = tuple[int, tuple["Test", ...]]


def _window(one: Priced) -> _Window:
    """The weekdays and the daily window of a price."""
    return one.weekdays, tuple(test for test in one.tests if test[0] == TIME_OF_DAY)


def _weeks(windows: list[_Window]) -> tuple[Any, Column]:
    """In which kind of minute which window holds, and of which kind each minute of the week is; Monday is the first."""
    minutes = np.arange(MINUTES_PER_WEEK)
    days, times = minutes // (24 * 60), minutes % (24 * 60) * 60_000
    rows = np.empty((len(windows), MINUTES_PER_WEEK), np.bool_)
    for number, (weekdays, tests) in enumerate(windows):
        rows[number] = weekdays >> days & 1
        for _, low, high, within in tests:
            rows[number] &= ((low <= times) & (times < high)) == within
    patterns, kinds = np.unique(rows, axis=1, return_inverse=True)
    return patterns, kinds.reshape(-1).astype(np.int64)


def _table(charges: list[Charge], matching: list[Any], number_of_states: int, *, asks_energy: bool) -> Table:
    by_state = np.full(number_of_states, -1, np.int64)
    for place in reversed(range(len(charges))):
        by_state[matching[place]] = place
    weights = []
    for group in sorted({one.group for one in charges}):
        of_group = _whole([*(one.weight if one.group == group else 0 for one in charges), 0])
        weights.append((group, of_group[by_state]))
    return Table(
        charges=tuple(charges),
        by_state=by_state,
        only=int(by_state[0]) if (by_state == by_state[0]).all() else None,
        weights=tuple(weights),
        covers=bool((by_state >= 0).all()),
        asks_energy=asks_energy,
    )


def _whole(numbers: list[int]) -> Column:
    """Weights as 64 bits; those that do not fit are refused by their size, so what stands here for them is never used."""
    return np.array([one if abs(one) < LARGEST else 0 for one in numbers], np.int64)


# Sums and amounts


def _parts(plan: Plan, every: Sequence[Priced], totals: list[Fraction]) -> int:
    """In parts of how much of a major unit all amounts are whole: as few as possible, so that 64 bits hold more of them."""
    finest = lcm(plan.denominator, *(total.denominator for total in totals))
    weights = (one.weight * (finest // plan.denominator) for one in every)
    return finest // gcd(finest, *weights, *(int(total * finest) for total in totals))


def _reduced(part: int, whole: int) -> tuple[int, int]:
    common = gcd(part, whole)
    return part // common, whole // common


def _groups(
    taxes: Iterable[tuple[int, int] | None], denominator: int, scale: int, *, gross_tariff: bool, gross_first: bool
) -> tuple[tuple[Group, ...], int]:
    fractions = [one or (0, 1) for one in taxes]
    common = lcm(*(whole + part if gross_tariff else whole for part, whole in fractions))
    groups = []
    for part, whole in fractions:
        to_before = common * whole // (whole + part) if gross_tariff else common
        to_after = common if gross_tariff else common * (whole + part) // whole
        to_minor, minor_whole = scale, denominator
        if gross_first != gross_tariff:
            to_minor *= whole + part if gross_first else whole
            minor_whole *= whole if gross_first else whole + part
        groups.append(Group(part, whole, to_before, to_after, *_reduced(to_minor, minor_whole)))
    return tuple(groups), denominator * common


def _most(groups: tuple[Group, ...], denominator: int, to_minor: int, bounds: tuple[Bound, ...]) -> int:
    """So large may a sum of one dimension be: four of them make a total, which is multiplied, doubled and divided."""
    # The whole is rounded for itself only where several rates have to add up to it.
    rounded = to_minor if len(groups) > 1 else 1
    # Tax is taken of a sum in minor units: that sum was divided already, and is doubled for rounding.
    factors = [
        factor
        for one in groups
        for factor in (
            one.to_before * rounded,
            one.to_after * rounded,
            one.to_minor,
            2 * (one.part + one.whole) * one.to_minor // one.minor_whole + 1,
        )
    ]
    largest, divided = max(factors), max(denominator, *(one.minor_whole for one in groups))
    asked = (abs(number) for one in bounds for number in (one.threshold, (one.instead or 0) * largest))
    if max([divided, *asked]) > LARGEST >> 3:
        return 0
    return ((LARGEST >> 1) - divided) // largest // 4


def _limit(table: Table, most: int, at_most: int) -> int:
    """How much of a dimension a record may have."""
    largest_step = max((one.step for one in table.charges), default=1)
    return min(most // max(table.heaviest, 1) - largest_step, at_most)


_Decided = tuple[bool, bool, "Fraction", "Fraction | None"]


def _decided_by_limits(plan: Plan, taxes: list[tuple[int, int] | None], basis: TaxBasis) -> list[_Decided]:
    """Each limit in the order in which the pricer asks them, with the total that it decides on, on the tariff's basis.

    With one tax rate a limit decides alone, whatever the sum was. With several, each keeps its share: no total is told.
    """
    limits = plan.limits
    if limits is None:
        return []
    every = (
        (True, True, limits.least_before),
        (True, False, limits.most_before),
        (False, True, limits.least_after),
        (False, False, limits.most_after),
    )
    alone = len(taxes) == 1 and tax_fraction(limits.tax_rate) == taxes[0]
    return [
        (of_net, below, bound, _total(bound, limits, basis, taxes[0], of_net, below) if alone else None)
        for of_net, below, bound in every
        if bound is not None
    ]


def _total(
    bound: Fraction, limits: Limits, basis: TaxBasis, tax: tuple[int, int] | None, of_net: bool, below: bool
) -> Fraction | None:
    """What the pricer makes of a sum that this limit is the first to forbid; None where it needs a second tax rate."""
    rate = Fraction(*tax) if tax else Fraction(0)
    net = (bound if of_net else bound / (1 + rate)) + (-1 if below else 1)
    if not of_net:
        net = net if limits.least_before is None else max(net, limits.least_before)
        net = net if limits.most_before is None else min(net, limits.most_before)
    amount = net * (1 + rate) if basis is TaxBasis.GROSS else net
    found = adjustments({tax: (limits.tax_rate, amount)}, limits, basis, may_be_raised=True)
    return amount + found[0].amount if [one.priced.tax for one in found] == [tax] else None


def _bound(
    of_net: bool, below: bool, bound: Fraction, total: Fraction | None, *, parts: int, denominator: int
) -> Bound:
    threshold = bound * denominator
    return Bound(
        of_net, below, ceil(threshold) if below else floor(threshold), None if total is None else int(total * parts)
    )
