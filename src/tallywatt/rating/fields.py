"""Pure: fields of OCPI's objects, read one by one; what cannot be meant is refused with the path at which it stands."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.errors import BadInput, UnknownCurrency
from tallywatt.kernel.money import Currency, currency

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_PLACES: Final = 9


class Version(StrEnum):
    """The versions of OCPI whose tariffs and CDRs are read and written."""

    OCPI_2_1_1 = "2.1.1"
    OCPI_2_2_1 = "2.2.1"
    OCPI_2_3_0 = "2.3.0"


class BadField(BadInput):
    """A field that cannot be meant, and where it stands."""

    def __init__(self, path: str, code: str, says: str, remedy: str | None = None) -> None:
        super().__init__(f"{path}: {says}" if path else says, code=code, remedy=remedy)
        self.path = path
        self.says = says


def number(value: Any, path: str, kind: str = "tariff", places: int = MOST_PLACES) -> Decimal:
    """A figure as a decimal: 2.1.1's own example gives one as text, so both are read; never through binary fractions."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise BadField(path, f"{kind}.not_a_number", "must be a number")
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise BadField(path, f"{kind}.not_a_number", "must be a number") from error
    exponent = found.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -places or abs(found) >= 10**9:
        says = f"must be below 1,000,000,000 with at most {places} decimal places"
        raise BadField(path, f"{kind}.out_of_range", says)
    return found


def text(data: Mapping[str, Any], key: str, kind: str = "tariff") -> str:
    """A text that must be there and say something."""
    value = data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BadField(key, f"{kind}.missing", "must be given as text")
    return value.strip()


def filled_list(data: Mapping[str, Any], key: str, path: str, kind: str = "tariff") -> list[Any]:
    """A list that must have an entry."""
    value = data.get(key)
    if not isinstance(value, list) or not value:
        raise BadField(path, f"{kind}.missing", "must be a list with at least one entry")
    return value


def currency_of(data: Mapping[str, Any], kind: str = "tariff") -> Currency:
    """The currency that is named."""
    code = text(data, "currency", kind)
    try:
        return currency(code)
    except UnknownCurrency as error:
        raise BadField(path="currency", code=error.code, says=error.message) from error


def instant(value: Any, path: str, kind: str = "tariff") -> Instant:
    """A time as RFC 3339 text; without an offset it is UTC, as OCPI prescribes."""
    if not isinstance(value, str):
        raise BadField(path, f"{kind}.not_a_time", "must be a time as RFC 3339 text")
    try:
        return parse_instant(value)
    except BadInput as error:
        raise BadField(path, f"{kind}.not_a_time", "must be a time as RFC 3339 text") from error
