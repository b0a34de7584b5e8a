"""A day in about a minute."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.simulators.site.pace import Pace

MOMENTS = st.lists(st.integers(min_value=0, max_value=10**9).map(Instant), min_size=1, max_size=50)


@given(moments=MOMENTS, others=MOMENTS)
def test_time_never_runs_backwards(moments: list[Instant], others: list[Instant]) -> None:
    """Any two instants keep their order in the play."""
    pace = Pace(moments, 60)
    positions = [pace.position(at) for at in sorted(others)]
    assert all(before <= after for before, after in pairwise(positions))


@given(moments=MOMENTS)
def test_the_day_fits_its_seconds(moments: list[Instant]) -> None:
    """The first instant comes at once, the last after all the seconds."""
    pace = Pace(moments, 60)
    assert pace.position(min(moments)) == 0
    assert pace.position(max(moments)) <= 60.000001


async def test_a_play_of_no_seconds_waits_for_nothing() -> None:
    """Tests play that way."""
    pace = Pace([Instant(0), Instant(86_400_000)], 0)
    pace.begin()
    await pace.until(Instant(86_400_000))
    assert pace.present() == 86_400_000
