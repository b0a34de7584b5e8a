"""Days on which banks move money: weekends and the six holidays of TARGET, for every year."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tallywatt.payments.bank_days import bank_day_from, bank_days_after, easter, is_bank_day
from tallywatt.payments.debit import void_from

EASTERS = ("2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2038-04-25", "2285-03-22")


@pytest.mark.parametrize("day", EASTERS)
def test_easter_is_when_the_almanac_says(day: str) -> None:
    """Its earliest and its latest day among them."""
    assert easter(int(day[:4])).isoformat() == day


@pytest.mark.parametrize(
    "day", ["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25", "2026-11-21", "2026-11-22"]
)
def test_on_holidays_and_weekends_nothing_is_collected(day: str) -> None:
    """A file for such a day comes back from the bank."""
    assert not is_bank_day(date.fromisoformat(day))


def test_a_usual_year_has_its_number_of_bank_days() -> None:
    """2026: 261 weekdays, five holidays on one (26 December is a Saturday)."""
    days = [date(2026, 1, 1) + timedelta(days=one) for one in range(365)]
    assert sum(map(is_bank_day, days)) == 256


def test_the_next_bank_day_is_counted_over_easter() -> None:
    """Thursday before Good Friday: the second bank day after it is Wednesday."""
    thursday = date(2026, 4, 2)
    assert bank_day_from(thursday) == thursday
    assert bank_day_from(date(2026, 4, 3)) == date(2026, 4, 7)
    assert bank_days_after(thursday, 2) == date(2026, 4, 8)


@pytest.mark.parametrize(
    ("signed", "used", "void"),
    [
        ("2026-02-01", None, "2029-02-01"),
        ("2024-02-29", None, "2027-03-01"),
        ("2020-01-01", "2026-05-31", "2029-05-31"),
    ],
)
def test_a_mandate_is_void_when_it_was_not_used_for_36_months(signed: str, used: str | None, void: str) -> None:
    """From its signature, or from its last use."""
    assert void_from(signed, used) == void
