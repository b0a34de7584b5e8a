"""The usual charges at a place: what a driver there would most likely do, priced by the tariff that rates."""

from __future__ import annotations

import pytest

from tallywatt.rating.policy import STANDARD
from tallywatt.rating.usual import usual, usual_data
from tests.rating.examples import AN_INSTANT, a_tariff, an_element

ENERGY = a_tariff(an_element(("ENERGY", "0.50", 20)))


@pytest.mark.parametrize(
    ("current", "watts", "kwh", "minutes"),
    [
        ("dc", None, 30, 30),
        ("dc", 150_000, 30, 30),
        ("dc", 25_000, 22, 60),
        ("ac", 22_000, 20, 120),
        ("ac", None, 20, 120),
        ("ac", 3_700, 6, 120),
        ("ac", 100, 1, 120),
    ],
)
def test_a_usual_charge_is_what_the_power_gives(current: str, watts: int | None, kwh: int, minutes: int) -> None:
    """An example that no vehicle could charge there would mislead about the price."""
    (one,) = usual(current, watts, ENERGY, AN_INSTANT)
    assert (one.milliwatt_hours, one.charging_minutes, one.idle_minutes) == (kwh * 1_000_000, minutes, 0)


def test_where_staying_costs_somebody_stays() -> None:
    """The fee that surprises most is shown before it is owed."""
    tariff = a_tariff(an_element(("ENERGY", "0.50", 20), ("PARKING_TIME", "6", 20)))
    first, second = usual_data(tariff, STANDARD, AN_INSTANT, "Europe/London", "ac", 22_000)
    assert (first["gross_minor"], first["idle_minutes"]) == (1000, 0)
    assert (second["gross_minor"], second["idle_minutes"]) == (2200, 120)
    assert (first["kilowatt_hours"], first["charging_minutes"], first["currency"]) == (20, 120, "EUR")
