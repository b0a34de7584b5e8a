"""Which language a reader is answered in, and what the catalogues must hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.entrypoints.pages import figures, language

WISHES = [
    ("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", "de"),
    ("de-AT", "de"),
    ("DE_ch", "de"),
    ("en-US,en;q=0.9", "en"),
    ("fr-FR,fr;q=0.9,de;q=0.4,en;q=0.3", "de"),
    ("en;q=0.3, de;q=0.4", "de"),
    ("en;q=0.4, de;q=0.4", "en"),
    ("fr, *;q=0.1", "en"),
    ("de;q=0, en;q=0.1", "en"),
    ("de;q=0", None),
    ("de;q=0, *", "en"),
    ("fr, it", None),
    ("", None),
    (";;,,q=1", None),
    ("de;q=viel", None),
    ("de;q=nan, en;q=0.1", "en"),
    ("de;q=-1", None),
    ("de;level=1", None),
    ("*", "en"),
    (", ".join(["xx"] * 50 + ["de"]), None),
]


@pytest.mark.parametrize(("accepted", "found"), WISHES)
def test_the_best_language_of_a_browser_that_we_speak_is_found(accepted: str, found: str | None) -> None:
    """By weight, then by place; what was refused, is unknown or cannot be read is passed over."""
    assert language.negotiate(accepted) == found


@given(st.text(max_size=200))
def test_no_header_breaks_the_negotiation(accepted: str) -> None:
    """A header is typed by strangers."""
    assert language.negotiate(accepted) in {None, *language.LANGUAGES}


def test_the_operators_language_is_for_those_who_wish_for_none() -> None:
    """A browser's wish is worth more than the house's custom."""
    language.speak(None)
    language.rather("AT")
    assert language.language() == "de"
    language.speak("en")
    language.rather("AT")
    assert language.language() == "en"
    language.speak(None)
    language.rather("FR")
    assert language.language() == "en"


def test_a_letter_is_written_in_its_readers_language_whoever_writes_it() -> None:
    """And afterwards the writer speaks its own again; a language that we do not speak is answered in English."""
    language.speak("en")
    with language.speaking("de-AT"):
        assert (language.language(), figures.money(123456, "EUR")) == ("de", "1.234,56\xa0€")
        with language.speaking("fr"):
            assert language.language() == "en"
    assert (language.language(), figures.money(123456, "EUR")) == ("en", "€1,234.56")


def test_figures_are_written_as_the_language_writes_them() -> None:
    """A point is not a comma: 1.234 kWh would be a thousand times as much."""
    with language.speaking("de"):
        assert figures.money(-5, "GBP") == "-0,05\xa0£"
        assert figures.money(1, "KWD") == "0,001\xa0KWD"
        assert figures.money(720, "JPY") == "720\xa0¥"
        assert figures.price("0.4515", "EUR") == "0,4515\xa0€"
        assert figures.price("120", "JPY") == "120\xa0¥"
        assert figures.kwh("1234567") == "1.234,567"
        assert figures.kilowatts(7200) == "7,2"
        assert figures.count(12345) == "12.345"
        assert figures.plain_number("19.50") == "19,5"
        assert figures.day("2018-08-24T23:30:00.000Z", "Europe/London") == "25.08.2018"
        assert figures.date("2018-09-01") == "01.09.2018"
        assert figures.time_of_day("2018-08-24T08:15:00.000Z", "Europe/London") == "09:15"
    with language.speaking("en"):
        assert figures.price("120", "JPY") == "JP¥120"
        assert figures.date("2018-09-01") == "1 Sept 2018"
        assert figures.plain_number("20.00") == "20"
