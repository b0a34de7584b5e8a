"""What a form says becomes a tariff, and what a tariff says comes back into the form, or honestly does not."""

from __future__ import annotations

import msgspec
import pytest

from tallywatt.entrypoints.pages.tariff_form import data_of, fields_of
from tallywatt.rating.read import read_tariff

CITY = {
    "reference": "city-ac", "name": "City AC", "currency": "gbp", "tax_included": "YES", "vat": "20", "energy": "0,45",
    "window_from": "22:00", "window_to": "06:00", "window_energy": "0.25", "time": "", "idle": "6", "idle_after": "60",
    "flat": "1",
}  # fmt: skip


def test_a_form_becomes_a_tariff_that_is_read_like_any_other() -> None:
    """A comma is a decimal point; the window comes first, because the first element that matches holds."""
    data, wrong = data_of(CITY)
    assert wrong == {}
    tariff = read_tariff(data)
    assert [one["type"] for element in data["elements"] for one in element["price_components"]] == [
        "ENERGY", "PARKING_TIME", "ENERGY", "FLAT",
    ]  # fmt: skip
    assert (tariff.reference, tariff.currency.code) == ("city-ac", "GBP")


def test_a_tariff_comes_back_into_the_form_as_it_was_typed() -> None:
    """A new version begins with the last one."""
    data, _ = data_of(CITY)
    stored = msgspec.json.decode(read_tariff(data).canonical)
    assert fields_of(stored) == CITY | {"currency": "GBP", "energy": "0.45"}


def test_a_tariff_that_the_form_cannot_say_is_left_to_json() -> None:
    """Nothing is dropped silently: weekdays have no field."""
    data, _ = data_of(CITY)
    data["elements"][0]["restrictions"]["day_of_week"] = ["SATURDAY"]
    assert fields_of(msgspec.json.decode(read_tariff(data).canonical)) is None


@pytest.mark.parametrize(
    "beside",
    [{"min_price": {"after_taxes": 2}}, {"max_price": {"before_taxes": 50}}, {"idle_grace": {"seconds": 900}}],
)
def test_what_stands_beside_the_prices_is_not_lost_in_the_form(beside: dict[str, object]) -> None:
    """A limit that vanishes with the next edit would be found out by a customer."""
    data, _ = data_of(CITY)
    assert fields_of(msgspec.json.decode(read_tariff(data | beside).canonical)) is None


@pytest.mark.parametrize(
    ("field", "typed", "blamed"),
    [
        ("energy", "a lot", "energy"),
        ("vat", "NaN", "vat"),
        ("window_from", "25:00", "window_from"),
        ("window_energy", "", "window_energy"),
        ("idle_after", "1.5", "idle_after"),
        ("reference", " ", "reference"),
    ],
)
def test_each_mistake_is_told_beside_its_field(field: str, typed: str, blamed: str) -> None:
    """And there is no tariff as long as one is left."""
    data, wrong = data_of(CITY | {field: typed})
    assert list(wrong) == [blamed]
    assert data == {}


def test_a_tariff_without_any_price_is_no_tariff() -> None:
    """Somebody pressed the button too early."""
    _, wrong = data_of({"reference": "x", "currency": "GBP"})
    assert list(wrong) == ["energy"]
