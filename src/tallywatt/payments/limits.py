"""Pure: what a provider can and cannot do, as data."""

from __future__ import annotations

from typing import Final

LEAST_CHARGE: Final[dict[str, dict[str, int]]] = {
    # docs.stripe.com/currencies, "Minimum and maximum charge amounts".
    "stripe": {
        "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250,
        "EUR": 50, "GBP": 30, "HKD": 400, "HUF": 17_500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200,
        "NOK": 300, "NZD": 50, "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
    },
}  # fmt: skip
"""The least that a provider charges, in minor units."""


def least_charge(provider: str, currency: str) -> int:
    """The least sum in minor units that is worth asking this provider for."""
    return LEAST_CHARGE.get(provider, {}).get(currency, 1)


MOST_HOLDS: Final = 4
"""A hold grows, step by step, to at most so many times what the driver agreed to at first."""
PAGE_LIFE_MS: Final = 35 * 60 * 1000
"""How long a page can be paid."""
LEAST_PAGE_LIFE_MS: Final = 30 * 60 * 1000
"""The shortest that a provider allows: a page that is asked for later than the difference is refused."""
