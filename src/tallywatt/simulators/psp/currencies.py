"""Pure: currencies as providers count them, and the least that Stripe charges (docs.stripe.com/currencies)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.kernel.money import CURRENCIES
from tallywatt.simulators.psp.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 99_999_999
"""The amount takes eight digits."""

LEAST: Final = {
    "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30,
    "HKD": 400, "HUF": 17_500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200,
    "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}  # fmt: skip


def check_currency(code: str) -> str:
    """The lower-case code, or the refusal for one that is not carried."""
    if code != code.lower() or code.upper() not in CURRENCIES:
        msg = f"Invalid currency: {code}."
        raise bad_request(msg, param="currency")
    return code


def check_amount(amount: int, code: str, least: Mapping[str, int], param: str = "amount") -> None:
    """Refuse what is below the least that is charged (or 1), beyond eight digits, or finer than a card scheme books."""
    currency = CURRENCIES[code.upper()]
    if amount < least.get(currency.code, 1):
        shown = least.get(currency.code, 1) / 10**currency.exponent
        message = f"Amount must be at least {shown:.{currency.exponent}f} {code}"
        raise bad_request(message, code="amount_too_small", param=param)
    if amount > MOST:
        msg = "Amount must be no more than 999,999.99"
        raise bad_request(msg, code="amount_too_large", param=param)
    if currency.exponent == 3 and amount % 10:
        message = f"Invalid amount: the last digit of an amount in {code} must be 0."
        raise bad_request(message, code="invalid_charge_amount", param=param)
