"""The most that a kilowatt-hour costs: over all elements, with the tax that is added to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallywatt.rating.dearest import dearest
from tests.rating.examples import a_tariff, an_element

BY_DAY = an_element(("ENERGY", "0.60", 20), start_time="08:00", end_time="20:00")
BY_NIGHT = an_element(("ENERGY", "0.30", 20), ("TIME", "9.00", 20))


@pytest.mark.parametrize(
    ("elements", "tax_included", "expected"),
    [
        ((BY_DAY, BY_NIGHT), "YES", "0.60"),
        ((BY_NIGHT, BY_DAY), "NO", "0.72"),
        ((an_element(("ENERGY", "0.50")), an_element(("ENERGY", "0.45", 20))), "NO", "0.54"),
        ((an_element(("ENERGY", "0.50")),), "NO", "0.50"),
        ((an_element(("TIME", "9.00", 20), ("FLAT", "1.00", 20)),), "YES", "0"),
        ((an_element(("ENERGY", "-0.10", 20)),), "YES", "0"),
    ],
    ids=[
        "with its tax",
        "without",
        "the dearer one with tax",
        "no tax is told",
        "time alone",
        "whoever charges is paid",
    ],
)
def test_the_highest_price_is_found_with_its_tax(
    elements: tuple[dict[str, Any], ...], tax_included: str, expected: str
) -> None:
    """Prices of time and of a session are none of energy."""
    assert dearest(a_tariff(*elements, tax_included=tax_included)) == Decimal(expected)
