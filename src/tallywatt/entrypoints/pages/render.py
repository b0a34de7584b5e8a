"""Templates and the ways in which figures are written: money, energy, times, all tabular and in the reader's words."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from tallywatt.entrypoints.pages import language
from tallywatt.entrypoints.pages.figures import (
    MISSING,
    count,
    date,
    day,
    kilowatts,
    kwh,
    length,
    money,
    plain_number,
    price,
    span,
    time_of_day,
)
from tallywatt.entrypoints.pages.problem_words import worded
from tallywatt.entrypoints.pages.session_page import card_words
from tallywatt.entrypoints.pages.words import label, why
from tallywatt.kernel.money import currency
from tallywatt.rating import explain
from tallywatt.rating.records import Dimension

if TYPE_CHECKING:
    from jinja2 import Environment

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"


def page(template: str, **context: Any) -> str:
    """A template filled in."""
    return _environment().get_template(template).render(**context)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # loaded with the first page: 60 ms of a start

    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )
    made.policies["ext.i18n.trimmed"] = True
    # The callables look up the language of the answer that is being made, so one compiled template serves them all.
    made.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        language.gettext,
        language.ngettext,
        newstyle=True,
        pgettext=language.pgettext,
        npgettext=language.npgettext,
    )
    made.globals.update(static=static, language=language.language, languages=language.LANGUAGES, theme="")
    made.filters.update(
        money=money, price=price, kwh=kwh, kilowatts=kilowatts, clock=time_of_day, day=day, moment=day_and_time,
        span=span, label=label, id=short_id, count=count, breakable=breakable, per=per_unit, conditions=conditions_of,
        plain=plain_number, coded=coded, card=card_words, amount=amount, date=date, lasting=length, worded=worded_error,
        why=why, capped=capped, discounted=discounted, taken_off=taken_off,
    )  # fmt: skip
    return made


@cache
def static(name: str) -> str:
    """The address of a static file, with the version of its content: it may be cached for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def day_and_time(at: str | None, zone: str) -> Markup | str:
    """24 Aug 2018, 14:05, in a zone, for people and for machines."""
    if at is None:
        return MISSING
    return Markup('<time datetime="{}">{} <span class="at">{}</span></time>').format(
        at, day(at, zone), time_of_day(at, zone)
    )


def amount(minor: int, code: str) -> str:
    """A sum as it is typed into a field: 45.00."""
    unit = currency(code)
    return f"{Decimal(minor).scaleb(-unit.exponent):.{unit.exponent}f}"


def per_unit(line: dict[str, Any]) -> str:
    """What a shown price is per: kWh, hour, session."""
    return explain.per(Dimension(line["dimension"]), language.language())


def conditions_of(line: dict[str, Any]) -> str:
    """When a shown price holds, in words."""
    said = explain.conditions(line["conditions"], language.language())
    return said[:1].upper() + said[1:]


def capped(cap: dict[str, Any], currency: str) -> str:
    """The most for a session or a day, in words."""
    said = explain.cap_words(cap, currency, language.language())
    return said[:1].upper() + said[1:]


def discounted(discount: dict[str, Any], currency: str) -> str:
    """What is taken off, in words."""
    return explain.discount_words(discount, currency, language.language())


def taken_off(coupon: dict[str, Any]) -> str:
    """What a coupon takes off, in words; its code stands beside them."""
    return explain.discount_words(coupon["terms"], coupon["currency"] or "", language.language())


def worded_error(error: Any) -> dict[str, Any]:
    """What stopped a form: an error of ours, or a message with its remedy."""
    told = error if isinstance(error, dict) else {"message": error.message, "remedy": error.remedy, "code": error.code}
    return worded(str(told.get("code", "")), told["message"], told.get("remedy"))


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
