"""Pure: the least and the most that a session costs, before and after tax, and what brings a price there."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from tallywatt.rating.plan import Limits, Priced, tax_fraction
from tallywatt.rating.records import Dimension, TaxBasis, Unit
from tallywatt.rating.tariff import limit_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.rating.tariff import PriceLimit

Tax = tuple[int, int] | None
"""A tax rate as a fraction of the net amount; None: no tax is named."""
_NO_TAX: Final[Tax] = None
_PLACES: Final = Decimal("1e-9")


class Adjustment(NamedTuple):
    """What is added to (or taken off) the amounts of one tax rate."""

    priced: Priced
    amount: Fraction
    """On the tariff's tax basis."""
    raises: bool


class _Share(NamedTuple):
    """The net amount of one tax rate."""

    tax_rate: Decimal | None
    tax: Tax
    net: Fraction

    @property
    def rate(self) -> Fraction:
        return Fraction(*self.tax) if self.tax else Fraction(0)


def adjustments(
    sums: Mapping[Tax, tuple[Decimal | None, Fraction]], limits: Limits, basis: TaxBasis, *, may_be_raised: bool
) -> list[Adjustment]:
    """What each tax rate's amounts must change by, so that the whole keeps its limits; nothing where it does.

    The bounds before and after tax hold each for itself (OCPI 2.3.0, notes of the Tariff object). Where only one of
    them is met, the other total follows in proportion, so that every rate keeps its share; where both are met, net
    amounts are moved between the rates until tax is their difference.
    """
    shares = {tax: _Share(rate, tax, _net(amount, tax, basis)) for tax, (rate, amount) in sums.items()}
    if not shares:
        fraction = tax_fraction(limits.tax_rate)
        shares = {fraction: _Share(limits.tax_rate, fraction, Fraction(0))}
    before = sum((one.net for one in shares.values()), Fraction(0))
    after = sum((one.net * (1 + one.rate) for one in shares.values()), Fraction(0))
    target_before, target_after = _targets(before, after, limits, _main(shares, limits), may_be_raised)
    if (target_before, target_after) == (before, after):
        return []
    wanted = _scaled(shares, before, target_before, limits)
    _move_until_taxed(wanted, target_after - target_before)
    raises = target_before + target_after > before + after
    found = []
    for tax, share in wanted.items():
        change = share.net - (shares[tax].net if tax in shares else 0)
        if change:
            amount = change * (1 + share.rate) if basis is TaxBasis.GROSS else change
            found.append(Adjustment(_adjusting(share, amount, limits, raises), amount, raises))
    return found


def _net(amount: Fraction, tax: Tax, basis: TaxBasis) -> Fraction:
    return amount / (1 + Fraction(*tax)) if tax and basis is TaxBasis.GROSS else amount


def _main(shares: Mapping[Tax, _Share], limits: Limits) -> Fraction:
    """The rate of what is added where there is nothing to be in proportion to."""
    wanted = tax_fraction(limits.tax_rate)
    return Fraction(*wanted) if wanted and wanted in shares else max(one.rate for one in shares.values())


def _targets(
    before: Fraction, after: Fraction, limits: Limits, main: Fraction, may_be_raised: bool
) -> tuple[Fraction, Fraction]:
    """Both totals inside their bounds."""
    least = (limits.least_before, limits.least_after) if may_be_raised else (None, None)
    bounded = _within(before, least[0], limits.most_before)
    is_met = bounded != before
    rest = after * bounded / before if before > 0 else after + (bounded - before) * (1 + main)
    target = _within(rest, least[1], limits.most_after)
    if target < bounded or (target != rest and not is_met):
        # One bound decides alone: the price before tax follows it (and is never above the price after tax).
        bounded = before * target / after if before > 0 and after > 0 else before + (target - after) / (1 + main)
        # What is taken off after tax does not bring a price before tax below zero that was not there.
        bounded = max(_within(bounded, None, limits.most_before), min(before, Fraction(0)))
    return bounded, target


def _within(value: Fraction, least: Fraction | None, most: Fraction | None) -> Fraction:
    """A contradiction is settled for the driver: the most that a session costs comes last."""
    raised = value if least is None else max(value, least)
    return raised if most is None else min(raised, most)


def _scaled(shares: Mapping[Tax, _Share], before: Fraction, target: Fraction, limits: Limits) -> dict[Tax, _Share]:
    if before > 0:
        return {tax: one._replace(net=one.net * target / before) for tax, one in shares.items()}
    main = tax_fraction(limits.tax_rate)
    chosen = main if main in shares else max(shares, key=lambda tax: shares[tax].rate)
    return {tax: one._replace(net=one.net + (target - before) * (tax == chosen)) for tax, one in shares.items()}


def _move_until_taxed(shares: dict[Tax, _Share], wanted: Fraction) -> None:
    """Move net amounts between rates until their tax is the difference of both totals.

    First between the highest and the lowest rate, as far as both have something left; then between a rate and what is
    not taxed. The last step is only needed where a tariff's limits contradict its own tax rates.
    """
    missing = wanted - sum((one.net * one.rate for one in shares.values()), Fraction(0))
    high, low = (choose(shares.values(), key=lambda one: one.rate) for choose in (max, min))
    if missing and high.rate > low.rate:
        source, there = (low, high) if missing > 0 else (high, low)
        moved = min(abs(missing) / (high.rate - low.rate), max(source.net, Fraction(0)))
        shares[source.tax] = source._replace(net=source.net - moved)
        shares[there.tax] = there._replace(net=there.net + moved)
        missing -= moved * (there.rate - source.rate)
    if missing:
        if not high.rate:
            high = _implied(shares, missing)
        taxed = shares.get(high.tax, high)
        untaxed = shares.get(_NO_TAX, _Share(None, _NO_TAX, Fraction(0)))
        shares[taxed.tax] = taxed._replace(net=taxed.net + missing / taxed.rate)
        shares[_NO_TAX] = untaxed._replace(net=untaxed.net - missing / taxed.rate)


def _implied(shares: Mapping[Tax, _Share], missing: Fraction) -> _Share:
    """The rate that a tariff without tax rates names by its limits: 0.50 before and 0.55 after tax are 10 %."""
    total = sum((one.net for one in shares.values()), Fraction(0))
    rate = missing / total if total else Fraction(1)
    percent = (Decimal(rate.numerator * 100) / rate.denominator).quantize(_PLACES).normalize()
    return _Share(percent, (rate.numerator, rate.denominator), Fraction(0))


def _adjusting(share: _Share, amount: Fraction, limits: Limits, raises: bool) -> Priced:
    name = "min_price" if raises else "max_price"
    limit: PriceLimit | None = getattr(limits.tariff, name, None)
    price = (Decimal(amount.numerator) / amount.denominator).quantize(_PLACES, ROUND_HALF_EVEN).normalize()
    return Priced(
        dimension=Dimension.FLAT,
        element_index=0,
        price=price,
        tax_rate=share.tax_rate,
        tax=share.tax,
        weight=0,
        step=0,
        tests=(),
        weekdays=0b111_1111,
        unit=Unit.TIMES,
        reason={name: limit_data(limit)} if limit is not None else {},
        always=True,
    )
