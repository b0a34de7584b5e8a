"""Pure: a language in which prices are explained: its sentences, and how it writes figures, days and times.

The sentences are catalogues of gettext in `locale/`, data of this package as zones are data of another; they are read when
somebody first asks for a language. Of Babel only facts are taken, once a language: one of its calls costs as much as a price.
"""

from __future__ import annotations

import gettext
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal

DOMAIN: Final = "rating"
ENGLISH: Final = "en"
LANGUAGES: Final = {"en": "en_GB", "de": "de_DE", "fr": "fr_FR", "nl": "nl_NL", "es": "es_ES", "it": "it_IT"}
"""Each language with the place whose figures it writes where a reader names none."""


class Tongue:
    """A language at a place: French as in Switzerland. What was made once is kept."""

    def __init__(self, language: str, locale: str) -> None:
        from babel import Locale  # noqa: PLC0415 - 50 ms that only a reader of prices pays, once

        self.language = language
        self._locale = Locale.parse(locale)
        symbols = self._locale.number_symbols["latn"]
        self._marks = {ord("."): symbols["decimal"], ord(","): symbols["group"]}
        self.weekdays = [self._locale.days["stand-alone"]["wide"][day] for day in range(7)]
        self._catalogue = _catalogue(language)

    def say(self, key: str, english: str) -> str:
        """The template of a key, in this language."""
        return self._catalogue.pgettext(key, english)

    def figure(self, text: str) -> str:
        """A figure as it is written here: 1,234.56 is 1.234,56 in German."""
        return text.translate(self._marks)

    def time(self, at: datetime) -> str:
        """The time of day: 14:05; 2:05 pm in the United States."""
        return _time(str(self._locale), at.hour, at.minute)

    def clock(self, text: str) -> str:
        """A time of day written as HH:MM."""
        return _time(str(self._locale), int(text[:2]), int(text[3:5]))

    def day(self, on: date) -> str:
        """A day without its year: 24 Aug."""
        return _day(str(self._locale), on.month, on.day)

    def date(self, on: date) -> str:
        """A day with its year: 24 Aug 2026."""
        return _date(str(self._locale), on)

    def money(self, amount: Decimal, code: str, places: int) -> str:
        """A price in its currency with so many places: £0.4515; 0,4515 € in German."""
        return _money(str(self._locale), amount, code, places)


@lru_cache(maxsize=256)
def tongue(tag: str) -> Tongue:
    """The tongue of a BCP 47 tag (`de-AT`, `fr_CH`); English where the language is not spoken here."""
    from babel import UnknownLocaleError  # noqa: PLC0415 - as above

    language, *rest = tag.replace("_", "-").split("-")
    name = language.strip().lower()
    usual = LANGUAGES.get(name)
    if usual is None:
        return tongue(ENGLISH)
    place = next((part.upper() for part in rest if len(part) == 2), None)
    try:
        return Tongue(name, f"{name}_{place}" if place else usual)
    except (UnknownLocaleError, ValueError):
        return tongue(name)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == ENGLISH:
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - only a reader of another language pays for it, once
    from babel.messages.pofile import read_po  # noqa: PLC0415 - the same

    text = files(__package__).joinpath("locale", language, "LC_MESSAGES", f"{DOMAIN}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(text), locale=language, domain=DOMAIN))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@lru_cache(maxsize=8192)
def _time(locale: str, hour: int, minute: int) -> str:
    from datetime import time  # noqa: PLC0415 - beside Babel's function of a like name

    from babel.dates import format_time  # noqa: PLC0415 - as above

    return format_time(time(hour, minute), "short", locale=locale)


@lru_cache(maxsize=4096)
def _day(locale: str, month: int, day: int) -> str:
    from datetime import datetime  # noqa: PLC0415 - as above

    from babel.dates import format_skeleton  # noqa: PLC0415 - as above

    return format_skeleton("MMMd", datetime(2028, month, day), locale=locale)  # noqa: DTZ001 - a day of a leap year, no instant


@lru_cache(maxsize=4096)
def _date(locale: str, on: date) -> str:
    from babel.dates import format_date  # noqa: PLC0415 - as above

    return format_date(on, "medium", locale=locale)


@lru_cache(maxsize=4096)
def _money(locale: str, amount: Decimal, code: str, places: int) -> str:
    from babel import Locale  # noqa: PLC0415 - as above
    from babel.numbers import format_currency  # noqa: PLC0415 - as above

    pattern = Locale.parse(locale).currency_formats["standard"].pattern
    pattern = pattern.replace("0.00", f"0.{'0' * places}" if places else "0")
    said = format_currency(amount, code, format=pattern, locale=locale, currency_digits=False)
    # A currency without a sign of its own stands apart from its figure: KWD 0.001.
    return said.replace(code, f"{code}\N{NO-BREAK SPACE}") if said.startswith(code) and said[3:4].isdigit() else said
