"""Pure: the prices of many charge records at once, by columns: the same prices as `rate_record` and `fix_amounts` give.

Whole numbers from end to end. What the compiled form of a tariff does not know, and a record that it cannot carry (a
reservation, energy fed back, sums beyond 64 bits), goes to the pricer one by one, and the result says which.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tallywatt.kernel.clock import parse_instant
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.columns import (
    FIXED,
    PARTS,
    SIGNAL_NOT_TOLD,
    Amounts,
    Column,
    Marks,
    Price,
    Prices,
    Records,
    Terms,
    no_prices,
)
from tallywatt.rating.compiled import LARGEST, MINUTES_PER_WEEK, MOST_AT_ONCE, Compiled, Table, compiled
from tallywatt.rating.fields import BadField
from tallywatt.rating.period import DAY, ELAPSED, ENERGY, MILLIAMPS, MOST_MILLIAMPS, MOST_WATTS, WATTS
from tallywatt.rating.plan import MS_PER_DAY, MS_PER_MINUTE, plan_of
from tallywatt.rating.policy import Rounding, StepSize, UnknownSignal
from tallywatt.rating.rate_cdr import costs, rate_record
from tallywatt.rating.records import TaxBasis
from tallywatt.rating.segment import offsets_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tallywatt.rating.plan import Test
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.rate import RatedSession
    from tallywatt.rating.rate_cdr import RatedRecord

AT_ONCE: Final = 8192
"""So many records are priced in one go: their columns stay in a processor's cache."""
_EARLIEST: Final = int(parse_instant("1980-01-01T00:00:00Z"))
_LATEST: Final = int(parse_instant("2100-01-01T00:00:00Z"))
"""A wall clock is asked by columns between these; a record from elsewhere goes to the pricer."""
_THURSDAY: Final = 3 * 24 * 60
"""1970-01-01 was one: so many minutes after the week's first."""
_SIGNAL_COLUMNS: Final = {
    WATTS: "least_watts",
    MOST_WATTS: "most_watts",
    MILLIAMPS: "least_milliamps",
    MOST_MILLIAMPS: "most_milliamps",
}


def price_records(records: Records, terms: Sequence[Terms], terms_of: Column | None = None) -> Prices:
    """The price of each record under its terms; without `terms_of` all have the first."""
    number = len(records)
    assert not number or int(records.lengths.min()) > 0, "a record has at least one period"
    prices = no_prices(number, tuple(one.tariff.version_id for one in terms))
    span = (int(records.start.min()), int(records.start.max())) if number else (0, 0)
    for place, ours in _by_terms(terms_of, number):
        one = terms[place]
        _check_zone(one)
        form = compiled(one.tariff, one.policy)
        clock = _clock(span, one, form)
        for rows in _pieces(ours):
            piece = records.between(rows.start, rows.stop) if isinstance(rows, slice) else records.at(rows)
            if form is None:
                alone = np.arange(len(piece))
            else:
                alone = np.flatnonzero(_price(piece, form, one.policy, clock, _Rows(prices, rows)))
            _price_alone(piece, one, alone, prices, rows)
    return prices


def _by_terms(terms_of: Column | None, number: int) -> Iterator[tuple[int, slice | Column]]:
    """The rows of each set of terms: as they lie where they lie together, else their places."""
    if terms_of is None:
        if number:
            yield 0, slice(0, number)
        return
    steps = np.diff(terms_of)
    order = None if (steps >= 0).all() else np.argsort(terms_of, kind="stable")
    sorted_terms = terms_of if order is None else terms_of[order]
    firsts = np.flatnonzero(np.diff(sorted_terms, prepend=sorted_terms[:1] - 1))
    for first, end in zip(firsts.tolist(), [*firsts.tolist()[1:], number], strict=True):
        yield int(sorted_terms[first]), slice(first, end) if order is None else order[first:end]


def _pieces(rows: slice | Column) -> Iterator[slice | Column]:
    if isinstance(rows, slice):
        for first in range(rows.start, rows.stop, AT_ONCE):
            yield slice(first, min(first + AT_ONCE, rows.stop))
    else:
        for first in range(0, len(rows), AT_ONCE):
            yield rows[first : first + AT_ONCE]


class _Rows(NamedTuple):
    """Where the prices of a piece belong."""

    prices: Prices
    rows: slice | Column

    def put(self, name: str, values: Column) -> None:
        """An exact amount."""
        self.prices.exact[name][self.rows] = values

    def fix(self, name: str, values: Column) -> None:
        """A fixed amount."""
        self.prices.fixed[name][self.rows] = values


# The wall clock


class _Clock(NamedTuple):
    """A zone's distance from UTC over the time of all records: from which instant on which holds."""

    offsets: list[tuple[int, int]]

    def local(self, start: Column) -> Column:
        """Milliseconds on the wall clock."""
        first, last = int(start.min()), int(start.max())
        [(_, here), *changes] = [
            one
            for one, following in zip(self.offsets, [*self.offsets[1:], (LARGEST, 0)], strict=True)
            if following[0] > first and one[0] <= last
        ] or [self.offsets[0]]
        local = start + here
        for at, there in changes:
            local[start >= at] += there - here
            here = there
        return local


def _check_zone(terms: Terms) -> None:
    plan = plan_of(terms.tariff)
    if terms.zone is None and (plan.cuts.wall_clock or plan.reservation_cuts.wall_clock):
        raise BadField(
            path="time_zone",
            code="cdr.time_zone_missing",
            says="must be given: a tariff asks for the local time, which a record alone does not tell",
        )


def _clock(span: tuple[int, int], terms: Terms, form: Compiled | None) -> _Clock | None:
    if form is None or not form.asks_the_clock or terms.zone is None:
        return None
    first, last = (min(max(one, _EARLIEST), _LATEST) for one in span)
    return _Clock(offsets_between(terms.zone, first, last))


# The state of each period


def _states(piece: Records, form: Compiled, policy: Policy, clock: _Clock | None) -> Column | None:
    """Of each period its state; None where nothing depends on it."""
    state: Column | None = None
    local = piece.start if clock is None else clock.local(piece.start)
    if form.week is not None:
        minutes = local // MS_PER_MINUTE
        minutes += _THURSDAY
        # A rest by hand: twice as fast as the operator for it.
        minutes -= minutes // MINUTES_PER_WEEK * MINUTES_PER_WEEK
        state = form.week[minutes]
    unknown_matches = policy.unknown_signal is UnknownSignal.MATCHES
    for bit, test in enumerate(form.tests):
        met = _met(piece, test, local, unknown_matches)
        bits = met.astype(np.int64) << bit
        state = bits if state is None else np.bitwise_or(state, bits, out=state)
    return state


def _met(piece: Records, test: Test, local: Column, unknown_matches: bool) -> Marks:
    """Whether a restriction holds at the start of each period."""
    place, low, high, within = test
    if place in _SIGNAL_COLUMNS:
        told: Column | None = getattr(piece, _SIGNAL_COLUMNS[place])
        if told is None:
            return np.full(len(piece.start), unknown_matches is within)
        known = (told >= low) & (told < high)
        known[told == SIGNAL_NOT_TOLD] = unknown_matches
        return known if within else ~known
    value = _fact(piece, place, local)
    met = (value >= low) & (value < high)
    return met if within else ~met


def _fact(piece: Records, place: int, local: Column) -> Column:
    if place == ENERGY:
        before = np.cumsum(piece.milliwatt_hours) - piece.milliwatt_hours
        return before - np.repeat(before[piece.offsets[:-1]], piece.lengths)
    if place == ELAPSED:
        return np.maximum(piece.start - np.repeat(piece.started_at, piece.lengths), 0)
    assert place == DAY, "no other fact is asked"
    return local // MS_PER_DAY


# Sums


class _Sums(NamedTuple):
    """Of one dimension: of each group of a tax rate the sum, and how much was priced where blocks ask for it."""

    by_group: dict[int, Column]
    priced: Column | None


def _sums(piece: Records, table: Table, quantity: Column, state: Column | None, *, count: bool) -> _Sums:
    firsts = piece.offsets[:-1]
    if table.only is not None:
        if table.only < 0:
            return _Sums({}, None)
        charge = table.charges[table.only]
        measured = np.add.reduceat(quantity, firsts)
        return _Sums({charge.group: measured * charge.weight}, measured)
    assert state is not None, "a price that depends on something has states"
    by_group = {group: np.add.reduceat(quantity * weights[state], firsts) for group, weights in table.weights}
    if not count:
        return _Sums(by_group, None)
    priced = quantity if table.covers else quantity * (table.by_state >= 0)[state]
    return _Sums(by_group, np.add.reduceat(priced, firsts))


def _fill(
    piece: Records, table: Table, quantity: Column, state: Column | None, sums: _Sums, where: Marks | None
) -> None:
    """Add what fills the last block, at the price used last."""
    if not table.has_blocks or sums.priced is None:
        return
    if table.only is not None:
        charge = table.charges[table.only]
        extra = -sums.priced % charge.step
        sums.by_group[charge.group] += (extra if where is None else extra * where) * charge.weight
        return
    assert state is not None, "a price that depends on something has states"
    last = table.by_state[state[_last_used(piece, table, quantity, state)]]
    steps = np.array([one.step for one in table.charges])
    extra = -sums.priced % steps[last]
    if where is not None:
        extra = extra * where
    weights = np.array([one.weight for one in table.charges])
    groups = np.array([one.group for one in table.charges])
    for group in sums.by_group:
        sums.by_group[group] += extra * np.where(groups == group, weights, 0)[last]


def _last_used(piece: Records, table: Table, quantity: Column, state: Column) -> Column:
    """The last period of each record that used this dimension at a price; its last one where none did."""
    place = piece.offsets[1:] - 1
    waiting = np.arange(len(place))
    while len(waiting):
        here = place[waiting]
        unused = (quantity[here] == 0) | (table.by_state[state[here]] < 0)
        waiting = waiting[unused & (here > piece.offsets[waiting])]
        place[waiting] -= 1
    return place


def _fees(piece: Records, table: Table, state: Column | None) -> Column:
    """Of each record the place of its session fee: of the first period that has one; below zero: none."""
    if table.only is not None:
        return np.full(len(piece), table.only)
    assert state is not None, "a price that depends on something has states"
    place = piece.offsets[:-1].copy()
    found = table.by_state[state[place]]
    waiting = np.arange(len(place))
    while not table.covers and len(waiting):
        waiting = waiting[(found[waiting] < 0) & (place[waiting] + 1 < piece.offsets[1:][waiting])]
        place[waiting] += 1
        found[waiting] = table.by_state[state[place[waiting]]]
    return found


# A piece


def _price(piece: Records, form: Compiled, policy: Policy, clock: _Clock | None, to: _Rows) -> Marks:
    """Price a piece; the records that it cannot price are marked in the answer."""
    alone = _cannot(piece, form, clock)
    state = _states(piece, form, policy, clock)
    parts = _parts(piece, form, policy, state)
    number, groups = len(piece), range(len(form.groups))
    sums = [np.zeros(number, np.int64) for _ in groups]
    for name, by_group in parts.items():
        before, after = np.zeros(number, np.int64), np.zeros(number, np.int64)
        for group, values in by_group.items():
            sums[group] += values
            before += values * form.groups[group].to_before
            after += values * form.groups[group].to_after
        if by_group:
            to.put(f"{name}_before_taxes", before)
            to.put(f"{name}_after_taxes", after)
    if alone.any():
        for values in sums:
            values[alone] = 0  # what wrapped around is nobody's sum
    before, after = _totals(sums, form)
    if form.bounds:
        alone |= _limit(sums, before, after, form)
        before, after = _totals(sums, form)
    to.put("total_before_taxes", before)
    to.put("total_after_taxes", after)
    to.prices.denominator[to.rows] = form.denominator
    alone |= _fix(sums, form, policy, to)
    to.prices.compiled[to.rows] = ~alone
    return alone


def _cannot(piece: Records, form: Compiled, clock: _Clock | None) -> Marks:
    """Records that only the pricer can price."""
    firsts, longest = piece.offsets[:-1], int(piece.lengths.max())
    alone = np.zeros(len(piece), np.bool_)
    for quantity, least, most in (
        (piece.milliwatt_hours, 0, form.most_milliwatt_hours),
        (piece.charging, None, form.most_charging),
        (piece.parking, None, form.most_parking),
    ):
        greatest = int(quantity.max())
        if greatest * longest > most:
            # Cut off above every limit, so that these sums cannot wrap around themselves.
            few = np.clip(quantity, 0, 2 * MOST_AT_ONCE)
            too_many = piece.lengths > LARGEST // (2 * MOST_AT_ONCE)
            alone |= (np.add.reduceat(few, firsts) > most) | too_many
        if least is not None and int(quantity.min()) < least:
            alone |= np.minimum.reduceat(quantity, firsts) < least
    if piece.reserved is not None:
        alone |= np.maximum.reduceat(piece.reserved, firsts) >= 0
    if form.splits_by_energy:
        alone |= np.logical_or.reduceat((piece.charging >= 0) & (piece.parking >= 0), firsts)
    if clock is not None and not _EARLIEST <= int(piece.start.min()) <= int(piece.start.max()) < _LATEST:
        alone |= np.logical_or.reduceat((piece.start < _EARLIEST) | (piece.start >= _LATEST), firsts)
    return alone


def _parts(piece: Records, form: Compiled, policy: Policy, state: Column | None) -> dict[str, dict[int, Column]]:
    """Of each of OCPI's parts: of each group of a tax rate the sum of the lines."""
    energy = _sums(piece, form.energy, piece.milliwatt_hours, state, count=form.energy.has_blocks)
    _fill(piece, form.energy, piece.milliwatt_hours, state, energy, None)
    charging, idle = (_told(one) for one in (piece.charging, piece.parking))
    fills_one = policy.step_size is StepSize.ON and form.time.has_blocks
    time = _sums(piece, form.time, charging, state, count=form.time.has_blocks)
    parking = _sums(piece, form.parking, idle, state, count=form.parking.has_blocks or fills_one)
    _fill(piece, form.parking, idle, state, parking, None)
    # Time and parking are one block: where parking was priced, it alone is filled up (`rate._fill_all_blocks`).
    unparked = parking.priced == 0 if fills_one and parking.priced is not None else None
    _fill(piece, form.time, charging, state, time, unparked)
    parts = {"energy": energy.by_group, "time": time.by_group, "parking": parking.by_group, "fixed": {}}
    fees = _fees(piece, form.flat, state)
    for place, charge in enumerate(form.flat.charges):
        part = parts["parking" if charge.of_parking else "fixed"]
        fee: Column = np.where(fees == place, charge.weight, 0)
        part[charge.group] = part[charge.group] + fee if charge.group in part else fee
    return parts


def _told(duration: Column) -> Column:
    return duration if int(duration.min()) >= 0 else np.maximum(duration, 0)


def _totals(sums: list[Column], form: Compiled) -> tuple[Column, Column]:
    before, after = np.zeros_like(sums[0]), np.zeros_like(sums[0])
    for values, group in zip(sums, form.groups, strict=True):
        before += values * group.to_before
        after += values * group.to_after
    return before, after


def _limit(sums: list[Column], before: Column, after: Column, form: Compiled) -> Marks:
    """Put what a price limit decides in the place of the sums; where it needs the pricer, the record is marked."""
    alone = np.zeros(len(before), np.bool_)
    decided = np.zeros(len(before), np.bool_)
    for bound in form.bounds:
        total = before if bound.of_net else after
        met = ((total < bound.threshold) if bound.below else (total > bound.threshold)) & ~decided
        decided |= met
        if bound.instead is None:
            alone |= met
        else:
            sums[0][met] = bound.instead
    return alone


def _fix(sums: list[Column], form: Compiled, policy: Policy, to: _Rows) -> Marks:
    """Whole minor units, as `fix_amounts` has them; the answer marks records of which only it knows them."""
    rounded = _half_up if policy.rounding is Rounding.HALF_UP else _half_even
    totals = [rounded(one * group.to_minor, group.minor_whole) for one, group in zip(sums, form.groups, strict=True)]
    alone = np.zeros(len(sums[0]), np.bool_)
    if len(totals) > 1:
        alone = _spread(totals, sums, form, policy)
    fixed = {name: np.zeros(len(sums[0]), np.int64) for name in FIXED}
    for total, group in zip(totals, form.groups, strict=True):
        tax = rounded(total * group.part, group.whole + group.part if form.gross_first else group.whole)
        fixed["net_minor"] += total - tax if form.gross_first else total
        fixed["tax_minor"] += tax
        fixed["gross_minor"] += total if form.gross_first else total + tax
    for name, values in fixed.items():
        to.fix(name, values)
    return alone


def _spread(totals: list[Column], sums: list[Column], form: Compiled, policy: Policy) -> Marks:
    """Put what the totals of the rates miss to the rounded whole on the largest of them (`amounts._spread`).

    Where two of them are equally large, the order of the lines decides: such a record goes to the pricer.
    """
    rounded = _half_up if policy.rounding is Rounding.HALF_UP else _half_even
    before, after = _totals(sums, form)
    whole = rounded((after if form.gross_first else before) * form.to_minor, form.minor_whole)
    left = whole - np.sum(totals, axis=0)
    some = np.flatnonzero(left)
    alone = np.zeros(len(left), np.bool_)
    if not len(some):
        return alone
    sizes = np.abs(np.array([one[some] for one in totals]))
    order = np.argsort(-sizes, axis=0, kind="stable")
    ranked = np.take_along_axis(sizes, order, axis=0)
    # Rounding takes at most half a unit of each rate and of the whole: fewer units are missing than there are rates.
    missing, columns = np.abs(left[some]), np.arange(len(some))
    alone[some] = ranked[missing - 1, columns] == ranked[missing, columns]
    for rank in range(len(totals)):
        step = np.where(missing > rank, np.sign(left[some]), 0)
        for group, total in enumerate(totals):
            total[some] += np.where(order[rank] == group, step, 0)
    return alone


def _half_up(numerator: Column, denominator: int) -> Column:
    size = (2 * np.abs(numerator) + denominator) // (2 * denominator)
    return np.where(numerator < 0, -size, size)


def _half_even(numerator: Column, denominator: int) -> Column:
    whole = numerator // denominator
    twice = 2 * (numerator - whole * denominator)
    rounded: Column = whole + ((twice > denominator) | ((twice == denominator) & (whole % 2 == 1)))
    return rounded


# One by one


def _price_alone(piece: Records, terms: Terms, places: Column, prices: Prices, rows: slice | Column) -> None:
    for place in places.tolist():
        record = piece.record(place, terms.tariff.currency)
        found = price_of(rate_record(record, [terms.tariff], terms.policy, zone=terms.zone), terms.policy)
        _write(found, prices, rows.start + place if isinstance(rows, slice) else int(rows[place]))


def price_of(rated: RatedRecord, policy: Policy) -> Price:
    """The price of one record, as the pricer has it."""
    places, parts = range(len(rated.rated.lines)), costs(rated)
    fixed = fix_amounts(rated.rated, policy)
    return Price(
        _amounts(rated.rated, places),
        {name: _amounts(rated.rated, parts[name]) for name in PARTS},
        fixed.net_minor,
        fixed.tax_minor,
        fixed.gross_minor,
    )


def _amounts(rated: RatedSession, places: Iterable[int]) -> Amounts:
    before = after = Fraction(0)
    for place in places:
        line = rated.lines[place]
        amount, rate = rated.exact(line), Fraction(*line.priced.tax) if line.priced.tax else Fraction(0)
        gross = rated.tax_basis is TaxBasis.GROSS
        before += amount / (1 + rate) if gross else amount
        after += amount if gross else amount * (1 + rate)
    return Amounts(before, after)


def _write(price: Price, prices: Prices, place: int) -> None:
    """Put a price that was worked out alone among the others."""
    amounts = {"total": price.total, **price.parts}
    named = {f"{name}_{side}": getattr(one, side) for name, one in amounts.items() for side in Amounts._fields}
    denominator = lcm(*(one.denominator for one in named.values()))
    numerators = {name: one.numerator * (denominator // one.denominator) for name, one in named.items()}
    fixed = dict(zip(FIXED, (price.net_minor, price.tax_minor, price.gross_minor), strict=True))
    if max(abs(one) for one in (denominator, *numerators.values(), *fixed.values())) > LARGEST:
        prices.beyond[place] = price
        denominator, numerators, fixed = 0, dict.fromkeys(numerators, 0), dict.fromkeys(fixed, 0)
    prices.denominator[place] = denominator
    for name, value in numerators.items():
        prices.exact[name][place] = value
    for name, value in fixed.items():
        prices.fixed[name][place] = value
