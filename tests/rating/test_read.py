"""Reading tariffs: what is meant is understood, what cannot be meant is refused with its path, nothing is dropped silently."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.rating.read import read_tariff, read_tariff_text
from tallywatt.rating.records import TariffVersion, TaxBasis
from tallywatt.rating.tariff import Tariff, named, plain
from tests.rating.examples import a_tariff, an_element, tariffs


@given(tariff=tariffs())
def test_a_tariff_that_is_written_reads_back_as_the_same_version(tariff: Tariff) -> None:
    """A version is the hash of its canonical text; two spellings of one tariff are one version."""
    again = read_tariff_text(tariff.canonical)
    assert again == tariff
    assert again.version_id == tariff.version_id


def test_spelling_does_not_make_another_version() -> None:
    """A price as number or text, idle zeros, the order of keys, and when it was last updated change no amount."""
    one = read_tariff(
        {"id": "T1", "currency": "EUR", "tax_included": "YES", "elements": [an_element(("ENERGY", 0.5, 20.0))]}
    )
    other = read_tariff(
        {
            "last_updated": "2026-01-01T00:00:00Z",
            "elements": [{"restrictions": {}, "price_components": [{"vat": "20", "price": "0.500", "type": "ENERGY"}]}],
            "tax_included": "YES",
            "currency": "EUR",
            "country_code": "GB",
            "id": "T1",
        }
    )
    assert one.version_id == other.version_id
    assert other.unread == ()


def test_another_price_or_name_is_another_version() -> None:
    """What was offered can be told from what is offered now."""
    tariff = a_tariff(an_element(("ENERGY", "0.50")))
    assert a_tariff(an_element(("ENERGY", "0.51"))).version_id != tariff.version_id
    assert named(tariff, "Night").version_id != tariff.version_id


def test_the_row_carries_the_canonical_text() -> None:
    """The stored version is all that is needed to rate again."""
    tariff = a_tariff(an_element(("ENERGY", "0.50")), name="Standard")
    assert tariff.row(Instant(5)) == TariffVersion(
        tariff.version_id, "T1", "Standard", tariff.canonical, "EUR", TaxBasis.GROSS, Instant(5)
    )


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"name": " Day "}, "Day"),
        ({"tariff_alt_text": [{"language": "en", "text": "0.45 a kWh"}]}, "0.45 a kWh"),
        ({"tariff_alt_text": [{"language": "en", "text": " "}, "?"]}, "T1"),
        ({"tariff_alt_text": "x"}, "T1"),
        ({}, "T1"),
    ],
)
def test_a_tariff_is_named_by_its_name_its_text_or_its_id(more: dict[str, Any], name: str) -> None:
    """OCPI has no name; people still need one."""
    assert a_tariff(an_element(("FLAT", 1)), **more).name == name


def test_unknown_keys_are_reported_with_their_path() -> None:
    """`restriction` for `restrictions` would otherwise make a night price hold all day."""
    tariff = a_tariff(
        {
            "price_components": [{"type": "FLAT", "price": 1, "stepsize": 2}],
            "restriction": {},
            "restrictions": {"start_tyme": "08:00", "max_kwh": None},
        },
        membership="gold",
    )
    assert tariff.unread == (
        f"{C}.stepsize",
        "elements[0].restriction",
        f"{R}.start_tyme",
        "membership",
    )


GOOD = an_element(("ENERGY", 1))
C = "elements[0].price_components[0]"
R = "elements[0].restrictions"


@pytest.mark.parametrize(
    ("data", "code", "path"),
    [
        ({"id": ""}, "tariff.missing", "id"),
        ({"currency": None}, "tariff.missing", "currency"),
        ({"tax_included": None}, "tariff.missing", "tax_included"),
        ({"tax_included": "MAYBE"}, "tariff.not_known", "tax_included"),
        ({"elements": [{"price_components": [{"type": [], "price": 1}]}]}, "tariff.not_known", f"{C}.type"),
        ({"elements": [GOOD | {"restrictions": {"reservation": {}}}]}, "tariff.not_known", f"{R}.reservation"),
        ({"end_date_time": "soon"}, "tariff.not_a_time", "end_date_time"),
        ({"min_price": {}}, "tariff.missing", "min_price"),
        ({"max_price": 5}, "tariff.not_an_object", "max_price"),
        ({"max_price": {"after_taxes": "x"}}, "tariff.not_a_number", "max_price.after_taxes"),
        (
            {"min_price": {"excl_vat": 2}, "max_price": {"before_taxes": 1}},
            "tariff.limits_contradict",
            "min_price",
        ),
        ({"elements": []}, "tariff.missing", "elements"),
        ({"elements": ["x"]}, "tariff.not_an_object", "elements[0]"),
        ({"elements": [{"price_components": []}]}, "tariff.missing", "elements[0].price_components"),
        ({"elements": [{"price_components": [1]}]}, "tariff.not_an_object", C),
        ({"elements": [an_element(("HEAT", 1))]}, "tariff.not_known", f"{C}.type"),
        ({"elements": [{"price_components": [{"type": "FLAT"}]}]}, "tariff.missing", f"{C}.price"),
        ({"elements": [an_element(("FLAT", "dear"))]}, "tariff.not_a_number", f"{C}.price"),
        ({"elements": [an_element(("FLAT", True))]}, "tariff.not_a_number", f"{C}.price"),
        ({"elements": [an_element(("FLAT", "NaN"))]}, "tariff.out_of_range", f"{C}.price"),
        ({"elements": [an_element(("FLAT", 1e9))]}, "tariff.out_of_range", f"{C}.price"),
        ({"elements": [an_element(("FLAT", "1e-10"))]}, "tariff.out_of_range", f"{C}.price"),
        ({"elements": [an_element(("FLAT", 1, -1))]}, "tariff.out_of_range", f"{C}.vat"),
        ({"elements": [an_element(("TIME", 1, 1, -1))]}, "tariff.not_a_number", f"{C}.step_size"),
        ({"elements": [an_element(("TIME", 1, 1, 0.5))]}, "tariff.not_a_number", f"{C}.step_size"),
        ({"elements": [an_element(("FLAT", 1), ("FLAT", 2))]}, "tariff.twice", "elements[0].price_components[1]"),
        ({"elements": [GOOD | {"restrictions": 5}]}, "tariff.not_an_object", R),
        ({"elements": [an_element(("FLAT", 1), start_time="8:00")]}, "tariff.not_a_time", f"{R}.start_time"),
        ({"elements": [an_element(("FLAT", 1), end_time=5)]}, "tariff.not_a_time", f"{R}.end_time"),
        ({"elements": [an_element(("FLAT", 1), start_date="1.1.26")]}, "tariff.not_a_date", f"{R}.start_date"),
        ({"elements": [an_element(("FLAT", 1), end_date=5)]}, "tariff.not_a_date", f"{R}.end_date"),
        ({"elements": [an_element(("FLAT", 1), min_kwh="1.1234567")]}, "tariff.out_of_range", f"{R}.min_kwh"),
        ({"elements": [an_element(("FLAT", 1), max_duration=-1)]}, "tariff.out_of_range", f"{R}.max_duration"),
        ({"elements": [an_element(("FLAT", 1), day_of_week=["DOMINGO"])]}, "tariff.not_known", f"{R}.day_of_week"),
        ({"elements": [an_element(("FLAT", 1), reservation="YES")]}, "tariff.not_known", f"{R}.reservation"),
        (
            {"elements": [an_element(("ENERGY", 1), reservation="RESERVATION")]},
            "tariff.bad_reservation",
            "elements[0]",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_path(data: dict[str, Any], code: str, path: str) -> None:
    """Whoever wrote the tariff must find the place without reading code."""
    whole = {"id": "T1", "currency": "EUR", "tax_included": "YES", "elements": [GOOD]} | data
    with pytest.raises(BadInput) as refused:
        read_tariff(whole)
    assert refused.value.code == code
    assert refused.value.message.startswith(f"{path}: ")


def test_a_limit_that_is_given_as_nothing_is_no_limit() -> None:
    """Some systems write every key."""
    assert a_tariff(GOOD, min_price=None, max_price=None) == a_tariff(GOOD)
    assert a_tariff(GOOD) != "a tariff"
    assert len({a_tariff(GOOD), a_tariff(GOOD)}) == 1


def test_a_currency_that_is_not_carried_is_refused() -> None:
    """An exponent that is guessed would be off by a factor of ten or a hundred."""
    with pytest.raises(BadInput, match="ISO 4217"):
        a_tariff(GOOD, currency="XXX")


@pytest.mark.parametrize(
    ("number", "text"),
    [("1.50", "1.5"), ("100", "100"), ("-0", "0"), ("1E+2", "100"), ("0.000", "0"), ("1E-7", "0.0000001")],
)
def test_a_decimal_has_one_canonical_text(number: str, text: str) -> None:
    """The same price must hash the same."""
    assert plain(Decimal(number)) == text
