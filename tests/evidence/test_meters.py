"""Two sums of the same registers, made by two pieces of code that share nothing, agree to the last milliwatt-hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import example, given
from hypothesis import strategies as st

from tallywatt.evidence.decode import Point
from tallywatt.evidence.meters import energy
from tallywatt.kernel.clock import Instant
from tallywatt.metering.measure import measure
from tallywatt.metering.session import MeterReading

if TYPE_CHECKING:
    from tallywatt.kernel.identity import SessionId

SESSION: SessionId = "s"  # type: ignore[assignment]  # an id is a str
REGISTERS = st.one_of(
    st.integers(-5, 20).map(lambda wh: wh * 1000), st.integers(0, 20).map(lambda kwh: kwh * 1_000_000)
)


@given(
    start=st.one_of(st.none(), REGISTERS.filter(lambda register: register >= 0)),
    samples=st.lists(st.tuples(st.integers(0, 20), REGISTERS), max_size=8),
    stop=st.one_of(st.none(), REGISTERS),
)
@example(start=0, samples=[(1, 8_977_000)], stop=8_000_000)
@example(start=100_000, samples=[(1, 102_000), (2, 0), (3, 104_000)], stop=105_000)
@example(start=100_000, samples=[(1, 103_000), (2, 1_000)], stop=2_000)
def test_resets_dropouts_and_coarse_stops_are_summed_alike(
    start: int | None, samples: list[tuple[int, int]], stop: int | None
) -> None:
    """Whatever the meter did."""
    points = [Point(Instant(at), register, "Sample.Periodic") for at, register in set(samples)]
    readings = [
        MeterReading(
            SESSION, f"{point.at}/{point.register}", point.at, point.register, None, point.context, point.at, None
        )
        for point in points
    ]

    measured = measure(Instant(0), start, readings, Instant(99), stop)

    assert energy(start, points, stop) == measured.milliwatt_hours


@given(start=st.integers(0, 10**9), grown=st.lists(st.integers(0, 10**8), min_size=1, max_size=10))
def test_a_register_that_only_grows_is_end_less_start(start: int, grown: list[int]) -> None:
    """However often it was read in between."""
    registers = [start]
    for more in grown:
        registers.append(registers[-1] + more)
    points = [Point(Instant(place), register, "x") for place, register in enumerate(registers[1:-1], 1)]

    assert energy(start, points, registers[-1]) == sum(grown)


def test_nothing_told_is_no_energy() -> None:
    """Absent is not zero, and zero is not energy."""
    assert energy(None, [], None) == 0
    assert energy(5, [], None) == 0
    assert energy(None, [], 5) == 0
