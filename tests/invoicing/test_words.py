"""The words of an invoice: every figure from stored integers, every time in the location's zone."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.invoicing.paper import PaperPayment, session_paper
from tallywatt.invoicing.words import ENGLISH, LANGUAGES, day_text, money_text, printed
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RatedId
from tallywatt.metering.session import Evidence, PayerKind, Session, SessionState, Source
from tallywatt.rating.read import read_tariff
from tests.invoicing.examples import (
    HOUR,
    MINUTE,
    START,
    a_document,
    a_long_stay,
    an_afternoon,
    an_invoice,
    day_tariff,
    the_rows,
)


@pytest.mark.parametrize(
    ("minor", "code", "text"),
    [
        (1240, "GBP", "£12.40"),
        (-5, "EUR", "−€0.05"),
        (720, "JPY", "¥720"),
        (123_456_789, "USD", "$1,234,567.89"),
        (123_450, "CHF", "CHF\N{NO-BREAK SPACE}1,234.50"),
        (331, "KWD", "KWD\N{NO-BREAK SPACE}0.331"),
        (0, "EUR", "€0.00"),
    ],
)
def test_money_is_printed_with_the_places_of_its_currency(minor: int, code: str, text: str) -> None:
    """Yen have no minor unit and dinars have three places of it."""
    assert money_text(minor, code) == text


def test_a_day_is_printed_so_that_nobody_mistakes_the_month() -> None:
    """08/09 is two days, depending on the reader."""
    assert day_text("2018-08-09") == "9 August 2018"


def test_the_paper_tells_what_where_when_price_and_payment() -> None:
    """The whole of a dense invoice, as its reader finds it."""
    words = printed(a_document())

    assert [words["title"], words["number"], words["date"]] == ["Invoice", "INV-2018-000123", "24 August 2018"]
    assert words["facts"] == [["Energy", "18.375 kWh"], ["Plugged in", "3 h 40 min"], ["Total", "£14.74"]]
    assert words["where"]["plug"] == ["EVSE GB*TWA*E51266*2", "Connector 2", "AC, up to 22 kW"]
    assert words["when"]["rows"] == [
        ["Day", "24 August 2018"],
        ["Started", "15:12 BST"],
        ["Energy ended", "18:05"],
        ["Stopped", "18:40"],
        ["Left", "18:52"],
        ["Started with", "Card ending 5C1A"],
    ]
    assert words["meter"]["rows"] == [
        ["Start", "10,234.567 kWh"],
        ["End", "10,252.942 kWh"],
        ["Delivered", "18.375 kWh"],
    ]
    assert words["meter"]["evidence"] == "Read by the station from its meter"
    assert [list(line.values()) for line in words["price"]["lines"]] == [
        [
            "Energy",
            "Delivered 15:12 to 17:00; price Monday to Friday, 07:00 to 17:00",
            "11.904 kWh",
            "£0.45 / kWh",
            "20%",
            "£5.36",
        ],
        ["Energy", "Delivered 17:00 to 18:05; price 17:00 to 19:00", "6.471 kWh", "£0.60 / kWh", "20%", "£3.88"],
        [
            "Idle time",
            "Plugged in without asking for power, 18:05 to 18:52; billed per started 5 min",
            "50 min",
            "£6.00 / h",
            "20%",
            "£5.00",
        ],
        ["Session fee", "Once per session", "1", "£0.50", "0%", "£0.50"],
    ]
    assert words["price"]["taxes"] == [["VAT 20% on £11.87", "£2.37"], ["VAT 0% on £0.50", "£0.00"]]
    assert words["price"]["net"] == ["Net", "£12.37"]
    assert words["price"]["total"] == ["Total", "£14.74"]
    assert words["payment"]["rows"] == [["Card, 24 August 2018", "pi_3PqX7f2eZvKYlo2C1gQwHh8a", "£14.74"]]
    assert words["payment"]["rest"] == ["Paid in full", ""]


def test_a_net_tariff_prints_net_lines_and_adds_the_tax() -> None:
    """A business buyer adds the column and gets the net total."""
    words = printed(a_document(tariff=day_tariff("EUR", "NO")))
    assert words["price"]["columns"][-1] == "Amount without VAT"
    assert [line["amount"] for line in words["price"]["lines"]] == ["€5.36", "€3.88", "€5.00", "€0.50"]
    assert words["price"]["net"] == ["Net", "€14.74"]
    assert words["price"]["total"] == ["Total", "€17.59"]


@pytest.mark.parametrize(
    ("payments", "rest"),
    [
        ((), ["To pay", "£14.74"]),
        ((PaperPayment("balance", START, 500), PaperPayment("voucher", START, 474)), ["To pay", "£5.00"]),
        ((PaperPayment("card", START, 1474), PaperPayment("card", START, -1474)), ["To pay", "£14.74"]),
        ((PaperPayment("card", START, 1500),), ["Paid in excess", "£0.26"]),
        ((PaperPayment("card", START, 1474),), ["Paid in full", ""]),
    ],
)
def test_the_last_word_is_what_is_still_to_be_paid(payments: tuple[PaperPayment, ...], rest: list[str]) -> None:
    """Whoever holds the paper knows whether to do something."""
    words = printed(a_document(payments=payments))
    assert words["payment"]["rest"] == rest
    assert len(words["payment"]["rows"]) == len(payments)


def test_a_credit_note_names_what_it_takes_back_and_what_went_back() -> None:
    """It is read next to the invoice, often months later."""
    changes: dict[str, Any] = {"kind": InvoiceKind.CREDIT_NOTE, "number": "CN-2018-000007", "corrects_invoice_id": "I0"}
    credit = a_document(invoice=changes, corrects="INV-2018-000123", payments=())
    words = printed(credit)
    assert (words["title"], words["corrects"]) == ("Credit note", "Takes back invoice INV-2018-000123")
    assert (words["buyer_label"], words["payment"]["rest"]) == ("Credited to", ["Taken off what is owed", "£14.74"])

    given = printed(replace(credit, payments=(PaperPayment("card", START, -1474, "re_1"),)))
    assert given["payment"]["rows"] == [["Given back: Card, 24 August 2018", "re_1", "−£14.74"]]
    assert given["payment"]["rest"] == ["Given back in full", ""]


def test_a_free_session_without_buyer_link_or_tax_is_still_a_whole_paper() -> None:
    """A municipal station that gives power away still hands out what was delivered."""
    tariff = read_tariff(
        {
            "id": "F",
            "currency": "CHF",
            "tax_included": "N/A",
            "elements": [{"price_components": [{"type": "FLAT", "price": 0}]}],
        }
    )
    words = printed(a_document(tariff=tariff, buyer=None, payments=(), link=None))
    assert (words["buyer"], words["link"]) == (None, None)
    assert words["payment"]["rest"] == ["Nothing to pay", ""]
    assert words["price"]["lines"][0]["tax"] == "–"
    assert words["price"]["taxes"] == [["Without VAT", "CHF\N{NO-BREAK SPACE}0.00"]]


def test_a_stay_of_weeks_names_the_days() -> None:
    """A time of day alone says nothing in a session of twenty days; quantities stand in one column."""
    words = printed(a_document(a_long_stay()))
    lines = words["price"]["lines"]
    assert len(lines) > 50
    assert lines[0]["reason"].startswith("Delivered 24 Aug 15:12 to 17:00; ")
    assert lines[2]["reason"].startswith("Delivered 24 Aug 19:00 to 25 Aug 17:00; ")
    assert {len(line["quantity"].partition(".")[2]) for line in lines[:-1]} == {len("000000 kWh")}
    assert words["when"]["rows"][2] == ["Stopped", "13 Sep 2018, 15:12"]


def test_a_session_over_the_change_to_winter_time_names_the_zone_again() -> None:
    """01:30 comes twice that night; the paper must not look as if time ran backwards."""
    document = a_document()
    start = Instant(1540684800000)  # 2018-10-28T00:00:00Z, 01:00 BST
    night = replace(
        document.session,
        started_at=start,
        energy_ended_at=None,
        transaction_ended_at=Instant(start + 90 * MINUTE),
        occupancy_ended_at=None,
    )
    rows = printed(replace(document, session=night))["when"]["rows"]
    assert rows[1:3] == [["Started", "01:00 BST"], ["Stopped", "01:30 GMT"]]
    there = printed(replace(document, session=replace(night, zone="America/Argentina/Buenos_Aires")))["when"]["rows"]
    assert there[:2] == [["Day", "27 October 2018"], ["Started", "21:00 UTC-0300"]]


def test_doubts_about_the_data_are_printed() -> None:
    """What makes a price doubtful is told to whoever pays it."""
    session = replace(an_afternoon(), clock_is_usable=False)
    words = printed(a_document(session))
    assert words["notes"] == ["The station's clock could not be relied on, so no time is charged."]
    assert words["price"]["lines"][2]["title"] == "Time, not charged"


def test_a_document_is_printed_from_its_own_result_alone() -> None:
    """Another result's lines under an invoice's total would be a forgery."""
    document = a_document()
    other = replace(document.rated.result, rated_id=RatedId("R2"))
    with pytest.raises(AssertionError):
        replace(document, rated=document.rated._replace(result=other))
    with pytest.raises(AssertionError):
        replace(document, rated=document.rated._replace(lines=document.rated.lines[1:]))
    shuffled = replace(document, rated=document.rated._replace(lines=document.rated.lines[::-1]))
    assert printed(shuffled) == printed(document)


def test_the_paper_of_a_stored_session_shows_its_own_meter_and_evidence() -> None:
    """What is printed comes from the row, not from the rating."""
    fields: dict[str, Any] = dict.fromkeys(Session.__slots__)
    fields |= {
        "session_id": "S1",
        "source": Source.CSV,
        "evidence": Evidence.REPORTED,
        "zone": "Europe/London",
        "started_at": START,
        "transaction_ended_at": Instant(START + HOUR),
        "milliwatt_hours": 5_000_000,
        "payer": PayerKind.AD_HOC,
        "state": SessionState.BILLED,
    }
    session = Session(**fields)
    paper = session_paper(session)
    assert (paper.ended_at, paper.token) == (START + HOUR, None)
    rows = the_rows(replace(an_afternoon(), activities=()), day_tariff())
    words = printed(replace(a_document(), session=paper, rated=rows, invoice=an_invoice(rows)))
    assert words["meter"] == {"label": "Meter", "rows": [["Delivered", "5.000 kWh"]], "evidence": "As reported to us"}
    assert words["when"]["rows"][1:] == [["Started", "15:12 BST"], ["Stopped", "16:12"]]


def test_a_site_may_tell_as_little_as_its_evse_id() -> None:
    """Imported sessions know no more."""
    document = a_document()
    bare = replace(document.site, connector=None, current=None)
    assert printed(replace(document, site=bare))["where"]["plug"] == ["EVSE GB*TWA*E51266*2"]
    assert printed(replace(document, site=replace(bare, evse_id="")))["where"]["plug"] == []
    dc = replace(document.site, connector=None, current="dc", max_watts=62_500)
    assert printed(replace(document, site=dc))["where"]["plug"][1] == "DC, up to 62.5 kW"
    unknown = replace(document.site, connector=None, max_watts=None)
    assert printed(replace(document, site=unknown))["where"]["plug"][1] == "AC"


def test_every_language_prints_the_same_things_with_the_same_names() -> None:
    """A text that is missing would be found by whoever prints the first invoice."""
    for table in LANGUAGES.values():
        assert table.keys() == ENGLISH.keys()
        for key, text in table.items():
            assert sorted(re.findall(r"{(\w+)}", text)) == sorted(re.findall(r"{(\w+)}", ENGLISH[key])), key
        assert [len(table[name].split()) for name in ("months", "short_months")] == [12, 12]


def test_a_german_paper_is_german_to_the_last_figure() -> None:
    """Dates, sums, energy and the name of the tax; an English point or word between them would look like a mistake."""
    paper = printed(replace(a_document(), locale="de"))
    assert (paper["title"], paper["language"]) == ("Rechnung", "de")
    assert money_text(-5, "EUR", "de") == "−0,05\xa0€"
    assert money_text(123450, "CHF", "de") == "1.234,50\xa0CHF"
    assert day_text("2018-08-09", "de") == "9. August 2018"
    text = repr(paper)
    assert "USt." in text
    assert not re.search(r"\bVAT\b|\bTotal\b|\bto \d\d:\d\d|£\d|€\d", text), text


def test_a_paper_speaks_one_language() -> None:
    """Prices are explained in French; a paper that cannot be printed in French is English, also where it explains them."""
    assert printed(replace(a_document(), locale="fr")) == printed(replace(a_document(), locale="en"))
