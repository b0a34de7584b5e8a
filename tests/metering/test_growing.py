"""Tests of the curve that grows: what it grows by is what measuring all registers together would add, or it says so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import SessionId
from tallywatt.metering.growing import Growing
from tallywatt.metering.measure import measure
from tallywatt.metering.session import MeterReading

START = Instant(1_790_000_000_000)


def sample(minute: int, register: int) -> MeterReading:
    """A register at a minute of the session."""
    at = Instant(START + minute * 60_000)
    return MeterReading(SessionId("S1"), f"{minute}/{register}", at, register, None, "Sample.Periodic", at, None)


SAMPLES = st.lists(st.builds(sample, st.integers(-1, 6), st.integers(-1, 6)), max_size=6)


@given(meter_start=st.none() | st.integers(0, 3), before=SAMPLES, after=SAMPLES)
def test_it_grows_as_measuring_everything_would(
    meter_start: int | None, before: list[MeterReading], after: list[MeterReading]
) -> None:
    """The cost that a driver sees and the invoice start from one curve, also where a meter was reset or dropped out."""
    grown = Growing(START, meter_start, before)
    more = grown.grow(after)
    whole = measure(START, meter_start, [*before, *after], None, None).curve
    if more is not None:
        assert (*grown.curve, *more) == whole


def test_what_comes_in_order_and_rises_need_not_be_measured_again() -> None:
    """The usual case is the cheap one."""
    grown = Growing(START, 0, [sample(1, 1)])
    assert [one.milliwatt_hours for one in grown.grow([sample(2, 3), sample(3, 5)]) or ()] == [3, 5]
    assert [one.milliwatt_hours for one in grown.grow([sample(4, -1), sample(4, 6)]) or ()] == [6]
    assert grown.grow([sample(5, 2)]) is None
    assert grown.grow([sample(1, 9)]) is None


def test_after_a_reset_all_registers_are_measured_together() -> None:
    """Only the next values tell a reset from a dropout."""
    assert Growing(START, 5, [sample(1, 2)]).grow([sample(2, 9)]) is None
