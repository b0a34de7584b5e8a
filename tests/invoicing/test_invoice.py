"""Invoice numbers: none missing, none twice, never dated before the one in front."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.invoicing.invoice import NumberSeries, fresh_series, series_year, take_number
from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.errors import BadInput

LONDON = "Europe/London"
YEAR = (parse_instant("2026-01-01T00:00:00Z"), parse_instant("2026-12-31T23:59:59Z"))


@given(moments=st.lists(st.integers(*YEAR), min_size=1, max_size=30))
def test_numbers_are_dense_and_dates_never_go_back(moments: list[int]) -> None:
    """Business time may be set back; the series of a tax office may not."""
    counter = fresh_series("INV", 2026)
    taken = []
    for moment in moments:
        number, counter = take_number(counter, Instant(moment), "UTC")
        taken.append(number)

    assert [one.sequence for one in taken] == list(range(1, len(moments) + 1))
    assert len({one.number for one in taken}) == len(moments)
    for before, after in pairwise(taken):
        assert before.issue_date <= after.issue_date


def test_a_number_names_series_year_and_place() -> None:
    """People read it out on the phone."""
    taken, after = take_number(
        NumberSeries("INV", 2026, 123, "2026-11-20", 7), parse_instant("2026-11-21T10:00:00Z"), LONDON
    )
    assert (taken.number, taken.series, taken.year, taken.sequence) == ("INV-2026-000123", "INV", 2026, 123)
    assert taken.issue_date == "2026-11-21"
    assert after == NumberSeries("INV", 2026, 124, "2026-11-21", 7)


def test_the_year_and_the_day_are_those_of_the_operators_zone() -> None:
    """At 23:30 UTC on New Year's Eve it is next year in Berlin and not in London."""
    eve = parse_instant("2026-12-31T23:30:00Z")
    assert (series_year(eve, LONDON), series_year(eve, "Europe/Berlin")) == (2026, 2027)
    taken, _ = take_number(fresh_series("INV", 2027), eve, "Europe/Berlin")
    assert (taken.number, taken.issue_date) == ("INV-2027-000001", "2027-01-01")


def test_the_counter_of_another_year_is_a_bug() -> None:
    """The workflow locks the counter by the same clock that dates the paper."""
    with pytest.raises(AssertionError):
        take_number(fresh_series("INV", 2025), parse_instant("2026-11-21T10:00:00Z"), LONDON)


@pytest.mark.parametrize("name", ["", "inv", "INV-1", "A" * 13, "ÄNV"])
def test_a_series_that_would_not_read_as_a_number_is_refused(name: str) -> None:
    """A dash in the series would make numbers ambiguous."""
    with pytest.raises(BadInput) as refused:
        fresh_series(name, 2026)
    assert refused.value.code == "invoice.bad_series"
