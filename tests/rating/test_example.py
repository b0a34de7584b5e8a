"""An example session costs what a real one of that shape would."""

from __future__ import annotations

from tallywatt.kernel.clock import parse_instant
from tallywatt.rating.example import Example, price_example
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.read import read_tariff

DAY_AND_NIGHT = {
    "id": "city",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": "0.40", "vat": "20"}],
            "restrictions": {"start_time": "07:00", "end_time": "20:00"},
        },
        {"price_components": [{"type": "ENERGY", "price": "0.20", "vat": "20"}]},
        {"price_components": [{"type": "PARKING_TIME", "price": "6", "vat": "20"}]},
    ],
}
SEVEN_IN_THE_EVENING = parse_instant("2026-01-05T19:00:00Z")


def test_an_example_is_split_where_the_price_changes() -> None:
    """Ten kWh in the hour before eight and ten in the hour after it, in the zone of the place."""
    example = Example(SEVEN_IN_THE_EVENING, 20_000_000, 120)
    rows = price_example(example, read_tariff(DAY_AND_NIGHT), STANDARD, "Europe/London")
    assert [line.gross_minor for line in rows.lines] == [400, 200]
    assert rows.result.gross_minor == 600


def test_idle_time_is_counted_after_charging() -> None:
    """Half an hour without asking for power, at six an hour."""
    example = Example(SEVEN_IN_THE_EVENING, 10_000_000, 60, idle_minutes=30)
    rows = price_example(example, read_tariff(DAY_AND_NIGHT), STANDARD, "Europe/London")
    assert [(line.reason_code, line.gross_minor) for line in rows.lines] == [("energy", 400), ("idle_time", 300)]


def test_an_example_without_energy_costs_nothing_by_the_kwh() -> None:
    """Nothing was taken: there is nothing to pay, and nothing breaks."""
    example = Example(SEVEN_IN_THE_EVENING, 0, 1)
    assert price_example(example, read_tariff(DAY_AND_NIGHT), STANDARD, "Europe/London").result.gross_minor == 0
