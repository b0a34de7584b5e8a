"""Figures as the reader's language writes them: money, energy, power, days, times. The one place that knows how.

Babel is loaded with the first figure, not at the start of the server: its import costs 50 ms.
"""

from __future__ import annotations

from datetime import date as calendar_day
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

from tallywatt.entrypoints.pages import language
from tallywatt.kernel import clock
from tallywatt.kernel.money import currency
from tallywatt.rating.tariff import plain

if TYPE_CHECKING:
    from datetime import datetime

MISSING: Final = "–"


def money(minor: int | None, code: str | None) -> str:
    """A sum in its currency: £12.40; 12,40 € in German."""
    if minor is None or code is None:
        return MISSING
    from babel.numbers import format_currency

    said = format_currency(Decimal(minor).scaleb(-currency(code).exponent), code, locale=language.figures())
    return _apart(said, code)


def price(amount: str, code: str) -> str:
    """A unit price with at least the places of its currency, and as many as it has: £0.4515."""
    from babel.numbers import format_currency

    exact, locale = Decimal(amount), language.figures()
    places = max(currency(code).exponent, -int(exact.normalize().as_tuple().exponent))
    said = format_currency(exact, code, format=_money_pattern(locale, places), locale=locale, currency_digits=False)
    return _apart(said, code)


def _apart(said: str, code: str) -> str:
    """A currency without a sign of its own stands apart from its figure: KWD 0.001."""
    return said.replace(code, f"{code}\N{NO-BREAK SPACE}") if code in said and not said.endswith(code) else said


@cache
def _money_pattern(locale: str, places: int) -> str:
    """Where a language puts the sign, with so many places."""
    from babel import Locale

    pattern: str = Locale.parse(locale).currency_formats["standard"].pattern
    return pattern.replace("0.00", f"0.{'0' * places}" if places else "0")


def kwh(watt_hours: str | None, places: int = 3) -> str:
    """Kilowatt-hours of a decimal string in Wh, without the unit: 12.057."""
    return MISSING if watt_hours is None else _decimal(Decimal(watt_hours).scaleb(-3), f"#,##0.{'0' * places}")


def kilowatts(watts: int | None) -> str:
    """A power in kW, without the unit: 7.2."""
    return MISSING if watts is None else _decimal(Decimal(watts).scaleb(-3), "#,##0.0")


def count(number: int) -> str:
    """A whole number with its thousands told apart."""
    return _decimal(Decimal(number), "#,##0")


def plain_number(figure: str) -> str:
    """A figure without idle zeros: 20, 2.5."""
    text = plain(Decimal(figure))
    return _decimal(Decimal(text), f"#,##0.{'0' * len(text.partition('.')[2])}" if "." in text else "#,##0")


def _decimal(figure: Decimal, pattern: str) -> str:
    from babel.numbers import format_decimal

    said: str = format_decimal(figure, format=pattern, locale=language.figures())
    return said


def local(at: str, zone: str) -> datetime:
    """An RFC 3339 time in a zone."""
    return clock.moment(clock.parse_instant(at), clock.zone(zone))


def time_of_day(at: str | None, zone: str, *, seconds: bool = False) -> str:
    """14:05, in a zone."""
    return MISSING if at is None else f"{local(at, zone):{'%H:%M:%S' if seconds else '%H:%M'}}"


def day(at: str | None, zone: str) -> str:
    """24 Aug 2018, in a zone; 24.08.2018 in German."""
    return MISSING if at is None else _date(local(at, zone))


def month(at: str, zone: str) -> str:
    """August 2018, in a zone."""
    from babel.dates import format_skeleton

    said: str = format_skeleton("yMMMM", local(at, zone), locale=language.figures())
    return said


def date(iso: str | None) -> str:
    """A day without a time, told as 2018-08-24."""
    return MISSING if iso is None else _date(calendar_day.fromisoformat(iso))


def _date(on: calendar_day) -> str:
    from babel.dates import format_date

    said: str = format_date(on, "medium", locale=language.figures())
    return said


def span(start: str | None, end: str | None) -> str:
    """How long something took: 1 h 25 min."""
    if start is None or end is None:
        return MISSING
    return length(clock.parse_instant(end) - clock.parse_instant(start))


def length(milliseconds: int) -> str:
    """A length of time in hours and minutes: 1 h 25 min. The signs of the units are the same in every language."""
    hours, rest = divmod(max(0, milliseconds) // 60_000, 60)
    if hours and not rest:
        return f"{hours} h"
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"
