"""Pure: money as whole minor units of one currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput, CurrencyMismatch, UnknownCurrency

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency: its ISO 4217 code and the number of decimal places of its minor unit (0–9)."""

    code: str
    exponent: int

    def __str__(self) -> str:
        return self.code


# ISO 4217 list one, the currencies of countries with public charging; most have two places.
_EXPONENTS = {
    **dict.fromkeys(
        "AED AUD BGN BRL CAD CHF CNY CZK DKK EUR GBP GEL HKD HUF IDR ILS INR MAD MDL MXN MYR NOK NZD PEN PHP PLN QAR "
        "RON RSD SAR SEK SGD THB TRY TWD UAH USD ZAR".split(),
        2,
    ),
    **dict.fromkeys("CLP ISK JPY KRW VND".split(), 0),
    **dict.fromkeys("BHD JOD KWD OMR TND".split(), 3),
}
CURRENCIES = {code: Currency(code, exponent) for code, exponent in _EXPONENTS.items()}


def currency(code: str) -> Currency:
    """The currency of an ISO 4217 code, or UnknownCurrency."""
    found = CURRENCIES.get(code)
    if found is None:
        msg = f"{code!r} is not an ISO 4217 currency code that Tallywatt carries"
        raise UnknownCurrency(msg)
    return found


LARGEST_MINOR = 2**63 - 1
"""What a database's integer holds."""


@dataclass(frozen=True, slots=True)
class Money:
    """A sum in one currency, counted in its smallest unit (cents for EUR)."""

    minor: int
    currency: Currency

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency.code}"

    @property
    def decimal(self) -> Decimal:
        """The sum in major units, exact: 1240 minor EUR is Decimal('12.40')."""
        return Decimal(self.minor).scaleb(-self.currency.exponent)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            msg = f"cannot mix {self.currency} and {other.currency}"
            raise CurrencyMismatch(msg)


def money(amount: str | Decimal, code: str) -> Money:
    """Money from an exact amount in major units; BadInput when it is no amount or has more places than the currency."""
    unit = currency(code)
    try:
        exact = Decimal(amount)
        minor = exact.scaleb(unit.exponent).to_integral_value()
        readable = exact.is_finite() and abs(minor) <= LARGEST_MINOR
    except ArithmeticError:
        readable = False
    if not readable:
        msg = f"{amount!r} is not an amount"
        raise BadInput(msg, code="money.not_an_amount")
    if minor.scaleb(-unit.exponent) != exact:
        msg = f"{amount} {code} has more than {unit.exponent} decimal places"
        raise BadInput(msg, code="money.too_precise")
    return Money(int(minor), unit)


def total(sums: Iterable[Money], unit: Currency) -> Money:
    """The sum of sums, zero of that currency for none."""
    result = Money(0, unit)
    for one in sums:
        result = result + one
    return result
