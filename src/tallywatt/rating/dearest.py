"""Pure: the most that a kilowatt-hour costs by a tariff, with tax: what is at risk where nobody pays."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tallywatt.rating.records import Dimension, TaxBasis

if TYPE_CHECKING:
    from tallywatt.rating.tariff import Tariff

HUNDRED: Final = Decimal(100)


def dearest(tariff: Tariff) -> Decimal:
    """The highest price of a kilowatt-hour, whenever it holds."""
    found = Decimal(0)
    for element in tariff.elements:
        for one in element.components:
            if one.dimension is Dimension.ENERGY:
                is_net = tariff.tax_basis is TaxBasis.NET and one.tax_rate is not None
                rate = one.tax_rate if is_net and one.tax_rate is not None else Decimal(0)
                found = max(found, one.price * (HUNDRED + rate) / HUNDRED)
    return found
