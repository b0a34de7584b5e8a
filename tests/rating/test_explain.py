"""Sentences: what a driver reads, made from codes when it is read."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from tallywatt.entrypoints.pages.extract import PRICES, written
from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.identity import RatedId
from tallywatt.rating import explain
from tallywatt.rating.offer import price_shown, shown_data
from tallywatt.rating.policy import STANDARD, Interpolation, Policy
from tallywatt.rating.rate import Assumption, Doubt, Reason
from tallywatt.rating.records import Dimension, RatedLine
from tallywatt.rating.results import price, rated_rows
from tallywatt.rating.tongue import DOMAIN, LANGUAGES
from tests.rating.examples import AN_INSTANT, HOUR, LONDON, MINUTE, a_session, a_tariff, an_element


def the_lines(*elements: dict[str, Any], policy: Policy = STANDARD, **session: Any) -> tuple[RatedLine, ...]:
    """The rated lines of one hour with 10 kWh, or of another session."""
    metered = a_session(*session.pop("readings", [(HOUR, 10_000_000)]), **session)
    rated, amounts = price(metered, a_tariff(*elements), policy)
    rows = rated_rows(RatedId("R1"), metered, rated, amounts, created_at=Instant(0), zone_data_version="2026b")
    return rows.lines


def test_each_line_has_a_title_and_a_sentence() -> None:
    """The invoice is read by people who never saw the tariff."""
    lines = the_lines(
        an_element(("ENERGY", "0.45"), ("TIME", "1.20"), ("PARKING_TIME", "6", 20, 300), ("FLAT", "0.50")),
        left=HOUR + 7 * MINUTE,
    )
    assert [(explain.title(line.reason_code), explain.sentence(line, LONDON)) for line in lines] == [
        ("Energy", "Delivered 10:00 to 11:00"),
        ("Charging time", "Charging 10:00 to 11:00"),
        ("Idle time", "Plugged in without asking for power, 11:00 to 11:07; billed per started 5 min"),
        ("Session fee", "Once per session"),
    ]
    assert [explain.quantity(line) for line in lines] == ["10.000 kWh", "1 h", "10 min", "1"]


def test_a_sentence_names_the_restrictions_and_what_it_rests_on() -> None:
    """Times are those of the location's clock; over midnight the days are named."""
    (cheap, dear) = the_lines(
        an_element(("ENERGY", "0.60"), day_of_week=["WEDNESDAY"]),
        an_element(("ENERGY", "0.45", None, 500)),
        readings=[(16 * HOUR, 10_000_000)],
        ended=16 * HOUR,
    )
    assert explain.sentence(cheap, LONDON) == (
        "Delivered 24 Nov 10:00 to 25 Nov 00:00; billed per 500 Wh; split between two readings"
    )
    assert explain.sentence(dear, LONDON, dated=True).startswith("Delivered 25 Nov 00:00 to 02:00; ")
    assert explain.sentence(dear, LONDON).startswith("Delivered 00:00 to 02:00; price Wednesday; split")


@pytest.mark.parametrize(
    ("restrictions", "said"),
    [
        ({}, ""),
        ({"start_time": "07:00", "end_time": "17:00"}, "07:00 to 17:00"),
        ({"start_time": "22:00"}, "22:00 to 00:00"),
        ({"day_of_week": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]}, "Monday to Friday"),
        (
            {"day_of_week": ["MONDAY", "TUESDAY", "SATURDAY"], "end_time": "08:00"},
            "Monday, Tuesday, Saturday, 00:00 to 08:00",
        ),
        ({"min_kwh": "10", "max_kwh": "20.5"}, "beyond 10 kWh, up to 20.5 kWh"),
        ({"min_power": "22", "max_power": "50"}, "at 22 kW or more, below 50 kW"),
        ({"min_current": "16", "max_current": "32"}, "at 16 A or more, below 32 A"),
        ({"min_duration": 5400, "max_duration": 7230}, "after 1 h 30 min, within 2 h 0 min 30 s of the start"),
        ({"start_date": "2026-12-24", "end_date": "2026-12-27"}, "from 24 Dec 2026, before 27 Dec 2026"),
        ({"step_size": 60}, ""),
    ],
)
def test_restrictions_are_said_in_words(restrictions: dict[str, Any], said: str) -> None:
    """The same words before the start and on the invoice."""
    assert explain.conditions(restrictions) == said


def test_a_shown_price_is_a_sentence() -> None:
    """What the driver's page prints before the start."""
    tariff = a_tariff(
        an_element(("ENERGY", "0.6"), start_time="08:00", end_time="20:00"),
        an_element(("ENERGY", "0.3333", 20, 2000), ("PARKING_TIME", "6", 20, 90), ("FLAT", "1")),
    )
    assert [explain.shown_sentence(line, "EUR") for line in price_shown(tariff, AN_INSTANT, LONDON).lines] == [
        "€0.60 per kWh, 08:00 to 20:00",
        "€0.3333 per kWh, otherwise, billed per 2 kWh",
        "€6.00 per hour idle, billed per started 1 min 30 s",
        "€1.00 per session",
    ]


def test_a_headline_names_the_prices_with_which_a_session_begins() -> None:
    """What is free, and what is not now, is left out: it has to fit beside the name of a place."""
    tariff = a_tariff(
        an_element(("ENERGY", "0.45"), start_time="08:00", end_time="20:00"),
        an_element(("ENERGY", "0.30", 20), ("TIME", "0"), ("FLAT", "1")),
    )
    shown = shown_data(price_shown(tariff, AN_INSTANT, LONDON))
    assert explain.headline(shown, "EUR") == "€0.45 per kWh + €1.00 per session"


@pytest.mark.parametrize(
    ("energy", "text"),
    [(12_345_000, "12.345"), (12_345_678, "12.345678"), (0, "0.000"), (500, "0.0005"), (10**9, "1000.000")],
)
def test_energy_is_printed_to_the_last_digit_that_was_billed(energy: int, text: str) -> None:
    """Whoever multiplies the printed quantity with the printed price must get the printed amount."""
    assert explain.kwh_text(energy) == text
    assert explain.kwh_text(energy, 6) == f"{energy // 10**6}.{energy % 10**6:06d}"
    assert explain.energy(energy) == f"{text} kWh"
    assert explain.kwh_text(energy, 4) == (text if len(text.partition(".")[2]) > 3 else f"{text}0")


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 s"),
        (999, "0 s"),
        (61_000, "1 min 1 s"),
        (42 * MINUTE, "42 min"),
        (HOUR, "1 h"),
        (HOUR + 5000, "1 h 0 min 5 s"),
    ],
)
def test_durations_are_printed_by_their_parts(milliseconds: int, text: str) -> None:
    """An hour and a half is 1 h 30 min, not 5400 s."""
    assert explain.duration(milliseconds) == text


def test_every_code_has_its_sentence() -> None:
    """A code that is stored today must be readable for as long as the row exists."""
    for reason in Reason:
        assert explain.title(reason)
        assert f"reason.{reason}" in explain.ENGLISH
    for assumption in Assumption:
        assert f"assumption.{assumption}" in explain.ENGLISH
    for doubt in Doubt:
        assert explain.doubt(doubt).endswith(".")
    for dimension in Dimension:
        assert explain.per(dimension).startswith("per ")


def test_a_language_that_is_not_spoken_reads_as_english() -> None:
    """A locale decides the words, never whether there are any."""
    assert (
        explain.title("energy", "pl-PL") == explain.title("energy", "en_GB") == explain.title("energy", "") == "Energy"
    )
    assert explain.title("energy", "fr-XX") == explain.title("energy", "FR") == "Énergie"


def test_days_are_named_by_the_locations_calendar() -> None:
    """23:30 in London is the next day in Berlin."""
    at = parse_instant("2026-08-24T22:30:00Z")
    assert explain.date_text(at, LONDON) == "24 Aug"
    assert explain.date_text(at, "Europe/Berlin") == "25 Aug"


def test_the_lower_price_between_readings_is_explained() -> None:
    """A driver who got the lower price may know why."""
    lines = the_lines(
        an_element(("ENERGY", "0.60"), end_time="10:30"),
        an_element(("ENERGY", "0.45")),
        policy=Policy(interpolation=Interpolation.MEASURED_ONLY),
    )
    assert [line.unit_price for line in lines] == [Decimal("0.45")]
    assert explain.sentence(lines[0], LONDON).endswith("no reading at the change of price, so the lower price holds")


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_language_says_every_sentence_with_the_same_names(language: str) -> None:
    """A sentence that is missing, or lacks a figure, would be found by a driver. `make locale` lists what is missing."""
    kept = {str(one.context): str(one.string) for one in written(language, PRICES, DOMAIN) if one.id}
    assert kept.keys() == explain.ENGLISH.keys(), "run `make locale`, then translate what it lists"
    for key, text in kept.items():
        assert text, f"no translation of {key}"
        assert sorted(re.findall(r"{(\w+)}", text)) == sorted(re.findall(r"{(\w+)}", explain.ENGLISH[key])), key


@pytest.mark.parametrize(
    ("locale", "line", "shown", "clock"),
    [
        ("de", ("Geladen 24. Nov. 10:00 Uhr bis 25. Nov. 00:00 Uhr; abgerechnet pro 500 Wh; zwischen zwei Zählerständen "
         "aufgeteilt"), "0,4515 € pro kWh, Montag bis Mittwoch, 00:00 bis 07:00 Uhr", "1 h 30 min"),
        ("fr", ("Énergie fournie du 24 nov. à 10:00 au 25 nov. à 00:00; facturation par tranche de 500 Wh; énergie répartie "
         "entre deux relevés"), "0,4515 € par kWh, du lundi au mercredi, de 00:00 à 07:00", "1 h 30 min"),
        ("nl", "Geleverd van 24 nov 10:00 tot 25 nov 00:00; afgerekend per 500 Wh; verdeeld tussen twee meterstanden",
         "€ 0,4515 per kWh, maandag t/m woensdag, van 00:00 tot 07:00", "1 u 30 min"),
        ("es", ("Energía suministrada desde el 24 nov, 10:00 h, hasta el 25 nov, 0:00 h; facturación en bloques de 500 Wh; "
         "repartida entre dos lecturas"), "0,4515 € por kWh, de lunes a miércoles, de 0:00 a 7:00 h", "1 h 30 min"),
        ("it", ("Energia erogata dalle ore 10:00 (24 nov) alle ore 00:00 (25 nov); fatturazione a scatti di 500 Wh; ripartita "
         "tra due letture"), "0,4515 € per kWh, da lunedì a mercoledì, dalle ore 00:00 alle ore 07:00", "1 h 30 min"),
        ("en-US", "Delivered Nov 24 10:00 AM to Nov 25 12:00 AM; billed per 500 Wh; split between two readings",
         "€0.4515 per kWh, Monday to Wednesday, 12:00 AM to 7:00 AM", "1 h 30 min"),
    ],
)  # fmt: skip
def test_each_language_says_it_as_it_is_said_there(locale: str, line: str, shown: str, clock: str) -> None:
    """Dates, times, figures and money are written as in the reader's country, and sentences are in its grammar."""
    (cheap, _) = the_lines(
        an_element(("ENERGY", "0.60"), day_of_week=["WEDNESDAY"]),
        an_element(("ENERGY", "0.45", None, 500)),
        readings=[(16 * HOUR, 10_000_000)],
        ended=16 * HOUR,
    )
    assert _plain(explain.sentence(cheap, LONDON, locale)) == line
    early = a_tariff(an_element(("ENERGY", "0.4515"), day_of_week=["MONDAY", "TUESDAY", "WEDNESDAY"], end_time="07:00"))
    shown_line = price_shown(early, AN_INSTANT, LONDON).lines[0]
    assert _plain(explain.shown_sentence(shown_line, "EUR", locale)) == shown
    assert explain.duration(90 * MINUTE, locale) == clock


def _plain(text: str) -> str:
    """With spaces that may break: which ones may not is the country's business."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_german_writes_figures_as_german_does() -> None:
    """A comma for the point: 0.4515 is no four thousand."""
    assert explain.kwh_text(12_345_678, locale="de-AT") == "12,345678"
    assert explain.price_text(Decimal("1234.5"), locale="de") == "1.234,50"
    assert explain.conditions({"min_kwh": "20.5"}, "de") == "über 20,5 kWh"


def test_a_currency_without_a_sign_or_without_places_is_written_as_its_country_does() -> None:
    """Yen have no minor unit; dinars have three places and no sign."""
    assert _plain(explain.unit_price(Decimal("0.125"), "KWD", Dimension.ENERGY)) == "KWD 0.125 per kWh"
    assert explain.unit_price(Decimal(30), "JPY", Dimension.FLAT) == "JP¥30 per session"


@pytest.mark.parametrize(
    ("exact", "said"), [("4.725", "€4.73"), ("0", "€0.00"), ("0.004", "€0.004"), ("-1.005", "-€1.01")]
)
def test_an_amount_is_said_to_the_smallest_coin_and_one_below_it_in_full(exact: str, said: str) -> None:
    """A running cost of 0.004 is not nothing."""
    assert explain.amount(Decimal(exact), "EUR") == said


def test_a_price_that_follows_a_market_says_which() -> None:
    """Also before the market has said anything."""
    tariff = a_tariff(
        {
            "price_components": [
                {"type": "ENERGY", "price": "0.4", "step_size": 1, "index": {"market": "DE-LU", "minutes": 60}}
            ]
        }
    )
    [line] = price_shown(tariff, AN_INSTANT, LONDON).lines

    assert "DE-LU" in explain.shown_sentence(line, "EUR")
    assert "DE-LU" in explain.conditions({"index": {"market": "DE-LU", "minutes": 60}}, "en")
