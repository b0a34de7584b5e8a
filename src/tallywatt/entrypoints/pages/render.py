"""Templates and the ways in which figures are written: money, energy, times, all tabular and in the reader's words."""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from babel.numbers import format_currency, format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tallywatt.entrypoints.pages.session_page import card_words
from tallywatt.entrypoints.pages.words import label
from tallywatt.kernel import clock
from tallywatt.kernel.money import currency
from tallywatt.rating import explain
from tallywatt.rating.records import Dimension
from tallywatt.rating.tariff import plain

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
LOCALE: Final = "en_GB"
"""Of figures. (One language so far; the words are in one place for the next.)"""
MISSING: Final = "–"


def page(template: str, **context: Any) -> str:
    """A template filled in."""
    return _environment().get_template(template).render(**context)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )
    made.globals["static"] = static
    made.filters.update(
        money=money, price=price, kwh=kwh, kilowatts=kilowatts, clock=time_of_day, day=day, moment=day_and_time,
        span=span, label=label, id=short_id, count=count, breakable=breakable, per=per_unit, conditions=conditions_of,
        plain=plain_number, coded=coded, card=card_words,
    )  # fmt: skip
    return made


@cache
def static(name: str) -> str:
    """The address of a static file, with the version of its content: it may be cached for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def money(minor: int | None, code: str | None) -> str:
    """A sum in its currency: £12.40."""
    if minor is None or code is None:
        return MISSING
    said = format_currency(Decimal(minor).scaleb(-currency(code).exponent), code, locale=LOCALE)
    return said.replace(code, f"{code}\N{NO-BREAK SPACE}")  # a currency without a sign of its own


def price(amount: str, code: str) -> str:
    """A unit price with at least the places of its currency, and as many as it has: £0.4515."""
    exact = Decimal(amount)
    places = max(currency(code).exponent, -int(exact.normalize().as_tuple().exponent))
    return format_currency(exact, code, format=f"¤#,##0.{'0' * places}", locale=LOCALE, currency_digits=False)


def kwh(watt_hours: str | None, places: int = 3) -> str:
    """Kilowatt-hours of a decimal string in Wh, without the unit: 12.057."""
    if watt_hours is None:
        return MISSING
    return format_decimal(Decimal(watt_hours).scaleb(-3), format=f"#,##0.{'0' * places}", locale=LOCALE)


def kilowatts(watts: int | None) -> str:
    """A power in kW, without the unit: 7.2."""
    return MISSING if watts is None else format_decimal(Decimal(watts).scaleb(-3), format="#,##0.0", locale=LOCALE)


def count(number: int) -> str:
    """A whole number with its thousands told apart."""
    return format_decimal(number, format="#,##0", locale=LOCALE)


def local(at: str, zone: str) -> datetime:
    """An RFC 3339 time in a zone."""
    return clock.moment(clock.parse_instant(at), clock.zone(zone))


def time_of_day(at: str | None, zone: str, *, seconds: bool = False) -> str:
    """14:05, in a zone."""
    return MISSING if at is None else f"{local(at, zone):{'%H:%M:%S' if seconds else '%H:%M'}}"


def day(at: str | None, zone: str) -> str:
    """24 Aug 2018, in a zone."""
    return MISSING if at is None else f"{local(at, zone):%-d %b %Y}"


def day_and_time(at: str | None, zone: str) -> Markup | str:
    """24 Aug 2018, 14:05, in a zone, for people and for machines."""
    if at is None:
        return MISSING
    return Markup('<time datetime="{}">{} <span class="at">{}</span></time>').format(
        at, day(at, zone), time_of_day(at, zone)
    )


def span(start: str | None, end: str | None) -> str:
    """How long something took: 1 h 25 min."""
    if start is None or end is None:
        return MISSING
    minutes = max(0, clock.parse_instant(end) - clock.parse_instant(start)) // 60_000
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def per_unit(line: dict[str, Any]) -> str:
    """What a shown price is per: kWh, hour, session."""
    return explain.per(Dimension(line["dimension"]))


def conditions_of(line: dict[str, Any]) -> str:
    """When a shown price holds, in words."""
    said = explain.conditions(line["conditions"])
    return said[:1].upper() + said[1:]


def plain_number(figure: str) -> str:
    """A figure without idle zeros: 20."""
    return plain(Decimal(figure))


def short_id(identity: str | None) -> str:
    """The last characters of an id, which differ most."""
    return MISSING if identity is None else identity[-8:]


def coded(text: str) -> Markup:
    """A sentence in which what stands between backticks is code."""
    pieces = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(one) if place % 2 else one for place, one in enumerate(pieces)
    )


def breakable(code: str) -> Markup:
    """A long code that may break after its stars and slashes."""
    pieces = code.replace("*", "*\0").replace("/", "/\0").split("\0")
    return Markup("<wbr>").join(pieces)
