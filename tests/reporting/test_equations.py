"""The two equations, and the day to which revenue belongs."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import rfc3339
from tallywatt.kernel.errors import BadInput
from tallywatt.reporting.equations import EnergyFigures, MoneyFigures, day_period

AMOUNTS = st.integers(0, 10**12)
HOUR = 3_600_000


@given(billed=AMOUNTS, running=AMOUNTS, reasons=st.dictionaries(st.sampled_from(["lost_stop", "no_tariff"]), AMOUNTS))
def test_what_was_delivered_is_billed_explained_or_running(billed: int, running: int, reasons: dict[str, int]) -> None:
    """To the last milliwatt-hour: the rest is what nobody can account for."""
    delivered = billed + running + sum(reasons.values())

    assert EnergyFigures(delivered, billed, running, reasons).unexplained == 0
    assert EnergyFigures(delivered + 1, billed, running, reasons).unexplained == 1


def test_energy_is_shown_in_watt_hours() -> None:
    """Decimal strings with up to three places; reasons that came to nothing are left out."""
    figures = EnergyFigures(7_500_500, 5_000_000, 500, {"lost_stop": 2_500_000, "meter_reset": 0})

    assert figures.as_json() == {
        "delivered_wh": "7500.5",
        "billed_wh": "5000",
        "explained_wh": "2500",
        "explained_by": {"lost_stop": "2500"},
        "running_wh": "0.5",
        "unexplained_wh": "0",
    }


def test_what_was_billed_is_captured_or_owed() -> None:
    """What was given back is owed again."""
    figures = MoneyFigures(billed=1000, captured=800, refunded=100, allocated=700)

    assert figures.owed == 300
    assert figures.holds
    assert figures.as_json()["owed_minor"] == 300


def test_money_that_no_invoice_got_breaks_the_equation() -> None:
    """Captured, and for nothing: somebody must look."""
    assert not MoneyFigures(billed=1000, captured=800, allocated=700).holds


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_is_as_long_as_the_zone_makes_it(day: str, hours: int) -> None:
    """Clocks change in March and October."""
    assert day_period(day, "Europe/London").milliseconds == hours * HOUR


def test_a_day_begins_at_the_operators_midnight() -> None:
    """Not at that of the viewer, nor at that of the server."""
    period = day_period(date(2026, 7, 1), "Europe/Berlin")

    assert (rfc3339(period.start), rfc3339(period.end)) == ("2026-06-30T22:00:00.000Z", "2026-07-01T22:00:00.000Z")


def test_a_zone_that_is_none_is_bad_input() -> None:
    """Said in words, never a crash."""
    with pytest.raises(BadInput):
        day_period("2026-07-01", "Europe/Dundee")
