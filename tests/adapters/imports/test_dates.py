"""The order of a file settles which reading of a date is meant."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.adapters.imports.dates import settle_order

NEWEST = datetime(2019, 8, 31, 23, 0)  # noqa: DTZ001 - exports have no zone
GAPS = st.lists(st.integers(min_value=0, max_value=36 * 60), min_size=250, max_size=400)


def exchanged(moment: datetime) -> tuple[datetime, ...]:
    """As Perth's export writes it: days up to 12 with day and month exchanged."""
    if moment.day > 12 or moment.day == moment.month:
        return (moment,)
    return (moment.replace(month=moment.day, day=moment.month), moment)


@given(gaps=GAPS, backwards=st.booleans())
def test_a_busy_file_with_every_early_day_swapped_is_read_right(gaps: list[int], backwards: bool) -> None:
    """The whole file votes: hundreds of rows with gaps of at most a day and a half leave one reading."""
    truth, at = [], NEWEST
    for gap in gaps:
        at -= timedelta(minutes=gap)
        truth.append(at)
    if len({(moment.year, moment.month) for moment in truth}) < 3:
        return
    if backwards:
        truth.reverse()
    assert settle_order([exchanged(moment) for moment in truth]) == truth


@given(gaps=st.lists(st.integers(min_value=0, max_value=100 * 24 * 60), max_size=60))
def test_a_file_in_order_is_never_touched(gaps: list[int]) -> None:
    """What is consistent as written stays as written, however ambiguous."""
    written, at = [], NEWEST
    for gap in gaps:
        at -= timedelta(minutes=gap)
        written.append(at)
    assert settle_order([(moment, *exchanged(moment)[:-1]) for moment in written]) == written


def test_rows_without_a_date_leave_a_hole_and_disturb_nobody() -> None:
    """A row whose date cannot be read is refused later; its neighbours are settled without it."""
    mid_august = datetime(2019, 8, 14)  # noqa: DTZ001 - exports have no zone
    earlier, truth = mid_august - timedelta(days=1), mid_august - timedelta(days=2)
    settled = settle_order([(mid_august,), (earlier,), None, exchanged(truth)])
    assert settled == [mid_august, earlier, None, truth]


def test_an_empty_file_is_in_order() -> None:
    """Nothing to settle."""
    assert settle_order([]) == []
