"""Pure: what is taken off a session's lines: caps per session and per day, discounts, coupons; a line for each tax rate.

The order, and why. First caps of single dimensions, then the tariff's limits, then caps of the whole: a discount is taken off
what would have been paid. Then discounts in the tariff's order, then coupons in the order in which they were claimed, each off
what the ones before it left. Then the tariff's minimum, unless the policy lets it give way to discounts. Last the caps of the
whole once more: the most is a promise to the driver, and goes before the least. Nothing is ever taken below zero.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tallywatt.rating.before import EPOCH_DAY, concerns, counts_to
from tallywatt.rating.plan import Priced
from tallywatt.rating.records import Dimension, TaxBasis, Unit
from tallywatt.rating.tariff import cap_data, discount_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tallywatt.kernel.money import Currency
    from tallywatt.rating.before import Before
    from tallywatt.rating.limits import Tax
    from tallywatt.rating.tariff import Cap, Discount

_PLACES: Final = Decimal("1e-9")


class Charged(NamedTuple):
    """What a line charges, as reductions see it."""

    of: frozenset[str]
    """Its dimensions; none: of the whole."""
    day: int
    tax_rate: Decimal | None
    tax: Tax
    amount: Fraction
    """On the tariff's tax basis."""


class TakenOff(NamedTuple):
    """What is taken off the amounts of one tax rate: a line of its own."""

    code: str
    """cap, discount or coupon."""
    priced: Priced
    day: int
    amount: Fraction
    """On the tariff's tax basis; below zero."""

    @property
    def charged(self) -> Charged:
        """It as a line among the others."""
        of = concerns(self.code, self.priced.dimension, self.priced.reason)
        return Charged(of, self.day, self.priced.tax_rate, self.priced.tax, self.amount)


Sums = dict["Tax", tuple[Decimal | None, Fraction]]


def above_caps(
    charged: Sequence[Charged],
    caps: Iterable[Cap],
    before: Before,
    basis: TaxBasis,
    currency: Currency,
    *,
    by_day: bool = False,
) -> list[TakenOff]:
    """What these caps take off, each seeing what the ones before it took; those of a day first, of which the session has more.

    What a cap takes is taken of each line of its own, in proportion: so another cap, of some of its dimensions or of a day
    of it, does not take the same once more.
    """
    lines, found = list(charged), []
    for cap in sorted(caps, key=lambda one: one.per != "day"):
        for day in sorted({one.day for one in lines}) if cap.per == "day" else (None,):
            places = [
                place for place, one in enumerate(lines) if counts_to(one.of, cap.dimensions) and day in (None, one.day)
            ]
            own = [lines[place] for place in places]
            for tax, (rate, amount) in _above(own, cap, day, before, basis, currency).items():
                reason: dict[str, Any] = {"cap": {**cap_data(cap), "currency": currency.code}}
                if day is not None:
                    reason["cap"]["day"] = _iso(day)
                found += _spread("cap", own, -amount, rate, tax, reason, by_day=by_day)
                carried = sum((one.amount for one in carriers(own, tax)), Fraction(0))
                for place in places:
                    one = lines[place]
                    if one.tax == tax and one.amount * carried > 0:
                        lines[place] = one._replace(amount=one.amount * (1 - amount / carried))
    return found


def carriers(lines: Iterable[Charged], tax: Tax) -> list[Charged]:
    """The lines of a tax rate that stand on the side of their sum: what is taken off or added is of these, in proportion."""
    own = [one for one in lines if one.tax == tax]
    whole = sum((one.amount for one in own), Fraction(0))
    return [one for one in own if one.amount * whole > 0]


def days_of(lines: Sequence[Charged], tax: Tax, amount: Fraction, *, by_day: bool) -> list[tuple[int, Fraction]]:
    """The days on which an amount stands: the first, or, where caps of a day count, those of its lines in proportion."""
    own = carriers(lines, tax) if by_day else []
    carried = sum((one.amount for one in own), Fraction(0))
    if not own:
        return [(min((one.day for one in lines), default=0), amount)]
    return [
        (day, amount * sum((one.amount for one in own if one.day == day), Fraction(0)) / carried)
        for day in sorted({one.day for one in own})
    ]


def _spread(
    code: str, lines: Sequence[Charged], amount: Fraction, rate: Decimal | None, tax: Tax, reason: dict[str, Any],
    *, by_day: bool,
) -> list[TakenOff]:  # fmt: skip
    return [
        TakenOff(code, _priced(part, rate, tax, reason), day, part)
        for day, part in days_of(lines, tax, amount, by_day=by_day)
    ]


def _above(
    counted: list[Charged], cap: Cap, day: int | None, before: Before, basis: TaxBasis, currency: Currency
) -> Sums:
    """What a cap takes off each tax rate."""
    if not counted:
        return {}
    paid = [one for one in before.paid if one.day == day and counts_to(one.dimensions, cap.dimensions)]
    scale = 10**currency.exponent
    left_before = _left(cap.limit.before_taxes, sum(one.net_minor for one in paid), scale)
    left_after = _left(cap.limit.after_taxes, sum(one.gross_minor for one in paid), scale)
    return _over(_sums(counted), left_before, left_after, basis)


def _over(sums: Sums, left_before: Fraction | None, left_after: Fraction | None, basis: TaxBasis) -> Sums:
    """What is above either bound, the same part of every tax rate that stands above zero.

    Where that would bring the other total below zero (one rate is far below zero, and taxed otherwise), the same part is
    taken of every rate: then both totals go down to zero together, and the rate below zero is lifted.
    """
    whole = _totals(sums, basis)
    over = [
        max(total - left, Fraction(0)) if left is not None else Fraction(0)
        for total, left in zip(whole, (left_before, left_after), strict=True)
    ]
    if not any(over):
        return {}
    above = {tax: (rate, amount) for tax, (rate, amount) in sums.items() if amount > 0}
    own = _totals(above, basis)
    share = max(part / all_of_it for part, all_of_it in zip(over, own, strict=True))
    if share > min(max(total, Fraction(0)) / all_of_it for total, all_of_it in zip(whole, own, strict=True)):
        above = {tax: (rate, amount) for tax, (rate, amount) in sums.items() if amount}
        share = max(part / total for part, total in zip(over, whole, strict=True) if part)
    return {tax: (rate, amount * share) for tax, (rate, amount) in above.items()}


def _left(most: Decimal | None, paid_minor: int, scale: int) -> Fraction | None:
    """What may still be charged; what was given back on balance makes no more room."""
    return None if most is None else max(Fraction(most) - Fraction(max(paid_minor, 0), scale), Fraction(0))


def _iso(day: int) -> str:
    return date.fromordinal(day + EPOCH_DAY).isoformat()


def discounted(
    charged: Sequence[Charged],
    discounts: Iterable[Discount],
    day: int,
    basis: TaxBasis,
    currency: Currency,
    *,
    by_day: bool = False,
) -> list[TakenOff]:
    """What these discounts take off a session that started on that local day."""
    lines, found = list(charged), []
    for one in discounts:
        if one.holds_on(day + EPOCH_DAY):
            taken = _off(lines, one, basis, currency, by_day=by_day)
            lines += [each.charged for each in taken]
            found += taken
    return found


def _off(
    lines: list[Charged], discount: Discount, basis: TaxBasis, currency: Currency, *, by_day: bool
) -> list[TakenOff]:
    counted = [one for one in lines if counts_to(one.of, discount.dimensions)]
    base = _sums(counted)
    above = {tax: (rate, amount) for tax, (rate, amount) in base.items() if amount > 0}
    share = min(_wanted(above, discount, basis), _room(lines, above, basis), Fraction(1))
    if share <= 0:
        return []
    data = discount_data(discount)
    if discount.amount is not None:
        data["currency"] = currency.code
    code = "coupon" if discount.is_coupon else "discount"
    return [
        one
        for tax, (rate, amount) in above.items()
        for one in _spread(code, counted, -amount * share, rate, tax, {"discount": data}, by_day=by_day)
    ]


def _wanted(above: Sums, discount: Discount, basis: TaxBasis) -> Fraction:
    """Which part of what is there the discount takes; an amount takes the same part of every tax rate."""
    if discount.percent is not None:
        return Fraction(discount.percent) / 100
    assert discount.amount is not None, "a discount has a percentage or an amount"
    net, gross = _totals(above, basis)
    if discount.amount.after_taxes is not None:
        return Fraction(discount.amount.after_taxes) / gross if gross else Fraction(0)
    assert discount.amount.before_taxes is not None, "an amount is before or after taxes"
    return Fraction(discount.amount.before_taxes) / net if net else Fraction(0)


def _room(lines: list[Charged], above: Sums, basis: TaxBasis) -> Fraction:
    """Which part may be taken at most, so that neither total of the session falls below zero."""
    whole, part = _totals(_sums(lines), basis), _totals(above, basis)
    return min(
        (max(all_of_it, Fraction(0)) / own for all_of_it, own in zip(whole, part, strict=True) if own),
        default=Fraction(0),
    )


def _sums(lines: Iterable[Charged]) -> Sums:
    sums: Sums = {}
    for one in lines:
        _, amount = sums.get(one.tax, (None, Fraction(0)))
        sums[one.tax] = one.tax_rate, amount + one.amount
    return sums


def _totals(sums: Sums, basis: TaxBasis) -> tuple[Fraction, Fraction]:
    """Before and after tax."""
    given = sum((amount for _, amount in sums.values()), Fraction(0))
    rates = ((1 + (Fraction(*tax) if tax else 0), amount) for tax, (_, amount) in sums.items())
    if basis is TaxBasis.GROSS:
        return sum((amount / rate for rate, amount in rates), Fraction(0)), given
    return given, sum((amount * rate for rate, amount in rates), Fraction(0))


def price_of(amount: Fraction) -> Decimal:
    """An amount as the price that a line shows; the line's own amount is exact."""
    return (Decimal(amount.numerator) / amount.denominator).quantize(_PLACES, ROUND_HALF_EVEN).normalize()


def _priced(amount: Fraction, tax_rate: Decimal | None, tax: Tax, reason: dict[str, Any]) -> Priced:
    return Priced(
        dimension=Dimension.FLAT,
        element_index=0,
        price=price_of(amount),
        tax_rate=tax_rate,
        tax=tax,
        weight=0,
        step=0,
        tests=(),
        weekdays=0b111_1111,
        unit=Unit.TIMES,
        reason=reason,
        always=True,
    )
