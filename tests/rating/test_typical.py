"""Simulated sessions: priced by the engine, at their usual time and around the clock."""

from __future__ import annotations

from datetime import date

from tallywatt.rating.example import price_example
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.typical import TYPICAL, Typical, simulate, simulated_data
from tests.rating.examples import LONDON, a_tariff, an_element

DAY = date.fromisoformat("2026-11-24")
NIGHTS = a_tariff(
    an_element(("ENERGY", "0.2", 20), start_time="22:00", end_time="06:00"),
    an_element(("ENERGY", "0.5", 20), ("PARKING_TIME", "6", 20), ("FLAT", "1", 20)),
)


def test_every_typical_session_costs_what_the_engine_says() -> None:
    """A simulation that has a price of its own would promise what no invoice keeps."""
    found = simulate(NIGHTS, STANDARD, LONDON, DAY)
    assert [one.typical for one in found] == list(TYPICAL)
    for one in found:
        again = price_example(one.typical.example(DAY, LONDON), NIGHTS, STANDARD, LONDON)
        assert one.rows.result.gross_minor == again.result.gross_minor
        assert one.least_minor <= one.rows.result.gross_minor <= one.most_minor or one.typical.start_minute % 60


def test_the_cheapest_and_the_dearest_hour_are_found() -> None:
    """20 kWh in an hour: £4 and a fee at night, £10 and a fee by day."""
    [found] = simulate(NIGHTS, STANDARD, LONDON, DAY, [Typical("own", 12 * 60, 20_000_000, 60)])
    assert (found.least_minor, found.least_at, found.most_minor, found.most_at) == (500, 0, 1100, 6 * 60)
    [told] = simulated_data([found])
    assert (told["begins"], told["kwh"], told["gross_minor"], told["gross_per_kwh"]) == ("12:00", "20", 1100, "0.550")
    assert told["parts"] == [{"reason": "energy", "gross_minor": 1000}, {"reason": "session_fee", "gross_minor": 100}]


def test_a_day_on_which_the_clocks_change_has_prices_too() -> None:
    """01:30 does not exist on that day in London; a session then begins an hour later."""
    for day in ("2026-03-29", "2026-10-25"):
        assert len(simulate(NIGHTS, STANDARD, LONDON, date.fromisoformat(day), TYPICAL[:1])) == 1


def test_what_costs_nothing_or_takes_nothing_is_told_without_a_price_for_each_kwh() -> None:
    """Nothing divided by nothing is no figure."""
    free = a_tariff(an_element(("FLAT", "-0.5", 20)), currency="JPY")
    told = simulated_data(
        simulate(free, STANDARD, "Asia/Tokyo", DAY, [Typical("own", 0, 0, 1), Typical("own", 0, 10**6, 1)])
    )
    assert [one["gross_per_kwh"] for one in told] == [None, "-1.0"]
