"""Energy: whole milliwatt-hours, read from meters and shown to people without losing one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.energy import Energy, milliwatt_hours, wh
from tallywatt.kernel.errors import BadInput

SIGNED = st.integers(min_value=1 - 10**15, max_value=10**15 - 1)
MILLIWATT_HOURS = st.integers(min_value=0, max_value=10**15)


@given(size=SIGNED)
def test_watt_hours_that_are_printed_read_back_as_the_same_energy(size: int) -> None:
    """Every command prints watt-hours as text, and the sums of such texts must still add up."""
    assert milliwatt_hours(wh(size), "Wh") == size
    assert milliwatt_hours(Decimal(size).scaleb(-6), "kWh") == size


@given(size=SIGNED)
def test_printed_watt_hours_have_at_most_three_places_and_no_idle_zeros(size: int) -> None:
    """The one JSON line of the demo and of every command is compared as text."""
    whole, _, places = wh(size).partition(".")

    assert whole.lstrip("-").isdigit()
    assert len(places) <= 3
    assert not places.endswith("0")


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0"), (1, "0.001"), (-1, "-0.001"), (1500, "1.5"), (1000, "1"), (-12_340_560, "-12340.56")]
)
def test_watt_hours_are_plain_decimal_text(size: int, text: str) -> None:
    """No exponent, no thousands sign: the text is for programs as much as for people."""
    assert wh(size) == text


@given(parts=st.lists(MILLIWATT_HOURS, min_size=1, max_size=20))
def test_energy_adds_up_however_it_is_cut(parts: list[int]) -> None:
    """Stations report in pieces of any size; the whole stays the whole."""
    whole = Energy(0)
    for part in parts:
        whole = whole + Energy(part)

    assert whole == Energy(sum(parts))
    assert whole - Energy(parts[0]) == Energy(sum(parts[1:]))


def test_energy_shows_itself_in_kilowatt_hours_and_watt_hours() -> None:
    """Receipts speak kWh, commands Wh."""
    energy = Energy(12_345_678)

    assert str(energy) == "12.345678 kWh"
    assert energy.kwh == Decimal("12.345678")
    assert energy.wh == "12345.678"


def test_the_smallest_energy_is_not_shown_as_a_power_of_ten() -> None:
    """`1E-6 kWh` on an invoice is a bug that only a tiny session would show."""
    assert str(Energy(1)) == "0.000001 kWh"
    assert str(Energy(0)) == "0.000000 kWh"


def test_energy_below_zero_is_a_bug() -> None:
    """A meter that runs backwards is decided on in metering, before it becomes energy."""
    with pytest.raises(AssertionError):
        Energy(-1)
    with pytest.raises(AssertionError):
        Energy(1) - Energy(2)


@pytest.mark.parametrize(
    ("value", "unit", "size"),
    [
        ("0", "Wh", 0),
        ("1234", "Wh", 1_234_000),
        ("1.234", "kWh", 1_234_000),
        ("0.0005", "Wh", 0),
        ("0.0015", "Wh", 2),
        ("-3", "Wh", -3000),
        ("1e3", "Wh", 1_000_000),
    ],
)
def test_a_meters_figure_becomes_whole_milliwatt_hours(value: str, unit: str, size: int) -> None:
    """Meters report Wh or kWh with any number of digits; finer than a milliwatt-hour is rounded half to even."""
    assert milliwatt_hours(value, unit) == size


@pytest.mark.parametrize("unit", ["", "wh", "kW", "MWh", "varh"])
def test_a_unit_that_is_not_energy_is_refused(unit: str) -> None:
    """Reading kvarh as kWh would bill reactive energy."""
    with pytest.raises(BadInput) as refused:
        milliwatt_hours("1", unit)

    assert refused.value.code == "energy.unknown_unit"


@pytest.mark.parametrize("value", ["", "a lot", "NaN", "Infinity", "-Infinity", "1e13", "1e999999", "0x10"])
def test_a_figure_that_no_meter_has_is_refused(value: str) -> None:
    """A station may send anything; the caller records it and flags it, and nothing overflows the database."""
    with pytest.raises(BadInput) as refused:
        milliwatt_hours(value, "kWh")

    assert refused.value.code == "energy.not_a_figure"
