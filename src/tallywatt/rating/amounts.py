"""Pure: the one place where exact amounts become whole minor units; whoever comes later reads them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from tallywatt.kernel.money import Money
from tallywatt.rating.policy import STANDARD, Amounts, Policy, Rounding
from tallywatt.rating.records import TaxBasis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tallywatt.kernel.money import Currency
    from tallywatt.rating.plan import Priced
    from tallywatt.rating.rate import RatedSession


class FixedLine(NamedTuple):
    """A line in whole minor units; net and tax always make gross."""

    net_minor: int
    tax_minor: int
    gross_minor: int


class FixedTax(NamedTuple):
    """What is taxed at one rate, and its tax."""

    tax_rate: Decimal | None
    net_minor: int
    tax_minor: int
    gross_minor: int


@dataclass(frozen=True, slots=True)
class FixedAmounts:
    """A price in whole minor units: lines add up to rates, rates to the total, in net, tax and gross alike."""

    currency: Currency
    basis: TaxBasis
    """Which total was rounded first."""
    lines: tuple[FixedLine, ...]
    """In the order of the rated session's lines."""
    taxes: tuple[FixedTax, ...]
    net_minor: int
    tax_minor: int
    gross_minor: int

    @property
    def net(self) -> Money:
        """The total before tax."""
        return Money(self.net_minor, self.currency)

    @property
    def tax(self) -> Money:
        """The tax of all rates."""
        return Money(self.tax_minor, self.currency)

    @property
    def total(self) -> Money:
        """What is owed."""
        return Money(self.gross_minor, self.currency)


class _Group(NamedTuple):
    """The lines of one tax rate, on the basis that is rounded first."""

    tax_rate: Decimal | None
    part: int
    whole: int
    """The rate as a fraction of the net amount: part / whole."""
    places: list[int]
    numerators: list[int]
    denominator: int


def fix_amounts(rated: RatedSession, policy: Policy = STANDARD) -> FixedAmounts:
    """Turn exact lines into stored integers; nothing downstream computes money again.

    The total is rounded once. What the rates, and below them the lines, are off by rounding each for itself is put on
    the largest of them, so that lines add up to rates and rates to the total (EN 16931 BR-CO-10, BR-CO-14). Gross
    first, the tax is taken out of each rate's rounded gross; net first, it is added to the rounded net.
    """
    basis = _basis(rated.tax_basis, policy)
    rounded = _half_up if policy.rounding is Rounding.HALF_UP else _half_even
    groups = _groups(rated, basis)
    totals = _totals(groups, rounded)
    lines: list[FixedLine] = [_NOTHING] * len(rated.lines)
    taxes: list[FixedTax] = []
    for group, total in zip(groups, totals, strict=True):
        fixed = _spread_onto_lines(group, total, rounded)
        if basis is TaxBasis.GROSS:
            tax = rounded(total * group.part, group.whole + group.part)
            fixed_lines = _gross_first(fixed, total - tax, group, rounded)
            taxes.append(FixedTax(group.tax_rate, total - tax, tax, total))
        else:
            tax = rounded(total * group.part, group.whole)
            fixed_lines = _net_first(fixed, tax, group, rounded)
            taxes.append(FixedTax(group.tax_rate, total, tax, total + tax))
        for place, line in zip(group.places, fixed_lines, strict=True):
            lines[place] = line
    return FixedAmounts(
        currency=rated.currency,
        basis=basis,
        lines=tuple(lines),
        taxes=tuple(taxes),
        net_minor=sum(one.net_minor for one in taxes),
        tax_minor=sum(one.tax_minor for one in taxes),
        gross_minor=sum(one.gross_minor for one in taxes),
    )


_NOTHING = FixedLine(0, 0, 0)


def _basis(tax_basis: TaxBasis, policy: Policy) -> TaxBasis:
    if policy.amounts is Amounts.BY_TARIFF:
        return tax_basis
    return TaxBasis.GROSS if policy.amounts is Amounts.GROSS_FIRST else TaxBasis.NET


def _groups(rated: RatedSession, basis: TaxBasis) -> list[_Group]:
    scale = 10**rated.currency.exponent
    groups: dict[tuple[int, int] | None, _Group] = {}
    for place, line in enumerate(rated.lines):
        priced = line.priced
        group = groups.get(priced.tax)
        if group is None:
            group = groups[priced.tax] = _new_group(priced, rated, basis)
        numerator = line.numerator * scale
        if basis is not rated.tax_basis:
            numerator *= group.whole + group.part if basis is TaxBasis.GROSS else group.whole
        group.places.append(place)
        group.numerators.append(numerator)
    return list(groups.values())


def _new_group(priced: Priced, rated: RatedSession, basis: TaxBasis) -> _Group:
    part, whole = priced.tax or (0, 1)
    denominator = rated.denominator
    if basis is not rated.tax_basis:
        denominator *= whole if basis is TaxBasis.GROSS else whole + part
    return _Group(priced.tax_rate, part, whole, [], [], denominator)


def _totals(groups: list[_Group], rounded: Callable[[int, int], int]) -> list[int]:
    """The rounded total of each tax rate, such that they add up to the rounded total of all."""
    if len(groups) == 1:
        return [rounded(sum(groups[0].numerators), groups[0].denominator)]
    exact = [Fraction(sum(group.numerators), group.denominator) for group in groups]
    whole = sum(exact, Fraction(0))
    totals = [rounded(one.numerator, one.denominator) for one in exact]
    return _spread(totals, rounded(whole.numerator, whole.denominator), totals, [(None, None)] * len(exact))


def _spread_onto_lines(group: _Group, total: int, rounded: Callable[[int, int], int]) -> list[int]:
    numerators = group.numerators
    if len(numerators) == 1:
        return [total]
    values = [rounded(one, group.denominator) for one in numerators]
    if sum(values) == total:
        return values
    return _spread(values, total, numerators, [_side_of_zero(one) for one in numerators])


def _gross_first(gross: list[int], net: int, group: _Group, rounded: Callable[[int, int], int]) -> list[FixedLine]:
    """Lines whose gross is fixed and whose net amounts add up to the net of their rate."""
    whole, part = group.whole, group.part
    nets = [rounded(one * whole, whole + part) for one in gross]
    if sum(nets) != net:
        nets = _spread(nets, net, gross, [(min(0, one), max(0, one)) for one in gross])
    return [FixedLine(one, total - one, total) for one, total in zip(nets, gross, strict=True)]


def _net_first(net: list[int], tax: int, group: _Group, rounded: Callable[[int, int], int]) -> list[FixedLine]:
    """Lines whose net is fixed and whose taxes add up to the tax of their rate."""
    taxes = [rounded(one * group.part, group.whole) for one in net]
    if sum(taxes) != tax:
        taxes = _spread(taxes, tax, net, [_side_of_zero(one) for one in net])
    return [FixedLine(one, extra, one + extra) for one, extra in zip(net, taxes, strict=True)]


Bounds = tuple[int | None, int | None]


def _side_of_zero(amount: int) -> Bounds:
    """A charge never becomes a credit by rounding, nor a credit a charge, and nothing stays nothing."""
    return (0 if amount >= 0 else None, 0 if amount <= 0 else None)


def _spread(values: list[int], total: int, sizes: Sequence[int], bounds: list[Bounds]) -> list[int]:
    """The values with their difference to the total put on the largest, one unit each, inside their bounds."""
    spread = list(values)
    left = total - sum(spread)
    step = 1 if left > 0 else -1
    order = sorted(range(len(spread)), key=lambda place: abs(sizes[place]), reverse=True)
    while left:
        before = left
        for place in order:
            low, high = bounds[place]
            value = spread[place] + step
            if left and (low is None or value >= low) and (high is None or value <= high):
                spread[place] = value
                left -= step
        assert left != before, "rounding differences fit on the lines that they come from"
    return spread


def _half_up(numerator: int, denominator: int) -> int:
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return size if numerator >= 0 else -size


def _half_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))
