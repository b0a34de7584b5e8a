"""Pure: what a credit note takes back of each line and each tax of an invoice, to the last minor unit.

What is left of the lines is credited in proportion, and so is the tax of each rate. Credit notes of one invoice therefore add
up: when all of it is taken back, each line and each tax is taken back exactly.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from tallywatt.rating.records import Dimension
from tallywatt.rating.results import RatedRows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import RatedId
    from tallywatt.rating.records import RatedLine, RatedTax

CREDITS = "CRN"
"""The series of credit notes."""


def credited(
    original: RatedRows, earlier: Sequence[RatedRows], gross_minor: int, rated_id: RatedId, now: Instant
) -> RatedRows:
    """The lines and taxes of a credit note over so much of an invoice, of which `earlier` ones have taken back some."""
    lines = sorted(original.lines, key=lambda one: one.line_number)
    left = [_less(line, earlier) for line in lines]
    whole = sum(one.gross_minor for one in left)
    assert 0 < gross_minor <= whole, "no more is credited than is left of the invoice"
    shares = spread(gross_minor, [Fraction(one.gross_minor * gross_minor, whole) for one in left])
    taxes = _taxes(left, shares)
    made = tuple(
        _share(line, rest, gross, tax, rated_id)
        for line, rest, gross, tax in zip(lines, left, shares, taxes, strict=True)
    )
    result = replace(
        original.result,
        rated_id=rated_id,
        supersedes=None,
        credits=original.result.rated_id,
        created_at=now,
        priced_milliwatt_hours=sum(one.measured for one in made if one.dimension is Dimension.ENERGY),
        net_minor=gross_minor - sum(taxes),
        tax_minor=sum(taxes),
        gross_minor=gross_minor,
        warnings=(),
    )
    result = replace(result, milliwatt_hours=result.priced_milliwatt_hours)
    return RatedRows(result, made, _by_rate(original.taxes, made, rated_id))


def _less(line: RatedLine, earlier: Sequence[RatedRows]) -> RatedLine:
    """A line less what was taken back of it before."""
    before = [one for rows in earlier for one in rows.lines if one.line_number == line.line_number]
    return replace(
        line,
        net_minor=line.net_minor - sum(one.net_minor for one in before),
        tax_minor=line.tax_minor - sum(one.tax_minor for one in before),
        gross_minor=line.gross_minor - sum(one.gross_minor for one in before),
        measured=line.measured - sum(one.measured for one in before),
        quantity=line.quantity - sum(one.quantity for one in before),
    )


def _taxes(left: Sequence[RatedLine], shares: Sequence[int]) -> list[int]:
    """The tax in each line's share: fixed for each rate first, then put on its lines."""
    exact = [
        Fraction(one.tax_minor * share, one.gross_minor) if one.gross_minor else Fraction(0)
        for one, share in zip(left, shares, strict=True)
    ]
    places: dict[Decimal | None, list[int]] = defaultdict(list)
    for place, one in enumerate(left):
        places[one.tax_rate].append(place)
    taxes = [0] * len(left)
    for own in places.values():
        total = _half_up(sum((exact[place] for place in own), Fraction(0)))
        for place, tax in zip(own, spread(total, [exact[place] for place in own]), strict=True):
            taxes[place] = tax
    return taxes


def _share(line: RatedLine, left: RatedLine, gross: int, tax: int, rated_id: RatedId) -> RatedLine:
    part = Fraction(gross, left.gross_minor) if left.gross_minor else Fraction(0)
    exact = Fraction(line.exact_amount) * gross / line.gross_minor if line.gross_minor else Fraction(0)
    return replace(
        line,
        rated_id=rated_id,
        measured=_half_up(left.measured * part),
        quantity=_half_up(left.quantity * part),
        exact_amount=str(exact),
        net_minor=gross - tax,
        tax_minor=tax,
        gross_minor=gross,
    )


def _by_rate(taxes: Sequence[RatedTax], lines: Sequence[RatedLine], rated_id: RatedId) -> tuple[RatedTax, ...]:
    found = []
    for one in sorted(taxes, key=lambda tax: tax.tax_number):
        own = [line for line in lines if line.tax_rate == one.tax_rate]
        found.append(
            replace(
                one,
                rated_id=rated_id,
                net_minor=sum(line.net_minor for line in own),
                tax_minor=sum(line.tax_minor for line in own),
                gross_minor=sum(line.gross_minor for line in own),
            )
        )
    return tuple(found)


def spread(total: int, exact: Sequence[Fraction]) -> list[int]:
    """Whole units near the exact shares that add up to the total: the largest remainders get what is over."""
    parts = [share.numerator // share.denominator for share in exact]
    over = total - sum(parts)
    order = sorted(range(len(exact)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[:over]:
        parts[place] += 1
    assert sum(parts) == total, "shares that add up to the total are spread over it"
    return parts


def _half_up(value: Fraction) -> int:
    return int((2 * value.numerator + value.denominator) // (2 * value.denominator))
